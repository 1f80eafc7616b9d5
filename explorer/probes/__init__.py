"""Looking inside a model."""

from explorer.probes.activations import FeatureMaps, Filters, Prediction, TwoClasses, feature_maps, filters, predict
from explorer.probes.capture import capture

__all__ = ["FeatureMaps", "Filters", "Prediction", "TwoClasses", "capture", "feature_maps", "filters", "predict"]
