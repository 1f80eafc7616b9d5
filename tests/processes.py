"""Starting programs and waiting for what they do."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
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


def wait_until(what: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Ask until the answer is true, and return it; fail when time is up."""
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
        time.sleep(0.02)
    return answer
