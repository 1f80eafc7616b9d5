"""Weight snapshots: whole or not at all, and only where they belong."""

from __future__ import annotations

import multiprocessing as mp
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import explorer as ex
from explorer.errors import SnapshotError, StoreError
from explorer.runs.snapshots import Snapshots

RUN = "0badcafe"


@pytest.fixture
def snapshots(tmp_path: Path) -> Snapshots:
    return Snapshots(tmp_path / "snapshots")


def test_weights_come_back_bit_for_bit(snapshots: Snapshots, cnn: torch.nn.Module) -> None:
    snapshots.save(RUN, 7, cnn.state_dict())

    loaded = snapshots.load(RUN, 7)

    assert sorted(loaded) == sorted(cnn.state_dict())
    for name, values in cnn.state_dict().items():
        assert loaded[name].dtype == values.dtype
        assert torch.equal(loaded[name], values), name


def test_a_snapshot_is_a_plain_safetensors_file(snapshots: Snapshots) -> None:
    path = snapshots.save(RUN, 7, {"w": torch.arange(6.0).reshape(2, 3).T})  # not contiguous

    assert load_file(path)["w"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert snapshots.read(RUN, 7) == path.read_bytes()


def test_loaded_weights_are_ones_own(snapshots: Snapshots) -> None:
    snapshots.save(RUN, 7, {"w": torch.zeros(3)})
    snapshots.load(RUN, 7)["w"].fill_(1)

    assert snapshots.load(RUN, 7)["w"].tolist() == [0, 0, 0]


def test_steps_are_in_order_and_overwritten_in_place(snapshots: Snapshots) -> None:
    assert snapshots.steps(RUN) == []
    for step in (100, 0, 20, 20):
        snapshots.save(RUN, step, {"w": torch.full((1,), float(step))})

    assert snapshots.steps(RUN) == [0, 20, 100]
    assert snapshots.load(RUN, 20)["w"].item() == 20


def test_what_else_lies_in_the_folder_is_not_a_step(snapshots: Snapshots) -> None:
    folder = snapshots.save(RUN, 3, {"w": torch.zeros(1)}).parent
    (folder / "tmp123.part").write_bytes(b"half")
    for name in ("notes", "²", "٣", "-1", "1e3"):
        (folder / f"{name}.safetensors").write_bytes(b"")

    assert snapshots.steps(RUN) == [3]


def test_deleting_takes_one_runs_snapshots_and_no_others(snapshots: Snapshots) -> None:
    for run in (RUN, "12345678"):
        snapshots.save(run, 0, {"w": torch.zeros(1)})

    snapshots.delete(RUN)
    snapshots.delete(RUN)

    assert snapshots.steps(RUN) == []
    assert snapshots.steps("12345678") == [0]


def test_a_state_that_is_replaced_while_it_is_read_is_whole(snapshots: Snapshots) -> None:
    snapshots.save_state(RUN, {"w": torch.full((9,), 9.0)}, {"size": 9})

    def replace() -> None:
        while True:
            for size in (9, 90):
                snapshots.save_state(RUN, {"w": torch.full((size,), float(size))}, {"size": size})

    writer = mp.get_context("fork").Process(target=replace)
    writer.start()
    try:
        for _ in range(1000):
            tensors, values = snapshots.state(RUN)
            assert tensors["w"].tolist() == [values["size"]] * values["size"]
    finally:
        writer.kill()
        writer.join()


@pytest.mark.parametrize("length", [0, 5, 8, 40, 200, -4])
def test_a_damaged_state_says_what_to_do(length: int, snapshots: Snapshots) -> None:
    assert snapshots.state(RUN) is None
    snapshots.save_state(RUN, {"w": torch.zeros(99)}, {"step": 7})
    path = next(snapshots.folder.rglob("resume.safetensors"))
    path.write_bytes(path.read_bytes()[:length])

    with pytest.raises(SnapshotError, match=r"What was kept .* is damaged .* Start from one of the kept steps"):
        snapshots.state(RUN)


@pytest.mark.parametrize("step", [1, -1, 10**12])
def test_a_missing_snapshot_says_so(step: int, snapshots: Snapshots) -> None:
    snapshots.save(RUN, 0, {"w": torch.zeros(1)})

    with pytest.raises(SnapshotError, match=f"The weights of step {step} are not there .* Choose another step"):
        snapshots.load(RUN, step)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "cut in the header": lambda content: content[:20],
    "cut in the weights": lambda content: content[:-1],
    "longer": lambda content: content + b"\x00",
    "noise": lambda content: bytes(range(256)) * 4,
    "huge header": lambda content: b"\xff" * 8 + content[8:],
    "other JSON": lambda content: (2).to_bytes(8, "little") + b"[]",
    "not UTF-8": lambda content: content[:8] + b"\xff" * (len(content) - 8),
    "unknown type": lambda content: content.replace(b'"F32"', b'"F99"'),
    "wrong shape": lambda content: content.replace(b"[50]", b"[99]"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_snapshot_says_so(damage: str, snapshots: Snapshots) -> None:
    path = snapshots.save(RUN, 5, {"w": torch.ones(50)})
    path.write_bytes(DAMAGE[damage](path.read_bytes()))

    with pytest.raises(SnapshotError, match=r"The weights of step 5 are damaged \(.*\)\. Choose another step"):
        snapshots.load(RUN, 5)


def test_any_flipped_byte_of_the_header_is_an_answer_not_a_crash(snapshots: Snapshots) -> None:
    path = snapshots.save(RUN, 5, {"w": torch.ones(2)})
    whole = path.read_bytes()
    for place in range(len(whole) - 8):  # the last eight bytes are the weights
        for flip in (0x01, 0x20, 0x80):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :])
            with suppress(SnapshotError):  # some flips only change a name
                snapshots.load(RUN, 5)


