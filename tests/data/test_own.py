"""Data people bring: read as they mean it, refused in words where it cannot be, never trusted."""

from __future__ import annotations

import csv
import io
import pickle
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.preprocessing import StandardScaler

import explorer as ex
from explorer.data import load_dataset, own
from explorer.data.own import packed, reading
from explorer.errors import DataError
from explorer.training import evaluate


def table(rows: list[list[object]], separator: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    return text.getvalue().encode()


def people(count: int = 60) -> bytes:
    random = np.random.default_rng(0)
    rows: list[list[object]] = [["age", "town", "id", "buys"]]
    for number in range(count):
        age = int(random.integers(18, 80))
        rows.append(["" if number == 3 else age, random.choice(["Rome", "Oslo", "Bonn"]), f"p{number}", age > 40])
    return table(rows)


def zipped(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name, inside in files.items():
            file.writestr(name, inside)
    return content.getvalue()


def picture(colour: tuple[int, int, int], size: tuple[int, int] = (40, 30), form: str = "PNG") -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, colour).save(content, form)
    return content.getvalue()


def pictures() -> dict[str, bytes]:
    files = {f"set/red/{n}.png": picture((255 - n, 0, 0)) for n in range(10)}
    return files | {f"set/blue/{n}.jpg": picture((0, 0, 255 - 5 * n), form="JPEG") for n in range(10)}


def archive(**arrays: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


# -- tables -----------------------------------------------------------------------------------------------------------


def test_a_table_is_standardised_like_scikit_learn_by_the_train_split_alone() -> None:
    random = np.random.default_rng(1)
    values = random.normal(5, 3, (200, 2))
    frame = pd.DataFrame({"a": values[:, 0], "b": values[:, 1], "kind": ["x", "y"] * 100})
    made = own.read_table(frame, "kind").dataset("t")
    scaler = StandardScaler().fit(values[made.train.rows])
    for part in (made.train, made.validation, made.test):
        # scikit-learn divides by N, torch by N - 1
        wanted = scaler.transform(values[part.rows]) * np.sqrt((len(made.train) - 1) / len(made.train))
        assert np.allclose(part.inputs.numpy(), wanted, atol=1e-5)
    assert made.task == "binary"
    assert made.classes == ("x", "y")


def test_missing_numbers_are_the_mean_and_say_so() -> None:
    got = own.read_table(own.read_csv(people()), "buys")
    made = got.dataset("people")
    assert made.features == ("age", "age is missing", "town = Bonn", "town = Oslo", "town = Rome")
    assert any("1 of 60 are missing" in note for note in got.notes)
    assert any("Column id left out: it has 60 different texts" in note for note in got.notes)
    for part in (made.train, made.validation, made.test):
        assert torch.isfinite(part.inputs).all()
        for place in np.flatnonzero(part.rows == 3):
            assert part.inputs[place, 0] == 0  # the mean


def test_a_quantity_is_a_regression_and_a_few_numbers_are_classes() -> None:
    frame = pd.DataFrame({"x": range(100), "price": np.linspace(1, 9, 100), "rooms": [1, 2, 3, 4] * 25})
    assert own.read_table(frame, "price").task == "regression"
    assert own.read_table(frame, "price").dataset("t").answer(torch.tensor(0.0)).endswith("price")
    rooms = own.read_table(frame, "rooms")
    assert rooms.task == "classification"
    assert rooms.table.classes == ("1", "2", "3", "4")
    assert own.read_table(frame, "rooms", answer="number").task == "regression"


def test_numbers_as_classes_stand_in_the_order_of_numbers() -> None:
    frame = pd.DataFrame({"x": range(60), "grade": [10, 2, 1.0, 30, None, 2] * 10})
    assert own.read_table(frame, "grade").table.classes == ("1", "2", "10", "30")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_any_usual_separator_is_understood(separator: str) -> None:
    content = table([["height", "kind"], *[[n, "ab"[n % 2]] for n in range(20)]], separator)
    assert list(own.read_csv(content).columns) == ["height", "kind"]


def test_files_of_windows_spreadsheets_are_read() -> None:
    content = "größe;Ort\n" + "1;Köln\n" * 8
    assert own.read_csv(content.encode("cp1252"))["Ort"][0] == "Köln"
    assert list(own.read_csv(b"\xef\xbb\xbf" + content.encode())) == ["größe", "Ort"]


def test_repeated_rows_of_a_table_are_different_cases() -> None:
    frame = pd.DataFrame({"sex": ["m", "f"] * 50, "lives": ["no", "yes"] * 50})
    made = own.read_table(frame, "lives").dataset("t")
    assert sum(len(made.split(part)) for part in ("train", "validation", "test")) == 100


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\0\1\2", "not a text file"),
        (b"a\n1\n2\n", "1 columns"),
        (b"a,b\n", "0 rows"),
        (b'a,b\n1,"2\n3,4', "not a table"),
        (b"a,b\n1,2\n1,2,3,4\n", "not a table"),
        (b"1,2\n3,4\n5,6\n", "should name the columns"),
        (b"x" * (reading.FILE_BYTES + 1), "MiB"),
        ((",".join(f"c{n}" for n in range(1001)) + "\n" + "1," * 1000 + "1\n").encode(), "1,001 columns"),
    ],
)
def test_what_is_no_table_is_refused_in_words(content: bytes, says: str) -> None:
    with pytest.raises(DataError, match=says):
        own.read_csv(content)


