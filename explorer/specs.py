"""What is built and how it is trained, as frozen values that round-trip through JSON."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from explorer.errors import SpecError
from explorer.registry import explain

MAX_LAYERS = 200
OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW", "sgd": "SGD", "rmsprop": "RMSprop"}
"""Name in a spec: class in `torch.optim`."""
DEVICES = ("auto", "cpu", "cuda", "mps")

Modality = Literal["image", "series", "vector", "tokens", "sequence"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Shape(_Value):
    """Shape of one example, without the batch dimension.

    An image is (C, H, W), a series (C, L) with L steps in time, a vector (D,), tokens (L,) numbers of words or
    characters, a sequence (L, D) with one vector at each of L positions.

    Attributes:
        vocabulary: How many different tokens there are; 0 for what is not tokens.
        padded: Whether some positions may be padding, which must not change an answer.
        source: In a decoder, the (S, D) of what the encoder puts out; empty elsewhere.
    """

    kind: Modality
    size: tuple[int, ...]
    vocabulary: int = 0
    padded: bool = False
    source: tuple[int, ...] = ()

    def __str__(self) -> str:
        return "×".join(str(n) for n in self.size)

    @property
    def values(self) -> int:
        """How many numbers it holds."""
        total = 1
        for n in self.size:
            total *= n
        return total


class LayerSpec(_Value):
    """One layer: its kind and the parameters it was given, flat, as in ``{"kind": "conv", "channels": 16}``.

    It may be wrong (an unknown kind, a kernel too large): a half-finished edit is kept, and building it says what is
    wrong with it.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: Annotated[str, Field(max_length=40)]

    @model_validator(mode="after")
    def _scalars(self) -> LayerSpec:
        for name, value in self.params.items():
            if not isinstance(value, (int, float, str, bool, type(None))) or len(str(value)) > 80 or len(name) > 40:
                raise ValueError(f"field {name[:40]!r} should be a number, a short text, true or false")
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"field {name!r} should be a finite number")
            if isinstance(value, str) and not value.isprintable():  # half a surrogate pair cannot be written as JSON
                raise ValueError(f"field {name!r} should be printable text")
        return self

    @property
    def params(self) -> dict[str, Any]:
        """The parameters without the kind."""
        return dict(self.model_extra or {})

    def with_params(self, **changes: Any) -> LayerSpec:
        """The same layer with some parameters changed."""
        return LayerSpec(kind=self.kind, **{**self.params, **changes})


class ModelSpec(_Value):
    """A model as a list of layers, from input to output; a translator has a second list, the decoder."""

    version: Literal[1] = 1
    layers: Annotated[tuple[LayerSpec, ...], Field(max_length=MAX_LAYERS)] = ()
    decoder: Annotated[tuple[LayerSpec, ...], Field(max_length=MAX_LAYERS)] = ()

    @classmethod
    def of(cls, *layers: dict[str, Any]) -> ModelSpec:
        """Short form: ``ModelSpec.of({"kind": "flatten"}, {"kind": "output"})``."""
        return cls(layers=tuple(LayerSpec(**layer) for layer in layers))

    def with_decoder(self, *layers: dict[str, Any]) -> ModelSpec:
        """The same encoder with this decoder."""
        return self.model_copy(update={"decoder": tuple(LayerSpec(**layer) for layer in layers)})


class TrainSpec(_Value):
    """How a model is trained."""

    optimizer: str = Field(
        "adam",
        title="Optimiser",
        description="The rule that turns gradients into weight changes.",
        json_schema_extra={"options": list(OPTIMIZERS)},
    )
    learning_rate: float = Field(
        0.001, gt=0, le=1e12, title="Learning rate", description="How far each step moves the weights."
    )
    batch_size: int = Field(
        64, ge=1, le=65536, title="Batch size", description="How many examples are averaged for one step."
    )
    epochs: int = Field(
        20, ge=1, le=10_000, title="Epochs", description="How many times the training examples are gone through."
    )
    weight_decay: float = Field(
        0.0, ge=0, le=10, title="Weight decay", description="How strongly weights are pulled towards zero at each step."
    )
    momentum: float = Field(
        0.9, ge=0, lt=1, title="Momentum", description="Share of the last change that is kept. Only SGD uses it."
    )
    seed: int = Field(0, ge=0, lt=2**31, title="Seed", description="Fixes the first weights and the order of examples.")
    device: str = Field(
        "auto",
        title="Device",
        description="Where to compute. Auto takes a CUDA GPU, then Apple's MPS, then the CPU.",
        json_schema_extra={"options": list(DEVICES)},
    )

    @field_validator("optimizer")
    @classmethod
    def _known_optimizer(cls, value: str) -> str:
        if value not in OPTIMIZERS:
            raise ValueError(f"it should be one of: {', '.join(OPTIMIZERS)}")
        return value

    @field_validator("device")
    @classmethod
    def _known_device(cls, value: str) -> str:
        if value not in DEVICES:
            raise ValueError(f"it should be one of: {', '.join(DEVICES)}")
        return value


class RunSpec(_Value):
    """Everything a run is reproduced from."""

    dataset: Annotated[str, Field(max_length=40)]
    model: ModelSpec
    train: TrainSpec = TrainSpec()
    family: Annotated[str, Field(max_length=40)] = "custom"
    """The family the model started from, for display."""

    def called(self, dataset: str = "") -> str:
        """What it is in a few words: ``CNN on digits``.

        Args:
            dataset: What to call the data set; its name if empty.
        """
        dataset = dataset or self.dataset
        words = [word.upper() if len(word) <= 3 else word for word in self.family.split("_")]
        family = " ".join(words)
        return f"{family[0].upper()}{family[1:]} on {dataset}" if family else dataset


V = TypeVar("V", bound=BaseModel)


def parse(cls: type[V], text: str | bytes | dict[str, Any], what: str) -> V:
    """Read an untrusted spec.

    Args:
        cls: The spec's class.
        text: JSON, or what JSON holds.
        what: What is being read, for the message ("model", "training settings").

    Raises:
        SpecError: The text is not JSON or does not describe a `cls`; the message names the field.
    """
    try:
        return cls.model_validate(json.loads(text) if isinstance(text, (str, bytes)) else text)
    except ValidationError as error:
        raise SpecError(f"This {what} cannot be used: {explain(error, tuple(cls.model_fields))}") from None
    except (ValueError, RecursionError):
        raise SpecError(f"This {what} is not valid JSON. Paste the text as it was exported.") from None


__all__ = ["DEVICES", "MAX_LAYERS", "OPTIMIZERS", "LayerSpec", "ModelSpec", "RunSpec", "Shape", "TrainSpec", "parse"]