def test_a_folder_in_the_place_of_a_snapshot_says_so(snapshots: Snapshots) -> None:
    snapshots.save(RUN, 5, {"w": torch.ones(2)}).unlink()
    (snapshots.folder / RUN / "000000005.safetensors").mkdir()

    with pytest.raises(SnapshotError, match="not there"):
        snapshots.load(RUN, 5)


@pytest.mark.parametrize(
    "run",
    ["../../etc", "..", ".", "", "/etc", "0badcafe/..", "0badcafe\n", "0BADCAFE", "0badcaf", "x" * 500, "0badcafé"],
)
def test_only_ids_of_runs_become_paths(run: str, snapshots: Snapshots) -> None:
    snapshots.save(RUN, 0, {"w": torch.zeros(1)})

    for use in (
        lambda: snapshots.save(run, 0, {"w": torch.zeros(1)}),
        lambda: snapshots.load(run, 0),
        lambda: snapshots.read(run, 0),
        lambda: snapshots.steps(run),
        lambda: snapshots.delete(run),
    ):
        with pytest.raises(SnapshotError, match="is not the id of a run: eight hexadecimal digits"):
            use()
    assert [path.name for path in snapshots.folder.iterdir()] == [RUN]


def test_nothing_of_a_path_reaches_the_store(store: ex.RunStore) -> None:
    outside = store.home.parent / "outside"
    outside.mkdir()

    with pytest.raises(SnapshotError):
        store.delete("../outside")

    assert outside.is_dir()


def test_a_write_that_breaks_off_leaves_the_old_file_whole(
    snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshots.save(RUN, 7, {"w": torch.zeros(100)})
    write = Path.write_bytes

    def half(path: Path, content: bytes) -> int:
        write(path, content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(StoreError, match="No space left"):
        snapshots.save(RUN, 7, {"w": torch.ones(100)})

    assert snapshots.steps(RUN) == [7]
    assert snapshots.load(RUN, 7)["w"].sum() == 0
    assert len(list((snapshots.folder / RUN).iterdir())) == 1
