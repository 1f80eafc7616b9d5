"""Surnames and where they are from."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from explorer.data.assemble import Table
from explorer.data.source import DataSource

ORIGINS = {
    "Dutch": ("nl_NL",),
    "English": ("en_GB",),
    "Finnish": ("fi_FI",),
    "French": ("fr_FR",),
    "German": ("de_AT", "de_DE"),
    "Italian": ("it_IT",),
    "Spanish": ("es_ES",),
    "Swedish": ("sv_SE",),
}
"""Faker's names for each language and its countries. Only languages in which women and men are called alike: of twins
such as Novák and Nováková, one in each split, one would tell the other.
"""
LONGEST = 18
"""Letters. The longer ones are those of medieval nobles."""


class Surnames(DataSource):
    """About 6,000 surnames of eight European languages, letter by letter: from which language is a name? Endings and
    pairs of letters tell, so the order of the letters matters.

    In small letters; a name that is found in two languages is left out.
    """

    name = "surnames"
    title = "Surnames"
    modality = "tokens"
    order = 40
    source = "Lists of frequent surnames in the package Faker, by its contributors"
    licence = "MIT"

    def read(self) -> Table:
        origins: dict[str, set[int]] = {}
        for number, locales in enumerate(ORIGINS.values()):
            for locale in locales:
                for name in import_module(f"faker.providers.person.{locale}").Provider.last_names:
                    origins.setdefault(name.lower(), set()).add(number)
        names = {
            name: min(found) for name, found in sorted(origins.items()) if len(found) == 1 and len(name) <= LONGEST
        }
        return Table([tuple(name) for name in names], np.array(list(names.values())), tuple(ORIGINS))
