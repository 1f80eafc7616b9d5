"""Who trains: the engine process, kept alive."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

from explorer.runs.settings import Settings

log = logging.getLogger("explorer.compute")
ROOT = Path(__file__).resolve().parents[2]
RESTART_SECONDS = 1.0


class Compute:
    """Keeps one engine process running for as long as this process lives.

    The pipe to the engine's standard input is the leash: when this process ends, in whatever way, the kernel closes it
    and the engine ends its workers and itself.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._closed = threading.Event()
        self._engine = self._start()
        threading.Thread(target=self._watch, name="engine watch", daemon=True).start()

    @property
    def pid(self) -> int:
        """Process id of the engine."""
        return self._engine.pid

    def close(self) -> None:
        """End the engine; the next engine marks the runs that were in training as interrupted."""
        self._closed.set()
        self._engine.stdin.close()
        try:
            self._engine.wait(15)
        except subprocess.TimeoutExpired:  # it was still starting, say, on a busy machine: its workers notice its end
            self._engine.kill()
            self._engine.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        environment = os.environ | {"PYTHONPATH": path} | self.settings.environment
        # Its own session: Ctrl-C in the terminal reaches the server, which lets go of the leash.
        command = [sys.executable, "-m", "explorer.runs.engine"]
        return subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, start_new_session=True)

    def _watch(self) -> None:
        while True:
            self._engine.wait()
            if self._closed.wait(RESTART_SECONDS):
                return
            log.error("the engine ended with status %s; starting it again", self._engine.returncode)
            self._engine = self._start()
            if self._closed.is_set():  # closed in between: nobody else would end this one
                self._engine.stdin.close()
