"""The operator's key: 32 random bytes that wrap the keys in the key store, given as a setting or kept in a file.

During a rotation the new key is kept beside the old one as `operator.key.next`, so that after a crash the one that
fits the key store is available, whichever it is.
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
    """The 32 bytes that `text` holds as base64. Raises StoreRefused, with a sentence that names `where`."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != LENGTH:
        raise StoreRefused(f"The content of {where} is not a key: it must be {LENGTH} bytes, written as base64.")
    return key


class OperatorKey:
    """The operator's key: `given` if it is not None, else the one in the file `operator.key` in `folder`."""

    def __init__(self, folder: Path, given: bytes | None) -> None:
        if given is not None and len(given) != LENGTH:
            raise StoreRefused(f"The operator's key must be {LENGTH} bytes long; the one given has {len(given)}.")
        self._given = given
        self.file = folder / "operator.key"
        self._next = folder / "operator.key.next"

    @property
    def in_file(self) -> bool:
        """Whether the key is kept in the file, not given as a setting."""
        return self._given is None

    def candidates(self) -> list[bytes]:
        """The available keys, the active one first; an empty list if there is no key yet. Raises StoreRefused."""
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
                # A new key that a crash cut short was never active.
                if path == self.file:
                    raise
        return keys

    def create(self) -> bytes:
        """A new key, written to the file, which only its owner can read."""
        key = new_key()
        self.stage(key)
        self.activate(key)
        return key

    def stage(self, key: bytes) -> None:
        """Write a new key beside the active one, durably."""
        self._next.unlink(missing_ok=True)
        descriptor = os.open(self._next, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(key) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._sync_folder()

    def activate(self, key: bytes) -> None:
        """Make `key` the active one: a staged key replaces the active one if it is `key`, and else is deleted."""
        try:
            staged = read_key(self._next.read_bytes())
        except FileNotFoundError:
            return
        except StoreRefused:
            staged = b""
        if secrets.compare_digest(staged, key):
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
