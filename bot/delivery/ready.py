"""The queue of what is ready to be sent: the first message of each chat, the most urgent chat first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field

from bot.delivery.rate_limiter import RateLimiter
from state_machine.model.outgoing import Message, Outgoing, Priority, TapAnswer

CONCURRENCY = {Priority.SAFETY: 1000, Priority.ANSWER: 64, Priority.REMINDER: 8}
"""How many sends may be under way at once, by priority, so that slow reminders never keep an answer waiting."""


@dataclass(order=True, slots=True)
class Ready:
    """One thing to be sent. They sort in the order in which they go.

    `order`: the place among those of the same priority. `send` sends it and returns what follows in the same chat,
    None if nothing does; it handles every failure itself.
    """

    priority: Priority
    order: tuple[int, int]
    address: str = field(compare=False)
    message: Outgoing | None = field(compare=False)
    send: Callable[[Ready], Awaitable[Ready | None]] = field(compare=False)
    typing_shown: bool = field(default=False, compare=False)

    @property
    def chat(self) -> str | None:
        """The chat whose limit counts this; None for the answer to a tap, which makes no message."""
        return None if isinstance(self.message, TapAnswer) else self.address


class ReadyQueue:
    """What is ready, and what is being sent. One thing at a time goes to one chat."""

    def __init__(self, limiter: RateLimiter) -> None:
        self.limiter = limiter
        self.sending: dict[str, Ready] = {}
        self._waiting: list[Ready] = []
        self._touched: set[str] = set()
        self._missed: set[str] = set()

    def begin_look(self) -> None:
        """The database is about to be read. What changes here from now on is newer than what will be found."""
        self._touched = set(self.sending)

    def replace(self, found: Iterable[Ready]) -> None:
        """Take what was found in place of what was found before, but for chats in which something happened since."""
        kept = [ready for ready in self._waiting if ready.order[0] < 0 or ready.address in self._touched]
        for ready in found:
            if ready.address not in self._touched:
                kept.append(ready)
            elif ready.address in self.sending and ready.order != self.sending[ready.address].order:
                self._missed.add(ready.address)
        self._waiting = sorted(kept)

    def add(self, ready: Ready) -> None:
        """Add one thing: what follows in a chat, or something that is not stored."""
        self._touched.add(ready.address)
        self._waiting = sorted([*self._waiting, ready])

    def take(self, at: float) -> Ready | None:
        """What may go at this instant, now counted as sent by the limiter; None if nothing may."""
        counts = Counter(ready.priority for ready in self.sending.values())
        for ready in self._waiting:
            if ready.address in self.sending or counts[ready.priority] >= CONCURRENCY[ready.priority]:
                continue
            if self.limiter.free_at(ready.chat, ready.priority, at) <= at:
                self.limiter.take(ready.chat, ready.priority, at)
                self._waiting.remove(ready)
                self.sending[ready.address] = ready
                self._touched.add(ready.address)
                return ready
        return None

    def next_at(self, at: float) -> float | None:
        """The first instant at which something that waits only for the limiter may go; None if nothing does."""
        free = (ready for ready in self._waiting if ready.address not in self.sending)
        return min((self.limiter.free_at(ready.chat, ready.priority, at) for ready in free), default=None)

    def kept_waiting(self, at: float, seconds: float) -> Iterator[Ready]:
        """Messages that must wait at least so long for the limiter, each named once."""
        for ready in self._waiting:
            if ready.typing_shown or not isinstance(ready.message, Message) or ready.address in self.sending:
                continue
            if self.limiter.is_blocked(ready.chat, at):
                continue
            if self.limiter.free_at(ready.chat, ready.priority, at) - at >= seconds:
                ready.typing_shown = True
                yield ready

    def done(self, ready: Ready) -> bool:
        """This send has ended. Whether something else was found for its chat meanwhile, so it must be read again."""
        self._touched.add(ready.address)
        del self.sending[ready.address]
        missed = ready.address in self._missed
        self._missed.discard(ready.address)
        return missed
