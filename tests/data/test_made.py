"""Codes of made examples: they give back exactly what was made, and nothing else passes."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from explorer.compact import from_text, to_text
from explorer.data import DATASETS, PAD, UNKNOWN, Dataset, load_dataset
from explorer.data.made import OtherData, codes, example_of, images, rows, series, texts
from explorer.data.parts import folded
from explorer.errors import DataError
from tests.samples import made_up


def code_of(dataset: Dataset, place: int) -> str:
    """The code of a copy of a test example that was not changed."""
    x = dataset.test.inputs[place]
    if dataset.modality == "tokens":
        return texts.code_of(dataset, dataset.text(x))
    if dataset.modality == "series":
        return series.code_of(dataset, series.Recipe(row=int(dataset.test.rows[place])))
    return {"image": images, "vector": rows}[dataset.modality].code_of(dataset, x.numpy())


@pytest.mark.parametrize("name", [source.name for source in DATASETS.values() if source.missing() is None])
def test_a_copy_that_was_not_changed_is_the_example_in_a_link_that_is_not_long(name: str) -> None:
    dataset = load_dataset(name)
    finest = 1 / images.FINE if name == "evidence_images" else 1 / images.COARSE  # photos keep 16 steps where they must
    for place in range(20):
        code = code_of(dataset, place)
        copy = example_of(dataset, "test", code)
        x = dataset.test.inputs[place : place + 1]
        assert copy.dtype == x.dtype
        if name in ("photos", "evidence_images"):
            assert (copy - x).abs().max() <= finest / 2 + 1e-6
        else:
            assert torch.equal(copy, x)
        assert len(code) <= 2 * codes.SHORT


@pytest.mark.parametrize("name", ["digits", "mnist1d", "evidence_words", "iris"])
def test_a_code_that_was_cut_changed_or_made_for_other_data_is_one_expected_error(name: str) -> None:
    dataset = load_dataset(name)
    code = code_of(dataset, 0)
    letter = "A" if code[20] != "A" else "B"
    for wrong in (code[:-2], code[: len(code) // 2], code[:20] + letter + code[21:], "é" * 8, "!", "AAAA", "x" * 9000):
        with pytest.raises(DataError, match="cut or changed"):
            example_of(dataset, "test", wrong)
    for other in {"digits", "surnames", "breast_cancer"} - {name}:
        with pytest.raises(OtherData, match="another data set"):
            example_of(load_dataset(other), "test", code)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("digits", b""),
        ("digits", bytes([16]) + bytes(63)),
        ("digits", bytes([16]) + bytes([17] * 64)),
        ("digits", bytes([3]) + bytes(64)),
        ("iris", np.array([0, 0, 0, np.nan], "<f4").tobytes()),
        ("iris", np.array([0, 0, 0, np.inf], "<f4").tobytes()),
        ("iris", np.array([0, 0, 0, 1e6], "<f4").tobytes()),
        ("iris", bytes(12)),
        ("mnist1d", b"{}"),
        ("mnist1d", b'{"row": 1, "shift": 1e9}'),
        ("mnist1d", b'{"row": 1, "scale": NaN}'),
        ("mnist1d", b'{"row": 1, "erased": [30, 20]}'),
        ("mnist1d", b'{"row": 1, "erased": [0, 41]}'),
        ("evidence_words", b"\xff\xfe"),
        ("evidence_words", b"  "),
    ],
)
def test_a_code_that_holds_something_else_is_one_expected_error(name: str, content: bytes) -> None:
    dataset = load_dataset(name)
    with pytest.raises(DataError, match="cut or changed"):
        example_of(dataset, "test", codes.pack(dataset, content))


def test_a_small_text_that_unpacks_to_much_is_refused_before_it_is_unpacked() -> None:
    dataset = load_dataset("digits")
    with pytest.raises(DataError, match="too large"):
        example_of(dataset, "test", "AAAA" + to_text(bytes(5_000_000)))
    assert from_text(to_text(b"abc"), 3) == b"abc"
    with pytest.raises(ValueError, match="too large"):
        from_text(to_text(b"abcd"), 3)


# -- images -----------------------------------------------------------------------------------------------------------


def picture(width: int, height: int, colour: tuple[int, int, int], form: str = "PNG") -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(content, form)
    return content.getvalue()


def test_an_uploaded_image_has_the_size_channels_and_brightness_of_the_data() -> None:
    digits, photos = load_dataset("digits"), load_dataset("photos")
    grey = images.uploaded(digits, picture(300, 200, (255, 0, 0)))
    assert grey.shape == (1, 8, 8)
    np.testing.assert_allclose(grey, 0.299, atol=1e-6)  # red, by BT.601
    colour = images.uploaded(photos, picture(40, 90, (255, 0, 51)))
    assert colour.shape == (3, 32, 32)
    np.testing.assert_allclose(colour[:, 5, 5], [1, 0, 0.2], atol=1e-6)


def test_what_is_no_image_too_many_bytes_or_too_many_pixels_is_refused() -> None:
    digits = load_dataset("digits")
    for content in (b"", b"no image", picture(20, 20, (9, 9, 9))[:60]):
        with pytest.raises(DataError, match="no image that can be read"):
            images.uploaded(digits, content)
    with pytest.raises(DataError, match="at most 10 are read"):
        images.uploaded(digits, bytes(images.FILE_BYTES + 1))
    bomb = picture(6000, 6000, (0, 0, 0))  # a hundred megabytes in a hundred kilobytes
    assert len(bomb) < 200_000
    with pytest.raises(DataError, match="25 million pixels"):
        images.uploaded(digits, bomb)


def test_a_noisy_colour_image_is_kept_in_coarser_steps_and_what_no_link_holds_is_refused() -> None:
    photos = load_dataset("photos")
    noise = np.random.default_rng(0).uniform(size=(3, 32, 32)).astype(np.float32)
    code = images.code_of(photos, noise)
    assert codes.SHORT < len(code) <= codes.CODE
    assert np.abs(example_of(photos, "test", code)[0].numpy() - noise).max() <= 0.5 / images.COARSE + 1e-6
    with pytest.raises(DataError, match="at most 8,000"):
        codes.pack(photos, np.random.default_rng(0).bytes(7000))


def test_one_draws_bright_on_dark_or_dark_on_bright_as_the_data_are() -> None:
    digits = load_dataset("digits")
    assert images.paper(digits) == 0
    inverted = replace(digits.train, inputs=1 - digits.train.inputs)
    assert images.paper(replace(digits, train=inverted)) == 1
    assert images.empty(torch.zeros(1, 8, 8))
    assert not images.empty(digits.test.inputs[0])


# -- texts ------------------------------------------------------------------------------------------------------------


def words(dataset: Dataset, read: texts.Read) -> list[str]:
    return [dataset.vocabulary[token] for token in read.tokens[0].tolist() if token != PAD]


def test_a_typed_text_is_read_as_the_data_are_written() -> None:
    planted = load_dataset("evidence_words")
    read = texts.read(planted, "  The SNOW, and\nzyx; piano! ")
    assert words(planted, read) == ["the", "snow", "<unknown>", "<unknown>", "piano"]
    assert (read.said, read.unknown, read.cut) == ("the snow and zyx piano", ("and", "zyx"), False)
    phrases = load_dataset("phrases")
    known = "don't use read-only side-by-side (new) file."
    assert words(phrases, texts.read(phrases, known))[2:] == ["read-only", "side-by-side", "(", "new", ")", "file", "."]
    first = load_dataset("first_symbol")
    assert words(first, texts.read(first, "A b\tcZ")) == ["A", "b", "c", "<unknown>"]  # it has no spaces


def test_ten_thousand_words_are_cut_to_what_the_data_have() -> None:
    planted = load_dataset("evidence_words")
    read = texts.read(planted, "bread " * 10_000)
    assert read.cut
    assert words(planted, read) == ["bread"] * 16
    assert len(texts.code_of(planted, "ü" * 200_000)) < 200
    assert texts.read(planted, "ü" * 200_000).tokens[0].tolist() == [UNKNOWN, *[PAD] * 15]


@pytest.mark.parametrize("text", ["", "   ", "\n", ".,;"])
def test_a_text_of_nothing_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="empty"):
        texts.code_of(load_dataset("evidence_words"), text)


# -- tables and series ------------------------------------------------------------------------------------------------


def test_a_field_is_set_in_the_unit_of_its_column() -> None:
    iris = load_dataset("iris")
    changed = torch.from_numpy(rows.with_value(iris, iris.test.inputs[3], 2, 5.5))[None]
    before, after = iris.unscaled(iris.test.inputs[3:4])[0], iris.unscaled(changed)[0]
    np.testing.assert_allclose(after, [before[0], before[1], 5.5, before[3]], atol=1e-6)
    low, high = rows.span(iris, 2)
    assert (round(low, 4), round(high, 4)) == (1.0, 6.9)  # centimetres, as Fisher's table has them


@pytest.mark.parametrize(("value", "said"), [(np.nan, "nan"), (np.inf, "inf"), (1e9, "standard deviations")])
def test_a_field_that_is_no_number_or_far_from_all_data_is_refused(value: float, said: str) -> None:
    iris = load_dataset("iris")
    with pytest.raises(DataError, match=f"petal length.*{said}"):
        rows.code_of(iris, rows.with_value(iris, iris.test.inputs[3], 2, value))


def test_a_series_is_changed_as_its_recipe_says() -> None:
    x = np.array([[1.0, 2.0, 3.0, 4.0]], dtype=np.float32)
    change = lambda **how: series.changed(x, series.Recipe(row=0, **how))[0].tolist()  # noqa: E731
    assert change() == [1, 2, 3, 4]
    assert change(shift=1) == [1, 1, 2, 3]
    assert change(shift=-2) == [3, 4, 4, 4]
    assert change(scale=-2, lift=1) == [-1, -3, -5, -7]
    assert change(erased=(1, 3)) == [1, 0, 0, 4]
    assert change(noise=0.5) == change(noise=0.5) != change(noise=0.5, seed=1)


def test_a_series_that_was_changed_value_by_value_is_kept_exactly() -> None:
    dataset = made_up(2, 9)
    values = np.random.default_rng(0).normal(size=(2, 9)).astype(np.float32)
    code = series.code_of_values(dataset, values)

    assert np.array_equal(example_of(dataset, "test", code)[0], values)
    assert series.values_of(dataset, series.code_of(dataset, series.Recipe(row=0))) is None
    for wrong in (np.full((2, 9), np.nan), np.full((2, 9), 1e4)):
        with pytest.raises(DataError, match="more than 1000 standard deviations"):
            series.code_of_values(dataset, wrong)
    with pytest.raises(DataError, match="cut or changed"):
        example_of(dataset, "test", codes.pack(dataset, b"\0" + values.tobytes()[:-4]))
    with pytest.raises(DataError, match="cut or changed"):
        example_of(dataset, "test", codes.pack(dataset, b"\0" + np.full(18, np.inf, "<f4").tobytes()))


def test_a_finer_image_than_the_data_have_is_kept_where_that_is_asked_for() -> None:
    digits = load_dataset("digits")
    image = np.full((1, 8, 8), 100 / 255, np.float32)

    assert example_of(digits, "test", images.code_of(digits, image, fine=True)).numpy() == pytest.approx(100 / 255)
    assert example_of(digits, "test", images.code_of(digits, image)).numpy() == pytest.approx(6 / 16)


def test_the_recipe_of_a_series_finds_its_example_in_whatever_part_of_the_data_it_is() -> None:
    whole = load_dataset("mnist1d")
    fold = folded(whole, 0, 3)
    code = series.code_of(whole, series.Recipe(row=int(whole.validation.rows[5])))
    assert torch.equal(example_of(fold, "test", code), whole.validation.inputs[5:6])
    with pytest.raises(DataError, match="has not got"):
        example_of(whole, "test", series.code_of(whole, series.Recipe(row=10**8)))
