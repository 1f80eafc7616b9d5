"""The README is true: its code runs, its pictures are there, its commands exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from explorer.__main__ import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_python_block_runs_as_it_is_written() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)
    assert names["seen"]["conv1"].shape == (1, 16, 8, 8)
    assert names["why"].values.shape == (1, 8, 8)
    assert names["why"].error < 0.1


def test_every_picture_and_folder_it_names_is_there() -> None:
    for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README):
        assert (ROOT / path).is_file(), path
    for path in re.findall(r"`((?:explorer|pages|tests)/[a-z_/]*)", README):
        assert (ROOT / path).exists() or (ROOT / f"{path}.py").exists(), path


def test_the_main_command_is_the_documented_one() -> None:
    assert (
        "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/python -m explorer" in README
    )


@pytest.mark.parametrize("option", ["--host", "--port", "--home", "--device", "--workers"])
def test_every_documented_option_exists(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert option in capsys.readouterr().out


def test_the_top_level_holds_only_what_it_should() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split("\n")
    top = {path.split("/")[0] for path in tracked if path and not path.startswith(".")}
    assert top <= {"README.md", "requirements.txt", "explorer", "pages", "tests", "assets"}
