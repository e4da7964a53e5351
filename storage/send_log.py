"""What the messenger has answered and no transaction holds yet: one short line each, in a file beside the data.

A transaction waits for its turn and for another thread. A line is written the moment the answer is here, and survives
the end of the process; the next bot reads it when it opens the store. So a crash in between sends nothing again.
It holds numbers only, and is empty whenever nothing is on its way into the books.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from storage.timestamps import from_micros, to_micros

_NONE = "-"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One parcel of a client that reached the messenger; `message` None where it made no message."""

    client: str
    parcel: int
    message: int | None
    at: datetime


class Receipts:
    """The file. Raises OSError where it can't be opened or written."""

    def __init__(self, path: Path) -> None:
        # Each line goes to the system at once, in one piece, at the end of the file.
        self._file = os.fdopen(os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600), "a+b", buffering=0)

    def add(self, receipt: Receipt) -> None:
        """Write one line, in one go."""
        message = _NONE if receipt.message is None else receipt.message
        self._file.write(f"{receipt.client} {receipt.parcel} {message} {to_micros(receipt.at)}\n".encode())

    def all(self) -> list[Receipt]:
        """What stands there. A line that was cut off or altered is passed over: its parcel is sent once more."""
        self._file.seek(0)
        whole_lines = self._file.read().split(b"\n")[:-1]
        return [receipt for line in whole_lines if (receipt := _read(line)) is not None]

    def clear(self) -> None:
        """All of it stands in the books."""
        self._file.truncate(0)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _read(line: bytes) -> Receipt | None:
    try:
        client, parcel, message, at = line.decode().split(" ")
        return Receipt(client, int(parcel), None if message == _NONE else int(message), from_micros(int(at)))
    except (ValueError, OverflowError):
        return None
