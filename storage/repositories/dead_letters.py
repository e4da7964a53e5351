"""Dead letters, that is messages that could not be sent: listed, put back into the outbox, or deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update

from state_machine.model.outgoing import Priority
from storage.database import from_micros
from storage.errors import DecryptionError, Malformed
from storage.repositories.outbox import BODY, read_message
from storage.session import Session
from storage.tables import chats, outbox

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
    """A message that could not be sent. `reason` is the name of an exception.

    `created` is None in data of old releases; `readable`: it can be decrypted; `superseded`: a later message to the
    client was sent, or waits to be sent; `blocked`: the client blocked the bot.
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

    def __init__(self, session: Session) -> None:
        self._connection = session.connection
        self._vault = session.vault

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
        """Let this message wait again, in its old place."""
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
