"""Where data that people brought are kept: one safetensors file each, named by what is in it."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open

from explorer.data.base import SHARES, Dataset, Split
from explorer.data.own.reading import NAME, Reading
from explorer.errors import DataError
from explorer.places import OWN, folders, is_own, look_in, own_data

KEPT = 100
"""Most sets that are kept."""
KEPT_BYTES = 2 * 2**30


class Card(BaseModel):
    """All of a kept data set but its numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=OWN.pattern)]
    title: Annotated[str, Field(min_length=1, max_length=NAME)]
    about: str
    source: str
    licence: str
    modality: Literal["image", "series", "vector", "tokens"]
    task: Literal["classification", "binary", "regression"]
    classes: tuple[str, ...]
    features: tuple[str, ...]
    vocabulary: tuple[str, ...]
    scale: tuple[float, float]
    unit: str
    feature_scales: tuple[tuple[float, float], ...] = ()


def keep(reading: Reading, title: str, home: Path) -> str:
    """Write the data set that comes of a reading; the same again is the same file.

    Args:
        reading: What was read.
        title: What people call it.
        home: Home of the store that its runs will be in.

    Returns:
        Its name, for `load_dataset`.

    Raises:
        DataError: The title is empty, there is no room, or it cannot be written.
    """
    title = " ".join("".join(character for character in title if character.isprintable()).split())[:NAME]
    if not title:
        raise DataError("The data set has no name. Give it one.")
    folder = own_data(home)
    made = reading.dataset(title)
    tensors = {f"{part}.{what}": getattr(made.split(part), what) for part in SHARES for what in ("inputs", "targets")}
    arrays = {name: tensor.contiguous().numpy() for name, tensor in tensors.items()}
    arrays |= {f"{part}.rows": np.asarray(made.split(part).rows, dtype=np.int64) for part in SHARES}
    known = {name: getattr(made, name) for name in Card.model_fields if name != "name"}
    digest = hashlib.sha256(json.dumps(known, sort_keys=True).encode())
    for name in sorted(arrays):
        digest.update(name.encode() + arrays[name].tobytes())
    card = Card(name=f"own-{digest.hexdigest()[:12]}", **known)
    path = folder / f"{card.name}.safetensors"
    if not path.exists():
        _make_room(folder, sum(array.nbytes for array in arrays.values()))
        _write(path, arrays, card)
    look_in(home)
    return card.name


def _make_room(folder: Path, size: int) -> None:
    sizes = [path.stat().st_size for path in folder.glob("own-*.safetensors")] if folder.is_dir() else []
    if len(sizes) >= KEPT or sum(sizes) + size > KEPT_BYTES:
        raise DataError(
            f"{len(sizes)} data sets of {sum(sizes) / 2**20:,.0f} MiB are kept already: there is no room for another. "
            "Remove one that is no longer needed."
        )


def _write(path: Path, arrays: dict[str, np.ndarray], card: Card) -> None:
    from safetensors.numpy import save

    temporary = path.with_suffix(f".{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(save(arrays, metadata={"card": card.model_dump_json()}))
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise DataError(f"The data set could not be written ({error.strerror}). Free some disk space.") from error


def kept() -> list[Card]:
    """What is kept, by title; a damaged file is passed over."""
    cards: dict[str, Card] = {}
    for path in _files():
        with suppress(DataError):
            cards.setdefault(path.stem, _card(path))
    return sorted(cards.values(), key=lambda card: (card.title.lower(), card.name))


def called(name: str) -> str:
    """The title of a data set somebody brought; any other name as it is."""
    return next((card.title for card in kept() if card.name == name), name) if is_own(name) else name


def forget(name: str) -> None:
    """Remove a kept set; that it is gone already is no error."""
    for path in _files(name):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise DataError(f"The data set could not be removed ({error.strerror}).") from error


def load(name: str) -> Dataset:
    """A kept set.

    Raises:
        DataError: It is not here (any more), or damaged.
    """
    for path in _files(name):
        with suppress(FileNotFoundError):
            return _loaded(path, path.stat().st_mtime_ns)
    raise DataError(
        f"The uploaded data set {name} is not here: it was removed, or comes from another server. Upload it again."
    )


@lru_cache(maxsize=8)
def _loaded(path: Path, _written: int) -> Dataset:
    from safetensors.torch import load_file

    card = _card(path)
    try:
        found = load_file(path)
        splits = {part: _split(found, part) for part in SHARES}
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise DataError(f"The uploaded data set {path.stem} is damaged. Remove it and upload it again.") from error
    return Dataset(**card.model_dump(), **splits)


def _split(found: dict, part: str) -> Split:
    inputs, targets, rows = (found[f"{part}.{what}"] for what in ("inputs", "targets", "rows"))
    if not len(inputs) == len(targets) == len(rows) > 0:
        raise ValueError(f"{part} has {len(inputs)} inputs for {len(targets)} answers")
    return Split(inputs, targets, rows.numpy())


def _card(path: Path) -> Card:
    try:
        with safe_open(path, framework="numpy") as file:
            card = Card.model_validate_json((file.metadata() or {}).get("card", ""))
    except (OSError, SafetensorError, ValidationError) as error:
        raise DataError(f"The uploaded data set {path.stem} is damaged. Remove it and upload it again.") from error
    if card.name != path.stem:
        raise DataError(f"The uploaded data set {path.stem} is damaged. Remove it and upload it again.")
    return card


def _files(name: str = "") -> Iterator[Path]:
    """Files that hold kept sets: all, or those of one name. A name comes from links, so it must be one."""
    if name and not is_own(name):
        return
    for folder in folders():
        for path in sorted(folder.glob(f"{name or 'own-*'}.safetensors")):
            if is_own(path.stem):
                yield path
