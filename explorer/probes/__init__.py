"""Looking inside a model."""

from explorer.probes.activations import FeatureMaps, Filters, Prediction, TwoClasses, feature_maps, filters, predict
from explorer.probes.answers import Answers, Translations, answers, translations
from explorer.probes.capture import capture
from explorer.probes.through_time import ThroughTime, recurrent_layers, through_time

__all__ = [
    "Answers",
    "FeatureMaps",
    "Filters",
    "Prediction",
    "ThroughTime",
    "Translations",
    "TwoClasses",
    "answers",
    "capture",
    "feature_maps",
    "filters",
    "predict",
    "recurrent_layers",
    "through_time",
    "translations",
]
