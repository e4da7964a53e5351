"""Flights, each one burst on its way to one chat: what is on the wire, what is not marked yet, what became of all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bot.marks import Marks
from bot.pace import Ticket
from state_machine.model.outgoing import Edit, Priority
from storage.repositories.outbox import Parcel


@dataclass
class Counts:
    """What became of what all flights carried. Numbers only."""

    sent: int = 0
    retried: int = 0
    unclear: int = 0
    held: int = 0
    parked: int = 0
    blocked: int = 0
    faults: int = 0


class Flight:
    """The one flight to a chat. `client` None: the client has been erased, and there is nothing to mark."""

    def __init__(self, address: str, priority: Priority, client: str | None) -> None:
        self.address = address
        self.priority = priority
        self.client = client
        self.task: asyncio.Task[None] | None = None
        self.ticket: Ticket | None = None
        self.gives_way = False
        self.passed_over = False
        """Whether the outbox was looked at since it began. More may wait for its chat then."""
        self.sent = 0
        self.settled = asyncio.Event()
        self.settled.set()
        self._on_the_wire = False
        self._marking: asyncio.Task[None] | None = None

    @contextmanager
    def on_the_wire(self) -> Iterator[None]:
        """While a call is under way, the chat is not settled."""
        self._on_the_wire = True
        self.settled.clear()
        try:
            yield
        finally:
            self._on_the_wire = False
            # If it arrived, its mark is asked for before the loop runs anything else.
            asyncio.get_running_loop().call_soon(self._look_settled)

    def mark(self, marks: Marks, parcel: int, message_id: int | None) -> None:
        """Have this parcel marked as carried."""
        if self.client is None:
            return
        self.settled.clear()
        self._marking = marks.add(self.client, parcel, message_id)
        self._marking.add_done_callback(lambda _: self._look_settled())

    async def marked(self) -> None:
        """Return once all marks are written."""
        if self._marking is not None:
            await self._marking

    def _look_settled(self) -> None:
        if not self._on_the_wire and (self._marking is None or self._marking.done()):
            self.settled.set()


def overtaken_edits(parcels: tuple[Parcel, ...]) -> set[int]:
    """Edits that a later edit of the same message makes needless."""
    latest: dict[int, int] = {}
    needless: set[int] = set()
    for parcel in parcels:
        if isinstance(parcel.message, Edit):
            earlier = latest.get(parcel.message.message_id)
            if earlier is not None:
                needless.add(earlier)
            latest[parcel.message.message_id] = parcel.id
    return needless
