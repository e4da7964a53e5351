"""What can go wrong with the store, by name."""

from __future__ import annotations

from sqlalchemy.exc import DatabaseError

DatabaseFault = DatabaseError
"""The database itself gave up: no client's fault, and it may work a moment later."""


class StoreRefused(Exception):
    """The store can't be opened or changed; the message is a sentence that says why and what to do."""


class DecryptionError(Exception):
    """A sealed value does not open: altered, cut, under another key, or moved from another client or column."""


class Unreadable(Exception):
    """One client's row can't be opened or parsed. That client's fault alone: all others go on."""

    def __init__(self, client: str) -> None:
        super().__init__(client)
        self.client = client


class Stale(Exception):
    """The chat was kept by somebody else since it was read; read it again."""
