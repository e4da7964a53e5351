"""Which events were processed already, and those whose turn failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Integer, bindparam, delete, insert, select, update

from storage.database import Statement, decode_json, encode_json, from_micros, insert_or_skip, to_micros
from storage.errors import DecryptionError, Malformed
from storage.session import Session
from storage.tables import inbox

RETENTION = timedelta(hours=48)
"""How long an event's key is kept. Telegram delivers an update again for at most 24 hours."""

MAX_DELETED = 1000
"""How many expired rows are deleted in one transaction at most, so that other transactions do not wait long."""

_COLUMN = "inbox.payload"


@dataclass(frozen=True, slots=True)
class FailedEvent:
    """An event whose turn failed. `key` and `payload` are empty where the client's key is lost.

    `reason` is the name of an exception; `seen` is when the event arrived; `row` is the keyed hash of its key.
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
_delete = delete(inbox).where(inbox.c.key == bindparam("hashed"))
_decoder = msgspec.json.Decoder(_StoredEvent)
_old = (
    select(inbox.c.key)
    .where(inbox.c.seen < bindparam("before"), inbox.c.client.is_(None))
    .limit(bindparam("most", type_=Integer))
)
_delete_expired = Statement(delete(inbox).where(inbox.c.key.in_(_old)))
_claim = Statement(lambda dialect: insert_or_skip(dialect, inbox), "key", "seen")


class Inbox:
    """The inbox, within one transaction. Events' keys are stored as keyed hashes only."""

    def __init__(self, session: Session) -> None:
        self._connection = session.connection
        self._driver = session.driver
        self._vault = session.vault

    def claim(self, key: str, now: datetime) -> bool:
        """Record that the event with this key is being processed. False if it was recorded before."""
        return self._driver.execute(_claim, {"key": self._vault.hash_event_key(key), "seen": to_micros(now)}) == 1

    def record_failure(self, key: str, client: str, payload: bytes, reason: str) -> None:
        """Store the event of a failed turn, encrypted, for a later retry. `reason` is the name of an exception.

        Raises ValueError for a reason that is not a name.
        """
        checked_reason = _checked(reason)
        encrypted: bytes | None
        try:
            encrypted = self._vault.encrypt(client, _COLUMN, encode_json(_StoredEvent(key, payload)))
        except DecryptionError:
            encrypted = None
        hashed = self._vault.hash_event_key(key)
        values: dict[str, Any] = {"client": client, "payload": encrypted, "reason": checked_reason}
        changed = self._connection.execute(update(inbox).where(inbox.c.key == hashed).values(values))
        if changed.rowcount == 0:
            self._connection.execute(insert(inbox), {"key": hashed, "seen": 0, **values})

    def get_failed(self, key: str) -> FailedEvent | None:
        """The failed event with this key, if there is one."""
        row = self._connection.execute(_failed.where(inbox.c.key == self._vault.hash_event_key(key))).first()
        return None if row is None else self._failed_event(*row)

    def delete(self, key: str) -> None:
        """Delete the row of this key, failed or not, so that it can be claimed again."""
        self._connection.execute(_delete, {"hashed": self._vault.hash_event_key(key)})

    def all_failed(self) -> list[FailedEvent]:
        """Events whose turn failed, the oldest first."""
        # Sorted here: with ORDER BY, SQLite would scan the keys of two days to find these few.
        return sorted(
            (self._failed_event(*row) for row in self._connection.execute(_failed)), key=lambda event: event.seen
        )

    def resolve(self, event: FailedEvent) -> bool:
        """Delete a failed event's payload; its key stays claimed. False if it was resolved or deleted before."""
        return self._change(event, client=None, payload=None, reason=None)

    def record_retry_failure(self, event: FailedEvent, reason: str) -> bool:
        """Record why the retry of a failed event failed. False if the event was resolved or deleted meanwhile."""
        return self._change(event, reason=_checked(reason))

    def delete_expired(self, now: datetime, most: int = MAX_DELETED) -> int:
        """Delete up to `most` keys older than 48 hours, but no failed events. Returns how many were deleted."""
        return self._driver.execute(_delete_expired, {"before": to_micros(now - RETENTION), "most": most})

    def _change(self, event: FailedEvent, **values: Any) -> bool:
        is_unchanged = (inbox.c.key == event.row, inbox.c.client == event.client)
        return self._connection.execute(update(inbox).where(*is_unchanged).values(values)).rowcount == 1

    def _failed_event(
        self, client: str, payload: bytes | None, reason: str | None, seen: int, row: bytes
    ) -> FailedEvent:
        try:
            event = decode_json(_decoder, self._vault.decrypt(client, _COLUMN, payload or b""))
        except (DecryptionError, Malformed):
            event = _StoredEvent("", b"")
        return FailedEvent(event.key, client, event.payload, reason or "", from_micros(seen), row)


def _checked(reason: str) -> str:
    if not reason.isidentifier():
        raise ValueError("the reason of a failed event must be the name of an exception")
    return reason[:80]
