"""What is asked of a model, in the form that every attribution method works on: one score of one continuous input."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import nn

from explorer.attribution.quicker import quicker
from explorer.data import PAD
from explorer.errors import NotApplicable, SpecError
from explorer.models import at_once, memory
from explorer.models.tokens import TokenModel
from explorer.models.translator import Translator
from explorer.probes.activations import TwoClasses, one
from explorer.probes.capture import quiet
from explorer.specs import Modality

Target = int | tuple[int, int]
"""A class, or two of them: what speaks for the first rather than the second."""
LARGEST = 128
"""Most inputs that are worth working on at once."""
_AT_ONCE: WeakKeyDictionary[nn.Module, dict[object, int]] = WeakKeyDictionary()
"""What was counted for each model: counting takes as long as several answers."""


class Scored(nn.Module):
    """The score that is explained, as a module: (N, …) → (N, 1).

    Args:
        model: The model; its modules stay the ones that methods hook into.
        target: The class, the difference of two, or the token of a translation.
        tokens: (1, L) if the model reads tokens: the input is then what comes out of their embedding, (N, L, D).
        written: (1, T) tokens a decoder has written so far.
        at: Which next token of these is meant.
    """

    def __init__(
        self,
        model: nn.Module,
        target: Target,
        tokens: torch.Tensor | None = None,
        written: torch.Tensor | None = None,
        at: int = -1,
    ) -> None:
        super().__init__()
        self.model, self.target = model, target
        self.tokens, self.written, self.at = tokens, written, at

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.pick(self.logits(z))[:, None]

    def pick(self, logits: torch.Tensor) -> torch.Tensor:
        """The score in logits: (N, classes) → (N,).

        Raises:
            SpecError: The model has no such class.
        """
        named = self.target if isinstance(self.target, tuple) else (self.target,)
        for number in named:
            if not 0 <= number < logits.shape[1]:
                raise SpecError(f"Class {number} was asked for, but the model has classes 0 to {logits.shape[1] - 1}.")
        score = logits[:, named[0]]
        return score - logits[:, named[1]] if len(named) > 1 else score

    def logits(self, z: torch.Tensor) -> torch.Tensor:
        """(N, classes)."""
        two = isinstance(self.model, TwoClasses)
        logits = self._run(self.model.model if two else self.model, z)
        return torch.cat([-logits / 2, logits / 2], dim=1) if two else logits

    def _run(self, model: nn.Module, z: torch.Tensor) -> torch.Tensor:
        if self.tokens is None:
            return model(z)
        mask = (self.tokens != PAD).expand(len(z), -1)  # (N, L)
        if not isinstance(model, Translator):
            return model.after(z, mask)
        written = self.written.expand(len(z), -1)  # (N, T)
        return model.decoder(written, model.encoder.after(z, mask), mask)[:, self.at]


@dataclass(frozen=True)
class Question:
    """One answer that is to be explained.

    Attributes:
        scored: Takes (N, …) as `x` is, gives the score, (N, 1).
        x: The input, (1, …), continuous: of tokens, their embedding (1, L, D).
        baseline: (1, …), with which the input is compared.
        references: (M, …), other inputs for methods that compare with many; the baseline if there are none.
        modality: What the input is.
        texts: (1 + M, L), the tokens of which the baseline and the references are embeddings, if the input was tokens.
    """

    scored: Scored
    x: torch.Tensor
    baseline: torch.Tensor
    references: torch.Tensor
    modality: Modality
    texts: torch.Tensor | None = None

    @property
    def model(self) -> nn.Module:
        """The model whose modules work on the score."""
        return self.scored.model

    @property
    def inner(self) -> nn.Module:
        """The same without what makes two logits of one."""
        return self.model.model if isinstance(self.model, TwoClasses) else self.model

    @property
    def tokens(self) -> torch.Tensor | None:
        """(1, L), if the input was tokens."""
        return self.scored.tokens

    @property
    def quick(self) -> Scored:
        """The same score, sooner, for methods that look at nothing inside the model."""
        old, inner = self.scored, self.inner
        copy = quicker(inner) if self.modality == "image" else inner
        if copy is inner:
            return old
        return Scored(copy if inner is old.model else TwoClasses(copy), old.target)

    def logits(self, z: torch.Tensor) -> torch.Tensor:
        """What the model puts out for inputs, (N, …) → (N, classes), in eval mode, without gradients, and in parts that
        fit into memory.
        """
        most, scored = self.at_once(), self.quick
        with torch.no_grad(), quiet(self.scored):
            return torch.cat([scored.logits(part) for part in z.split(most)])

    def score(self, z: torch.Tensor) -> torch.Tensor:
        """The score of inputs, (N, …) → (N,), likewise."""
        return self.scored.pick(self.logits(z))

    def at_once(self, most: int = LARGEST) -> int:
        """On how many inputs the model may work at once."""
        known = _AT_ONCE.setdefault(self.model, {})
        key = (tuple(self.x.shape), most, memory.MEMORY_BOUND)
        if key not in known:
            with quiet(self.scored):
                known[key] = at_once(most, lambda: self.scored(self.x))
        return known[key]


def ask(
    model: nn.Module,
    x: torch.Tensor,
    target: Target,
    *,
    baseline: torch.Tensor | None = None,
    references: torch.Tensor | None = None,
    written: torch.Tensor | None = None,
    at: int = -1,
) -> Question:
    """Put a question.

    Args:
        model: Takes (N, …), returns logits (N, classes); or a translator.
        x: One example, (1, …): numbers, or (1, L) tokens.
        target: The class; two for their difference; of a translation the token.
        baseline: What the example is compared with, in the form of `x`; zeros if None (of tokens: padding).
        references: (M, …) other examples, in the form of `x`.
        written: (1, T) tokens a translator has written so far, from the start token on.
        at: Which of the next tokens is explained: place in `written`.

    Raises:
        NotApplicable: More than one example, or tokens for a model whose embedding is not known.
        SpecError: A baseline or references of another form, or a place that is not there.
    """
    x = one(x).detach()
    for name, other in (("baseline", baseline), ("references", references)):
        if other is not None:
            _check_form(name, other, x)
    if x.is_floating_point():
        compared = torch.zeros_like(x) if baseline is None else baseline.detach().to(x)
        others = compared if references is None else references.detach().to(x)
        kinds: dict[int, Modality] = {2: "vector", 3: "series", 4: "image"}
        if x.ndim not in kinds:
            raise NotApplicable(f"Got an input of shape {tuple(x.shape)}; an image, a series or a row is needed.")
        return Question(Scored(model, target), x.clone(), compared, others, kinds[x.ndim])
    embedding = embedding_of(model)
    if isinstance(model, Translator) and (written is None or not -len(written[0]) <= at < len(written[0])):
        raise SpecError("Of a translation, say what is written so far and which of the next tokens is meant.")
    compared = torch.full_like(x, PAD) if baseline is None else baseline
    texts = torch.cat([compared.to(x), (compared if references is None else references).to(x)])
    texts = torch.where(x != PAD, texts, x)  # padding stays what it is: no answer depends on it
    with torch.no_grad():
        vectors, others = embedding(x), embedding(texts)  # (1, L, D), (1 + M, L, D)
    return Question(Scored(model, target, x, written, at), vectors, others[:1], others[1:], "tokens", texts)


def _check_form(name: str, other: torch.Tensor, x: torch.Tensor) -> None:
    """Raise `SpecError` unless it is one baseline, or some references, in the form of the example."""
    if other.shape[1:] != x.shape[1:]:
        raise SpecError(
            f"The {name} has the shape {tuple(other.shape[1:])}, but the example has {tuple(x.shape[1:])}. "
            "Give one of the same shape."
        )
    if name == "baseline" and len(other) != 1:
        raise SpecError(
            f"The baseline has the shape {tuple(other.shape)}, but one as a batch (1, …) is needed. Give one of these, "
            "or all as references to a method that compares with many."
        )
    if not len(other):
        raise SpecError("There are no references. Give at least one, or None for the baseline alone.")
    if other.is_floating_point() != x.is_floating_point():
        given, wanted = (f"{'numbers' if one.is_floating_point() else 'tokens'} ({one.dtype})" for one in (other, x))
        raise SpecError(
            f"The values of the {name} are {given}, but those of the example are {wanted}. Give the same kind."
        )


def embedding_of(model: nn.Module) -> nn.Module:
    """The embedding of a model that reads tokens.

    Raises:
        NotApplicable: It is not known.
    """
    inner = model.model if isinstance(model, TwoClasses) else model
    encoder = inner.encoder if isinstance(inner, Translator) else inner
    if not isinstance(encoder, TokenModel):
        raise NotApplicable(
            "The inputs are words or characters, which cannot be changed a little, and this model has no embedding "
            "that is known. Use a model made by `build`."
        )
    return encoder[0]
