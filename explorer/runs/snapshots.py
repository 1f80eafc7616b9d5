"""Weight snapshots: one safetensors file for each kept step."""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError

from explorer.errors import SnapshotError, StoreError
from explorer.runs.problems import full

if TYPE_CHECKING:  # listing runs needs no torch, and the first page should not wait for it
    import torch

STATE = "resume.safetensors"
_RUN = re.compile(r"[0-9a-f]{8}")


def is_run(text: object) -> bool:
    """Whether this can be the id of a run; ids come from links and notebooks."""
    return isinstance(text, str) and _RUN.fullmatch(text) is not None


class Snapshots:
    """The snapshots of all runs under one folder: ``<run>/<step>.safetensors``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _of(self, run_id: str) -> Path:
        if not is_run(run_id):
            raise SnapshotError(f"{str(run_id)[:40]!r} is not the id of a run: eight hexadecimal digits.")
        return self.folder / run_id

    def _file(self, run_id: str, step: int) -> Path:
        if not hasattr(step, "__index__"):
            raise SnapshotError(
                f"Got {str(step)[:40]!r} for a step; a whole number is needed: one of store.snapshots.steps(run_id)."
            )
        return self._of(run_id) / f"{index(step):09d}.safetensors"

    def save(self, run_id: str, step: int, state: Mapping[str, torch.Tensor]) -> Path:
        """Write the weights of one step; a reader sees the whole file or none.

        Raises:
            StoreError: The disk is full, or the folder may not be written.
        """
        path = self._file(run_id, step)
        self._write(path, _bytes(state), f"The weights of step {step}")
        return path

    def _write(self, path: Path, content: bytes, what: str) -> None:
        temporary = path.with_suffix(f".{secrets.token_hex(4)}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(content)
            temporary.replace(path)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            mend = f"See that {path.parent} is a folder you may write to, and that nothing is in the way."
            if full(error, self.folder):
                mend = "Free some disk space."
            raise StoreError(f"{what} could not be written ({error.strerror}). {mend}") from error

    def steps(self, run_id: str) -> list[int]:
        """The steps that were kept, in order."""
        stems = [path.stem for path in self._of(run_id).glob("*.safetensors")]
        return sorted(int(stem) for stem in stems if stem.isascii() and stem.isdecimal())  # "²" is a digit, too

    def load(self, run_id: str, step: int) -> dict[str, torch.Tensor]:
        """The weights of one step, on the CPU.

        Raises:
            SnapshotError: There is none, or the file is damaged.
        """
        return {name: tensor.clone() for name, tensor in _parse(self.read(run_id, step), step).items()}

    def read(self, run_id: str, step: int) -> bytes:
        """The file of one step as it is, to hand on.

        Raises:
            SnapshotError: There is none, or it cannot be read.
        """
        try:
            return self._file(run_id, step).read_bytes()
        except OSError as error:
            raise SnapshotError(
                f"The weights of step {step} are not there ({error.strerror}). Choose another step."
            ) from error

    def drop(self, run_id: str, step: int) -> None:
        """Delete the snapshot of one step, if it is there."""
        with suppress(OSError):
            self._file(run_id, step).unlink(missing_ok=True)

    def tidy(self, run_id: str) -> None:
        """Delete what a process that was killed while it wrote has left of a file."""
        for part in self._of(run_id).glob("*.part"):
            with suppress(OSError):
                part.unlink(missing_ok=True)

    def save_state(self, run_id: str, tensors: Mapping[str, torch.Tensor], values: Mapping[str, Any]) -> None:
        """Write all that training needs to go on exactly: one file, the last one replaces the one before.

        Raises:
            StoreError: The disk is full, or the folder may not be written.
        """
        content = _bytes(tensors, {"training": json.dumps(values)})
        self._write(self._of(run_id) / STATE, content, "The state to go on from")

    def state(self, run_id: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]] | None:
        """What `save_state` wrote last, or None if there is nothing.

        Raises:
            SnapshotError: The file is damaged.
        """
        from safetensors.torch import load

        try:
            content = (self._of(run_id) / STATE).read_bytes()  # in one piece: it may be replaced meanwhile
            return {name: tensor.clone() for name, tensor in load(content).items()}, _training(content)
        except FileNotFoundError:
            return None
        except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
            raise SnapshotError(
                f"What was kept to go on from is damaged ({error}). Start from one of the kept steps instead."
            ) from error

    def has_state(self, run_id: str) -> bool:
        """Whether something was kept to go on from."""
        return (self._of(run_id) / STATE).exists()

    def check_state(self, run_id: str) -> None:
        """Raise `SnapshotError` if nothing was kept to go on from."""
        if not self.has_state(run_id):
            raise SnapshotError("Nothing was kept to go on from. Run it again, or start from one of the kept steps.")

    def delete(self, run_id: str) -> None:
        """Delete all snapshots of a run."""
        shutil.rmtree(self._of(run_id), ignore_errors=True)


def _bytes(tensors: Mapping[str, torch.Tensor], more: dict[str, str] | None = None) -> bytes:
    """Tensors in the format of safetensors; by way of NumPy, which takes half as long, where it knows their types."""
    from safetensors import numpy, torch

    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        return numpy.save({name: tensor.numpy() for name, tensor in whole.items()}, more)
    except TypeError:  # bfloat16, say
        return torch.save(whole, more)


def _training(content: bytes) -> dict[str, Any]:
    """The plain values that were written beside tensors, in the header: its length in 8 bytes, then JSON."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return json.loads(header["__metadata__"]["training"])


def _parse(content: bytes, step: int) -> dict[str, torch.Tensor]:
    from safetensors.torch import load

    try:
        return load(content)
    except (SafetensorError, ValueError, KeyError) as error:
        raise SnapshotError(f"The weights of step {step} are damaged ({error}). Choose another step.") from error
