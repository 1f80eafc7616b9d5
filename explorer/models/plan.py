"""Working through a specification: what each layer gets, makes and costs, and what is wrong with it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch

from explorer.data import Dataset
from explorer.errors import SpecError, UnknownName
from explorer.models.layers import LAYERS, WHOLE, Call, Layer
from explorer.models.layers.base import WORDS
from explorer.models.memory import BYTES, MEMORY_BOUND, Counted
from explorer.specs import LayerSpec, Modality, ModelSpec, Shape


@dataclass(frozen=True)
class Planned:
    """One layer in its place.

    Attributes:
        number: Place in the model, from 1.
        name: Its name in the built model, such as ``conv1``.
        given, output: Shapes of one example going in and out.
        parameters: Trainable weights.
        activations: Numbers that training keeps for one example: its output and what it makes on the way.
        macs: Multiply-adds for one example in convolutions and matrix products, counted by torch.
        receptive_field: (height, width) in input pixels, or (length,) in steps of a series, that one output value
            depends on; None where there are neither.
    """

    number: int
    name: str
    kind: str
    title: str
    role: str
    call: Call
    given: Shape
    output: Shape
    parameters: int
    activations: int
    macs: int
    receptive_field: tuple[int, ...] | None


@dataclass(frozen=True)
class Plan:
    """A whole model, or as much of it as works.

    Attributes:
        layers: The layers up to the first that cannot work.
        problem: What is wrong with the next one or with the whole, or None.
        encoder: How many layers the encoder of a translator should have; None for other models.
    """

    layers: tuple[Planned, ...]
    problem: SpecError | None
    encoder: int | None = None

    @property
    def parameters(self) -> int:
        return sum(layer.parameters for layer in self.layers)

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)

    def memory(self, batch_size: int) -> int:
        """Bytes for training: weights, gradients and two optimiser moments, and activations with their gradients."""
        activations = sum(layer.activations for layer in self.layers)
        return BYTES * (4 * self.parameters + 2 * activations * batch_size)

    def check_memory(self, batch_size: int) -> None:
        """Raise `SpecError` if training with this batch size would take more than `MEMORY_BOUND`."""
        needed = self.memory(batch_size)
        if needed > MEMORY_BOUND:
            biggest = max(self.layers, key=lambda layer: 2 * layer.parameters + layer.activations * batch_size)
            raise SpecError(
                f"This model needs {needed / 2**30:,.1f} GiB to train in batches of {batch_size}; the limit is "
                f"{MEMORY_BOUND / 2**30:g} GiB. Make layer {biggest.number} ({biggest.kind}) smaller, pool before it, "
                f"or use a smaller batch.",
                biggest.number,
            )


def plan(spec: ModelSpec, dataset: Dataset) -> Plan:
    """Work through a model on a data set, without allocating a single weight.

    Args:
        spec: The model; it may be wrong.
        dataset: Gives the input shape and the number of classes.

    Returns:
        Every layer that works and the first problem, if any.
    """
    return _plan(spec.model_dump_json(), dataset.shape, dataset.target_shape, dataset.name, dataset.outputs)


@lru_cache(maxsize=256)
def _plan(text: str, shape: Shape, target: Shape | None, dataset: str, outputs: int) -> Plan:
    spec = ModelSpec.model_validate_json(text)
    if target is None:
        layers, shape, problem = _stack(spec.layers, shape, outputs, _Field(shape))
        if not problem and spec.decoder:
            problem = SpecError(f"This model has a decoder, but there is nothing to translate in {dataset}.")
        return Plan(tuple(layers), problem or _end_problem(layers, shape, dataset, outputs))
    layers, shape, problem = _stack(spec.layers, shape, outputs, _Field(shape), "encoder")
    if not problem and shape.kind != "sequence":
        problem = SpecError(
            "The encoder must end with a sequence of vectors, which the decoder looks at. Begin it with Embedding, and "
            "let recurrent layers put out the state at every position.",
            len(layers) or None,
        )
    if problem:
        return Plan(tuple(layers), problem, len(spec.layers))
    written = target.model_copy(update={"source": shape.size})
    more, shape, problem = _stack(spec.decoder, written, outputs, _Field(written), "decoder", len(layers))
    layers += more
    if not problem and (shape.kind != "sequence" or shape.size[-1] != outputs):
        problem = SpecError(
            f"The decoder must end with {outputs} scores at every position, one for each token it can write. "
            "Begin it with Embedding and end it with Output.",
            len(layers),
        )
    if not problem and not any(LAYERS[layer.kind].crosses for layer in more):
        problem = SpecError(
            "The decoder never looks at the source. Add a Decoder block or a GRU with attention.", len(layers)
        )
    return Plan(tuple(layers), problem, len(spec.layers))


def _stack(
    specs: tuple[LayerSpec, ...], shape: Shape, outputs: int, field: _Field, side: str = "", before: int = 0
) -> tuple[list[Planned], Shape, SpecError | None]:
    """Layers on top of each other, as far as they work, what comes out, and the first problem."""
    layers: list[Planned] = []
    counts: dict[str, int] = {}
    for number, layer in enumerate(specs, start=before + 1):
        counts[layer.kind] = counts.get(layer.kind, 0) + 1
        name = f"{side}.{layer.kind}{counts[layer.kind]}".lstrip(".")
        try:
            planned = _layer(layer, number, name, shape, outputs, field, side)
        except (SpecError, UnknownName) as error:
            return layers, shape, SpecError(f"Layer {number} ({layer.kind}): {error}", number)
        layers.append(planned)
        shape = planned.output
    return layers, shape, None


def _layer(spec: LayerSpec, number: int, name: str, given: Shape, outputs: int, field: _Field, side: str) -> Planned:
    layer = LAYERS[spec.kind].make(**spec.params)
    if given.kind not in layer.accepts:
        wanted = " or ".join(WORDS[kind] for kind in layer.accepts)
        raise SpecError(f"it got {_describe(given)}, but needs {wanted}. {_mend(given, layer.accepts)}")
    if layer.crosses and side != "decoder":
        raise SpecError("it looks at the source of a translation, so it belongs in a translator's decoder. Remove it.")
    if side == "encoder" and spec.kind == "output":
        raise SpecError("the encoder only reads; what is written comes out of the decoder. Remove it.")
    if side == "decoder" and layer.looks_ahead():
        raise SpecError("it looks ahead, but in a decoder later tokens are not written yet. Make it causal or one way.")
    call = layer.call(given, outputs)
    try:
        with torch.device("meta"):
            module = call.make().eval()
            example = torch.empty(1, *given.size, dtype=torch.long if given.kind == "tokens" else None)
            source = _source(given) if layer.crosses else ()
            with Counted() as counter:
                output = module(example, *source)
    except (RuntimeError, ValueError) as error:  # what the layer's own checks did not foresee
        raise SpecError(f"it cannot take {_describe(given)} ({str(error)[:200]})") from None
    made = layer.kind(given)
    return Planned(
        number=number,
        name=name,
        kind=spec.kind,
        title=layer.title,
        role=layer.role,
        call=call,
        given=given,
        output=Shape(
            kind=made, size=tuple(output.shape[1:]), padded=given.padded and made == "sequence", source=given.source
        ),
        parameters=sum(weight.numel() for weight in module.parameters()),
        activations=max(math.prod(output.shape[1:]), counter.values),
        macs=counter.total // 2,
        receptive_field=field.through(layer.windows(), given),
    )


def _source(given: Shape) -> tuple[torch.Tensor, torch.Tensor]:
    """What a layer of a decoder looks at: the encoder's vectors, as long as they can be, and where they are."""
    return torch.empty(1, given.source[0], given.source[1]), torch.ones(1, given.source[0], dtype=torch.bool)


