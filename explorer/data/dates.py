"""Dates as people write them, and as computers do."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from explorer.data.assemble import Table
from explorer.data.source import DataSource

PATTERNS = (
    "d MMMM yyyy",
    "d MMM yyyy",
    "MMMM d, yyyy",
    "MMM d, yyyy",
    "EEEE, d MMMM yyyy",
    "EEEE, MMMM d, yyyy",
    "EEE, d MMM yyyy",
    "EEE d MMM yyyy",
    "dd-MMM-yyyy",
    "d MMMM, yyyy",
    "yyyy MMMM d",
    "yyyy, MMM d",
    "MMM d yyyy",
    "d. MMMM yyyy",
    "EEEE d MMMM, yyyy",
    "MMMM d yyyy",
)
"""In the Unicode notation. All name the month: 3/4/2001 is two days, depending on who wrote it."""
FIRST = date(1900, 1, 1)
DAYS = 73_000
"""About two hundred years."""


class Dates(DataSource):
    """8,000 dates as English speakers write them, to be written as year-month-day, character by character. One can
    check by eye which characters the model must look at.
    """

    name = "dates"
    title = "Dates to ISO"
    modality = "tokens"
    task = "translation"
    order = 60
    source = "Random days, written in sixteen English patterns by Babel from the Unicode Common Locale Data Repository"
    licence = "Unicode License v3 (names of days and months)"

    def read(self) -> Table:
        from babel.dates import format_date

        random = np.random.default_rng(0)
        written, wanted = [], []
        for day, pattern in zip(random.choice(DAYS, 8000, replace=False), random.choice(PATTERNS, 8000), strict=True):
            when = FIRST + timedelta(days=int(day))
            written.append(tuple(format_date(when, str(pattern), locale="en").lower()))
            wanted.append(tuple(when.isoformat()))
        return Table(written, wanted)
