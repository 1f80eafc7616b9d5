"""Zip files that strangers made: nothing is unpacked to disk, and no more is read than was promised."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from explorer.data.own.reading import EXAMPLES, UNPACKED_BYTES, check_size
from explorer.errors import DataError

READ = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@contextmanager
def opened(content: bytes, what: str) -> Iterator[zipfile.ZipFile]:
    """A zip file that keeps to the limits.

    Raises:
        DataError: It is none, is locked with a password, or says that too much would come out of it.
    """
    check_size(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            files = packed.infolist()
            if len(files) > 2 * EXAMPLES:
                raise DataError(f"There are {len(files):,} files in it; at most {EXAMPLES:,} are read.")
            if any(file.flag_bits & 1 for file in files):
                raise DataError("It is locked with a password. Pack it again without one.")
            if any(file.compress_type not in READ for file in files):
                raise DataError("It is packed in an unusual way. Pack it again as an ordinary zip file.")
            unpacked = sum(file.file_size for file in files)
            if unpacked > UNPACKED_BYTES:
                raise DataError(
                    f"Unpacked it has {unpacked / 2**20:,.0f} MiB; at most {UNPACKED_BYTES // 2**20} are read. "
                    "Choose a part of it, or smaller images."
                )
            yield packed
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError) as error:
        raise DataError(f"This is not {what} that can be read ({error}). Make it again.") from None


def content_of(packed: zipfile.ZipFile, file: zipfile.ZipInfo) -> bytes:
    """One file, but never more of it than the list of contents says."""
    with packed.open(file) as stream:
        return stream.read(file.file_size)
