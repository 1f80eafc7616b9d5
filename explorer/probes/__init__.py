"""Looking inside a model."""

from explorer.probes.activations import FeatureMaps, Filters, Prediction, feature_maps, filters, predict
from explorer.probes.capture import capture

__all__ = ["FeatureMaps", "Filters", "Prediction", "capture", "feature_maps", "filters", "predict"]
