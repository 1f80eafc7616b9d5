"""Adversarial examples: as by hand and as Captum's, within their ball and range, and PGD never weaker than FGSM."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.robust import FGSM, PGD
from torch import nn
from torch.nn.functional import cross_entropy

import explorer as ex
from explorer.errors import NotApplicable, SpecError, UnknownName
from explorer.flips import ATTACKS, Room, accuracy_under, attack, room_of
from explorer.models.seeded import seeded
from tests.contracts.test_methods import traces, used
from tests.samples import made_up

STRENGTHS = (0.0, 0.03, 0.1, 0.3)


@pytest.fixture(params=list(ATTACKS))
def method(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def label(cnn: nn.Module, image: torch.Tensor) -> int:
    return ex.predict(cnn, image).answer


@pytest.fixture
def room(digits: ex.Dataset) -> Room:
    return room_of(digits)


def loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return cross_entropy(logits, labels, reduction="none")


def test_fgsm_adds_the_strength_times_the_sign_of_the_gradient(
    cnn: nn.Module, image: torch.Tensor, label: int, room: Room
) -> None:
    x = image.clone().requires_grad_()
    slope = torch.autograd.grad(cross_entropy(cnn(x), torch.tensor([label])), x)[0]
    found = attack("fgsm", cnn, image, label, STRENGTHS, room=room)

    for strength, changed in zip(STRENGTHS, found.changed, strict=True):
        by_hand = (image + strength * slope.sign()).clamp(0, 1)
        captum = FGSM(cnn, loss, 0.0, 1.0)
        captum.zero_thresh = 0.0
        assert changed == pytest.approx(by_hand[0].numpy(), abs=1e-6)
        assert changed == pytest.approx(
            captum.perturb(image.clone(), strength, torch.tensor([label]))[0].numpy(), abs=1e-6
        )


def test_pgd_is_captums_where_that_is_stronger_than_one_step(
    cnn: nn.Module, image: torch.Tensor, label: int, room: Room
) -> None:
    captum, labels = PGD(cnn, loss, 0.0, 1.0), torch.tensor([label])
    captum.fgsm.zero_thresh = 0.0
    with seeded(0):
        by_hand = captum.perturb(image.clone(), 0.1, 0.025, 10, labels, random_start=True)
    once = attack("fgsm", cnn, image, label, [0.1], room=room).changed
    assert loss(cnn(by_hand), labels) > loss(cnn(torch.from_numpy(once)), labels)

    found = attack("pgd", cnn, image, label, [0.1], room=room)

    assert found.changed[0] == pytest.approx(by_hand[0].numpy(), abs=1e-6)


def test_no_value_moves_further_than_the_strength_or_out_of_the_range(
    method: str, cnn: nn.Module, digits: ex.Dataset, room: Room
) -> None:
    for example in range(4):
        x, label = digits.test.inputs[example : example + 1], int(digits.test.targets[example])
        found = attack(method, cnn, x, label, STRENGTHS, room=room)

        far = np.abs(found.changed - found.input).max(axis=(1, 2, 3))
        assert (far <= np.array(STRENGTHS) + 1e-6).all()
        assert far[0] == 0
        assert 0 <= found.changed.min() <= found.changed.max() <= 1


def test_pgd_is_at_least_as_strong_as_fgsm(cnn: nn.Module, digits: ex.Dataset, room: Room) -> None:
    for example in range(12):
        x, label = digits.test.inputs[example : example + 1], int(digits.test.targets[example])
        one, many = (attack(name, cnn, x, label, STRENGTHS, room=room) for name in ("fgsm", "pgd"))

        assert (many.probabilities[:, label] <= one.probabilities[:, label] + 1e-6).all()


def test_probabilities_are_what_the_model_answers_to_the_changed_input(
    method: str, cnn: nn.Module, image: torch.Tensor, label: int, room: Room
) -> None:
    found = attack(method, cnn, image, label, STRENGTHS, room=room)

    for changed, probabilities in zip(found.changed, found.probabilities, strict=True):
        assert ex.predict(cnn, torch.from_numpy(changed)[None]).probabilities == pytest.approx(probabilities, abs=1e-5)
    turned = [ex.predict(cnn, torch.from_numpy(changed)[None]).answer != label for changed in found.changed]
    assert found.first == (turned.index(True) if any(turned) else None)


def test_a_model_that_is_sure_beyond_what_probabilities_can_say_is_attacked_all_the_same(
    cnn: nn.Module, image: torch.Tensor, label: int, room: Room
) -> None:
    found, sure = (
        attack("fgsm", model, image, label, [0.1], room=room) for model in (cnn, nn.Sequential(cnn, _Times(1000.0)))
    )

    assert np.mean(sure.changed != sure.input) > 0.3
    assert np.mean(np.sign(sure.changed - sure.input) == np.sign(found.changed - found.input)) > 0.5


class _Times(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.factor * x


def test_accuracy_under_attack_is_the_share_of_examples_attacked_one_by_one(
    method: str, cnn: nn.Module, digits: ex.Dataset, room: Room
) -> None:
    x, labels = digits.test.inputs[:20], digits.test.targets[:20]
    made = ATTACKS.make(method)

    alone = float((cnn(x).argmax(1) == labels).float().mean())
    assert accuracy_under(made, cnn, x, labels, 0.0, room) == pytest.approx(alone)
    shares = [accuracy_under(made, cnn, x, labels, strength, room) for strength in STRENGTHS]
    assert shares[-1] < shares[0]
    if method == "fgsm":
        stand = [
            attack(method, cnn, x[n : n + 1], int(labels[n]), [0.1], room=room).probabilities[0].argmax() == labels[n]
            for n in range(len(x))
        ]
        assert shares[2] == pytest.approx(np.mean(stand))


def test_the_same_seed_gives_the_same_and_disturbs_no_random_numbers(
    cnn: nn.Module, image: torch.Tensor, label: int, room: Room
) -> None:
    torch.manual_seed(7)
    first, other = (attack("pgd", cnn, image, label, [0.02], room=room, seed=seed, steps=2).changed for seed in (0, 1))
    drawn = torch.rand(1)
    torch.manual_seed(7)

    assert torch.rand(1) == drawn
    assert np.array_equal(first, attack("pgd", cnn, image, label, [0.02], room=room, seed=0, steps=2).changed)
    assert not np.array_equal(first, other)


def test_it_leaves_no_hooks_modes_or_gradients(
    method: str, cnn: nn.Module, image: torch.Tensor, label: int, room: Room
) -> None:
    before = traces(used(cnn))

    attack(method, cnn, image, label, STRENGTHS, room=room)

    assert traces(cnn) == before
    assert image.grad is None
    assert not image.requires_grad


def test_series_and_rows_keep_to_the_range_of_the_data(method: str) -> None:
    for dataset in (made_up(2, 9), made_up(4)):
        model = nn.Sequential(nn.Flatten(), nn.Linear(dataset.train.inputs[0].numel(), 3))
        room = room_of(dataset)
        found = attack(method, model, dataset.test.inputs[:1], 0, [0.0, 5.0], room=room)
        bounds = room.around(dataset.test.inputs[:1])

        assert (torch.from_numpy(found.changed[1:]) >= bounds.low - 1e-6).all()
        assert (torch.from_numpy(found.changed[1:]) <= bounds.high + 1e-6).all()
        assert found.probabilities[1, 0] < found.probabilities[0, 0]


def test_of_a_table_categories_and_missing_numbers_stay_in_each_row(method: str) -> None:
    x = torch.tensor([[0.3, 0.0, 0.0], [0.0, 1.0, 1.0]])  # a number, whether it is missing, and a category
    low, high = torch.tensor([[-1.0, 0.0, 0.0]]), torch.ones(1, 3)
    room = Room(low, high, torch.tensor([[True, False, False]]), (), (), ((0, 1),))

    changed = ATTACKS.make(method).perturb(nn.Linear(3, 2), x, torch.tensor([0, 0]), torch.tensor([0.1, 0.1]), room)

    assert (changed != x).tolist() == [[True, False, False], [False, False, False]]
    with pytest.raises(NotApplicable, match="No column holds a number"):
        attack(method, nn.Linear(3, 2), x[1:], 0, [0.1], room=room)


def test_what_cannot_be_asked_is_refused_in_words(method: str, cnn: nn.Module, image: torch.Tensor, room: Room) -> None:
    with pytest.raises(SpecError, match="Class 10 was asked for, but the model has classes 0 to 9"):
        attack(method, cnn, image, 10, [0.1], room=room)
    with pytest.raises(SpecError, match=r"strength of -0\.1 was asked for"):
        attack(method, cnn, image, 1, [-0.1], room=room)
    with pytest.raises(SpecError, match="there is no field 'colour'"):
        attack(method, cnn, image, 1, [0.1], room=room, colour="red")
    with pytest.raises(UnknownName, match=r"no attack called 'magic'\. Choose one of: fgsm, pgd"):
        attack("magic", cnn, image, 1, [0.1], room=room)
    with pytest.raises(NotApplicable, match="one example"):
        attack(method, cnn, torch.cat([image, image]), 1, [0.1], room=room)


def test_it_explains_itself(method: str) -> None:
    cls = ATTACKS[method]

    assert len(cls.help()) > 30
    assert cls.paper
    assert cls.cost
    assert all(field.description for field in cls.model_fields.values())
