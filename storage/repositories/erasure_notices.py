"""What is left of an erased client for at most a day: where to say farewell, and which messages to delete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import bindparam, delete, insert, select, update

from state_machine.model.outgoing import Message
from storage.errors import DecryptionError
from storage.repositories.outbox import LONGEST_HOLD
from storage.tables import partings
from storage.timestamps import to_micros

if TYPE_CHECKING:
    from storage.unit_of_work import UnitOfWork

KEPT = timedelta(hours=24)
"""How long a parting is tried for before it goes, carried or not."""


@dataclass(frozen=True, slots=True)
class Parting:
    """The last that is said to an erased client, and the messages to be deleted."""

    id: int
    address: str
    farewell: tuple[Message, ...]
    delete: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Body:
    address: str
    farewell: tuple[Message, ...]
    delete: tuple[int, ...]


_due = (
    select(partings.c.id, partings.c.client, partings.c.body)
    .where((partings.c.due <= bindparam("now")) | (partings.c.due > bindparam("longest")))
    .where(partings.c.body.is_not(None))
    .order_by(partings.c.due, partings.c.id)
)
_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(_Body)


class Partings:
    """Partings, within one transaction."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work
        self._connection = work.connection
        self._vault = work.vault

    def put(
        self, client: str, address: str | None, farewell: Sequence[Message], messages: Sequence[int], now: datetime
    ) -> None:
        """Keep a parting. Without an address it only remembers that the client's key must go."""
        body = None
        if address is not None:
            body = self._vault.encrypt_erasure_notice(
                client, _encode(_Body(address, tuple(farewell), tuple(messages)))
            )
        self._connection.execute(
            insert(partings), {"client": client, "body": body, "since": to_micros(now), "due": to_micros(now)}
        )

    def next(self, now: datetime, serves: Callable[[str], bool] = lambda _: True) -> Parting | None:
        """The parting that is due first, of those at an address that `serves` says yes to."""
        values = {"now": to_micros(now), "longest": to_micros(now + LONGEST_HOLD)}
        for number, client, encrypted in self._connection.execute(_due, values).all():
            try:
                body = _decoder.decode(self._vault.decrypt_erasure_notice(client, encrypted or b""))
            except (DecryptionError, msgspec.MsgspecError):
                # Nobody can be told any more; the row goes with the day.
                continue
            if serves(body.address):
                return Parting(number, body.address, body.farewell, body.delete)
        return None

    def done(self, parting: int) -> None:
        """The farewell was said and the messages were deleted: nothing is left."""
        self._remove([parting])

    def later(self, parting: int, until: datetime) -> None:
        """Try this parting again, not before `until`: five minutes ahead at most."""
        self._connection.execute(update(partings).where(partings.c.id == parting).values(due=to_micros(until)))

    def forget(self, now: datetime) -> None:
        """Partings older than 24 hours go."""
        old = select(partings.c.id).where(partings.c.since < to_micros(now - KEPT))
        self._remove(list(self._connection.scalars(old)))

    def leads_to(self, client: str) -> bool:
        """Whether this client was erased."""
        found = select(partings.c.id).where(partings.c.client == client)
        return self._connection.execute(found).first() is not None

    def clients(self) -> list[str]:
        """The erased clients of whom a parting is left."""
        return list(self._connection.scalars(select(partings.c.client)))

    def _remove(self, ids: Sequence[int]) -> None:
        for number in ids:
            client = self._connection.scalar(select(partings.c.client).where(partings.c.id == number))
            if client is not None:
                # The parting is what remembers an erasure cut off before the key went.
                self._work.finish_erasure(client)
                self._connection.execute(delete(partings).where(partings.c.id == number))
