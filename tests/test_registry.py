"""Registries: declared in a folder, found by looking into it, looked up by name."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import ClassVar

import pytest

from explorer.errors import SpecError, UnknownName
from explorer.registry import Declared, Registry

NUMBERS = count()
"""Each package gets a name of its own: a class once declared is never forgotten."""
SHAPE = '''
from pydantic import Field
from tests.test_registry import Shape


class {cls}(Shape):
    """A shape with
    two lines.

    And more.
    """

    name = "{name}"
    title = "{cls}"
    order = {order}
    side: int = Field(1, ge=1)
'''


class Shape(Declared):
    """What the registry of these tests holds."""

    order: ClassVar[int]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package on the import path with two shapes in it."""
    package = tmp_path / f"shapes{next(NUMBERS)}"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "square.py").write_text(SHAPE.format(cls="Square", name="square", order=2))
    (package / "circle.py").write_text(SHAPE.format(cls="Circle", name="circle", order=1))
    monkeypatch.syspath_prepend(tmp_path)
    return package


@pytest.fixture
def shapes(folder: Path) -> Registry[Shape]:
    return Registry("shape", Shape, folder.name)


def test_a_file_in_the_folder_is_all_it_takes(folder: Path, shapes: Registry[Shape]) -> None:
    (folder / "star.py").write_text(SHAPE.format(cls="Star", name="star", order=0))

    assert list(shapes) == ["star", "circle", "square"]
    assert [cls.title for cls in shapes.values()] == ["Star", "Circle", "Square"]
    assert len(shapes) == 3


def test_an_unknown_name_lists_the_known_ones(shapes: Registry[Shape]) -> None:
    with pytest.raises(UnknownName, match=r"There is no shape called 'cube'. Choose one of: circle, square."):
        shapes["cube"]
    for odd in (None, 3, ["circle"]):
        with pytest.raises(UnknownName, match=r"circle, square"):
            shapes[odd]  # type: ignore[index]


def test_two_that_declare_one_name_are_told_apart_at_once(folder: Path, shapes: Registry[Shape]) -> None:
    (folder / "other.py").write_text(SHAPE.format(cls="Other", name="circle", order=3))

    with pytest.raises(ValueError, match=r"circle and .*other|other and .*circle"):
        list(shapes)


def test_parameters_are_checked_and_named(shapes: Registry[Shape]) -> None:
    assert shapes.make("square", side=4).side == 4
    with pytest.raises(SpecError, match=r"Shape 'square': side is 0, but it should be greater than or equal to 1."):
        shapes.make("square", side=0)
    with pytest.raises(SpecError, match=r"there is no field 'size'. Its fields are: side."):
        shapes.make("square", size=4)


@pytest.mark.parametrize("name", ["cls", "self", "name", "model_config"])
def test_no_parameter_name_collides_with_the_code(shapes: Registry[Shape], name: str) -> None:
    with pytest.raises(SpecError, match=f"there is no field '{name}'"):
        shapes.make("square", **{name: 1})


def test_the_help_is_the_first_paragraph_on_one_line(shapes: Registry[Shape]) -> None:
    assert shapes["circle"].help() == "A shape with two lines."
