"""A model that answers the same, sooner: for methods that ask it hundreds of times and look at nothing but its answers.

Batch norm in eval mode is linear and goes into the convolution before it (Markuš, 2018), and images lie in memory as
oneDNN likes them. On the CPU that takes about half the time off a small CNN, forwards and backwards; answers agree to
rounding.
"""

from __future__ import annotations

from copy import deepcopy
from itertools import pairwise
from weakref import WeakKeyDictionary

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

KNOWN = (nn.Sequential, nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.LeakyReLU, nn.GELU, nn.Tanh, nn.Sigmoid, nn.MaxPool2d)
KNOWN += (nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.Flatten, nn.Dropout, nn.Linear, nn.Identity)
"""Of models of these alone it is known that a copy does the same."""

_COPIES: WeakKeyDictionary[nn.Module, tuple[list[nn.Module], list[torch.Tensor], nn.Module]] = WeakKeyDictionary()
"""The copy of each model, and the model's layers and the values of its weights when it was made."""


def quicker(model: nn.Module) -> nn.Module:
    """A copy in eval mode that answers sooner, or the model itself where there is nothing to gain or it is not known to
    be safe: other kinds of layers, hooks, or another device than the CPU.
    """
    if not isinstance(model, nn.Sequential) or not all(_plain(module) for module in model.modules()):
        return model
    weights = [*model.parameters(), *model.buffers()]
    if not any(isinstance(module, nn.Conv2d) for module in model) or any(w.device.type != "cpu" for w in weights):
        return model
    layers = list(model.modules())[1:]  # not the model itself, or it would never be forgotten
    known = _COPIES.get(model)
    if known is None or known[0] != layers or not _same(known[1], weights):
        known = layers, [weight.detach().clone() for weight in weights], _folded(deepcopy(model).eval())
        _COPIES[model] = known
    return known[2]


def _same(kept: list[torch.Tensor], weights: list[torch.Tensor]) -> bool:
    """Whether weights have the values they had: their version does not tell, as a fused optimizer and what writes to
    their ``data`` leave it as it is.
    """
    pairs = zip(kept, weights, strict=True)
    return all(old.dtype == new.dtype and torch.equal(old, new) for old, new in pairs)


def _plain(module: nn.Module) -> bool:
    hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)
    return type(module) in KNOWN and not any(hooks)


def _folded(model: nn.Sequential) -> nn.Sequential:
    names = [name for name, _ in model.named_children()]
    for name, following in pairwise(names):
        before, after = model.get_submodule(name), model.get_submodule(following)
        if isinstance(before, nn.Conv2d) and isinstance(after, nn.BatchNorm2d) and after.track_running_stats:
            setattr(model, name, fuse_conv_bn_eval(before, after))
            setattr(model, following, nn.Identity())
    return model.requires_grad_(False).to(memory_format=torch.channels_last)
