"""What would change an answer: counterfactuals, swapped words and adversarial examples."""

from explorer.flips.attack import ATTACKS, Attack, Attacked, accuracy_under, attack
from explorer.flips.counterfactual import counterfactual
from explorer.flips.flip import Flip
from explorer.flips.room import Room, room_of
from explorer.flips.swaps import word_swaps

__all__ = [
    "ATTACKS",
    "Attack",
    "Attacked",
    "Flip",
    "Room",
    "accuracy_under",
    "attack",
    "counterfactual",
    "room_of",
    "word_swaps",
]
