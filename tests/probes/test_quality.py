"""Numbers of quality agree with scikit-learn, with scipy, and with what can be worked out in the head."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics
from sklearn.calibration import calibration_curve

from explorer.probes import quality

RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.integers(0, 4, 300)
PREDICTED = np.where(RANDOM.random(300) < 0.7, TRUTH, RANDOM.integers(0, 4, 300))
CLASSES = ("a", "b", "c", "d")


def test_precision_recall_and_f1_agree_with_the_report_of_scikit_learn() -> None:
    table = quality.by_class(TRUTH, PREDICTED, CLASSES).set_index("class")
    report = metrics.classification_report(TRUTH, PREDICTED, target_names=CLASSES, output_dict=True)

    rows = dict(zip([*CLASSES, *quality.AVERAGES], [*CLASSES, "macro avg", "weighted avg"], strict=True))
    for mine, theirs in rows.items():
        for name, word in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score")):
            assert table.loc[mine, name] == pytest.approx(report[theirs][word], abs=1e-12)
        assert table.loc[mine, "examples"] == report[theirs]["support"]


def test_a_class_that_is_nowhere_has_no_numbers_and_counts_in_no_average() -> None:
    table = quality.by_class(np.array([0, 0, 1]), np.array([0, 0, 3]), CLASSES).set_index("class")

    assert table.loc["c", ["precision", "recall", "f1"]].isna().all()
    assert table.loc["b"].tolist() == [0, 0, 0, 1]  # never answered
    assert table.loc["d"].tolist() == [0, 0, 0, 0]  # never true
    assert table.loc["mean of classes", "f1"] == pytest.approx(1 / 3)  # of a, b and d
    assert table.loc["mean of examples", "recall"] == pytest.approx(2 / 3)


def test_confusions_are_counted_by_true_and_answered_class() -> None:
    counts = quality.confusion(TRUTH, PREDICTED, 5)

    np.testing.assert_array_equal(counts, metrics.confusion_matrix(TRUTH, PREDICTED, labels=range(5)))
    assert quality.confusion(np.array([1]), np.array([0]), 2).tolist() == [[0, 0], [1, 0]]


def test_calibration_agrees_with_scikit_learn_and_its_error_with_a_loop() -> None:
    sure, right = RANDOM.uniform(0.2, 1, 500), RANDOM.random(500) < 0.6
    table = quality.calibration(sure, right)

    share, mean = calibration_curve(right, sure, n_bins=10, strategy="uniform")
    some = table[table["examples"] > 0]
    np.testing.assert_allclose(some["right"], share, atol=1e-12)
    np.testing.assert_allclose(some["sure"], mean, atol=1e-12)
    error = 0.0
    for low, high in zip(table["low"], table["high"], strict=True):
        inside = (sure > low) & (sure <= high)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - sure[inside].mean())
    assert quality.calibration_error(table) == pytest.approx(error, abs=1e-12)


def test_calibration_by_hand() -> None:
    # Two answers 90 % sure, one of them right: off by 0.4. Two that are certain and right: off by 0.
    table = quality.calibration(np.array([0.9, 0.9, 1.0, 1.0]), np.array([True, False, True, True]))

    assert quality.calibration_error(table) == pytest.approx(0.2)
    assert table["examples"].tolist() == [0] * 8 + [2, 2]
    assert table["right"].tolist()[-2:] == [0.5, 1]


def test_areas_agree_with_trapezoids_and_steps() -> None:
    positive = RANDOM.random(200) < 0.3
    probability = np.clip(0.3 * positive + 0.7 * RANDOM.random(200), 0, 1)
    answered = probability > 0.5
    found = quality.trade_offs(positive, probability, answered)

    # The share of pairs in which the positive one has the larger probability (Mann and Whitney, 1947).
    pairs = (probability[positive][:, None] > probability[~positive]).mean()
    assert found.auc == pytest.approx(pairs, abs=1e-12)
    false, true = found.roc["false_positive_rate"].to_numpy(), found.roc["true_positive_rate"].to_numpy()
    assert np.trapezoid(true, false) == pytest.approx(pairs, abs=1e-12)
    ranked = positive[np.argsort(-probability)]
    hits = np.cumsum(ranked) / np.arange(1, 201)
    assert found.average_precision == pytest.approx(hits[ranked].mean(), abs=1e-12)
    assert found.share == positive.mean()
    assert found.used["recall"] == pytest.approx(metrics.recall_score(positive, answered))
    assert found.used["precision"] == pytest.approx(metrics.precision_score(positive, answered))
    assert found.used["false_positive_rate"] == pytest.approx(1 - metrics.recall_score(~positive, ~answered))


def test_curves_need_both_classes_and_are_thinned_to_their_ends() -> None:
    assert quality.trade_offs(np.ones(3, bool), np.full(3, 0.5), np.ones(3, bool)) is None
    assert quality.trade_offs(np.zeros(3, bool), np.full(3, 0.5), np.ones(3, bool)) is None
    positive = np.arange(2000) % 2 == 0
    found = quality.trade_offs(positive, RANDOM.random(2000), positive)
    for curve in (found.roc, found.precision_recall):
        assert len(curve) <= quality.CURVE_POINTS
    assert found.roc[["false_positive_rate", "true_positive_rate"]].iloc[[0, -1]].to_numpy().tolist() == [
        [0, 0],
        [1, 1],
    ]


def test_errors_of_values_by_hand() -> None:
    said = quality.errors(np.array([0.0, 2.0, 4.0]), np.array([1.0, 2.0, 1.0]))

    assert said["mae"] == pytest.approx(4 / 3)
    assert said["rmse"] == pytest.approx((10 / 3) ** 0.5)
    assert said["r2"] == pytest.approx(1 - 10 / 8)
    assert np.isnan(quality.errors(np.ones(1), np.ones(1))["r2"])


@pytest.mark.parametrize(("count", "total"), [(0, 5), (3, 5), (5, 5), (180, 200)])
def test_intervals_agree_with_scipy(count: int, total: int) -> None:
    low, high = quality.interval(count, total)
    wanted = binomtest(count, total).proportion_ci(0.95, method="wilson")

    assert (float(low), float(high)) == (pytest.approx(wanted.low, abs=1e-6), pytest.approx(wanted.high, abs=1e-6))


def test_of_nothing_everything_is_possible() -> None:
    low, high = quality.interval(np.array([0, 1]), np.array([0, 1]))
    assert (low[0], high[0]) == (0, 1)


def test_the_largest_loss_comes_first_and_equals_keep_their_order() -> None:
    loss = np.array([0.5, 2.0, 0.5, 3.0])

    assert quality.worst_first(loss).tolist() == [3, 1, 0, 2]
    assert quality.worst_first(loss, np.array([True, True, True, False])).tolist() == [1, 0, 2]
