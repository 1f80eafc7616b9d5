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
from explorer.probes.answers import Answers, Translations, answers, translations
from explorer.probes.attention import AttentionMap, attention_layers, attention_map
from explorer.probes.capture import capture
from explorer.probes.recurrent import HiddenStates, hidden_states, recurrent_layers
from explorer.probes.spots import Spot, seen_at, spots_of, telling
from explorer.probes.through_time import ThroughTime, through_time
from explorer.probes.writing import right_tokens

__all__ = [
    "Answers",
    "AttentionMap",
    "FeatureMaps",
    "Filters",
    "HiddenStates",
    "Prediction",
    "Spot",
    "ThroughTime",
    "Translations",
    "TwoClasses",
    "answers",
    "attention_layers",
    "attention_map",
    "capture",
    "convolutions",
    "feature_maps",
    "filters",
    "hidden_states",
    "predict",
    "recurrent_layers",
    "right_tokens",
    "seen_at",
    "spots_of",
    "telling",
    "through_time",
    "translations",
]
