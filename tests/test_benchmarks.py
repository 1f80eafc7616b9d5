"""The command that runs benchmarks: its table, its JSON and its exit status. The figures are not taken here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks import __main__ as command
from tests.benchmarks import training
from tests.benchmarks._lag import lags, percentile
from tests.benchmarks.base import Bar, at_least, at_most


def measured(monkeypatch: pytest.MonkeyPatch, *bars: Bar) -> None:
    monkeypatch.setattr(training, "measure", lambda repeats: list(bars))


def test_a_figure_on_its_bar_holds() -> None:
    assert at_least("accuracy", 0.97, 0.97).held
    assert at_most("time", 20, 20.0, "s") == Bar("time", "≤ 20 s", 20.0, True)
    assert not at_least("accuracy", 0.97, 0.969).held
    assert not at_most("time", 20, 20.1).held


def test_a_missed_bar_is_named_and_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    measured(monkeypatch, at_least("accuracy", 0.97, 0.98), at_most("time", 20, 31, "s", "two runs"))
    assert command.main(["training"]) == 1
    said = capsys.readouterr()
    assert [line.split() for line in said.out.splitlines()] == [
        ["what", "bar", "measured", "held"],
        ["accuracy", "≥", "0.97", "0.98", "yes"],
        ["time", "≤", "20", "s", "31", "(two", "runs)", "NO"],
    ]
    assert said.err == "missed: time\n"


def test_held_bars_pass_and_are_written_as_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    measured(monkeypatch, at_least("accuracy", 0.97, 0.98))
    assert command.main(["training", "--json", str(tmp_path / "table.json")]) == 0
    row = {"what": "accuracy", "bar": "≥ 0.97", "measured": 0.98, "held": True, "note": ""}
    assert json.loads((tmp_path / "table.json").read_text()) == [row]


def test_a_figure_that_is_no_number_is_null_in_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    measured(monkeypatch, Bar("on a CUDA device", "≥ 3", float("nan"), True), at_most("lag", 1, float("inf"), "s"))
    assert command.main(["training", "--json", str(tmp_path / "table.json")]) == 1
    rows = json.loads((tmp_path / "table.json").read_text(), parse_constant=pytest.fail)
    assert [(row["measured"], row["held"]) for row in rows] == [(None, True), (None, False)]


def test_without_a_name_the_names_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == command.names()
    assert "training" in command.names()


def test_an_unknown_name_is_answered_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["speed"])
    assert ended.value.code == 2
    assert "'speed'; choose one of: " in capsys.readouterr().err


def test_the_lag_of_a_step_ends_with_the_first_look_that_shows_it_or_a_later_one() -> None:
    written = [(0.0, 1.0), (1.0, 5.0), (2.0, 7.0), (9.5, 9.0)]
    seen = [(1.5, 4.0), (2.5, 7.0)]
    assert lags(written, seen, since=0, until=10) == [1.5, 1.5, 0.5]  # the last one may still come
    assert lags(written, seen[:1], since=0.5, until=10) == [float("inf"), float("inf")]


def test_a_percentile_of_nothing_does_not_hold() -> None:
    assert percentile([3.0, 1.0, 2.0, 4.0], 0.5) == 3.0
    assert percentile([], 0.95) == float("inf")
