"""A server's shared state for AppTest: a home of its own, and an engine that ends with the module."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from torch import nn

from explorer.data import Dataset, Split, load_dataset
from explorer.models import preset
from explorer.runs import execute as execution
from explorer.runs.execute import execute, submit
from explorer.runs.settings import Settings
from explorer.runs.store import Run, RunStore
from explorer.specs import RunSpec, TrainSpec
from explorer.training import evaluate
from explorer.views import server

APP = Path(__file__).parents[2] / "explorer/app.py"
PAGES = sorted(path.stem for path in (APP.parents[1] / "pages").glob("*.py"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunStore]:
    """The empty store of a fresh server."""
    before = os.environ.get("EXPLORER_HOME")
    os.environ["EXPLORER_HOME"] = str(tmp_path_factory.mktemp("home"))
    st.cache_resource.clear()
    st.cache_data.clear()
    later, server.LATER_SECONDS = server.LATER_SECONDS, 0.0  # nobody clicks here who would be slowed
    yield server.store()
    server.warm_up().join()  # a process that ends while it imports would abort
    server.LATER_SECONDS = later
    server.compute().close()
    st.cache_resource.clear()
    if before is None:
        del os.environ["EXPLORER_HOME"]
    else:
        os.environ["EXPLORER_HOME"] = before


@pytest.fixture(scope="module")
def idle() -> Iterator[None]:
    """No engine: it takes seconds to start, for pages on which no run is started.

    A module says so with ``pytestmark = pytest.mark.usefixtures("idle")``.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "Compute", _NoEngine)
        yield


class _NoEngine:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def close(self) -> None:
        """Nothing was started."""


@pytest.fixture(scope="module")
def train(store: RunStore) -> Callable[..., Run]:
    """Train a family into the store, in this process, on the first so many examples, or on all if 0 are named; of
    translations only a few are tested, since all take seconds.
    """

    def tested(model: nn.Module, dataset: Dataset) -> dict[str, float]:
        few = slice(None, 32 if dataset.task == "translation" else None)
        test = Split(dataset.test.inputs[few], dataset.test.targets[few], dataset.test.rows[few])
        return evaluate(model, replace(dataset, test=test))

    def train(family: str = "cnn", dataset: str = "digits", examples: int = 0, **settings: object) -> Run:
        data = load_dataset(dataset)
        few = min(examples, len(data.train)) or None
        train = TrainSpec(**settings)
        spec = RunSpec(dataset=dataset, model=preset(family, data), family=family, train=train, examples=few)
        with store.owners.hold() as owner, pytest.MonkeyPatch.context() as patch:
            patch.setattr(execution, "evaluate", tested)
            return execute(store, submit(store, spec, owner=owner), owner)

    return train


def open_page(name: str, **query: str) -> AppTest:
    """A new session that opens one page."""
    app = AppTest.from_file(str(APP), default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    return app.switch_page(f"../pages/{name}.py").run()


def healthy(app: AppTest) -> AppTest:
    """Assert that a page shows neither an exception nor an error."""
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]
    return app


def read(text: str) -> str:
    """A text as a person reads it: without the backslashes that keep markup from being markup."""
    return re.sub(r"\\(.)", r"\1", text)


def texts(app: AppTest) -> str:
    """All prose of a page."""
    kinds = (app.markdown, app.caption, app.info, app.error)
    return "\n".join(read(element.value) for kind in kinds for element in kind)


def drawn(app: AppTest, key: str) -> dict[str, Any]:
    """The first trace of the figure with this key, its arrays as NumPy arrays."""
    spec = next(chart.proto.spec for chart in app.get("plotly_chart") if chart.proto.id.endswith(f"-{key}"))
    return {name: array(value) for name, value in json.loads(spec)["data"][0].items()}


def array(value: Any) -> Any:
    if isinstance(value, dict) and "bdata" in value:
        flat = np.frombuffer(base64.b64decode(value["bdata"]), value["dtype"])
        return flat.reshape([int(side) for side in value.get("shape", str(len(flat))).split(",")])
    return value
