"""Families of models: one file each."""

from explorer.models.families.base import FAMILIES, Family, preset

__all__ = ["FAMILIES", "Family", "preset"]
