"""What waits to be carried to the messenger, and what was carried lately.

Within one chat the order is always that of saying. Between chats, the one with the most urgent parcel goes first,
and what was said before that parcel goes ahead of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Integer, bindparam, case, delete, func, insert, select, update

from state_machine.model.outgoing import Message, Outgoing, Priority
from storage.codec import Malformed, read_message, write_message
from storage.errors import DecryptionError
from storage.tables import chats, holds, is_waiting, outbox
from storage.timestamps import to_micros
from storage.upsert import insert_or_update

if TYPE_CHECKING:
    from storage.unit_of_work import UnitOfWork

KEPT = timedelta(hours=48)
"""How long it is kept which messages were carried: so long Telegram lets a bot delete them."""

BODY = "outbox.body"
"""The name under which what is said is sealed."""
LONGEST_HOLD = timedelta(minutes=5)
"""A hold that ends later than this from now is none: it was made under a clock that was fast."""
_EVERYBODY = "everybody"
_ready = (
    is_waiting(outbox),
    chats.c.blocked_at.is_(None),
    chats.c.held_until.is_(None)
    | (chats.c.held_until <= bindparam("now"))
    | (chats.c.held_until > bindparam("longest")),
    ~select(holds.c.name)
    .where(holds.c.name == _EVERYBODY, holds.c.until > bindparam("now"), holds.c.until <= bindparam("longest"))
    .exists(),
)
_joined = outbox.join(chats, chats.c.client == outbox.c.client)
_first = (
    select(outbox.c.client, outbox.c.priority)
    .select_from(_joined)
    .where(*_ready, outbox.c.priority <= bindparam("last"))
    .order_by(outbox.c.priority, outbox.c.id)
    .limit(bindparam("most", type_=Integer))
)
_first_of_others = _first.where(outbox.c.client.not_in(bindparam("passed", expanding=True)))
_lanes_of = (
    select(outbox.c.client, func.min(outbox.c.priority))
    .where(is_waiting(outbox), outbox.c.client.in_(bindparam("clients", expanding=True)))
    .group_by(outbox.c.client)
)
# The number of the first parcel of a chat that is too many for one burst; null where there is none.
_later = outbox.alias("later")
_too_many = (
    select(_later.c.id)
    .where(_later.c.client == chats.c.client, is_waiting(_later))
    .order_by(_later.c.id)
    .limit(1)
    .offset(bindparam("most", type_=Integer))
    .scalar_subquery()
)
_chosen = (
    select(chats.c.client, chats.c.address, _too_many.label("too_many"))
    .where(chats.c.client.in_(bindparam("clients", expanding=True)))
    .subquery("chosen")
)
_of_chats = (
    select(_chosen.c.client, _chosen.c.address, outbox.c.id, outbox.c.body)
    .select_from(outbox.join(_chosen, _chosen.c.client == outbox.c.client))
    .where(is_waiting(outbox), _chosen.c.too_many.is_(None) | (outbox.c.id < _chosen.c.too_many))
    .order_by(outbox.c.client, outbox.c.id)
)
_carried = (
    update(outbox)
    .where(outbox.c.id == bindparam("id_"), outbox.c.client == bindparam("client_"))
    .values(body=None, carried_at=bindparam("now_"), message_id=bindparam("message_"))
)
# The numbers of one burst are in order, so that those between its first and its last are its own.
_question = (
    select(func.max(outbox.c.message_id))
    .where(outbox.c.client == bindparam("client_"), outbox.c.id.between(bindparam("first_"), bindparam("last_")))
    .where(outbox.c.asks)
    .scalar_subquery()
)
_reached = (
    update(chats)
    .where(chats.c.client == bindparam("client_"))
    .values(
        last_message_id=case(
            (func.coalesce(chats.c.last_message_id, 0) < bindparam("message_"), bindparam("message_")),
            else_=chats.c.last_message_id,
        ),
        question_id=func.coalesce(_question, chats.c.question_id),
    )
)
_let_go = (
    update(chats)
    .where(chats.c.client == bindparam("client_"), chats.c.held_until.is_not(None))
    .values(held_until=None)
)
# Whoever never got the question that is open is not taken to answer it.
_lose_question = (
    update(chats)
    .where(chats.c.client.in_(select(outbox.c.client).where(outbox.c.id == bindparam("id_"), outbox.c.asks)))
    .values(question_id=None)
)
_waiting_of = (
    select(func.count()).select_from(outbox).where(outbox.c.client == bindparam("client"), is_waiting(outbox))
)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message to be carried, with the number it is marked by."""

    id: int
    message: Outgoing


@dataclass(frozen=True, slots=True)
class Burst:
    """What waits for one chat, in order. `lane` is that of its most urgent parcel."""

    client: str
    address: str
    priority: Priority
    parcels: tuple[Parcel, ...]


