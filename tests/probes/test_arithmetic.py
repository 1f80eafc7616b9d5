"""Output values of convolutions and pools against torch's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from explorer.errors import NotApplicable, UnknownName
from explorer.models.layers.residual import ResidualBlock
from explorer.probes.arithmetic import convolution_at, winners

CONVOLUTIONS = {
    "same": nn.Conv2d(3, 4, 3, padding=1),
    "stride": nn.Conv2d(3, 4, 5, stride=2, padding=2),
    "even": nn.Conv2d(3, 4, 4, padding="same"),
    "no padding, no bias": nn.Conv2d(3, 4, (3, 1), bias=False),
    "series": nn.Conv1d(3, 4, 5, padding=2),
    "even series": nn.Conv1d(3, 4, 2, padding="same"),
}


@pytest.mark.parametrize("conv", CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def test_patch_times_filter_plus_bias_is_what_torch_puts_out_everywhere(conv: nn.Module) -> None:
    x = torch.randn(1, 3, *([9, 11] if isinstance(conv, nn.Conv2d) else [12]), generator=torch.manual_seed(0))
    out, model = conv(x)[0].detach().numpy(), nn.Sequential(conv)
    for at in np.ndindex(out.shape[1:]):
        for channel in (0, 3):
            found = convolution_at(model, x, "0", channel, at)
            assert found.total == out[(channel, *at)]
            assert (found.patch * found.weights).sum() + found.bias == pytest.approx(found.total, abs=1e-5)
            assert found.contributions.sum() + found.bias == pytest.approx(found.total, abs=1e-5)


def test_a_patch_at_the_edge_holds_the_zeros_around_the_image() -> None:
    x = torch.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    found = convolution_at(nn.Sequential(nn.Conv2d(1, 1, 3, padding=1)), x, "0", 0, (0, 2))
    assert found.patch[0].tolist() == [[0, 0, 0], [2, 3, 0], [5, 6, 0]]


def test_convolutions_within_a_block_are_taken_apart_as_well() -> None:
    block, x = nn.Sequential(ResidualBlock(2, 3)).eval(), torch.randn(1, 2, 6, 6)
    for layer in ("0.conv1", "0.conv2", "0.skip"):
        found = convolution_at(block, x, layer, 1, (2, 3))
        assert found.products.sum() == pytest.approx(found.total, abs=1e-5)
        assert found.bias == 0


def test_what_cannot_be_taken_apart_says_so(cnn: nn.Module, image: torch.Tensor) -> None:
    with pytest.raises(UnknownName, match="conv9"):
        convolution_at(cnn, image, "conv9", 0, (0, 0))
    with pytest.raises(NotApplicable, match=r"relu1 \(ReLU\) is no plain convolution"):
        convolution_at(cnn, image, "relu1", 0, (0, 0))
    for channel, at in ((8, (0, 0)), (0, (8, 0)), (0, (0,)), (0, (-1, 0))):
        with pytest.raises(NotApplicable, match="conv1 puts out 8×8×8 values"):
            convolution_at(cnn, image, "conv1", channel, at)
    with pytest.raises(NotApplicable, match="no max pool"):
        winners(cnn, image, "conv1")


@pytest.mark.parametrize(
    ("pool", "shape", "by_torch"),
    [
        (nn.MaxPool2d(2), (3, 9, 11), F.max_pool2d),
        (nn.MaxPool2d(3, stride=2), (3, 9, 11), F.max_pool2d),
        (nn.MaxPool1d(4), (3, 17), F.max_pool1d),
    ],
)
@pytest.mark.parametrize("ties", [False, True])
def test_the_winners_of_a_max_pool_are_those_of_torch(
    pool: nn.Module, shape: tuple[int, ...], by_torch: object, ties: bool
) -> None:
    x = torch.randn(1, *shape, generator=torch.manual_seed(0))
    x = x.clamp(min=0).round() if ties else x
    _, wanted = by_torch(x, pool.kernel_size, pool.stride, return_indices=True)
    found = winners(nn.Sequential(pool), x, "0")
    flat = np.ravel_multi_index(tuple(np.moveaxis(found.places, -1, 0)), shape[1:])
    assert np.array_equal(flat, wanted[0].numpy())
    for at in np.ndindex(flat.shape[1:]):
        part = found.given[(1, *found.window(at))]
        assert part.max() == found.given[(1, *found.places[(1, *at)])]
        assert part.size == pool.kernel_size ** (len(shape) - 1)
