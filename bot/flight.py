"""One burst on its way to one chat: what is on the wire, and what has arrived but is not marked yet."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from bot.pace import Ticket
from state_machine.messages import Lane


class Flight:
    """The one flight to a chat. `client` None: the client has been erased, and there is nothing to mark."""

    def __init__(self, address: str, lane: Lane, client: str | None) -> None:
        self.address = address
        self.lane = lane
        self.client = client
        self.task: asyncio.Task[None] | None = None
        self.ticket: Ticket | None = None
        self.gives_way = False
        self.failed = False
        self.settled = asyncio.Event()
        self.settled.set()
        self._calls = 0
        self._unmarked: dict[int, int | None] = {}
        self._marking: asyncio.Task[None] | None = None

    @contextmanager
    def on_the_wire(self) -> Iterator[None]:
        """While a call is under way, the chat is not settled."""
        self._calls += 1
        self.settled.clear()
        try:
            yield
        finally:
            self._calls -= 1
            # A mark, if there is one, is asked for before the loop runs anything else.
            asyncio.get_running_loop().call_soon(self._look_settled)

    def mark(
        self,
        parcel: int,
        message_id: int | None,
        write: Callable[[str, dict[int, int | None]], Awaitable[None]],
    ) -> None:
        """Have this parcel marked as carried, together with others that wait for the same."""
        if self.client is None:
            return
        self.settled.clear()
        self._unmarked[parcel] = message_id
        if self._marking is None:
            self._marking = asyncio.create_task(self._write_all(self.client, write))

    async def marked(self) -> None:
        """Return once all marks are written."""
        if self._marking is not None:
            await self._marking

    async def _write_all(self, client: str, write: Callable[[str, dict[int, int | None]], Awaitable[None]]) -> None:
        try:
            while self._unmarked:
                marks, self._unmarked = self._unmarked, {}
                await write(client, marks)
        finally:
            self._marking = None
            self._look_settled()

    def _look_settled(self) -> None:
        if self._calls == 0 and self._marking is None and not self._unmarked:
            self.settled.set()
