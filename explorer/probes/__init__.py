"""Looking inside a model."""

from explorer.probes.activations import FeatureMaps, Filters, Prediction, TwoClasses, feature_maps, filters, predict
from explorer.probes.answers import Answers, Translations, answers, translations
from explorer.probes.attention import AttentionMap, attention_layers, attention_map
from explorer.probes.capture import capture
from explorer.probes.recurrent import HiddenStates, Memory, hidden_states, memory, parts_of, recurrent_layers
from explorer.probes.spots import Spot, seen_at, spots_of, telling
from explorer.probes.through_time import ThroughTime, through_time
from explorer.probes.unit_finder import Following, following
from explorer.probes.writing import right_tokens

__all__ = [
    "Answers",
    "AttentionMap",
    "FeatureMaps",
    "Filters",
    "Following",
    "HiddenStates",
    "Memory",
    "Prediction",
    "Spot",
    "ThroughTime",
    "Translations",
    "TwoClasses",
    "answers",
    "attention_layers",
    "attention_map",
    "capture",
    "feature_maps",
    "filters",
    "following",
    "hidden_states",
    "memory",
    "parts_of",
    "predict",
    "recurrent_layers",
    "right_tokens",
    "seen_at",
    "spots_of",
    "telling",
    "through_time",
    "translations",
]
