"""The line of those who wait to send, on the event loop's own clock."""

from __future__ import annotations

import asyncio

from bot.pace import Line, Pace, Ticket
from state_machine.model.outgoing import Priority


class Turnstile:
    """Lets senders through one by one, as the pace allows."""

    def __init__(self, pace: Pace) -> None:
        self._line = Line(pace)
        self._pace = pace
        self._through: dict[int, asyncio.Future[bool]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def join(self, chat: str | None, priority: Priority) -> Ticket:
        """Stand in line; `passed` then waits for the turn."""
        ticket = self._line.join(chat, priority)
        self._through[ticket.number] = asyncio.get_running_loop().create_future()
        self._advance()
        return ticket

    def waits(self, ticket: Ticket) -> float:
        """Seconds this ticket has to wait, those before it in the line left out; 0 if it is through."""
        if self._through[ticket.number].done():
            return 0.0
        at = asyncio.get_running_loop().time()
        return self._pace.free_at(ticket.chat, ticket.priority, at) - at

    async def passed(self, ticket: Ticket) -> bool:
        """True when the turn has come, False when the ticket was given back by `leave`."""
        try:
            return await self._through[ticket.number]
        finally:
            self._line.leave(ticket)
            self._through.pop(ticket.number, None)

    def leave(self, ticket: Ticket) -> None:
        """Give a ticket back; whoever waits on it is told False."""
        self._line.leave(ticket)
        waiting = self._through.get(ticket.number)
        if waiting is not None and not waiting.done():
            waiting.set_result(False)

    def shut(self, seconds: float) -> None:
        """Let nobody through for so long."""
        self._pace.shut(asyncio.get_running_loop().time() + seconds)

    def spare(self, priority: Priority) -> bool:
        """Whether there is room for something that need not be sent; if so, it is counted."""
        at = asyncio.get_running_loop().time()
        if not self._pace.idle(at):
            return False
        self._pace.take(None, priority, at)
        return True

    def _advance(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        through, again = self._line.admit(loop.time())
        for ticket in through:
            self._through[ticket.number].set_result(True)
        if again is not None:
            self._timer = loop.call_at(again, self._advance)
