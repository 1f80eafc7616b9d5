"""A model as stand-alone PyTorch source that a person can read and keep."""

from __future__ import annotations

import inspect

from torch import nn

from explorer.data import Dataset
from explorer.models.build import checked, container
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
    own = [cls for layer in made.layers for cls in layer.call.own_classes()]
    holder = container(dataset)
    if holder is not nn.Sequential:
        own.append(holder)
    calls = [f'("{layer.name}", {layer.call.source()}),' for layer in made.layers]
    width = max(map(len, calls))
    lines = [
        f"        {call:<{width}}  # (N, {', '.join(map(str, layer.output.size))})"
        for call, layer in zip(calls, made.layers, strict=True)
    ]
    classes = "\n\n\n".join(inspect.getsource(cls).rstrip() for cls in dict.fromkeys(own))
    shape = dataset.shape
    return _TEMPLATE.format(
        title=dataset.title,
        shape=", ".join(map(str, shape.size)),
        classes=f"\n\n{classes}\n" if classes else "",
        container=holder.__name__ if holder is not nn.Sequential else "nn.Sequential",
        layers="\n".join(lines),
        outputs=_OUTPUTS[dataset.task].format(count=dataset.outputs),
        parameters=f"{made.parameters:,}",
        inputs=f"torch.randint(1, {shape.vocabulary}, (64, {shape.size[0]}))"
        if shape.kind == "tokens"
        else f"torch.rand(64, {', '.join(map(str, shape.size))})",
        targets=_TARGETS[dataset.task].format(count=dataset.outputs),
        loss=_LOSSES[dataset.task],
    )


_OUTPUTS = {
    "classification": "one logit per class (N, {count})",
    "binary": "the logit of the second of two classes (N, 1)",
    "regression": "one value (N, 1)",
}
_TARGETS = {
    "classification": "torch.randint(0, {count}, (64,))",
    "binary": "torch.randint(0, 2, (64,))",
    "regression": "torch.randn(64)",
}
_LOSSES = {
    "classification": "nn.functional.cross_entropy(model(inputs), targets)",
    "binary": "nn.functional.binary_cross_entropy_with_logits(model(inputs)[:, 0], targets.float())",
    "regression": "nn.functional.mse_loss(model(inputs)[:, 0], targets)",
}

_TEMPLATE = '''"""A model for {title}: {parameters} parameters."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn
{classes}

def build_model() -> nn.Sequential:
    """Takes inputs (N, {shape}), returns {outputs}."""
    return {container}(OrderedDict([
{layers}
    ]))


if __name__ == "__main__":
    model = build_model()
    # To use trained weights: model.load_state_dict(safetensors.torch.load_file("weights.safetensors"))
    inputs, targets = {inputs}, {targets}  # noise: put your own data here
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    for step in range(1, 31):
        loss = {loss}
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 10 == 0:
            print(f"step {{step}}: loss {{loss.item():.4f}}")
    model.eval()
    print(model(inputs[:1]))
'''
