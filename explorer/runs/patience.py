"""Waiting for a store that another program holds."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from explorer.errors import StoreBusy

log = logging.getLogger("explorer.store")
P = ParamSpec("P")
T = TypeVar("T")


def patient(work: Callable[P, T]) -> Callable[P, T]:
    """The same for those who train: what a run has learned is not given up because a backup takes its time."""

    @functools.wraps(work)
    def wait(*args: P.args, **kwargs: P.kwargs) -> T:
        while True:
            try:
                return work(*args, **kwargs)
            except StoreBusy as error:  # after `store.BUSY_SECONDS`
                log.warning("%s Training waits for it.", error)

    return wait
