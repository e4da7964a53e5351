"""Telegram's limits, counted where calls leave us."""

from __future__ import annotations

from collections import deque

from bot.delivery.rate_limiter import RateLimiter
from bot.measurement.simulation.recorder import Recorder
from state_machine.model.outgoing import Priority

A_SECOND, REMINDERS, BURST = 29, 5, 3
HAIR = 0.002
"""Seconds of tolerance for sums of fractions."""
UNCOUNTED = frozenset({"getMe", "getUpdates", "deleteMessage", "deleteMessages", "setMyCommands"})
OF_NO_CHAT = frozenset({"answerCallbackQuery", "sendChatAction"})


class Limits:
    """Counts what one process of the bot sends. A new process begins anew."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._all: deque[float] = deque(maxlen=A_SECOND)
        self._chats: dict[str, tuple[float, float]] = {}

    def leaves(self, method: str, chat: str, at: float) -> None:
        """One call leaves us at this second of the loop's clock."""
        if method in UNCOUNTED:
            return
        if len(self._all) == A_SECOND and at - self._all[0] < 1.0 - HAIR:
            self._recorder.wrong(f"more than {A_SECOND} calls in a second, at {at:.3f}")
        self._all.append(at)
        if method in OF_NO_CHAT:
            return
        left, since = self._chats.get(chat, (float(BURST), at))
        left = min(float(BURST), left + at - since) - 1
        if left < -HAIR:
            self._recorder.wrong(f"too fast for the chat {chat}, at {at:.3f}")
        self._chats[chat] = (left, at)
        if len(self._chats) > 500:
            self._chats = {name: (n, t) for name, (n, t) in self._chats.items() if at - t < BURST}


class RecordedRateLimiter(RateLimiter):
    """The courier's own rate limiter, with the share of reminders counted beside it."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder
        self._reminders_sent: deque[float] = deque(maxlen=REMINDERS)

    def take(self, chat: str | None, priority: Priority, at: float) -> None:
        """As the rate limiter's own."""
        super().take(chat, priority, at)
        if priority is Priority.REMINDER and chat is not None:
            if len(self._reminders_sent) == REMINDERS and at - self._reminders_sent[0] < 1.0 - HAIR:
                self._recorder.wrong(f"more than {REMINDERS} reminders in a second, at {at:.3f}")
            self._reminders_sent.append(at)
