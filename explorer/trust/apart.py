"""Working out a table beside a server, which goes on answering meanwhile."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

from explorer.errors import ExplorerError
from explorer.trust.table import Wanted

ROOT = Path(__file__).resolve().parents[2]
LOOK = 0.1
"""Seconds after which it is asked whether it is still wanted, although nothing happened."""


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
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen(command, **pipes, env=os.environ | {"PYTHONPATH": path}, start_new_session=True)
    done = 0.0
    try:
        for said in _lines(process.stdout.fileno()):
            if "error" in said:
                raise ExplorerError(said["error"])
            if "whole" in said:
                return
            done = said.get("done", done)
            yield done
        raise ExplorerError("What checked the explanations ended before it was done. What it did is kept: go on.")
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def _lines(pipe: int) -> Iterator[dict]:
    """What the process says, line by line; an empty dict where it says nothing for a while."""
    rest = b""
    while True:
        if not select.select([pipe], [], [], LOOK)[0]:
            yield {}
            continue
        if not (some := os.read(pipe, 1 << 16)):
            return
        *whole, rest = (rest + some).split(b"\n")
        yield from map(json.loads, whole)
