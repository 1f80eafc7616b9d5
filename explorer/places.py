"""Where data that people brought are looked for: in the home of every store that was opened.

A module of its own, since opening a store should not wait for torch, which reading data needs.
"""

from __future__ import annotations

import re
from pathlib import Path

OWN = re.compile(r"own-[0-9a-f]{12}")
"""Names of data that people brought; made from what is in them, so that any folder that has one will do."""

_folders: list[Path] = []


def own_data(home: Path) -> Path:
    """The folder in a store's home that holds them."""
    return home / "data"


def look_in(home: Path) -> None:
    """Look in this home, too."""
    if own_data(home) not in _folders:
        _folders.append(own_data(home))


def folders() -> tuple[Path, ...]:
    """All folders to look in."""
    return tuple(_folders)


def is_own(name: object) -> bool:
    """Whether a name is that of a data set somebody brought."""
    return isinstance(name, str) and OWN.fullmatch(name) is not None
