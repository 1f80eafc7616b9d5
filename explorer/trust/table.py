"""The table of trust: several methods, several checks, the same examples of one model at one step."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Literal, NamedTuple

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from explorer.attribution import METHODS, Method, Question, ask
from explorer.data import START, Dataset, dataset_of
from explorer.errors import ExplorerError, NotApplicable, RunGone, SnapshotError
from explorer.models.translator import Translator
from explorer.probes import TwoClasses
from explorer.runs.marks import Asked, Kept
from explorer.runs.replay import model_at
from explorer.runs.store import RunStore
from explorer.trust.attended import attended
from explorer.trust.base import CHECKS, Check
from explorer.trust.mark import Mark, read
from explorer.trust.trial import Trial, laid_out, places

log = logging.getLogger("explorer.trust")

VERSION = 2
"""Which version of the checks this is: raise it when what they say changes, and what was kept before is left alone."""
FEWEST, MOST, USUAL = 2, 64, 16
"""How many examples a table may be over."""
SEEDS = 9999
REFERENCES = 16
"""Training examples that methods compare with which need many."""
EIGHT = (
    "saliency",
    "input_x_gradient",
    "integrated_gradients",
    "smooth_grad",
    "deep_lift",
    "guided_backprop",
    "grad_cam",
    "occlusion",
)
"""Methods of the usual table; every agreement is with these."""

Name = Annotated[str, Field(pattern="^[a-z_0-9]{1,40}$")]


class Wanted(BaseModel):
    """Which table is wanted.

    Attributes:
        run, step, split: Of which model, and of which examples.
        examples: How many of them.
        seed: Fixes which, and all that the checks draw at random.
        methods, checks: Names, in order.
        twin: Id and step of the same network trained on shuffled labels, if there is one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: Annotated[str, Field(pattern="^[0-9a-f]{8}$")]
    step: Annotated[int, Field(ge=0)]
    split: Literal["train", "validation", "test"] = "test"
    examples: Annotated[int, Field(ge=FEWEST, le=MOST)] = USUAL
    seed: Annotated[int, Field(ge=0, le=SEEDS)] = 0
    methods: Annotated[tuple[Name, ...], Field(max_length=100)] = EIGHT
    checks: Annotated[tuple[Name, ...], Field(max_length=100)] = ()
    twin: tuple[Annotated[str, Field(pattern="^[0-9a-f]{8}$")], Annotated[int, Field(ge=0)]] | None = None

    @property
    def asked(self) -> Asked:
        """How the store finds its marks."""
        return Asked(self.run, self.step, self.split, self.examples, self.seed, VERSION)

    @property
    def cells(self) -> list[Cell]:
        """All cells, one check after the other for each method."""
        return [Cell(method, check) for method in self.methods for check in self.checks]

    def parameters(self, cell: Cell) -> str:
        """All that a cell depends on beside the examples, as JSON."""
        used = {"method": METHODS[cell.method]().model_dump(), "check": CHECKS[cell.check]().model_dump()}
        if cell.check == "data_randomisation":
            used["twin"] = self.twin
        return json.dumps(used, sort_keys=True)


class Cell(NamedTuple):
    """One cell of the table."""

    method: str
    check: str


def usual_methods(every: bool = False) -> tuple[str, ...]:
    """Names of the methods of a table, and then the controls: eight, or every one that explains the input."""
    controls = [cls.name for cls in METHODS.values() if cls.control]
    others = [cls.name for cls in METHODS.values() if not cls.control and not cls.inner]
    return (*(others if every else EIGHT), *controls)


def marks(store: RunStore, wanted: Wanted) -> dict[Cell, Mark]:
    """What is known of a table already; what is damaged is left out."""
    cells = {(cell, wanted.parameters(cell)): cell for cell in wanted.cells}
    found = {}
    for kept in store.marks(wanted.asked):
        cell = cells.get((Cell(kept.method, kept.check), kept.parameters))
        mark = read(kept.content) if cell else None
        if mark:
            found[cell] = mark
    return found


def missing(store: RunStore, wanted: Wanted) -> list[Cell]:
    """Cells that are still to be worked out; those that failed unexpectedly are tried again."""
    known = marks(store, wanted)
    return [cell for cell in wanted.cells if cell not in known or known[cell].broken]


def work_out(store: RunStore, wanted: Wanted) -> Iterator[tuple[int, int]]:
    """Work out what is missing of a table, cell by cell, and keep each in the store.

    Yields:
        How many cells are done, and how many there are in all.

    Raises:
        RunGone: The run was deleted meanwhile.
        SnapshotError: The weights of its step were.
    """
    left, total = missing(store, wanted), len(wanted.cells)
    yield total - len(left), total
    if not left:
        return
    table = Table.of_run(store, wanted)
    for number, cell in enumerate(left, 1):
        mark = table.mark(cell)
        if wanted.step not in store.snapshots.steps(wanted.run):
            store.get(wanted.run)  # says so where the whole run is gone
            raise SnapshotError(f"The weights of step {wanted.step} were deleted meanwhile. Choose another step.")
        store.keep_mark(wanted.asked, Kept(*cell, wanted.parameters(cell), mark.model_dump_json()))
        yield total - len(left) + number, total


