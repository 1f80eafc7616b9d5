"""Predictions, feature maps and filters, as frozen arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from explorer.errors import NotApplicable, UnknownName
from explorer.probes.capture import capture, quiet


@dataclass(frozen=True)
class Prediction:
    """What a model answers for one example.

    Attributes:
        logits, probabilities: (classes,) arrays; the probabilities are the softmax of the logits.
    """

    logits: np.ndarray
    probabilities: np.ndarray

    @property
    def answer(self) -> int:
        """Number of the most probable class."""
        return int(self.probabilities.argmax())


@dataclass(frozen=True)
class FeatureMaps:
    """What one layer makes of one example.

    Attributes:
        values: (C, H, W) for an image, (C, L) for a series, (L, D) for a sequence, (D,) for plain units.
    """

    layer: str
    values: np.ndarray


@dataclass(frozen=True)
class Filters:
    """Weights of one convolution.

    Attributes:
        weights: (out channels, in channels, height, width), or (out channels, in channels, length) over a series.
        bias: (out channels,) or None.
    """

    layer: str
    weights: np.ndarray
    bias: np.ndarray | None

    def change(self, before: Filters) -> tuple[float, np.ndarray]:
        """How far the weights have moved, as a share of the norm they had: all together, and each filter, (out,)."""
        was, moved = (w.reshape(len(w), -1).astype(float) for w in (before.weights, self.weights - before.weights))
        tiny = 1e-12
        each = np.linalg.norm(moved, axis=1) / np.maximum(np.linalg.norm(was, axis=1), tiny)
        return float(np.linalg.norm(moved) / max(float(np.linalg.norm(was)), tiny)), each


class TwoClasses(nn.Module):
    """A model of one logit z as one of two classes: (N, 1) → (N, 2), logits -z/2 and z/2, whose softmax is the same."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logit = self.model(x)
        return torch.cat([-logit / 2, logit / 2], dim=1)


def one(x: torch.Tensor) -> torch.Tensor:
    """Check that `x` is a batch of one example, (1, …).

    Raises:
        NotApplicable: It is not.
    """
    if x.ndim < 2 or len(x) != 1:
        raise NotApplicable(f"Got an input of shape {tuple(x.shape)}; one example as a batch (1, …) is needed: x[:1].")
    return x


def predict(model: nn.Module, x: torch.Tensor) -> Prediction:
    """Answer for one example, x of shape (1, …), in eval mode."""
    with quiet(model), torch.no_grad():
        logits = model(one(x))[0]  # (classes,)
    return Prediction(_array(logits), _array(logits.softmax(0)))


def feature_maps(model: nn.Module, x: torch.Tensor, layer: str, *more: torch.Tensor) -> FeatureMaps:
    """What a layer makes of one example.

    Args:
        model: Any module.
        x: One example, (1, …).
        layer: Name of a submodule.
        *more: What else the model is called with: for a translator what is written so far, (1, T) tokens.

    Raises:
        UnknownName: The model has no such layer.
    """
    with torch.no_grad(), capture(model, [layer]) as seen:
        model(one(x), *more)
    return FeatureMaps(layer, _array(seen[layer][0]))


def convolutions(model: nn.Module) -> list[str]:
    """Names of the convolutions of a model, also of those within its layers, in the model's order."""
    return [name for name, module in model.named_modules() if isinstance(module, nn.Conv1d | nn.Conv2d)]


def filters(model: nn.Module, layer: str) -> Filters:
    """Weights of a convolution.

    Raises:
        UnknownName: The model has no such layer.
        NotApplicable: The layer is not a convolution.
    """
    modules = dict(model.named_modules())
    if layer not in modules:
        raise UnknownName("layer in this model", layer, [name for name in modules if name])
    module = modules[layer]
    if not isinstance(module, nn.Conv1d | nn.Conv2d):
        raise NotApplicable(f"Layer {layer} ({type(module).__name__}) has no filters; only convolutions have.")
    return Filters(layer, _array(module.weight), None if module.bias is None else _array(module.bias))


def _array(values: torch.Tensor) -> np.ndarray:
    return values.detach().cpu().numpy().copy()
