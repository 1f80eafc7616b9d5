"""A model as stand-alone PyTorch source that a person can read and keep."""

from __future__ import annotations

import inspect

from explorer.data import Dataset
from explorer.models.build import checked
from explorer.specs import ModelSpec


def to_code(spec: ModelSpec, dataset: Dataset) -> str:
    """Write a model as Python that needs only torch.

    Args:
        spec: The model.
        dataset: Gives the input shape and the number of classes.

    Returns:
        Source with a function ``build_model()``. Its model has the same layer names, so it loads the same weights and
        then gives the same outputs.

    Raises:
        SpecError: The model cannot work.
    """
    made = checked(spec, dataset)
    own = {layer.call.cls: None for layer in made.layers if not layer.call.from_torch}  # ordered, each once
    calls = [f'("{layer.name}", {layer.call.source()}),' for layer in made.layers]
    width = max(map(len, calls))
    lines = [
        f"        {call:<{width}}  # (N, {', '.join(map(str, layer.output.size))})"
        for call, layer in zip(calls, made.layers, strict=True)
    ]
    classes = "\n\n\n".join(inspect.getsource(cls).rstrip() for cls in own)
    shape = ", ".join(map(str, dataset.shape.size))
    return _TEMPLATE.format(
        title=dataset.title,
        shape=shape,
        classes=f"\n\n{classes}\n" if classes else "",
        layers="\n".join(lines),
        count=len(dataset.classes),
        parameters=f"{made.parameters:,}",
    )


_TEMPLATE = '''"""A classifier for {title}: {parameters} parameters."""

from collections import OrderedDict

import torch
from torch import nn
{classes}

def build_model() -> nn.Sequential:
    """Takes inputs (N, {shape}), returns one logit per class (N, {count})."""
    return nn.Sequential(OrderedDict([
{layers}
    ]))


if __name__ == "__main__":
    model = build_model()
    # To use trained weights: model.load_state_dict(safetensors.torch.load_file("weights.safetensors"))
    model.eval()
    print(model(torch.zeros(1, {shape})))
'''