@pytest.mark.parametrize(
    ("columns", "target", "says"),
    [
        ({"a": range(20), "b": [1] * 20}, "b", "two to tell apart"),
        ({"a": range(20), "b": [f"n{n}" for n in range(20)]}, "b", "0 classes"),
        ({"a": [1] * 20, "b": [0, 1] * 10}, "b", "No column is left"),
        ({"a": [1e300, 1] * 10, "b": [0, 1] * 10}, "b", "too large"),
        ({"a": range(20), "b": [0, 1] * 10}, "c", "no column 'c'"),
    ],
)
def test_a_table_with_nothing_to_learn_is_refused(columns: dict, target: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        own.read_table(pd.DataFrame(columns), target)


def test_too_many_examples_are_refused() -> None:
    with pytest.raises(DataError, match="at most 50,000"):
        own.read_csv(b"a,b\n" + b"1,2\n" * 50_001)


# -- texts ------------------------------------------------------------------------------------------------------------


def test_texts_become_words_or_characters_and_those_of_the_test_split_teach_no_word() -> None:
    rows = [[f"I {word} number {n}!", label] for n in range(40) for word, label in (("love", "good"), ("hate", "bad"))]
    frame = own.read_csv(table([["text", "mood"], *rows]))
    made = own.read_texts(frame, "text", "mood").dataset("moods")
    assert made.classes == ("bad", "good")
    known = {word for row in made.train.inputs for word in made.text(row).split()}
    assert known == set(made.vocabulary[2:])
    assert made.text(made.train.inputs[0]).startswith("i ")
    characters = own.read_texts(frame, "text", "mood", "characters").dataset("moods")
    assert all(len(token) == 1 for token in characters.vocabulary[2:])


def test_a_text_that_stands_twice_is_read_once() -> None:
    rows = [[f"text {n % 20}", "ab"[n % 2]] for n in range(60)]
    got = own.read_texts(own.read_csv(table([["t", "l"], *rows])), "t", "l")
    assert len(got.table.inputs) == 20
    assert "40 repeated examples left out." in got.notes


# -- images -----------------------------------------------------------------------------------------------------------


def test_folders_of_images_become_classes_of_the_middle_squares() -> None:
    made = own.read_images(zipped(pictures()), 16).dataset("colours")
    assert made.classes == ("blue", "red")
    assert made.shape.size == (3, 16, 16)
    for row, target in zip(made.train.inputs, made.train.targets, strict=True):
        assert row[0 if target == 1 else 2].min() > 0.7
    grey = {f"{kind}/{n}.png": picture((n + shade,) * 3) for kind, shade in (("a", 0), ("b", 200)) for n in range(8)}
    assert own.read_images(zipped(grey), 16).dataset("grey").shape.size == (1, 16, 16)


def test_what_is_no_image_is_left_out_and_said() -> None:
    more = {
        "set/red/notes.txt": b"hello",
        "set/red/bad.png": b"no image",
        "__MACOSX/red/._1.png": b"x",
        "a/.b.png": b"",
    }
    got = own.read_images(zipped(pictures() | more), 16)
    assert len(got.table.inputs) == 20
    assert any("1 other files" in note for note in got.notes)
    assert any("bad.png" in note for note in got.notes)


def test_nothing_leaves_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = {f"../../{kind}/{n}.png": picture((n, shade, 0)) for kind, shade in (("a", 0), ("b", 99)) for n in range(8)}
    made = own.read_images(zipped(files | {"/etc/a/x.png": picture((1, 1, 1))}), 16).dataset("t")
    assert made.classes == ("a", "b")
    assert list(tmp_path.iterdir()) == []


def test_a_zip_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "UNPACKED_BYTES", 100_000)
    with pytest.raises(DataError, match="Unpacked it has"):
        own.read_images(zipped({"a/1.png": b"\0" * 200_000}))


