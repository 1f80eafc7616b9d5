"""NumPy archives: one array of inputs, one of answers."""

from __future__ import annotations

import io
import zipfile
from typing import Literal

import numpy as np

from explorer.data.own.packed import content_of, opened
from explorer.data.own.reading import Reading, check_count, of_classes, of_values
from explorer.errors import DataError

INPUTS = ("x", "inputs", "images", "features", "data", "x_train")
TARGETS = ("y", "targets", "labels", "target", "label", "y_train")
SIDE = 256
MANY = 20
"""Answers with a fraction, and more different ones than this, are numbers to predict, not classes."""


def read_arrays(content: bytes, kind: Literal["auto", "image", "series", "vector"] = "auto") -> Reading:
    """Inputs ``x`` and answers ``y`` of a ``.npz`` file, as ``numpy.savez("data.npz", x=x, y=y)`` writes it.

    Args:
        content: The file.
        kind: What an example is. Auto: (N, F) numbers of a table; (N, H, W), (N, H, W, C) or (N, C, H, W) images.
            Series are (N, T) or (N, C, T).

    Raises:
        DataError: It is no such file, holds objects, or too little or too much.
    """
    with opened(content, "a NumPy archive") as packed:
        arrays = {
            file.filename.removesuffix(".npy"): _array(packed, file)
            for file in packed.infolist()
            if file.filename.endswith(".npy")
        }
    x, y = _one_of(arrays, INPUTS, "inputs"), _one_of(arrays, TARGETS, "answers")
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1 or x.ndim < 2 or len(x) != len(y):
        raise DataError(
            f"The inputs are {_shape(x)} and the answers {_shape(y)}; wanted are (N, …) inputs and one answer for each."
        )
    if not x.size:
        raise DataError("There are no examples in it.")
    if x.dtype.kind not in "fiub" or y.dtype.kind not in "fiubU":
        raise DataError(f"The inputs hold {x.dtype} and the answers {y.dtype}; wanted are numbers.")
    check_count(len(x), int(np.prod(x.shape[1:])))
    x = _shaped(x, kind)
    if not np.isfinite(x).all() or np.abs(x).max(initial=0) > 1e30:
        raise DataError("Some inputs are not finite numbers (NaN or infinite), or too large. Clean them first.")
    if x.ndim == 2:
        features = tuple(f"column {number}" for number in range(1, x.shape[1] + 1))
        if y.dtype.kind == "f" and len(np.unique(y)) > MANY:
            return of_values(x, y.astype(np.float64), "the value", features)
        return of_classes(x, _labels(y), "vector", features)
    return of_classes(x, _labels(y), "image" if x.ndim == 4 else "series")


def _array(packed: zipfile.ZipFile, file: zipfile.ZipInfo) -> np.ndarray:
    try:
        # Objects would be unpickled, and a pickle can run anything.
        return np.lib.format.read_array(io.BytesIO(content_of(packed, file)), allow_pickle=False)
    except (ValueError, MemoryError) as error:
        raise DataError(
            f"The array {file.filename[:60]!r} cannot be read ({str(error)[:120]}). Save plain numbers, not objects."
        ) from None


def _one_of(arrays: dict[str, np.ndarray], names: tuple[str, ...], what: str) -> np.ndarray:
    for name in names:
        for found, array in arrays.items():
            if found.lower() == name:
                return array
    there = ", ".join(name[:30] for name in list(arrays)[:10]) or "none"
    raise DataError(
        f"No array is called {names[0]} ({what}); there are: {there}. Save with numpy.savez(file, x=x, y=y)."
    )


def _shaped(x: np.ndarray, kind: str) -> np.ndarray:
    """(N, F), (N, C, T) or (N, C, H, W) float32; images from 0 to 1."""
    if kind == "auto":
        kind = "vector" if x.ndim == 2 else "image"
    whole = x.dtype.kind in "iub"
    x = x.astype(np.float32)
    if kind == "vector" and x.ndim == 2:
        return x
    if kind == "series" and x.ndim in (2, 3):
        return x[:, None] if x.ndim == 2 else x
    if kind == "image" and x.ndim in (3, 4):
        if x.ndim == 3:
            x = x[:, None]
        elif x.shape[-1] in (1, 3) and x.shape[1] not in (1, 3):
            x = x.transpose(0, 3, 1, 2)
        if x.shape[1] in (1, 3) and max(x.shape[2:]) <= SIDE and min(x.shape[2:]) > 1:
            return np.ascontiguousarray(_shades(x, whole))
        raise DataError(
            f"Images of {' × '.join(map(str, x.shape[1:]))} are not read: wanted are 1 or 3 channels of at most "
            f"{SIDE} × {SIDE} pixels."
        )
    raise DataError(f"Inputs {_shape(x)} are no {kind}. Choose what an example is, or reshape them.")


def _shades(x: np.ndarray, whole: bool) -> np.ndarray:
    """Pixels from 0 to 1: bytes are divided by 255, fractions outside are stretched to fit."""
    low, high = (float(x.min()), float(x.max())) if np.isfinite(x).all() else (0.0, 1.0)
    if whole and low >= 0 and high <= 255:
        return x / (255 if high > 1 else 1)
    return x if low >= 0 and high <= 1 else (x - low) / (high - low)


def _labels(y: np.ndarray) -> list[str | None]:
    whole = y.dtype.kind == "f" and np.isfinite(y).all() and (y == np.floor(y)).all()
    if y.dtype.kind == "f" and not whole:
        raise DataError("The answers are fractions; only tables can be learned to answer with a number here.")
    return [" ".join(str(value).split()) or None for value in (y.astype(np.int64) if whole else y).tolist()]


def _shape(array: np.ndarray) -> str:
    return f"({', '.join(map(str, array.shape))})"
