"""Extensions are declared, never wired: one class in one file, found by looking into its folder."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator
from functools import cached_property
from importlib import import_module
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from explorer.errors import SpecError, UnknownName


class Declared(BaseModel):
    """Base of everything that can be declared.

    The fields of a subclass are its parameters (and so its form), its docstring is its help.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    name: ClassVar[str]
    """What specs, URLs and the command line call it."""
    title: ClassVar[str]
    """What menus call it."""

    @classmethod
    def help(cls) -> str:
        """The first paragraph of the docstring, on one line."""
        return " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())

    @classmethod
    def make(cls, /, **params: Any) -> Any:
        """Make one from parameters; a wrong one raises `SpecError` naming the field."""
        try:
            return cls(**params)
        except ValidationError as error:
            raise SpecError(explain(error, tuple(cls.model_fields))) from None


def explain(error: ValidationError, fields: tuple[str, ...]) -> str:
    """One sentence for the first problem pydantic found: the field, what it got, what it needs."""
    first = error.errors()[0]
    field = _short(".".join(str(part) for part in first["loc"]) or "value")
    if first["type"] == "extra_forbidden":
        known = f"Its fields are: {', '.join(fields)}" if fields else "It has no fields"
        return f"there is no field {field!r}. {known}."
    wanted = first["msg"].removeprefix("Value error, ").replace("Input should", "it should")
    return f"{field} is {_short(repr(first['input']))}, but {wanted}."


def _short(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:99]}…"  # what is not understood may be megabytes long


D = TypeVar("D", bound=Declared)


class Registry(Generic[D]):
    """All classes of one sort, found by importing every module of a package.

    Args:
        what: The sort in words, for messages ("layer", "data set").
        base: The class they derive from.
        package: Dotted name of the folder that holds them.
    """

    def __init__(self, what: str, base: type[D], package: str) -> None:
        self.what, self.base, self.package = what, base, package

    @cached_property
    def _found(self) -> dict[str, type[D]]:
        folder = import_module(self.package)
        for module in pkgutil.iter_modules(folder.__path__):
            import_module(f"{self.package}.{module.name}")
        found: dict[str, type[D]] = {}
        for cls in _descendants(self.base):
            if "name" in vars(cls) and cls.__module__.startswith(self.package + "."):
                if found.get(cls.name, cls) is not cls:
                    raise ValueError(f"{cls.__module__} and {found[cls.name].__module__} both declare {cls.name!r}")
                found[cls.name] = cls
        return dict(sorted(found.items(), key=lambda item: (getattr(item[1], "order", 0), item[0])))

    def __getitem__(self, name: str) -> type[D]:
        if not isinstance(name, str) or name not in self._found:
            raise UnknownName(self.what, name, self._found)
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def make(self, name: str, /, **params: Any) -> D:
        """Make one by name.

        Raises:
            UnknownName: No such name; the message lists the known ones.
            SpecError: A parameter is wrong; the message names it.
        """
        cls = self[name]
        try:
            return cls.make(**params)
        except SpecError as error:
            raise SpecError(f"{self.what.capitalize()} {name!r}: {error}") from None

    def values(self) -> list[type[D]]:
        """The registered classes, in menu order."""
        return list(self._found.values())


def _descendants(cls: type[D]) -> Iterator[type[D]]:
    for child in cls.__subclasses__():
        yield child
        yield from _descendants(child)
