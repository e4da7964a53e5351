"""Which events were taken already, and those whose turn failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Integer, bindparam, delete, insert, select, update

from storage.errors import DecryptionError
from storage.statements import Statement
from storage.tables import inbox
from storage.timestamps import from_micros, to_micros
from storage.upsert import insert_or_skip

if TYPE_CHECKING:
    from storage.unit_of_work import UnitOfWork

KEPT = timedelta(hours=48)
"""How long a key is kept; Telegram delivers an update again for at most 24 hours."""

PORTION = 1000
"""Rows that are forgotten in one transaction at most, so that nobody waits long for it."""

_COLUMN = "inbox.payload"


@dataclass(frozen=True, slots=True)
class FailedEvent:
    """An event whose turn failed. `key` and `payload` are empty where the client's key is lost.

    `reason` is the name of an exception; `seen` when the event came; `row` the keyed hash it stands under.
    """

    key: str
    client: str
    payload: bytes
    reason: str
    seen: datetime
    row: bytes = field(default=b"", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class _StoredEvent:
    key: str
    payload: bytes


_failed = select(inbox.c.client, inbox.c.payload, inbox.c.reason, inbox.c.seen, inbox.c.key).where(
    inbox.c.client.is_not(None)
)
_drop = delete(inbox).where(inbox.c.key == bindparam("hashed"))
_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(_StoredEvent)
_old = (
    select(inbox.c.key)
    .where(inbox.c.seen < bindparam("before"), inbox.c.client.is_(None))
    .limit(bindparam("most", type_=Integer))
)
_forget = Statement(delete(inbox).where(inbox.c.key.in_(_old)))
_take = Statement(lambda dialect: insert_or_skip(dialect, inbox), "key", "seen")


class Inbox:
    """The inbox, within one transaction. Keys are kept as keyed hashes only."""

    def __init__(self, work: UnitOfWork) -> None:
        self._connection = work.connection
        self._driver = work.driver
        self._vault = work.vault

    def is_new(self, key: str, now: datetime) -> bool:
        """Take an event by its key, unless it was taken before."""
        return self._driver.run(_take, {"key": self._vault.hash_key(key), "seen": to_micros(now)}) == 1

    def record_failure(self, key: str, client: str, payload: bytes, reason: str) -> None:
        """A turn failed: keep its event, sealed, to be tried again. `reason` is the name of a class, never text.

        Raises ValueError for a reason that is not a name.
        """
        named = _name(reason)
        encrypted: bytes | None
        try:
            encrypted = self._vault.encrypt(client, _COLUMN, _encode(_StoredEvent(key, payload)))
        except DecryptionError:
            encrypted = None
        hashed = self._vault.hash_key(key)
        values: dict[str, Any] = {"client": client, "payload": encrypted, "reason": named}
        changed = self._connection.execute(update(inbox).where(inbox.c.key == hashed).values(values))
        if changed.rowcount == 0:
            self._connection.execute(insert(inbox), {"key": hashed, "seen": 0, **values})

    def found(self, key: str) -> FailedEvent | None:
        """The parked event of this key, if there is one."""
        row = self._connection.execute(_failed.where(inbox.c.key == self._vault.hash_key(key))).first()
        return None if row is None else self._read(*row)

    def drop(self, key: str) -> None:
        """Nothing is kept of this key any more, parked or not; it may be taken anew."""
        self._connection.execute(_drop, {"hashed": self._vault.hash_key(key)})

    def failed(self) -> list[FailedEvent]:
        """Events whose turn failed, the oldest first."""
        # Put in order here: asked for in order, SQLite would look through the keys of two days for these few.
        return sorted((self._read(*row) for row in self._connection.execute(_failed)), key=lambda event: event.seen)

    def resolve(self, event: FailedEvent) -> bool:
        """The event is dealt with: its payload goes, its key stays taken. False if it was dealt with before."""
        return self._change(event, client=None, payload=None, reason=None)

    def failed_again(self, event: FailedEvent, reason: str) -> bool:
        """It failed once more, for this reason, and stays parked. False if it was dealt with meanwhile."""
        return self._change(event, reason=_name(reason))

    def forget(self, now: datetime, most: int = PORTION) -> int:
        """Up to `most` keys older than 48 hours go, but for what is parked. How many went."""
        return self._driver.run(_forget, {"before": to_micros(now - KEPT), "most": most})

    def _change(self, event: FailedEvent, **values: Any) -> bool:
        still = (inbox.c.key == event.row, inbox.c.client == event.client)
        return self._connection.execute(update(inbox).where(*still).values(values)).rowcount == 1

    def _read(self, client: str, payload: bytes | None, reason: str | None, seen: int, row: bytes) -> FailedEvent:
        try:
            event = _decoder.decode(self._vault.decrypt(client, _COLUMN, payload or b""))
        except (DecryptionError, msgspec.MsgspecError):
            event = _StoredEvent("", b"")
        return FailedEvent(event.key, client, event.payload, reason or "", from_micros(seen), row)


def _name(reason: str) -> str:
    if not reason.isidentifier():
        raise ValueError("the reason for parking must be the name of a class")
    return reason[:80]
