"""Sweeps: what they make, what they refuse, and how they are kept together."""

from __future__ import annotations

import pytest

import explorer as ex
from explorer.errors import SpecError, StoreError
from explorer.models import FAMILIES, preset
from explorer.runs.differences import differences
from explorer.runs.store import Status
from explorer.runs.sweep import MOST_RUNS, Setting, Sweep, drawn, expand, grid, start, stop, sweepable
from explorer.runs.values import read_values
from explorer.specs import RunSpec, TrainSpec
from tests.runs.conftest import SPEC


@pytest.fixture(scope="module")
def mlp() -> RunSpec:
    digits = ex.load_dataset("digits")
    return RunSpec(dataset="digits", model=preset("mlp", digits), family="mlp", train=TrainSpec(epochs=2))


def settings(base: RunSpec, **typed: str) -> list[Setting]:
    fields = sweepable(base)
    return grid([read_values(name, fields[name], text) for name, text in typed.items()])


def swept(base: RunSpec, **typed: str) -> Sweep:
    return expand(base, settings(base, **typed))


def test_no_parameter_of_a_family_is_called_like_a_training_setting() -> None:
    for family in FAMILIES.values():
        assert not set(family.model_fields) & {*TrainSpec.model_fields, "examples"}, family.name


def test_a_grid_is_every_combination_once(mlp: RunSpec) -> None:
    made = settings(mlp, width="8, 16", learning_rate="0.001, 0.01, 0.1")
    assert made == [{"width": w, "learning_rate": r} for w in (8, 16) for r in (0.001, 0.01, 0.1)]


