"""A model as stand-alone PyTorch source that a person can read and keep."""

from __future__ import annotations

import inspect
from textwrap import indent

from torch import nn

from explorer.data import Dataset
from explorer.models.build import checked, stacks
from explorer.models.plan import Planned
from explorer.models.translator import Translator
from explorer.specs import ModelSpec, Shape


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
    parts = stacks(made, dataset)
    own = [cls for layer in made.layers for cls in layer.call.own_classes()]
    own += [holder for holder, _ in parts if holder is not nn.Sequential]
    own += [Translator] if len(parts) > 1 else []
    held = [_sequence(holder, layers) for holder, layers in parts]
    model = held[0] if len(held) == 1 else _translator(held)
    classes = "\n\n\n".join(inspect.getsource(cls).rstrip() for cls in dict.fromkeys(own))
    shape, written = dataset.shape, dataset.target_shape
    inputs = [_noise(part) for part in (shape, written) if part]
    return _TEMPLATE.format(
        title=dataset.title,
        shape=" and (N, ".join(f"{', '.join(map(str, part.size))})" for part in (shape, written) if part),
        classes=f"\n\n{classes}\n" if classes else "",
        model=model,
        outputs=_OUTPUTS[dataset.task].format(count=dataset.outputs),
        parameters=f"{made.parameters:,}",
        inputs=f"({', '.join(inputs)},)" if len(inputs) == 1 else f"({', '.join(inputs)})",
        targets=_TARGETS[dataset.task].format(count=dataset.outputs, length=written.size[0] if written else 0),
        loss=_LOSSES[dataset.task],
    )


def _sequence(holder: type[nn.Sequential], layers: tuple[Planned, ...]) -> str:
    """One stack of layers as Python, with the shape of what each puts out."""
    calls = [f'("{layer.name.split(".")[-1]}", {layer.call.source()}),' for layer in layers]
    width = max(map(len, calls))
    lines = [
        f"        {call:<{width}}  # (N, {', '.join(map(str, layer.output.size))})"
        for call, layer in zip(calls, layers, strict=True)
    ]
    name = "nn.Sequential" if holder is nn.Sequential else holder.__name__
    return "\n".join([f"{name}(OrderedDict([", *lines, "    ]))"])


def _translator(parts: list[str]) -> str:
    held = [" " * 8 + indent(part, " " * 4).lstrip() + "," for part in parts]
    return "\n".join(["Translator(", *held, "    )"])


def _noise(shape: Shape) -> str:
    size = ", ".join(map(str, shape.size))
    return (
        f"torch.randint(1, {shape.vocabulary}, (64, {size}))" if shape.kind == "tokens" else f"torch.rand(64, {size})"
    )


_OUTPUTS = {
    "classification": "one logit per class (N, {count})",
    "binary": "the logit of the second of two classes (N, 1)",
    "regression": "one value (N, 1)",
    "translation": "a logit for each next token (N, T, {count})",
}
_TARGETS = {
    "classification": "torch.randint(0, {count}, (64,))",
    "binary": "torch.randint(0, 2, (64,))",
    "regression": "torch.randn(64)",
    "translation": "torch.randint(0, {count}, (64, {length}))",
}
_LOSSES = {
    "classification": "nn.functional.cross_entropy(model(*inputs), targets)",
    "binary": "nn.functional.binary_cross_entropy_with_logits(model(*inputs)[:, 0], targets.float())",
    "regression": "nn.functional.mse_loss(model(*inputs)[:, 0], targets)",
    "translation": "nn.functional.cross_entropy(model(*inputs).flatten(0, 1), targets.flatten())",
}

_TEMPLATE = '''"""A model for {title}: {parameters} parameters."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn
{classes}

def build_model() -> nn.Module:
    """Takes inputs (N, {shape}, returns {outputs}."""
    return {model}


if __name__ == "__main__":
    model = build_model()
    # To use trained weights: model.load_state_dict(safetensors.torch.load_file("weights.safetensors"))
    inputs = {inputs}  # noise: put your own data here
    targets = {targets}
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    for step in range(1, 31):
        loss = {loss}
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 10 == 0:
            print(f"step {{step}}: loss {{loss.item():.4f}}")
    model.eval()
    print(model(*(part[:1] for part in inputs)))
'''
