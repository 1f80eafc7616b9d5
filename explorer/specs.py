"""What is built and how it is trained, as frozen values that round-trip through JSON."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from explorer.errors import SpecError
from explorer.registry import explain

MAX_LAYERS = 200
MAX_CHANGES = 1000
OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW", "sgd": "SGD", "rmsprop": "RMSprop"}
"""Name in a spec: class in `torch.optim`."""
DEVICES = ("auto", "cpu", "cuda", "mps")
SCHEDULES = ("constant", "step", "cosine", "one-cycle", "plateau")
PRECISIONS = ("float32", "bfloat16")

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
    nesterov: bool = Field(
        False, title="Nesterov", description="Look ahead along the momentum before measuring. Only SGD uses it."
    )
    seed: int = Field(0, ge=0, lt=2**31, title="Seed", description="Fixes the first weights and the order of examples.")
    device: str = Field(
        "auto",
        title="Device",
        description="Where to compute. Auto takes a CUDA GPU, then Apple's MPS, then the CPU.",
        json_schema_extra={"options": list(DEVICES)},
    )
    schedule: str = Field(
        "constant",
        title="Schedule",
        description="How the learning rate changes over the run. Step: a tenth after each third. Cosine: down to zero. "
        "One-cycle: up, then down to almost zero. Plateau: cut when the validation loss stands still.",
        json_schema_extra={"options": list(SCHEDULES), "group": "Schedule"},
    )
    warmup: int = Field(
        0,
        ge=0,
        le=1_000_000,
        title="Warm-up steps",
        description="Steps over which the learning rate rises from almost nothing.",
        json_schema_extra={"group": "Schedule"},
    )
    patience: int = Field(
        0,
        ge=0,
        le=1000,
        title="Patience",
        description="Stop early after so many epochs without a smaller validation loss. 0: never.",
        json_schema_extra={"group": "Schedule"},
    )
    clip: float = Field(
        0.0,
        ge=0,
        le=1e6,
        title="Gradient clipping",
        description="Largest norm of all gradients together; a larger one is scaled down to it. 0: off.",
        json_schema_extra={"group": "Regularisation"},
    )
    label_smoothing: float = Field(
        0.0,
        ge=0,
        lt=1,
        title="Label smoothing",
        description="Share of the wanted probability that is spread over all classes. Only for classes.",
        json_schema_extra={"group": "Regularisation"},
    )
    precision: str = Field(
        "float32",
        title="Precision",
        description="bfloat16 multiplies with fewer digits: faster where the device is made for it.",
        json_schema_extra={"options": list(PRECISIONS), "group": "Regularisation"},
    )
    shift: float = Field(
        0.0,
        ge=0,
        le=64,
        title="Shift (pixels)",
        description="Training images are moved by up to so many pixels.",
        json_schema_extra={"group": "Changed images"},
    )
    rotate: float = Field(
        0.0,
        ge=0,
        le=180,
        title="Rotate (degrees)",
        description="Training images are turned by up to so many degrees, either way.",
        json_schema_extra={"group": "Changed images"},
    )
    noise: float = Field(
        0.0,
        ge=0,
        le=10,
        title="Noise",
        description="Standard deviation of the noise added to each pixel of a training image.",
        json_schema_extra={"group": "Changed images"},
    )
    erase: float = Field(
        0.0,
        ge=0,
        le=1,
        title="Erase (share of the side)",
        description="Side of a square that is blanked out of each training image.",
        json_schema_extra={"group": "Changed images"},
    )

    @field_validator("optimizer", "device", "schedule", "precision")
    @classmethod
    def _known(cls, value: str, info: ValidationInfo) -> str:
        options = cls.model_fields[info.field_name].json_schema_extra["options"]
        if value not in options:
            raise ValueError(f"it should be one of: {', '.join(options)}")
        return value


class Change(_Value):
    """Settings that may be changed while a run goes on; None leaves one as it is."""

    learning_rate: float | None = Field(None, gt=0, le=1e12)
    weight_decay: float | None = Field(None, ge=0, le=10)
    batch_size: int | None = Field(None, ge=1, le=65536)
    clip: float | None = Field(None, ge=0, le=1e6)
    dropout: float | None = Field(None, ge=0, lt=1)
    epochs: int | None = Field(None, ge=1, le=10_000)

    @property
    def values(self) -> dict[str, Any]:
        """What it changes."""
        return self.model_dump(exclude_none=True)


_Name = Annotated[str, Field(max_length=40)]


class RunSpec(_Value):
    """Everything a run is reproduced from."""

    dataset: Annotated[str, Field(max_length=40)]
    model: ModelSpec
    train: TrainSpec = TrainSpec()
    changes: Annotated[tuple[tuple[int, Change], ...], Field(max_length=MAX_CHANGES)] = ()
    """What was changed while it went on, and after how many steps: with it, the run can be repeated."""
    start: tuple[Annotated[str, Field(pattern="^[0-9a-f]{8}$")], Annotated[int, Field(ge=0)]] | None = None
    """The run and the step whose weights it began with, which are its own first snapshot; None: anew from the seed."""
    examples: Annotated[int, Field(ge=1)] | None = None
    """Train on the first so many training examples only; None: on all."""
    fold: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=2, le=20)]] | None = None
    """Which fold, from 0, of how many: train and validation splits are then those of a cross-validation."""
    purpose: Literal["train", "range test", "one batch"] = "train"
    """What it is for: to train; to find a learning rate, which rises all the time; or to learn one batch by heart."""
    shuffled: bool = False
    """Whether it learns from shuffled labels, of which nothing true can be learned: a control for explanations."""
    family: Annotated[str, Field(max_length=40)] = "custom"
    """The family the model started from, for display."""
    starter: Annotated[dict[_Name, int | float | bool | _Name], Field(max_length=20)] = {}
    """Parameters that family was given, for display; the others are as usual."""

    @model_validator(mode="after")
    def _within(self) -> RunSpec:
        if self.fold and self.fold[0] >= self.fold[1]:
            raise ValueError(f"fold {self.fold[0]} should be below the number of folds, {self.fold[1]}")
        return self

    @property
    def settings(self) -> TrainSpec:
        """How it is trained in the end: all changes taken in, but those of dropout, which are the model's."""
        return self.settings_at(math.inf)

    def settings_at(self, step: float) -> TrainSpec:
        """The same after so many steps."""
        values = self.changed_by(step).values
        values.pop("dropout", None)
        return self.train.model_copy(update=values)

    def changed_by(self, step: float) -> Change:
        """All that was changed up to a step."""
        values: dict[str, Any] = {}
        for at, change in self.changes:
            if at <= step:
                values |= change.values
        return Change(**values)

    def called(self, dataset: str = "") -> str:
        """What it is in a few words: ``CNN on digits``.

        Args:
            dataset: What to call the data set; its name if empty.
        """
        dataset = dataset or self.dataset
        words = [word.upper() if len(word) <= 3 else word for word in self.family.split("_")]
        family = " ".join(words)
        what = f"{family[0].upper()}{family[1:]} on {dataset}" if family else dataset
        what = f"{what}, labels shuffled" if self.shuffled else what
        return what if self.purpose == "train" else f"{self.purpose.capitalize()} of {what}"


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


__all__ = [
    "DEVICES",
    "MAX_CHANGES",
    "MAX_LAYERS",
    "OPTIMIZERS",
    "PRECISIONS",
    "SCHEDULES",
    "Change",
    "LayerSpec",
    "ModelSpec",
    "RunSpec",
    "Shape",
    "TrainSpec",
    "parse",
]
