"""Build, train, look inside and explain small neural networks.

The public Python API; everything is loaded on first use, so that importing this package is instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "explorer.attribution": ["METHODS", "Attribution", "attribute"],
    "explorer.data": ["DATASETS", "Dataset", "Split", "load_dataset"],
    "explorer.errors": ["ExplorerError"],
    "explorer.flips": ["ATTACKS", "Attacked", "Flip", "attack", "counterfactual", "room_of", "word_swaps"],
    "explorer.models": [
        "FAMILIES",
        "LAYERS",
        "build",
        "preset",
        "preset_training",
        "summarize",
        "to_code",
        "translate",
    ],
    "explorer.probes": ["ablated", "capture", "feature_maps", "filters", "predict"],
    "explorer.runs.replay": ["model_at"],
    "explorer.runs.store": ["Run", "RunStore", "Status"],
    "explorer.specs": ["LayerSpec", "ModelSpec", "RunSpec", "TrainSpec"],
    "explorer.trust": ["CHECKS", "Outcome", "check"],
    "explorer.training": ["EpochDone", "StepDone", "evaluate", "train"],
}
_WHERE = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'explorer' has no attribute {name!r}")
    value = getattr(import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
