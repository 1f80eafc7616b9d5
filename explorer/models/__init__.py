"""From a specification to a module, a summary and source."""

from explorer.models.build import build, checked, summarize, table
from explorer.models.code import to_code
from explorer.models.families import FAMILIES, default_family, preset, preset_training
from explorer.models.layers import LAYERS
from explorer.models.plan import MEMORY_BOUND, Plan, Planned, plan

__all__ = [
    "FAMILIES",
    "LAYERS",
    "MEMORY_BOUND",
    "Plan",
    "Planned",
    "build",
    "checked",
    "default_family",
    "plan",
    "preset",
    "preset_training",
    "summarize",
    "table",
    "to_code",
]