class Outbox:
    """The outbox, within one transaction."""

    def __init__(self, work: UnitOfWork) -> None:
        self._connection = work.connection
        self._vault = work.vault

    def put(self, client: str, priority: Priority, messages: Sequence[Outgoing], now: datetime) -> None:
        """Messages to be carried to a client, in this order, after what already waits for them.

        A hold of this client ends, unless these are mere reminders: what held it was another message's retry.
        """
        if messages and priority is not Priority.REMINDER:
            # Whoever is answered has just written, so the way is open; and words of safety wait for no retry.
            self._connection.execute(_let_go, {"client_": client})
        if messages:
            self._connection.execute(
                insert(outbox),
                [
                    {
                        "client": client,
                        "priority": priority.value,
                        "body": self._vault.encrypt(client, BODY, write_message(message)),
                        "asks": isinstance(message, Message) and message.asks is not None,
                        "said_at": to_micros(now),
                    }
                    for message in messages
                ],
            )

    def next_burst(self, now: datetime, most: int = 20) -> Burst | None:
        """What is to be carried next: the chat with the most urgent parcel, and up to `most` of its parcels."""
        return next(iter(self.bursts(now, 1, most)), None)

    def bursts(
        self, now: datetime, limit: int, most: int = 20, last: Priority = Priority.REMINDER, but: Collection[str] = ()
    ) -> list[Burst]:
        """The same for up to `limit` chats, the most urgent first. Not those held, nor those who blocked us.

        Only chats with a parcel of the lane `last` or a more urgent one, and none of the clients of `but`.
        A parcel that can't be opened or parsed is parked, and the others go on.
        """
        found: list[Burst] = []
        passed = list(but)
        more = True
        while more and len(found) < limit:
            priorities, more = self._urgent(now, limit - len(found), last, passed)
            passed += priorities
            found += self._read(priorities, most) if priorities else []
        return found

    def lanes_of(self, clients: Collection[str]) -> dict[str, Priority]:
        """The lane of the most urgent parcel that waits, by client, held or not; nothing for whom nothing waits."""
        if not clients:
            return {}
        rows = self._connection.execute(_lanes_of, {"clients": list(clients)})
        return {client: Priority(priority) for client, priority in rows}

    def burst_of(self, client: str, most: int = 20) -> Burst | None:
        """What waits for one chat, held or not; None if nothing does."""
        return next(iter(self._read({client: Priority.ANSWER}, most)), None)

    def carried(self, client: str, ids: Mapping[int, int | None], now: datetime) -> None:
        """These parcels reached the messenger: parcel number to message id, None where it made no message.

        Their words are emptied. Nothing happens for parcels that went with an erasure meanwhile.
        """
        if not ids:
            return
        at = to_micros(now)
        self._connection.execute(
            _carried,
            [{"id_": parcel, "client_": client, "now_": at, "message_": message} for parcel, message in ids.items()],
        )
        latest = max((message for message in ids.values() if message is not None), default=None)
        if latest is not None:
            values = {"client_": client, "message_": latest, "first_": min(ids), "last_": max(ids)}
            self._connection.execute(_reached, values)

    def hold(self, client: str | None, until: datetime) -> None:
        """Carry nothing to this client, or for None to nobody, before `until`: five minutes ahead at most."""
        if client is None:
            self._connection.execute(
                insert_or_update(self._connection, holds, "until"), {"name": _EVERYBODY, "until": to_micros(until)}
            )
        else:
            self._connection.execute(
                update(chats).where(chats.c.client == client).values(held_until=to_micros(until))
            )

    def park(self, parcel_id: int, reason: str) -> None:
        """This parcel can never be carried. `reason` is the name of a class; ValueError if it is not a name."""
        if not reason.isidentifier():
            raise ValueError("the reason for parking must be the name of a class")
        self._connection.execute(update(outbox).where(outbox.c.id == parcel_id).values(parked=reason[:80]))
        self._connection.execute(_lose_question, {"id_": parcel_id})

    def waiting(self, client: str) -> int:
        """How many parcels of a client are neither carried nor parked."""
        return self._connection.scalar(_waiting_of, {"client": client}) or 0

    def message_ids(self, client: str, since: datetime) -> list[int]:
        """The messages carried to a client since then, the oldest first."""
        found = select(outbox.c.message_id).where(
            outbox.c.client == client, outbox.c.carried_at >= to_micros(since), outbox.c.message_id.is_not(None)
        )
        return [message for message in self._connection.scalars(found.order_by(outbox.c.id)) if message is not None]

    def forget(self, now: datetime) -> None:
        """What was carried more than 48 hours ago goes."""
        self._connection.execute(delete(outbox).where(outbox.c.carried_at < to_micros(now - KEPT)))

    def _urgent(
        self, now: datetime, chats_wanted: int, last: Priority, passed: list[str]
    ) -> tuple[dict[str, Priority], bool]:
        """Up to so many chats in the order of their most urgent parcel, and whether there may be more."""
        most = chats_wanted if chats_wanted == 1 else chats_wanted * 8
        values = {"now": to_micros(now), "longest": to_micros(now + LONGEST_HOLD), "most": most, "last": last.value}
        rows = (
            self._connection.execute(_first_of_others, {**values, "passed": passed})
            if passed
            else self._connection.execute(_first, values)
        ).all()
        found: dict[str, Priority] = {}
        for client, priority in rows:
            if client not in found and len(found) == chats_wanted:
                return found, True
            found.setdefault(client, Priority(priority))
        return found, len(rows) == most

    def _read(self, priorities: dict[str, Priority], most: int) -> list[Burst]:
        """The bursts of these chats, in their order; none for a chat of which nothing can be read."""
        rows = self._connection.execute(_of_chats, {"clients": list(priorities), "most": most}).all()
        addresses: dict[str, str] = {}
        parcels: dict[str, list[Parcel]] = {client: [] for client in priorities}
        for client, address, number, body in rows:
            try:
                if client not in addresses:
                    addresses[client] = self._vault.decrypt(client, "chats.address", address).decode()
                parcels[client].append(Parcel(number, read_message(self._vault.decrypt(client, BODY, body))))
            except (DecryptionError, Malformed, UnicodeDecodeError) as fault:
                self.park(number, type(fault).__name__)
        return [
            Burst(client, addresses[client], priority, tuple(parcels[client]))
            for client, priority in priorities.items()
            if parcels[client]
        ]
