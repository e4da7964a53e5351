"""What the messenger has accepted and no transaction holds yet: one short line each, in a file beside the data.

A transaction waits for its turn and for another thread. A line is written the moment the answer is here, and survives
the end of the process; the next bot reads it when it opens the store. So a crash in between sends nothing again.
The file holds numbers only, and is empty whenever everything in it is marked in the database.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from storage.timestamps import from_micros, to_micros

_NONE = "-"


@dataclass(frozen=True, slots=True)
class Sent:
    """One message of the outbox that the messenger accepted at `at`.

    `message` is its number in the outbox, `message_id` the id the messenger gave it, None where it gave none.
    """

    client: str
    message: int
    message_id: int | None
    at: datetime


class SendLog:
    """The file. Raises OSError where it can't be opened or written."""

    def __init__(self, path: Path) -> None:
        # Each line goes to the system at once, in one piece, at the end of the file.
        self._file = os.fdopen(os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600), "a+b", buffering=0)

    def add(self, sent: Sent) -> None:
        """Write one line, in one go. Raises OSError if there is no room for it, and then nothing of it is left."""
        message_id = _NONE if sent.message_id is None else sent.message_id
        line = f"{sent.client} {sent.message} {message_id} {to_micros(sent.at)}\n".encode()
        written = self._file.write(line) or 0
        if written < len(line):
            self._file.truncate(self._file.seek(0, os.SEEK_END) - written)  # or it would spoil the next line
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def all(self) -> list[Sent]:
        """What is in the file. A line that was cut off or altered is skipped: its message is sent once more."""
        self._file.seek(0)
        whole_lines = self._file.read().split(b"\n")[:-1]
        return [sent for line in whole_lines if (sent := _read(line)) is not None]

    def clear(self) -> None:
        """All of it is marked in the database."""
        self._file.truncate(0)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _read(line: bytes) -> Sent | None:
    try:
        client, message, message_id, at = line.decode().split(" ")
        return Sent(client, int(message), None if message_id == _NONE else int(message_id), from_micros(int(at)))
    except (ValueError, OverflowError):
        return None
