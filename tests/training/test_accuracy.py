"""What the starter models reach with the default settings."""

from __future__ import annotations

import time

import pytest

import explorer as ex


def test_the_default_cnn_reads_digits_within_seconds(digits: ex.Dataset) -> None:
    model = ex.build(ex.preset("cnn", digits), digits)

    # Processor seconds, as other tests run beside this one.
    began = time.process_time()
    for _ in ex.train(model, digits):
        pass
    seconds = time.process_time() - began

    assert ex.evaluate(model, digits)["accuracy"] >= 0.97
    assert seconds < 20


def test_the_default_mlp_reads_digits(digits: ex.Dataset) -> None:
    model = ex.build(ex.preset("mlp", digits), digits)

    for _ in ex.train(model, digits):
        pass

    assert ex.evaluate(model, digits)["accuracy"] >= 0.93


@pytest.mark.timeout(180)
def test_the_default_cnn_reads_mnist_in_six_epochs() -> None:
    mnist = ex.load_dataset("mnist5k")
    model = ex.build(ex.preset("cnn", mnist), mnist)

    for _ in ex.train(model, mnist, ex.TrainSpec(epochs=6)):
        pass

    assert ex.evaluate(model, mnist)["accuracy"] >= 0.96
