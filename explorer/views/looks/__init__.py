"""Looks: what can be seen of a model and an example, one file each."""

from explorer.views.looks.base import LOOKS, Look

__all__ = ["LOOKS", "Look"]