def test_each_run_is_what_its_setting_says_and_otherwise_the_base(mlp: RunSpec, digits: ex.Dataset) -> None:
    made = swept(mlp, width="8, 16", learning_rate="0.01", examples="100, 200", optimizer="sgd").runs
    assert len(made) == 4
    for run in made:
        width, examples = run.setting["width"], run.setting["examples"]
        assert run.spec.model == preset("mlp", digits, width=width)
        assert run.spec.starter == {"width": width}
        assert run.spec.examples == examples
        assert run.spec.train == TrainSpec(epochs=2, learning_rate=0.01, optimizer="sgd")
        assert run.samples == 2 * examples
        assert run.steps == 2 * -(-examples // 64)
        assert run.parameters == sum(w.numel() for w in ex.build(run.spec.model, digits).parameters())


def test_a_title_says_what_sets_a_run_apart_and_its_model_where_there_is_room(mlp: RunSpec) -> None:
    (short,) = swept(mlp, width="8", learning_rate="0.01").runs
    (long,) = swept(mlp, width="8", learning_rate="0.01", examples="100", optimizer="sgd", seed="123456").runs
    assert short.title == "MLP on digits: width 8, learning rate 0.01"
    assert long.title == "width 8, learning rate 0.01, training examples 100, optimiser sgd, seed 123456"


def test_an_edited_model_varies_in_the_parameters_of_its_layers(mlp: RunSpec, digits: ex.Dataset) -> None:
    edited = mlp.model_copy(update={"family": "custom"})
    assert set(sweepable(mlp)) - set(sweepable(edited)) == {"width", "depth"}
    units = [name for name in sweepable(edited) if name.endswith(".units")]
    assert sweepable(edited)[units[0]].default == dict(mlp.model.layers[1].params)["units"]

    made = swept(edited, **{units[0]: "8, 16"}, seed="0 to 1").runs
    assert [run.spec.train.seed for run in made] == [0, 1, 0, 1]
    for run in made:
        model = ex.build(run.spec.model, digits)
        assert model.get_submodule(units[0].removesuffix(".units")).out_features == run.setting[units[0]]
        assert run.parameters == sum(w.numel() for w in model.parameters())
    assert made[0].title.endswith("linear1 units 8, seed 0")
    assert list(differences([run.spec for run in made])) == [units[0], "seed"]

    pairs = ex.load_dataset("phrases")
    spec = RunSpec(dataset="phrases", model=preset("seq2seq_rnn", pairs), train=TrainSpec(epochs=1))
    (run,) = swept(spec, **{"decoder.grudecoder1.units": "24"}).runs
    assert [layer.params.get("units") for layer in run.spec.model.decoder if layer.kind == "grudecoder"] == [24]
    assert run.spec.model.layers == spec.model.layers


def test_random_combinations_differ_repeat_with_their_seed_and_end_where_there_are_no_more(mlp: RunSpec) -> None:
    fields = sweepable(mlp)
    wide = [
        read_values("learning_rate", fields["learning_rate"], "0.0001 to 1"),
        read_values("seed", fields["seed"], "0, 1"),
    ]
    made = drawn(wide, 30, seed=3)
    assert made == drawn(wide, 30, seed=3)
    assert made != drawn(wide, 30, seed=4)
    assert len({tuple(setting.values()) for setting in made}) == 30
    assert {setting["seed"] for setting in made} == {0, 1}
    few = [read_values("depth", fields["depth"], "1 to 3")]
    assert sorted(setting["depth"] for setting in drawn(few, 10)) == [1, 2, 3]


def test_a_sweep_is_bounded_and_says_what_is_missing(mlp: RunSpec) -> None:
    with pytest.raises(SpecError, match=f"200 runs; at most {MOST_RUNS}"):
        settings(mlp, seed="0 to 19", width="8, 16", learning_rate="0.1, 0.2, 0.3, 0.4, 0.5")
    with pytest.raises(SpecError, match="How many values from 16 to 1024"):
        settings(mlp, width="16 to 1024")
    with pytest.raises(SpecError, match="Nothing is varied"):
        grid([])
    with pytest.raises(SpecError, match="from 1 to 100 runs, not 101"):
        drawn([read_values("seed", sweepable(mlp)["seed"], "0 to 9")], 101)
    with pytest.raises(SpecError, match="Training examples is 5000"):
        settings(mlp, examples="5000")
    twice = read_values("seed", sweepable(mlp)["seed"], "0, 1")
    with pytest.raises(SpecError, match="Seed is there twice"):
        grid([twice, twice])


def test_impossible_combinations_are_named_and_left_out_before_anything_is_queued(digits: ex.Dataset) -> None:
    cnn = RunSpec(dataset="digits", model=preset("cnn", digits), family="cnn")
    made = swept(cnn, width="8, 1024", batch_size="64, 2048")
    assert [run.setting["width"] for run in made.runs] == [8, 8, 1024]
    ((words, reason),) = made.refused
    assert words == "width 1024, batch size 2048"
    assert "GiB" in reason
    with pytest.raises(SpecError, match=r"None of these runs can work\. Width 1024: .*GiB"):
        swept(cnn.model_copy(update={"train": TrainSpec(batch_size=2048)}), width="1024")


def test_runs_that_would_be_the_same_are_made_once(mlp: RunSpec) -> None:
    made = swept(mlp, optimizer="adam, sgd", momentum="0.5, 0.9")
    assert [tuple(run.setting.values()) for run in made.runs] == [("adam", 0.5), ("sgd", 0.5), ("sgd", 0.9)]
    assert "same as optimiser adam, momentum 0.5" in made.refused[0][1]
    assert len(swept(mlp, batch_size="1258, 4096").runs) == 1


def test_a_sweep_is_queued_whole_in_order_with_its_session(store: ex.RunStore, mlp: RunSpec) -> None:
    made = swept(mlp, width="8, 16", seed="0, 1")
    sweep = start(store, made, session="someone")
    kept = store.of_sweep(sweep)
    assert [run.spec for run in kept] == [run.spec for run in made.runs]
    assert [run.title for run in kept] == [run.title for run in made.runs]
    assert [(run.status, run.sweep, run.total_steps, run.parameters, run.macs) for run in kept] == [
        (Status.QUEUED, sweep, run.steps, run.parameters, run.macs) for run in made.runs
    ]
    other = store.create(SPEC, session="another")
    assert store.claim("worker").id == kept[0].id
    assert store.claim("worker").id == other.id  # people take turns


def test_runs_of_a_sweep_are_found_oldest_first_and_only_they(store: ex.RunStore) -> None:
    mine = [store.create(SPEC, sweep="aaaa0000").id for _ in range(3)]
    store.create(SPEC)
    store.create(SPEC, sweep="bbbb0000")
    assert [run.id for run in store.of_sweep("aaaa0000")] == mine
    assert store.of_sweep("") == store.of_sweep("cccc0000") == []
    assert list(store.sweeps(5).items()) == [("bbbb0000", 1), ("aaaa0000", 3)]
    assert list(store.sweeps(1)) == ["bbbb0000"]


def test_a_sweep_that_cannot_be_written_leaves_nothing(
    store: ex.RunStore, mlp: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, create = swept(mlp, seed="0 to 3"), store.create

    def fails_at_the_third(*args: object, **kwargs: object) -> ex.Run:
        if len(store.list()) == 2:
            raise StoreError("The disk is full.")
        return create(*args, **kwargs)

    monkeypatch.setattr(store, "create", fails_at_the_third)
    with pytest.raises(StoreError):
        start(store, made)
    assert store.list() == []


def test_stopping_a_sweep_stops_those_that_wait_at_once_and_asks_the_others(store: ex.RunStore, mlp: RunSpec) -> None:
    sweep = start(store, swept(mlp, seed="0 to 3"))
    bystander = store.create(SPEC)
    running = store.claim("worker")
    stop(store, sweep)
    assert [run.status for run in store.of_sweep(sweep)] == [Status.RUNNING] + [Status.STOPPED] * 3
    assert [str(verb) for verb in store.asked(running.id)] == ["stop"]
    assert store.get(bystander.id).status is Status.QUEUED


def test_metrics_after_epochs_are_read_for_many_runs_at_once(store: ex.RunStore) -> None:
    runs = [store.create(SPEC, owner="me") for _ in range(3)]
    for number, run in enumerate(runs):
        place = {"name": "loss", "epoch": 1, "seconds": 0.5, "step": 10}
        rows = [
            {"split": split, "value": number + share, **place} for split, share in (("batch", 0), ("validation", 0.5))
        ]
        store.report(run.id, "me", rows)
    table = store.epochs([runs[0].id, runs[2].id])
    assert list(table.columns) == ["run", "split", "name", "step", "epoch", "seconds", "value"]
    assert list(zip(table["run"], table["value"], strict=True)) == [(runs[0].id, 0.5), (runs[2].id, 2.5)]
    assert store.epochs([]).empty