def _describe(given: Shape) -> str:
    return f"{given} tokens" if given.kind == "tokens" else f"{WORDS[given.kind]} of {given} values"


def _mend(given: Shape, wanted: tuple[Modality, ...]) -> str:
    """What to put between, among all layers there are."""
    between = _between(given, wanted)
    if between:
        return f"Put {between} before it."
    return f"Move it to where there is {' or '.join(WORDS[kind] for kind in wanted)}."


def _between(given: Shape, wanted: tuple[Modality, ...]) -> str:
    """Titles of the layers that lead from one kind of tensor to another: "A, B or C"."""
    titles = [layer.title for layer in LAYERS.values() if _leads(layer, given, wanted)]
    return " or ".join(filter(None, [", ".join(titles[:-1]), *titles[-1:]]))


def _leads(layer: type[Layer], given: Shape, wanted: tuple[Modality, ...]) -> bool:
    if given.kind not in layer.accepts or given.kind in layer.gives or not set(layer.gives) & set(wanted):
        return False
    try:
        layer.make().call(given, 1)
    except SpecError:
        return False
    return True


class _Field:
    """The receptive field as it grows from layer to layer (Araujo et al., 2019, equations 2 and 3)."""

    def __init__(self, shape: Shape) -> None:
        self.limit = shape.size[1:] if shape.kind in ("image", "series") else ()
        self.size = [1] * len(self.limit)
        self.whole = list(self.limit)
        self.jump = 1

    def through(self, windows: list[tuple[int, int]] | str, given: Shape) -> tuple[int, ...] | None:
        if not self.limit:
            return None
        if given.kind in ("image", "series"):  # what all its values see together: a pool may leave an edge behind
            self.whole = [size + (n - 1) * self.jump for size, n in zip(self.size, given.size[1:], strict=True)]
        if windows == WHOLE:
            self.size = self.whole
        else:
            for kernel, stride in windows:
                self.size = [size + (kernel - 1) * self.jump for size in self.size]
                self.jump *= stride
        return tuple(min(size, side) for size, side in zip(self.size, self.limit, strict=True))


def _end_problem(layers: list[Planned], shape: Shape, dataset: str, outputs: int) -> SpecError | None:
    if not layers:
        return SpecError("The model has no layers yet. Start from a family or add a layer.")
    last = layers[-1]
    if shape.kind == "vector" and shape.size == (outputs,):
        return None
    needed = f"{outputs} outputs" if outputs > 1 else "one output"
    between = "" if shape.kind == "vector" else f"{_between(shape, ('vector',))}, then "
    mend = f"Add {between}Output at the end."
    return SpecError(
        f"Layer {last.number} ({last.kind}): the model ends with {shape} values, but {dataset} needs {needed}. {mend}",
        last.number,
    )
