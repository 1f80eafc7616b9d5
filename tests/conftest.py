"""What several tests share: a data set, a trained model, a place for runs."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path

import pytest
import torch
from streamlit.components.v2 import manifest_scanner

import explorer as ex
from tests.samples import cut

torch.set_num_threads(1)  # several test processes share the cores: threads that wait for each other would crawl


@pytest.fixture(scope="session", autouse=True)
def _packages_are_read_once() -> Iterator[None]:
    """AppTest looks for components in all packages that are installed: 0.15 s for each session it opens."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(scope="session")
def digits() -> ex.Dataset:
    """The digits data set; nobody changes it."""
    return ex.load_dataset("digits")


@pytest.fixture(scope="session")
def tiny(digits: ex.Dataset) -> ex.Dataset:
    """Digits with 160 training examples: an epoch takes milliseconds."""
    return cut(digits, 160)


@pytest.fixture(scope="session")
def _trained(digits: ex.Dataset) -> torch.nn.Sequential:
    model = ex.build(ex.preset("cnn", digits, width=8), digits)
    for _ in ex.train(model, digits, ex.TrainSpec(epochs=3)):
        pass
    return model.eval()


@pytest.fixture
def cnn(_trained: torch.nn.Sequential) -> torch.nn.Sequential:
    """A CNN that has learned digits for three epochs, in eval mode; a copy of one's own."""
    return deepcopy(_trained)


@pytest.fixture
def image(digits: ex.Dataset) -> torch.Tensor:
    """One test image of digits, (1, 1, 8, 8)."""
    return digits.test.inputs[:1]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder for runs that does not exist yet."""
    return tmp_path / "home"
