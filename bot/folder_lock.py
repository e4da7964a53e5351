"""Sees that one process at a time runs a bot on a folder: two would send everything twice.

The lock is one of the operating system's on an open file, so that it ends with the process, however that ends.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from storage.errors import StoreRefused, to_database_fault

FILE = "run.lock"


class FolderLock:
    """The lock of a folder, held until `release` or the end of the process."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    @classmethod
    def take(cls, folder: Path, now: datetime) -> FolderLock:
        """Lock `folder`, which is made if it is not there, and write into the lock who holds it since when.

        Raises StoreRefused, with a sentence that names the process that holds it, or why it can't be locked.
        """
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(folder / FILE, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise StoreRefused(str(to_database_fault(error, folder))) from error
        file = os.fdopen(descriptor, "r+b", buffering=0)
        try:
            _lock(file)
        except BlockingIOError:
            holder = _holder(file)
            file.close()
            raise StoreRefused(
                f"A bot is running on {folder} already: {holder}. "
                "Stop it first, or give this one a DATA_DIR of its own."
            ) from None
        except OSError as error:
            file.close()
            raise StoreRefused(
                f"The folder {folder} can't be locked ({error.strerror}): keep it on a local disk."
            ) from error
        with suppress(OSError):  # on a full disk the lock holds all the same, only without a name in it
            file.truncate(0)
            file.write(f"{os.getpid()} {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC\n".encode())
        return cls(file)

    def release(self) -> None:
        """Let another process have the folder."""
        self._file.close()


def _holder(file: BinaryIO) -> str:
    """Who holds the lock, such as `process 4711, since 2026-01-05 09:00 UTC`."""
    file.seek(0)
    number, _, since = file.read(100).decode("ascii", "replace").strip().partition(" ")
    return f"process {number}, since {since}" if number.isdecimal() and since else "another process"


if sys.platform == "win32":
    import msvcrt

    _FAR = 2**20
    """What is locked can't be read by others there, so a place behind what is written is locked."""

    def _lock(file: BinaryIO) -> None:
        file.seek(_FAR)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError from error
        file.seek(0)

else:
    import fcntl

    def _lock(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
