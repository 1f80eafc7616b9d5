"""Looking inside a model."""

from explorer.probes.activations import FeatureMaps, Filters, Prediction, TwoClasses, feature_maps, filters, predict
from explorer.probes.answers import Answers, Translations, answers, translations
from explorer.probes.capture import capture

__all__ = [
    "Answers",
    "FeatureMaps",
    "Filters",
    "Prediction",
    "Translations",
    "TwoClasses",
    "answers",
    "capture",
    "feature_maps",
    "filters",
    "predict",
    "translations",
]
