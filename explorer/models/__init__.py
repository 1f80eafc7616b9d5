"""From a specification to a module, a summary and source."""

from explorer.models.build import build, checked, summarize, table
from explorer.models.code import to_code
from explorer.models.families import FAMILIES, default_family, preset, preset_training
from explorer.models.layers import LAYERS
from explorer.models.memory import MEMORY_BOUND, at_once
from explorer.models.plan import Plan, Planned, plan
from explorer.models.translator import Translator, beam_search, translate

__all__ = [
    "FAMILIES",
    "LAYERS",
    "MEMORY_BOUND",
    "Plan",
    "Planned",
    "Translator",
    "at_once",
    "beam_search",
    "build",
    "checked",
    "default_family",
    "plan",
    "preset",
    "preset_training",
    "summarize",
    "table",
    "to_code",
    "translate",
]
