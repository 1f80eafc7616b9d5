"""Series that were changed: shifted, scaled, made noisy, partly erased; or value by value."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from explorer.data.base import Dataset
from explorer.data.made.codes import damaged, pack, unpack
from explorer.errors import DataError

FURTHEST = 1000.0
"""Most standard deviations that a value may be from the mean."""
_BYTES = 1000
_VALUES = b"\0"
"""What the content of a code begins with that holds all values; a recipe begins with a brace."""


class Recipe(BaseModel):
    """How one series of a data set is changed; in this order.

    Values of series are standardised, so that 1 is their standard deviation and 0 their mean.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    row: Annotated[int, Field(ge=0, description="Row of the series in the source of the data.")]
    shift: Annotated[int, Field(ge=-(10**6), le=10**6, description="Steps to the right; the end values go on.")] = 0
    scale: Annotated[float, Field(ge=-3, le=3, description="What every value is multiplied by.")] = 1.0
    lift: Annotated[float, Field(ge=-3, le=3, description="What is added to every value.")] = 0.0
    noise: Annotated[float, Field(ge=0, le=3, description="Standard deviation of the noise that is added.")] = 0.0
    seed: Annotated[int, Field(ge=0, lt=1000, description="Which noise.")] = 0
    erased: Annotated[tuple[int, int], Field(description="First step that is set to the mean, and the one after.")] = (
        0,
        0,
    )


def changed(series: np.ndarray, recipe: Recipe) -> np.ndarray:
    """A series (C, L), changed as the recipe says."""
    length = series.shape[1]
    places = np.clip(np.arange(length) - recipe.shift, 0, length - 1)
    made = series[:, places].astype(np.float64) * recipe.scale + recipe.lift
    made += recipe.noise * np.random.default_rng(recipe.seed).standard_normal(series.shape)
    made[:, slice(*recipe.erased)] = 0.0
    return made.astype(np.float32)


def code_of(dataset: Dataset, recipe: Recipe) -> str:
    """The code of a series that is changed so."""
    return pack(dataset, recipe.model_dump_json(exclude_defaults=True).encode())


def recipe_of(dataset: Dataset, code: str) -> Recipe:
    """The recipe of a code.

    Raises:
        DataError: It is none.
    """
    try:
        recipe = Recipe.model_validate_json(unpack(dataset, code, _BYTES))
    except ValidationError:
        raise damaged() from None
    length = dataset.shape.size[1]
    first, after = recipe.erased
    if not 0 <= first <= after <= length or abs(recipe.shift) > length:
        raise damaged()
    return recipe


def code_of_values(dataset: Dataset, values: np.ndarray) -> str:
    """The code of a series (C, L) that was changed value by value.

    Raises:
        DataError: It is too long for a link, or a value is much too far from those of the data.
    """
    if not (np.abs(values) <= FURTHEST).all():  # nor is NaN
        raise DataError(f"A value is more than {FURTHEST:g} standard deviations from the mean. Bring it closer.")
    return pack(dataset, _VALUES + values.astype("<f4").tobytes())


def values_of(dataset: Dataset, code: str) -> torch.Tensor | None:
    """The series of such a code, (1, C, L); None if it holds a recipe.

    Raises:
        DataError: It is neither.
    """
    shape = dataset.shape.size
    size = 1 + 4 * int(np.prod(shape))
    content = unpack(dataset, code, max(size, _BYTES))
    if content[:1] != _VALUES:
        return None
    if len(content) != size:
        raise damaged()
    values = np.frombuffer(content, "<f4", offset=1).astype(np.float32)
    if not (np.abs(values) <= FURTHEST).all():
        raise damaged()
    return torch.from_numpy(values).reshape(1, *shape)


def series_of(dataset: Dataset, code: str) -> torch.Tensor:
    """The series of a code, (1, C, L).

    Raises:
        DataError: It is none, or changes one that this run's part of the data does not have.
    """
    if (values := values_of(dataset, code)) is not None:
        return values
    recipe = recipe_of(dataset, code)
    for split in (dataset.test, dataset.validation, dataset.train):
        if len(found := np.flatnonzero(split.rows == recipe.row)):
            return torch.from_numpy(changed(split.inputs[found[0]].numpy(), recipe))[None]
    raise DataError("The changed series is of an example that this run has not got.")
