"""Attribution methods: thin entries over Captum, one file each."""

from explorer.attribution.base import METHODS, PARTS, Attribution, Method, Part, attribute

__all__ = ["METHODS", "PARTS", "Attribution", "Method", "Part", "attribute"]
