"""Pages on a server where nothing was trained yet."""

from __future__ import annotations

import pytest

from explorer.runs.store import RunStore
from tests.pages.conftest import PAGES, healthy, open_page, read, texts

pytestmark = pytest.mark.usefixtures("idle")


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_on_an_empty_server_with_a_head(store: RunStore, name: str) -> None:
    app = healthy(open_page(name))
    assert len(app.title) + len(app.header) == 1


@pytest.mark.parametrize("name", ["runs", "compare", "evaluate", "look_inside", "attributions", "trust", "train"])
def test_an_empty_page_says_what_to_do_next(store: RunStore, name: str) -> None:
    app = healthy(open_page(name))
    assert "yet" in texts(app)
    assert any(button.label.startswith("Go to") for button in app.button)


def test_a_link_to_a_run_that_is_gone_is_said_and_the_page_stays_useful(store: RunStore) -> None:
    app = healthy(open_page("home", run="0123abcd"))
    for _ in range(2):
        assert [read(line.value) for line in app.warning] == [
            "Run 0123abcd is not here any more; there is no other one either."
        ]
        assert not healthy(app).toast
        app.run()
    app.switch_page("../pages/build.py").run()
    assert not app.warning


@pytest.mark.parametrize(
    "query",
    [
        {"run": "../../etc/passwd"},
        {"run": "x" * 10_000, "step": "-1", "example": "1e9"},
        {"step": "99999999999999999999", "example": "²", "target": "NaN", "split": "<script>"},
        {"model": "AAAA", "data": "digits"},
        {"model": "eJw", "data": "../x"},
        {"model": "😀"},
    ],
)
def test_junk_in_the_url_never_breaks_a_page(store: RunStore, query: dict[str, str]) -> None:
    for name in PAGES:
        healthy(open_page(name, **query))
