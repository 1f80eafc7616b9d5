"""Layers: one file for each kind or close family of kinds."""

from explorer.models.layers.base import LAYERS, WHOLE, Call, Layer

__all__ = ["LAYERS", "WHOLE", "Call", "Layer"]
