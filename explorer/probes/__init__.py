"""Looking inside a model."""

from explorer.probes.activations import (
    FeatureMaps,
    Filters,
    Prediction,
    TwoClasses,
    convolutions,
    feature_maps,
    filters,
    predict,
)
from explorer.probes.alignment import Alignment, across, forced, free
from explorer.probes.answers import Answers, Translations, answers, translations
from explorer.probes.attention import AttentionMap, attention_layers, attention_map, attention_maps
from explorer.probes.capture import ablated, capture
from explorer.probes.heads import Heads, heads
from explorer.probes.places import Places, places_at
from explorer.probes.positions import PositionCode, position_code
from explorer.probes.recurrent import HiddenStates, Memory, hidden_states, memory, parts_of, recurrent_layers
from explorer.probes.rollout import Reach, attention_gradient, followed_to, rollout, unfollowed
from explorer.probes.scores import AttentionSteps, attention_steps
from explorer.probes.spots import Spot, seen_at, spots_of, telling
from explorer.probes.through_time import ThroughTime, through_time
from explorer.probes.unit_finder import Following, following
from explorer.probes.writing import right_tokens

__all__ = [
    "Alignment",
    "Answers",
    "AttentionMap",
    "AttentionSteps",
    "FeatureMaps",
    "Filters",
    "Following",
    "Heads",
    "HiddenStates",
    "Memory",
    "Places",
    "PositionCode",
    "Prediction",
    "Reach",
    "Spot",
    "ThroughTime",
    "Translations",
    "TwoClasses",
    "ablated",
    "across",
    "answers",
    "attention_gradient",
    "attention_layers",
    "attention_map",
    "attention_maps",
    "attention_steps",
    "capture",
    "convolutions",
    "feature_maps",
    "filters",
    "followed_to",
    "following",
    "forced",
    "free",
    "heads",
    "hidden_states",
    "memory",
    "parts_of",
    "places_at",
    "position_code",
    "predict",
    "recurrent_layers",
    "right_tokens",
    "rollout",
    "seen_at",
    "spots_of",
    "telling",
    "through_time",
    "translations",
    "unfollowed",
]
