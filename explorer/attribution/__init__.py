"""Attribution methods: thin entries over Captum, one file each."""

from explorer.attribution.base import METHODS, Attribution, Method, attribute

__all__ = ["METHODS", "Attribution", "Method", "attribute"]
