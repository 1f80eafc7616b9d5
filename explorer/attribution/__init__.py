"""Attribution methods: thin entries over Captum, one file each."""

from explorer.attribution.base import METHODS, PARTS, Attribution, Method, Part, attribute
from explorer.attribution.question import Question, Target, ask

__all__ = ["METHODS", "PARTS", "Attribution", "Method", "Part", "Question", "Target", "ask", "attribute"]
