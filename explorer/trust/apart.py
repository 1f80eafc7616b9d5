"""Working out a table beside a server, which goes on answering meanwhile."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from pathlib import Path

from explorer.beside import beside
from explorer.errors import ExplorerError
from explorer.trust.table import Wanted

ROOT = Path(__file__).resolve().parents[2]


def work_out_apart(home: Path, wanted: Wanted) -> Generator[float, None, None]:
    """Work out what is missing of a table in a process of its own, which writes each cell into the store.

    Close the generator to stop: the process is ended, and what is done is kept.

    Args:
        home: Folder of the store.
        wanted: Which table.

    Yields:
        How much of it is done, 0 to 1, about ten times a second.

    Raises:
        ExplorerError: The run is gone, or the process was ended by something else.
    """
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "explorer.trust.process", str(home), wanted.model_dump_json()]
    done = 0.0
    with beside(command, env=os.environ | {"PYTHONPATH": path}, start_new_session=True) as lines:
        for said in lines:
            if "error" in said:
                raise ExplorerError(said["error"])
            if "whole" in said:
                return
            done = said.get("done", done)
            yield done
    raise ExplorerError("What checked the explanations ended before it was done. What it did is kept: go on.")
