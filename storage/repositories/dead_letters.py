"""What could not be carried and was parked in the outbox: shown, put back to wait, or let go."""

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
_parked = (
    select(
        outbox.c.id,
        outbox.c.client,
        outbox.c.priority,
        outbox.c.parked,
        outbox.c.said_at,
        outbox.c.body,
        chats.c.blocked_at,
        select(_after.c.id)
        .where(_after.c.client == outbox.c.client, _after.c.id > outbox.c.id, _after.c.parked.is_(None))
        .exists(),
    )
    .select_from(outbox.join(chats, chats.c.client == outbox.c.client))
    .where(outbox.c.parked.is_not(None))
    .order_by(outbox.c.id)
)


@dataclass(frozen=True, slots=True)
class ParkedParcel:
    """A parcel that is parked. `reason` is the name of a class; `said` None: by a release that did not note it.

    `opens`: it can be read; `overtaken`: something said after it was carried, or may be on its way;
    `away`: the client blocked us.
    """

    id: int
    client: str
    priority: Priority
    reason: str
    said: datetime | None
    opens: bool
    overtaken: bool
    away: bool


class ParkedParcels:
    """The parcels that are parked, within one transaction."""

    def __init__(self, work: UnitOfWork) -> None:
        self._connection = work.connection
        self._vault = work.vault

    def all(self) -> list[ParkedParcel]:
        """The parcels that could not be carried, in the order they were said."""
        return [
            ParkedParcel(
                number,
                client,
                Priority(priority),
                reason,
                None if said is None else from_micros(said),
                self._opens(client, body),
                overtaken,
                blocked is not None,
            )
            for number, client, priority, reason, said, body, blocked, overtaken in self._connection.execute(_parked)
        ]

    def unpark(self, parcel_id: int) -> None:
        """This parcel waits again, in its old place."""
        self._connection.execute(update(outbox).where(outbox.c.id == parcel_id).values(parked=None))

    def drop(self, parcel_id: int) -> None:
        """This parcel will never be carried: it goes, if it is parked."""
        self._connection.execute(delete(outbox).where(outbox.c.id == parcel_id, outbox.c.parked.is_not(None)))

    def _opens(self, client: str, body: bytes) -> bool:
        try:
            read_message(self._vault.decrypt(client, BODY, body))
        except (DecryptionError, Malformed):
            return False
        return True
