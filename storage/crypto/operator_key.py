"""The operator's key: 32 random bytes that open the key store, given by hand or kept in a file.

During a rotation the new key stands beside the old one as `operator.key.next`,
so that whichever of the two opens the key store after a crash is at hand.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from pathlib import Path

from storage.errors import StoreRefused

LENGTH = 32


def read_key(text: str | bytes, where: str = "the operator's key") -> bytes:
    """The 32 bytes written as base64 in `text`. Raises StoreRefused with a sentence naming `where`."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != LENGTH:
        raise StoreRefused(f"What stands in {where} is not a key: it must be {LENGTH} bytes, written as base64.")
    return key


class OperatorKey:
    """Where the operator's key is found: `given` if there is one, else the file in `folder`."""

    def __init__(self, folder: Path, given: bytes | None) -> None:
        if given is not None and len(given) != LENGTH:
            raise StoreRefused(f"The operator's key must be {LENGTH} bytes long; the one given has {len(given)}.")
        self._given = given
        self.file = folder / "operator.key"
        self._next = folder / "operator.key.next"

    @property
    def in_file(self) -> bool:
        """Whether the key is kept in the file, not given by hand."""
        return self._given is None

    def candidates(self) -> list[bytes]:
        """The keys at hand, the settled one first; none if there is no key yet."""
        if self._given is not None:
            return [self._given]
        keys = []
        for path in (self.file, self._next):
            try:
                keys.append(read_key(path.read_bytes(), str(path)))
            except FileNotFoundError:
                continue
            except OSError as error:
                raise StoreRefused(f"The operator's key in {path} can't be read: {error.strerror}.") from error
            except StoreRefused:
                # A new key cut short by a crash was never in use.
                if path == self.file:
                    raise
        return keys

    def make(self) -> bytes:
        """A new key, kept in the file for the owner's eyes only."""
        key = new_key()
        self.announce(key)
        self.settle(key)
        return key

    def announce(self, key: bytes) -> None:
        """Keep a new key beside the old one, durably."""
        self._next.unlink(missing_ok=True)
        descriptor = os.open(self._next, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(key) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._sync_folder()

    def settle(self, key: bytes) -> None:
        """`key` is the one in use: an announced key takes the old one's place, or goes if it is not this one."""
        try:
            announced = read_key(self._next.read_bytes())
        except FileNotFoundError:
            return
        except StoreRefused:
            announced = b""
        if secrets.compare_digest(announced, key):
            self._next.replace(self.file)
        else:
            self._next.unlink(missing_ok=True)
        self._sync_folder()

    def _sync_folder(self) -> None:
        folder = os.open(self.file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def new_key() -> bytes:
    """32 random bytes."""
    return secrets.token_bytes(LENGTH)
