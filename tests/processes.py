"""Starting programs and waiting for what they do."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

ROOT = Path(__file__).parents[1]


def python(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run Python in the project's root to its end; options go to `subprocess.run`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EXPLORER_")}
    command = [sys.executable, *arguments]
    return subprocess.run(command, **{"cwd": ROOT, "capture_output": True, "text": True, "env": environment} | options)


def explorer(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run ``python -m explorer`` to its end."""
    return python("-m", "explorer", *map(str, arguments), **options)


def forked(work: Callable[[], int | None]) -> subprocess.CompletedProcess[str]:
    """Call a function in a copy of this process, which may limit or kill itself, and say how that ended.

    A program of its own would spend two seconds importing what this one has imported already.
    """
    with TemporaryFile("w+") as output, TemporaryFile("w+") as errors:
        child = os.fork()
        if not child:
            _end_with(work, output.fileno(), errors.fileno())
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        for file in (output, errors):
            file.seek(0)
        return subprocess.CompletedProcess(work, status, output.read(), errors.read())


def _end_with(work: Callable[[], int | None], output: int, errors: int) -> None:
    status = 1
    try:
        os.dup2(output, 1)
        os.dup2(errors, 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
        status = work() or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)  # whatever else this copy holds belongs to the one it was copied from


def wait_until(what: Callable[[], Any], seconds: float = 90.0) -> Any:
    """Ask until the answer is true, and return it; fail when time is up."""
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
        time.sleep(0.02)
    return answer