def chosen_rows(count: int, dataset: Dataset, split: str, seed: int) -> list[int]:
    """Numbers of the examples of a table, drawn at random; all of a split that has fewer."""
    size = len(dataset.split(split))
    return sorted(np.random.default_rng(seed).permutation(size)[:count].tolist())


class Table:
    """Works out cells; explanations and what else methods share are worked out once.

    Args:
        questions: The answers that are explained, all of one model.
        seed, evidence, shuffled, attentions: As in `Trial`.
    """

    def __init__(
        self,
        questions: Sequence[Question],
        seed: int = 0,
        evidence: Sequence[np.ndarray] | None = None,
        shuffled: nn.Module | None = None,
        attentions: Sequence[np.ndarray] | None = None,
    ) -> None:
        self.questions = laid_out(questions)
        self._more = {"seed": seed, "evidence": evidence, "shuffled": shuffled, "attentions": attentions}
        self._known: dict[object, object] = {}
        self._explained: dict[str, Sequence[np.ndarray] | Mark] = {}

    @classmethod
    def of_run(cls, store: RunStore, wanted: Wanted) -> Table:
        """The table of a run's model."""
        spec = store.get(wanted.run).spec
        dataset, model = dataset_of(spec), _per_class(store, wanted.run, wanted.step)
        rows = chosen_rows(wanted.examples, dataset, wanted.split, wanted.seed)
        questions = [question(model, dataset, wanted.split, row) for row in rows]
        part = dataset.split(wanted.split)
        pairs = list(zip(rows, questions, strict=True))
        evidence = None
        if part.evidence is not None:
            evidence = [part.evidence[row].numpy().ravel()[: places(one)] for row, one in pairs]
        looked = [attended(one) for one in questions]
        return cls(
            questions,
            wanted.seed,
            evidence,
            _per_class(store, *wanted.twin) if wanted.twin else None,
            None if any(one is None for one in looked) else looked,
        )

    def mark(self, cell: Cell) -> Mark:
        """One cell; whatever goes wrong in it stays in it."""
        try:
            return self._mark(METHODS.make(cell.method), CHECKS.make(cell.check))
        except (RunGone, SnapshotError):
            raise
        except ExplorerError as error:
            return Mark(reason=str(error))
        except Exception:
            log.exception("%s of %s could not be worked out", cell.check, cell.method)
            return Mark(reason="This could not be worked out. The log of the server says more.", broken=True)

    def _mark(self, method: Method, check: Check) -> Mark:
        for one in self.questions:
            if reason := method.needs(one):
                raise NotApplicable(f"{method.title} does not apply: {reason}")
        trial = Trial(method, self.questions, known=self._known, **self._more)
        if check.name == "agreement":
            trial = replace(trial, rivals=self._rivals(method))
        if reason := check.needs(trial):
            raise NotApplicable(f"{check.title} does not apply: {reason}")
        said = self._said(method)
        return said if isinstance(said, Mark) else Mark.of(check.of(replace(trial, given=said)))

    def _said(self, method: Method) -> Sequence[np.ndarray] | Mark:
        """What a method says of every question, worked out once; or why it says nothing."""
        if method.name not in self._explained:
            self._explained[method.name] = self._explain(method)
        return self._explained[method.name]

    def _explain(self, method: Method) -> Sequence[np.ndarray] | Mark:
        try:
            return Trial(method, self.questions, known=self._known).explained
        except ExplorerError as error:
            return Mark(reason=str(error))

    def _rivals(self, method: Method) -> list[Method]:
        """The other methods of the eight that say something of every question."""
        others = [METHODS.make(name) for name in EIGHT if name != method.name]
        return [other for other in others if not isinstance(self._said(other), Mark)]


def question(model: nn.Module, dataset: Dataset, split: str, row: int) -> Question:
    """Why the model answers an example as it does; of a translation, why it begins as it does."""
    x, others = dataset.split(split).inputs[row : row + 1], dataset.train.inputs[:REFERENCES]
    written = torch.tensor([[START]]) if isinstance(model, Translator) else None
    asked = ask(model, x, 0, references=others, written=written)
    if dataset.task == "regression":
        return asked
    answer = int(asked.logits(asked.x)[0].argmax())
    return ask(model, x, answer, references=others, written=written)


def _per_class(store: RunStore, run_id: str, step: int) -> nn.Module:
    """A run's model at a step; with a logit for each of two classes."""
    model = model_at(store, run_id, step)
    return TwoClasses(model) if dataset_of(store.get(run_id).spec).task == "binary" else model