def test_a_zip_that_lies_about_its_size_is_not_believed() -> None:
    content = bytearray(zipped({"a/1.png": b"\0" * 5_000_000}))
    place = content.index(b"PK\1\2")
    content[place + 24 : place + 28] = struct.pack("<I", 10)  # the list of contents says ten bytes
    with pytest.raises(DataError):
        own.read_images(bytes(content))


def test_an_image_that_unpacks_to_too_much_is_left_out() -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )
    got = own.read_images(zipped(pictures() | {"set/red/bomb.png": bomb}), 16)
    assert any("bomb.png" in note for note in got.notes)


@pytest.mark.parametrize("content", [b"", b"PK\3\4 nonsense", b"hello", zipped({"1.png": picture((0, 0, 0))})])
def test_what_is_no_zip_of_folders_is_refused(content: bytes) -> None:
    with pytest.raises(DataError):
        own.read_images(content)


# -- arrays -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "kind", "size"),
    [
        ((40, 5), "auto", (5,)),
        ((40, 8, 8), "auto", (1, 8, 8)),
        ((40, 8, 8, 3), "auto", (3, 8, 8)),
        ((40, 3, 8, 8), "auto", (3, 8, 8)),
        ((40, 20), "series", (1, 20)),
        ((40, 2, 20), "series", (2, 20)),
    ],
)
def test_arrays_are_read_by_their_shape(shape: tuple[int, ...], kind: str, size: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).random(shape)
    made = own.read_arrays(archive(x=x, y=np.arange(40) % 4), kind).dataset("t")
    assert made.shape.size == size
    assert made.classes == ("0", "1", "2", "3")


def test_pixels_from_0_to_255_become_0_to_1() -> None:
    x = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)
    made = own.read_arrays(archive(images=x, labels=np.arange(40) % 2)).dataset("t")
    assert np.allclose(made.train.inputs[:, 0].numpy() * 255, x[made.train.rows])


