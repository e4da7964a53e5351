"""How fast we may send: arithmetic over instants given from outside, in seconds of any steady clock.

Telegram asks for about 30 messages a second per bot, about one a second per private chat and 20 a minute per group
(https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this).
The exact limits are not published, so we stay one below and still obey every 429.
"""

from __future__ import annotations

from collections import deque

from state_machine.model.outgoing import Priority

FORGET_CHATS_AFTER = 1000
"""After so many sends, chats that may send freely again are forgotten."""
MOST_A_MINUTE_TO_A_GROUP = 20
NEVER = float("-inf")


class RateLimiter:
    """Counts sends and says when the next one may go.

    `a_second`: at most so many sends in any rolling second, all chats together.
    `reminders`: of these, at most so many of the priority `REMINDER`.
    `burst` and `refill`: a private chat's bucket holds so many sends, and is refilled with so many a second.
    """

    def __init__(self, a_second: int = 29, reminders: int = 5, burst: int = 3, refill: float = 1.0) -> None:
        self._all: deque[float] = deque(maxlen=a_second)
        self._reminders: deque[float] = deque(maxlen=reminders)
        self._step = 1 / refill
        self._slack = (burst - 1) * self._step
        self._chats: dict[str, float] = {}
        self._groups: dict[str, deque[float]] = {}
        self._blocked_until: dict[str, float] = {}
        self._all_blocked_until = NEVER
        self._since_tidying = 0

    def free_at(self, chat: str | None, priority: Priority, at: float) -> float:
        """The first instant, `at` or later, when this send may go. `chat` None: it counts for no chat."""
        free = max(at, self._all_blocked_until, _window_opens(self._all, 1.0))
        if priority is Priority.REMINDER:
            free = max(free, _window_opens(self._reminders, 1.0))
        if chat is None:
            return free
        free = max(free, self._blocked_until.get(chat, NEVER))
        if chat in self._chats:
            free = max(free, self._chats[chat] - self._slack)
        if chat in self._groups:
            free = max(free, _window_opens(self._groups[chat], 60.0))
        return free

    def take(self, chat: str | None, priority: Priority, at: float) -> None:
        """Count one send."""
        self._all.append(at)
        if priority is Priority.REMINDER:
            self._reminders.append(at)
        if chat is not None:
            self._chats[chat] = max(self._chats.get(chat, at), at) + self._step
            if is_group(chat):
                self._groups.setdefault(chat, deque(maxlen=MOST_A_MINUTE_TO_A_GROUP)).append(at)
        self._since_tidying += 1
        if self._since_tidying >= FORGET_CHATS_AFTER:
            self._since_tidying = 0
            self._tidy(at)

    def block(self, chat: str | None, until: float) -> None:
        """Let nothing go before this instant: to this chat, or to nobody for None."""
        if chat is None:
            self._all_blocked_until = max(self._all_blocked_until, until)
        else:
            self._blocked_until[chat] = max(self._blocked_until.get(chat, NEVER), until)

    def is_blocked(self, chat: str | None, at: float) -> bool:
        """Whether `block` keeps this chat, or everybody, waiting at this instant."""
        return at < max(self._all_blocked_until, self._blocked_until.get(chat or "", NEVER))

    def is_idle(self, at: float) -> bool:
        """Whether less than half of what may go in a second has gone in the last one."""
        recent = sum(1 for sent in self._all if sent + 1.0 > at)
        return at >= self._all_blocked_until and recent * 2 < (self._all.maxlen or 0)

    def _tidy(self, at: float) -> None:
        self._chats = {name: full for name, full in self._chats.items() if full > at}
        self._groups = {name: sent for name, sent in self._groups.items() if sent[-1] + 60.0 > at}
        self._blocked_until = {name: until for name, until in self._blocked_until.items() if until > at}


def is_group(chat: str) -> bool:
    """Whether an address is that of a Telegram group: their ids are negative."""
    return chat.rpartition(":")[2].startswith("-")


def _window_opens(sent: deque[float], seconds: float) -> float:
    return sent[0] + seconds if len(sent) == sent.maxlen else NEVER
