"""Looking inside a model."""

from explorer.probes.activations import FeatureMaps, Filters, Prediction, TwoClasses, feature_maps, filters, predict
from explorer.probes.capture import capture
from explorer.probes.through_time import ThroughTime, recurrent_layers, through_time

__all__ = [
    "FeatureMaps",
    "Filters",
    "Prediction",
    "ThroughTime",
    "TwoClasses",
    "capture",
    "feature_maps",
    "filters",
    "predict",
    "recurrent_layers",
    "through_time",
]
