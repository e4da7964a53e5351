"""Messages that could not be sent and became dead letters: listed, put back, or deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from state_machine.model.outgoing import Priority
from storage.codec import Malformed, read_message
from storage.errors import DecryptionError
from storage.repositories.outbox import BODY
from storage.tables import chats, outbox
from storage.timestamps import from_micros

if TYPE_CHECKING:
    from storage.unit_of_work import UnitOfWork

_after = outbox.alias("after")
_dead = (
    select(
        outbox.c.id,
        outbox.c.client,
        outbox.c.priority,
        outbox.c.dead_letter,
        outbox.c.created_at,
        outbox.c.body,
        chats.c.blocked_at,
        select(_after.c.id)
        .where(_after.c.client == outbox.c.client, _after.c.id > outbox.c.id, _after.c.dead_letter.is_(None))
        .exists(),
    )
    .select_from(outbox.join(chats, chats.c.client == outbox.c.client))
    .where(outbox.c.dead_letter.is_not(None))
    .order_by(outbox.c.id)
)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that could not be sent. `reason` is the name of a class; `created` is None in data of old releases.

    `readable`: it can be decrypted; `superseded`: something said after it was sent, or waits to be;
    `blocked`: the client blocked the bot.
    """

    id: int
    client: str
    priority: Priority
    reason: str
    created: datetime | None
    readable: bool
    superseded: bool
    blocked: bool


class DeadLetters:
    """The dead letters of the outbox, within one transaction."""

    def __init__(self, work: UnitOfWork) -> None:
        self._connection = work.connection
        self._vault = work.vault

    def all(self) -> list[DeadLetter]:
        """All dead letters, the oldest first."""
        return [
            DeadLetter(
                number,
                client,
                Priority(priority),
                reason,
                None if created is None else from_micros(created),
                self._is_readable(client, body),
                superseded,
                blocked is not None,
            )
            for number, client, priority, reason, created, body, blocked, superseded in self._connection.execute(
                _dead
            )
        ]

    def put_back(self, message: int) -> None:
        """This message waits again, in its old place."""
        self._connection.execute(update(outbox).where(outbox.c.id == message).values(dead_letter=None))

    def drop(self, message: int) -> None:
        """Delete this message, if it is a dead letter."""
        self._connection.execute(delete(outbox).where(outbox.c.id == message, outbox.c.dead_letter.is_not(None)))

    def _is_readable(self, client: str, body: bytes) -> bool:
        try:
            read_message(self._vault.decrypt(client, BODY, body))
        except (DecryptionError, Malformed):
            return False
        return True
