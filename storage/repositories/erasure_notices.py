"""What is left of an erased client for at most a day: the last messages, where to, and what to delete there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Integer, bindparam, delete, insert, select, update

from state_machine.model.outgoing import Message
from storage.errors import DecryptionError
from storage.repositories.outbox import LONGEST_HOLD
from storage.statements import Statement
from storage.tables import channel_of, erasure_notices
from storage.timestamps import to_micros

if TYPE_CHECKING:
    from storage.unit_of_work import UnitOfWork

KEPT = timedelta(hours=24)
"""How long sending a notice is tried before it is deleted, sent or not."""


@dataclass(frozen=True, slots=True)
class ErasureNotice:
    """The last messages to an erased client, and the ids of the messages to be deleted."""

    id: int
    address: str
    messages: tuple[Message, ...]
    delete: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Body:
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
_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(_Body)


class ErasureNotices:
    """Erasure notices, within one transaction."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work
        self._connection = work.connection
        self._driver = work.driver
        self._vault = work.vault

    def put(
        self, client: str, address: str | None, messages: Sequence[Message], delete: Sequence[int], now: datetime
    ) -> None:
        """Keep a notice. Without an address it only remembers that the client's key must be destroyed."""
        body = channel = None
        if address is not None:
            body = self._vault.encrypt_erasure_notice(client, _encode(_Body(address, tuple(messages), tuple(delete))))
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
        for number, client, encrypted in self._driver.all(_due, values):
            try:
                body = _decoder.decode(self._vault.decrypt_erasure_notice(client, encrypted or b""))
            except (DecryptionError, msgspec.MsgspecError):
                continue  # nobody can be told any more; the row is deleted after a day
            found.append(ErasureNotice(number, body.address, body.farewell, body.delete))
        return found

    def done(self, notice: int) -> None:
        """The notice was sent and the messages were deleted: nothing is left."""
        self._remove([notice])

    def later(self, notice: int, until: datetime) -> None:
        """Try this notice again, not before `until`: five minutes ahead at most."""
        self._connection.execute(
            update(erasure_notices).where(erasure_notices.c.id == notice).values(due=to_micros(until))
        )

    def forget(self, now: datetime) -> None:
        """Delete notices older than 24 hours."""
        old = select(erasure_notices.c.id).where(erasure_notices.c.since < to_micros(now - KEPT))
        self._remove(list(self._connection.scalars(old)))

    def exists_for(self, client: str) -> bool:
        """Whether this client was erased."""
        found = select(erasure_notices.c.id).where(erasure_notices.c.client == client)
        return self._connection.execute(found).first() is not None

    def clients(self) -> list[str]:
        """The erased clients of whom a notice is left."""
        return list(self._connection.scalars(select(erasure_notices.c.client)))

    def _remove(self, ids: Sequence[int]) -> None:
        for number in ids:
            client = self._connection.scalar(select(erasure_notices.c.client).where(erasure_notices.c.id == number))
            if client is not None:
                # The notice is what remembers an erasure that was cut off before the key was destroyed.
                self._work.finish_erasure(client)
                self._connection.execute(delete(erasure_notices).where(erasure_notices.c.id == number))
