"""Attributions of what happens inside: to the values of a layer, and of one unit to the input."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pydantic import Field
from torch import nn

from explorer.attribution.base import Method
from explorer.attribution.question import Question
from explorer.data import PAD
from explorer.errors import NotApplicable, SpecError, UnknownName
from explorer.models import Translator
from explorer.models.layers.sequences import TimeSteps


class OfLayer(Method):
    """Base of methods that look at one layer."""

    group = "Inside the model"

    layer: str = Field("", description="Name of the layer; empty takes the one before the last.")

    def module(self, question: Question) -> tuple[str, nn.Module]:
        """The layer that is looked at.

        Raises:
            UnknownName: The model has no such layer.
        """
        model = question.inner
        known = layers(model)
        name = self.layer or known[-2 if len(known) > 1 else -1]
        if name not in known:
            raise UnknownName("layer in this model", name, known)
        return name, model.get_submodule(name)


def layers(model: nn.Module) -> list[str]:
    """Names of the layers whose values can be explained, in order; not the embedding, where the explaining starts."""
    stacks = {"encoder.": model.encoder, "decoder.": model.decoder} if isinstance(model, Translator) else {"": model}
    return [
        f"{stack}{name}"
        for stack, part in stacks.items()
        for name, module in part.named_children()
        if not isinstance(module, nn.Embedding)
    ]


def passed(model: nn.Module, layer: str) -> bool:
    """Whether some of the input may reach the answer without flowing through one of its `layers`."""
    if not layer.startswith("decoder."):
        return not isinstance(model, nn.Sequential | Translator)
    known = layers(model)
    return looks(model, known[known.index(layer) + 1 :])


def looks(model: Translator, names: Sequence[str]) -> bool:
    """Whether any of some layers looks at the encoded source."""
    return any(getattr(model.get_submodule(name), "crosses", False) for name in names)


class LayerConductance(OfLayer):
    """How much of the difference between the score and the baseline's flows through each value of a layer: all of it
    where nothing flows past the layer, as it does past a decoder's layers before its last look at the source.
    """

    name = "layer_conductance"
    title = "Layer conductance"
    order = 30
    paper = "Dhamdhere et al., 2018"
    cost = "one gradient for each step"
    reads = "Warm: this value of the layer, compared with its value for {baseline}, speaks for the class."
    inner = True
    complete = "baseline"

    steps: int = Field(50, ge=2, le=1000, description="Points on the way; more give a smaller completeness error.")

    def promises(self, question: Question) -> bool:
        return not passed(question.inner, self.module(question)[0])

    def run(self, question: Question) -> torch.Tensor:
        from captum.attr import LayerConductance as Captum

        return Captum(question.scored, self.module(question)[1]).attribute(
            question.x,
            baselines=question.baseline,
            target=0,
            n_steps=self.steps,
            internal_batch_size=question.at_once(),
        )


class LayerGradientXActivation(OfLayer):
    """Each value of a layer times the gradient of the score with respect to it."""

    name = "layer_gradient_x_activation"
    title = "Activation × gradient of a layer"
    order = 31
    paper = "Shrikumar et al., 2016; Kokhlikyan et al., 2020"
    cost = "one gradient"
    reads = "Warm: this value of the layer adds to the score if what follows is taken as linear. Cool: it takes away."
    inner = True

    def run(self, question: Question) -> torch.Tensor:
        from captum.attr import LayerGradientXActivation as Captum

        return Captum(question.scored, self.module(question)[1]).attribute(question.x.requires_grad_(), target=0)


class NeuronGradient(OfLayer):
    """What one unit or channel of a layer looks at: the gradient of its mean output, over all places, with respect to
    the input.
    """

    name = "neuron_gradient"
    title = "Gradient of one unit"
    order = 32
    paper = "Simonyan et al., 2013; Kokhlikyan et al., 2020"
    cost = "one gradient"
    slope = True
    reads = "Warm: the unit rises as this {part} gets {more}. Cool: it falls. It says nothing of the class."

    unit: int = Field(0, ge=0, le=65535, description="Number of the unit or channel.")

    def run(self, question: Question) -> torch.Tensor:
        from captum.attr import NeuronGradient as Captum

        name, module = self.module(question)
        known = layers(question.inner)
        if name.startswith("decoder.") and not looks(question.inner, known[: known.index(name) + 1]):
            raise NotApplicable(f"{self.title} does not apply: {name} comes before the decoder looks at the source.")

        def chosen(output: torch.Tensor) -> torch.Tensor:
            values = by_unit(question, name, output)  # (N, units, places)
            if self.unit >= values.shape[1]:
                raise SpecError(f"Unit {self.unit} was asked for, but {name} has units 0 to {values.shape[1] - 1}.")
            return values[:, self.unit].mean(1)

        return Captum(question.scored, module).attribute(question.x.requires_grad_(), chosen)


def by_unit(question: Question, name: str, output: torch.Tensor) -> torch.Tensor:
    """What a layer puts out, (N, D), (N, C, …) or of a sequence (N, L, D), as (N, units, places), without padding."""
    if output.ndim != 3 or not in_sequence(question, name):
        return output.flatten(2) if output.ndim > 2 else output[:, :, None]
    units, scored = output.transpose(1, 2), question.scored  # (N, D, L)
    tokens = scored.written if name.startswith("decoder.") else scored.tokens
    if tokens is None:
        return units
    there = nn.functional.pad(
        tokens[0] != PAD, (units.shape[2] - tokens.shape[1], 0), value=True
    )  # a class token first
    return units[:, :, there]


def in_sequence(question: Question, name: str) -> bool:
    """Whether units are along the last axis of what a layer puts out, as they are once a series was cut into steps."""
    model = question.inner
    known = layers(model)
    before = (model.get_submodule(one) for one in known[: known.index(name) + 1])
    return question.modality != "series" or any(isinstance(module, TimeSteps) for module in before)
