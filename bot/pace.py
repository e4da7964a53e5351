"""How fast we may send: arithmetic over instants given from outside, in seconds of any steady clock.

Telegram asks for about 30 messages a second per bot and about one a second per private chat
(https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this);
the exact limits are not published, so we stay one below and still obey every 429.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from dataclasses import dataclass, field

from state_machine.model.outgoing import Priority

FORGET_CHATS_AFTER = 1000
"""After so many sends, chats whose bucket is full again are forgotten."""


class Pace:
    """Counts sends and says when the next one may go.

    `a_second`: at most so many sends in any rolling second, all chats together.
    `reminders`: of these, at most so many of the reminder lane.
    `burst` and `refill`: a chat's bucket, refilled with so many a second.
    """

    def __init__(self, a_second: int = 29, reminders: int = 5, burst: int = 3, refill: float = 1.0) -> None:
        self._all: deque[float] = deque(maxlen=a_second)
        self._reminders: deque[float] = deque(maxlen=reminders)
        self._step = 1 / refill
        self._slack = (burst - 1) * self._step
        self._chats: dict[str, float] = {}
        self._shut_until = float("-inf")
        self._since_tidying = 0

    def free_at(self, chat: str | None, priority: Priority, at: float) -> float:
        """The first instant, `at` or later, when this send may go. `chat` None: no chat's bucket counts it."""
        free = max(at, self._shut_until, _window_opens(self._all))
        if priority is Priority.REMINDER:
            free = max(free, _window_opens(self._reminders))
        if chat is not None and chat in self._chats:
            free = max(free, self._chats[chat] - self._slack)
        return free

    def take(self, chat: str | None, priority: Priority, at: float) -> None:
        """Count one send."""
        self._all.append(at)
        if priority is Priority.REMINDER:
            self._reminders.append(at)
        if chat is not None:
            self._chats[chat] = max(self._chats.get(chat, at), at) + self._step
        self._since_tidying += 1
        if self._since_tidying >= FORGET_CHATS_AFTER:
            self._since_tidying = 0
            self._chats = {name: full for name, full in self._chats.items() if full > at}

    def shut(self, until: float) -> None:
        """Let nothing go before this instant."""
        self._shut_until = max(self._shut_until, until)

    def idle(self, at: float) -> bool:
        """Whether less than half of what may go in a second has gone in the last one."""
        recent = sum(1 for sent in self._all if sent + 1.0 > at)
        return at >= self._shut_until and recent * 2 < (self._all.maxlen or 0)


def _window_opens(sent: deque[float]) -> float:
    return sent[0] + 1.0 if len(sent) == sent.maxlen else float("-inf")


@dataclass(order=True, slots=True)
class Ticket:
    """A place in the line: safety first, then in the order of coming."""

    priority: Priority
    number: int
    chat: str | None = field(compare=False)


class Line:
    """Those who wait to send, each let through as soon as the pace allows, the more urgent lane first."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self._waiting: list[Ticket] = []
        self._numbers = 0

    def join(self, chat: str | None, priority: Priority) -> Ticket:
        """Stand in line."""
        self._numbers += 1
        ticket = Ticket(priority, self._numbers, chat)
        insort(self._waiting, ticket)
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Stand in line no longer."""
        if ticket in self._waiting:
            self._waiting.remove(ticket)

    def admit(self, at: float) -> tuple[list[Ticket], float | None]:
        """Who may go at this instant, now counted as sent; and when to look again, None if nobody waits."""
        through: list[Ticket] = []
        staying: list[Ticket] = []
        for ticket in self._waiting:
            if self.pace.free_at(ticket.chat, ticket.priority, at) <= at:
                self.pace.take(ticket.chat, ticket.priority, at)
                through.append(ticket)
            else:
                staying.append(ticket)
        self._waiting = staying
        again = min((self.pace.free_at(t.chat, t.priority, at) for t in staying), default=None)
        return through, again
