"""Changed copies of images: each change does what it says, by as much as it says, and no more."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.transform import rotate

import explorer as ex
from explorer.training.augment import augment


@pytest.fixture
def images() -> torch.Tensor:
    """Blobs (N, 1, 21, 21) in the middle."""
    places = torch.arange(21) - 10
    blob = torch.exp(-(places[:, None] ** 2 / 8 + places[None, :] ** 2 / 20))
    return blob.expand(64, 1, 21, 21).clone()


def centre(images: torch.Tensor) -> torch.Tensor:
    """Centre of mass of each image: (N, 2)."""
    places = torch.arange(21.0)
    mass = images.sum((1, 2, 3))
    down = (images[:, 0].sum(2) * places).sum(1) / mass
    right = (images[:, 0].sum(1) * places).sum(1) / mass
    return torch.stack([down, right], 1)


def test_a_shift_moves_by_up_to_so_many_pixels(images: torch.Tensor) -> None:
    moved = (centre(augment(images, ex.TrainSpec(shift=3))) - 10).abs()
    assert 1 < moved.max() < 3.1
    assert moved.std() > 0.3


def test_a_turn_is_scikit_images(images: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "rand", lambda *shape, **_: torch.ones(*shape))  # always the whole angle
    turned = augment(images, ex.TrainSpec(rotate=30))[0, 0].numpy()
    wanted = rotate(images[0, 0].numpy(), 30, order=1, mode="edge")
    other = rotate(images[0, 0].numpy(), -30, order=1, mode="edge")
    errors = [np.abs(turned - one).mean() for one in (wanted, other)]
    assert min(errors) < 0.002
    assert max(errors) > 0.02


def test_noise_has_the_standard_deviation_that_was_asked_for(images: torch.Tensor) -> None:
    assert float((augment(images, ex.TrainSpec(noise=0.2)) - images).std()) == pytest.approx(0.2, rel=0.05)


def test_erasing_blanks_one_square_of_each(images: torch.Tensor) -> None:
    erased = augment(images + 1, ex.TrainSpec(erase=1 / 3)) == 0
    assert (erased.sum((1, 2, 3)) == 49).all()
    assert (erased[:, 0].any(2).sum(1) == 7).all()


def test_without_settings_nothing_changes(images: torch.Tensor) -> None:
    assert augment(images, ex.TrainSpec()) is images
