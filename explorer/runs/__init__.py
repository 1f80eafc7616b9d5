"""Runs: the store, the snapshots, and the processes that train."""

from explorer.runs.compute import Compute
from explorer.runs.settings import Settings
from explorer.runs.store import Run, RunStore, Status

__all__ = ["Compute", "Run", "RunStore", "Settings", "Status"]
