"""A family: a starter model that suits the data set it is asked for."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from explorer.data import Dataset
from explorer.data.base import Task
from explorer.errors import NotApplicable
from explorer.registry import Declared, Registry
from explorer.specs import ModelSpec, TrainSpec


class Family(Declared):
    """Base of all families."""

    order: ClassVar[int] = 100
    tasks: ClassVar[tuple[Task, ...]] = ("classification", "binary", "regression")

    def needs(self, dataset: Dataset) -> str | None:
        """Why the family does not fit this data set, in words, or None if it does."""
        return None

    def why_not(self, dataset: Dataset) -> str | None:
        """What `needs` says, and whether the family does what is asked for."""
        if dataset.task in self.tasks:
            return self.needs(dataset)
        return "it only translates." if "translation" in self.tasks else "it cannot write a translation."

    @abstractmethod
    def spec(self, dataset: Dataset) -> ModelSpec:
        """The starter model for this data set."""

    def training(self, dataset: Dataset) -> dict[str, Any]:
        """Training settings that suit the starter model, where the usual ones do not."""
        return {}


FAMILIES = Registry("family", Family, "explorer.models.families")


def preset(name: str, dataset: Dataset, **params: Any) -> ModelSpec:
    """The starter model of a family, sized for a data set.

    Args:
        name: A family, such as ``"cnn"``.
        dataset: What it is to learn.
        **params: The family's parameters, such as ``width``.

    Raises:
        UnknownName: No such family.
        SpecError: No such parameter, or a wrong value.
        NotApplicable: The family does not fit the data set; the message says why.
    """
    family = FAMILIES.make(name, **params)
    if reason := family.why_not(dataset):
        raise NotApplicable(f"{family.title} does not fit {dataset.title}: {reason}")
    return family.spec(dataset)


def preset_training(name: str, dataset: Dataset) -> TrainSpec:
    """Training settings that suit the starter model of a family on a data set."""
    return TrainSpec(**FAMILIES.make(name).training(dataset))


def default_family(dataset: Dataset) -> str:
    """The family a newcomer to a data set starts from."""
    if dataset.task == "translation":
        return "seq2seq_transformer"
    return {"vector": "mlp", "tokens": "rnn"}.get(dataset.modality, "cnn")
