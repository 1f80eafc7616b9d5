"""Families of models: one file each."""

from explorer.models.families.base import FAMILIES, Family, default_family, preset, preset_training

__all__ = ["FAMILIES", "Family", "default_family", "preset", "preset_training"]
