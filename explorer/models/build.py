"""From a specification to a plain `torch.nn.Module`."""

from __future__ import annotations

from collections import OrderedDict

import pandas as pd
from torch import nn

from explorer.data import Dataset
from explorer.errors import SpecError
from explorer.models.plan import Plan, Planned, plan
from explorer.models.seeded import seeded
from explorer.models.tokens import TokenModel
from explorer.models.translator import DecoderModel, Translator
from explorer.specs import ModelSpec


def checked(spec: ModelSpec, dataset: Dataset, batch_size: int = 1) -> Plan:
    """The plan of a model that works; raises its `SpecError` otherwise."""
    made = plan(spec, dataset)
    if made.problem:
        raise SpecError(str(made.problem), made.problem.layer)  # a copy: the plan is cached and shared
    made.check_memory(batch_size)
    return made


def build(spec: ModelSpec, dataset: Dataset, seed: int = 0) -> nn.Module:
    """Build a model.

    Args:
        spec: The model.
        dataset: Gives the input shape and the number of outputs.
        seed: Fixes the first weights; torch's global generator is left as it was.

    Returns:
        An `nn.Sequential` on the CPU in training mode, taking (N, *shape) and returning (N, outputs): a logit for each
        class, one logit for two classes, one value for a regression. Its layers are named after their kind:
        ``conv1``, ``relu1``, ``conv2`` … For a translation a `Translator`, taking (N, S) source tokens and (N, T)
        tokens written so far, and returning logits (N, T, vocabulary); its layers are named ``encoder.embedding1`` …

    Raises:
        SpecError: The model cannot work; the message says which layer and how to mend it.
    """
    made = checked(spec, dataset)
    with seeded(seed):
        parts = [
            cls(OrderedDict((layer.name.split(".")[-1], layer.call.make()) for layer in layers))
            for cls, layers in stacks(made, dataset)
        ]
    return parts[0] if len(parts) == 1 else Translator(*parts)


def stacks(made: Plan, dataset: Dataset) -> list[tuple[type[nn.Sequential], tuple[Planned, ...]]]:
    """The class that holds each stack of layers: text needs one that knows of padding, translations two."""
    if made.encoder is not None:
        return [(TokenModel, made.layers[: made.encoder]), (DecoderModel, made.layers[made.encoder :])]
    return [(TokenModel if dataset.modality == "tokens" else nn.Sequential, made.layers)]


def summarize(spec: ModelSpec, dataset: Dataset) -> pd.DataFrame:
    """What every layer makes and costs, one row each.

    Returns:
        Columns ``layer`` (its name in the built model), ``kind``, ``output_shape`` (one example, "16×8×8"),
        ``parameters`` (trainable weights), ``macs`` (multiply-adds for one example) and ``receptive_field`` (input
        pixels one output value depends on, "5×5", or empty).

    Raises:
        SpecError: The model cannot work.
    """
    return table(checked(spec, dataset))


def table(made: Plan) -> pd.DataFrame:
    """`summarize` for a plan, including one that works only up to some layer."""
    rows = [
        {
            "layer": layer.name,
            "kind": layer.kind,
            "output_shape": str(layer.output),
            "parameters": layer.parameters,
            "macs": layer.macs,
            "receptive_field": "×".join(map(str, layer.receptive_field or ())),
        }
        for layer in made.layers
    ]
    return pd.DataFrame(rows, columns=["layer", "kind", "output_shape", "parameters", "macs", "receptive_field"])