def test_a_pickle_is_never_opened() -> None:
    class Trap:
        def __reduce__(self) -> tuple:
            return (pytest.fail, ("a pickle was run",))

    trapped = np.empty(12, dtype=object)
    trapped[:] = [Trap() for _ in range(12)]
    with pytest.raises(DataError, match="not objects"):
        own.read_arrays(archive(x=trapped, y=np.arange(12)))
    with pytest.raises(DataError):
        own.read_arrays(pickle.dumps(np.arange(3)))


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"a": np.zeros(3)}, "No array is called x"),
        ({"x": np.zeros((3, 2)), "y": np.zeros(4)}, "one answer for each"),
        ({"x": np.full((20, 2), np.nan), "y": np.arange(20) % 2}, "not finite"),
        ({"x": np.zeros((20, 2, 2, 2, 2)), "y": np.arange(20) % 2}, "Inputs"),
        ({"x": np.zeros((20, 300, 300)), "y": np.arange(20) % 2}, "not read"),
        ({"x": np.zeros((20, 4, 4), dtype="U3"), "y": np.arange(20) % 2}, "numbers"),
        ({"x": np.zeros((0, 4)), "y": np.zeros(0)}, "no examples"),
        ({"x": np.zeros((60, 4, 4)), "y": np.linspace(0, 1, 60)}, "fractions"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arrays: dict[str, np.ndarray], says: str) -> None:
    with pytest.raises(DataError, match=says):
        own.read_arrays(archive(**arrays))


def test_an_array_that_claims_more_than_the_file_holds_is_refused() -> None:
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 1000), }".ljust(117) + b"\n"
    lying = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head
    with pytest.raises(DataError):
        own.read_arrays(zipped({"x.npy": lying, "y.npy": lying}))


# -- keeping ----------------------------------------------------------------------------------------------------------


def test_a_kept_set_is_loaded_like_any_other_and_can_be_learned(tmp_path: Path) -> None:
    got = own.read_table(own.read_csv(people(200)), "buys", ["age"])
    name = own.keep(got, "  People\u200b who buy ", tmp_path)
    made, loaded = got.dataset("People who buy", name), load_dataset(name)
    assert (loaded.title, loaded.features, loaded.classes) == ("People who buy", made.features, ("False", "True"))
    assert loaded.feature_scales == made.feature_scales
    for part in ("train", "validation", "test"):
        assert torch.equal(loaded.split(part).inputs, made.split(part).inputs)
        assert torch.equal(loaded.split(part).targets, made.split(part).targets)
    assert [card.name for card in own.kept() if card.name == name] == [name]
    assert own.called(name) == "People who buy"
    model = ex.build(ex.preset("mlp", loaded), loaded)
    for _ in ex.train(model, loaded, ex.TrainSpec(epochs=30, learning_rate=0.01)):
        pass
    assert evaluate(model, loaded, "test")["accuracy"] > 0.9


def test_the_same_file_twice_is_one_set(tmp_path: Path) -> None:
    got = own.read_images(zipped(pictures()), 16)
    assert own.keep(got, "Colours", tmp_path) == own.keep(got, "Colours", tmp_path)
    assert len(list((tmp_path / "data").iterdir())) == 1


def test_a_set_that_is_gone_or_damaged_is_said_to_be(tmp_path: Path) -> None:
    name = own.keep(own.read_images(zipped(pictures()), 28), "Colours", tmp_path)
    path = tmp_path / "data" / f"{name}.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match="damaged"):
        load_dataset(name)
    assert name not in [card.name for card in own.kept()]
    own.forget(name)
    with pytest.raises(DataError, match="is not here"):
        load_dataset(name)


@pytest.mark.parametrize("name", ["own-../../etc/pw", "own-", "own-0123456789aZ", "own-0123456789ab/../x"])
def test_a_name_is_never_a_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(ex.ExplorerError, match="no data set"):
        load_dataset(name)
    own.forget(name)


def test_there_is_room_for_so_many_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.data.own.shelf.KEPT", 1)
    got = own.read_images(zipped(pictures()), 16)
    own.keep(got, "One", tmp_path)
    with pytest.raises(DataError, match="no room"):
        own.keep(got, "Two", tmp_path)
    with pytest.raises(DataError, match="has no name"):
        own.keep(got, " \u200b ", tmp_path)
