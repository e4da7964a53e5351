"""Erasure notices: kept for at most a day after an erasure, to say farewell and delete messages from the chat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Integer, bindparam, delete, insert, select, update

from state_machine.model.outgoing import Message
from storage.database import Statement, decode_json, encode_json, to_micros
from storage.errors import DecryptionError, Malformed
from storage.repositories.outbox import LONGEST_HOLD
from storage.session import Session
from storage.tables import channel_of, erasure_notices

RETENTION = timedelta(hours=24)
"""How long sending a notice is tried before it is deleted, sent or not."""


@dataclass(frozen=True, slots=True)
class ErasureNotice:
    """The last messages to an erased client, and the ids of the messages to be deleted."""

    id: int
    address: str
    messages: tuple[Message, ...]
    delete: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _StoredNotice:
    address: str
    farewell: tuple[Message, ...]
    delete: tuple[int, ...]


_due = Statement(
    select(erasure_notices.c.id, erasure_notices.c.client, erasure_notices.c.body)
    .where((erasure_notices.c.due <= bindparam("now")) | (erasure_notices.c.due > bindparam("longest")))
    .where(erasure_notices.c.body.is_not(None), erasure_notices.c.channel == bindparam("channel"))
    .order_by(erasure_notices.c.due, erasure_notices.c.id)
    .limit(bindparam("most", type_=Integer))
)
_decoder = msgspec.json.Decoder(_StoredNotice)


class ErasureNotices:
    """Erasure notices, within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._connection = session.connection
        self._driver = session.driver
        self._vault = session.vault

    def put(
        self, client: str, address: str | None, messages: Sequence[Message], delete: Sequence[int], now: datetime
    ) -> None:
        """Store a notice. Without an address it only records that the client's key must be destroyed."""
        body = channel = None
        if address is not None:
            body = self._vault.encrypt_erasure_notice(
                client, encode_json(_StoredNotice(address, tuple(messages), tuple(delete)))
            )
            channel = channel_of(address)
        at = to_micros(now)
        row = {"client": client, "channel": channel, "body": body, "since": at, "due": at}
        self._connection.execute(insert(erasure_notices), row)

    def due(self, channel: str, now: datetime, most: int = 20) -> list[ErasureNotice]:
        """Up to `most` notices of a channel that are due, the oldest first."""
        values = {
            "now": to_micros(now),
            "longest": to_micros(now + LONGEST_HOLD),
            "channel": channel,
            "most": most,
        }
        found: list[ErasureNotice] = []
        for number, client, encrypted in self._driver.fetch_all(_due, values):
            try:
                body = decode_json(_decoder, self._vault.decrypt_erasure_notice(client, encrypted or b""))
            except (DecryptionError, Malformed):
                continue  # the address is lost; the row is deleted after a day
            found.append(ErasureNotice(number, body.address, body.farewell, body.delete))
        return found

    def delete(self, notice: int) -> None:
        """Delete a notice, once it was sent and the messages were deleted from the chat."""
        self._delete([notice])

    def postpone(self, notice: int, until: datetime) -> None:
        """Try this notice again, not before `until`: five minutes ahead at most."""
        self._connection.execute(
            update(erasure_notices).where(erasure_notices.c.id == notice).values(due=to_micros(until))
        )

    def delete_expired(self, now: datetime) -> None:
        """Delete notices older than 24 hours."""
        old = select(erasure_notices.c.id).where(erasure_notices.c.since < to_micros(now - RETENTION))
        self._delete(list(self._connection.scalars(old)))

    def exists_for(self, client: str) -> bool:
        """Whether this client was erased."""
        found = select(erasure_notices.c.id).where(erasure_notices.c.client == client)
        return self._connection.execute(found).first() is not None

    def clients(self) -> list[str]:
        """The erased clients who still have a notice."""
        return list(self._connection.scalars(select(erasure_notices.c.client)))

    def _delete(self, ids: Sequence[int]) -> None:
        for number in ids:
            client = self._connection.scalar(select(erasure_notices.c.client).where(erasure_notices.c.id == number))
            if client is not None:
                # Only the notice records that an erasure was interrupted before the key was destroyed.
                self._session.finish_erasure(client)
                self._connection.execute(delete(erasure_notices).where(erasure_notices.c.id == number))
