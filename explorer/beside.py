"""Work that a process of its own does beside the server, and that ends with whoever asked for it."""

from __future__ import annotations

import json
import os
import select
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

LOOK = 0.1
"""Seconds without a word after which an empty one is said, so that who listens can stop."""


@contextmanager
def beside(command: Sequence[str], given: bytes = b"", **more: Any) -> Iterator[Iterator[dict]]:
    """Start a process, and end it with the block, whatever happens there.

    Args:
        command: What to start; it says JSON objects, one a line.
        given: What it reads first. Its input stays open: it sees there that its starter has died.
        **more: For `subprocess.Popen`, such as ``env``.

    Yields:
        What it says, line by line; an empty dict where it says nothing for a while.
    """
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **more)
    try:
        if given:
            process.stdin.write(given)
            process.stdin.flush()
        yield _lines(process.stdout.fileno())
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def _lines(pipe: int) -> Iterator[dict]:
    rest = b""
    while True:
        if not select.select([pipe], [], [], LOOK)[0]:
            yield {}
            continue
        if not (some := os.read(pipe, 1 << 16)):
            return
        *whole, rest = (rest + some).split(b"\n")
        yield from map(json.loads, whole)
