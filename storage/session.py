"""One transaction as the repositories see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection

from storage.crypto.vault import Vault
from storage.database import Driver


@dataclass(eq=False, repr=False)
class Session:
    """One transaction on the data, and the vault. It can't be used after the transaction has ended.

    `driver` runs the statements of every turn, `connection` all others, in the same transaction.
    `callbacks` are run after the commit.
    """

    connection: Connection
    driver: Driver
    vault: Vault
    callbacks: list[Callable[[], None]] = field(default_factory=list, init=False)

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call `callback` once the transaction is committed, and only then."""
        self.callbacks.append(callback)

    def finish_erasure(self, client: str) -> None:
        """Destroy the key of a client whose erasure was committed but interrupted before the key was destroyed."""
        if self.vault.has_key(client):
            self.vault.destroy_keys(client)
