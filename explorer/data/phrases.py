"""English phrases and their translations."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import ClassVar

from explorer.data.assemble import Table
from explorer.data.source import DataSource

WORD = re.compile(r"[a-zà-öø-ÿœ]+(?:[’'-][a-zà-öø-ÿœ]+)*|\d+|[^\s\w]", re.IGNORECASE)
CHINESE = re.compile(r"[\u4e00-\u9fff]|[a-z]+|\d+|[^\s\w]", re.IGNORECASE)
FEWEST, MOST = 2, 12
"""Words of a phrase."""


class _Phrases(DataSource):
    modality = "tokens"
    task = "translation"
    licence = "BSD 3-Clause"
    rare = 2
    longest = 24
    package: ClassVar[str]
    tokens: ClassVar[re.Pattern[str]]

    def read(self) -> Table:
        pairs: dict[tuple[str, ...], tuple[str, ...]] = {}
        for path in sorted(_catalogues(self.package), key=lambda path: path.name):
            for english, translations in json.loads(path.read_text(encoding="utf-8")).items():
                english = english.split("\x04")[-1]  # what stands before tells translators where it is used
                if not english or not translations or not translations[0] or re.search(r"[%<{\n_`\\]", english):
                    continue
                words = tuple(WORD.findall(english.lower()))
                said = tuple(self.tokens.findall(translations[0].lower()))
                count = sum(word[0].isalpha() for word in words)
                if FEWEST <= count <= MOST and said and said != words and len(said) <= self.longest:
                    pairs.setdefault(words, said)
        return Table(list(pairs), list(pairs.values()))


def _catalogues(package: str) -> list:
    language = package.removeprefix("jupyterlab_language_pack_")
    return [p for p in (files(package) / "locale" / language / "LC_MESSAGES").iterdir() if p.name.endswith(".json")]


class PhrasesChinese(_Phrases):
    """Short English phrases of a computer program, to be translated into Chinese, character by character. Real
    translations by volunteers; few for so hard a task, so expect mistakes.
    """

    name = "phrases"
    title = "English to Chinese"
    order = 61
    source = "JupyterLab's Chinese catalogue, by its translators, through jupyterlab-language-pack-zh-CN"
    package = "jupyterlab_language_pack_zh_CN"
    tokens = CHINESE


class PhrasesFrench(_Phrases):
    """Short English phrases of a computer program, to be translated into French, word by word. Real translations by
    volunteers; few for so hard a task, so expect mistakes.
    """

    name = "phrases_fr"
    title = "English to French"
    order = 62
    source = "JupyterLab's French catalogue, by its translators, through jupyterlab-language-pack-fr-FR"
    package = "jupyterlab_language_pack_fr_FR"
    tokens = WORD
