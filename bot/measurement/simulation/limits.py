"""Checks that calls keep within Telegram's rate limits, counted where they are sent."""

from __future__ import annotations

from collections import deque

from bot.delivery.rate_limiter import RateLimiter
from bot.measurement.simulation.recorder import Recorder
from state_machine.model.outgoing import Priority

A_SECOND, REMINDERS, BURST = 29, 5, 3
TOLERANCE = 0.002
"""Seconds, for rounding errors in sums of fractions."""
UNCOUNTED = frozenset({"getMe", "getUpdates", "deleteMessage", "deleteMessages", "setMyCommands"})
OF_NO_CHAT = frozenset({"answerCallbackQuery", "sendChatAction"})


class Limits:
    """Counts what one process of the bot sends. A new process starts from zero."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._all: deque[float] = deque(maxlen=A_SECOND)
        self._chats: dict[str, tuple[float, float]] = {}

    def count_call(self, method: str, chat: str, at: float) -> None:
        """Count one call, sent at `at` (seconds of the loop's clock). A broken limit is recorded as a violation."""
        if method in UNCOUNTED:
            return
        if len(self._all) == A_SECOND and at - self._all[0] < 1.0 - TOLERANCE:
            self._recorder.add_violation(f"more than {A_SECOND} calls in a second, at {at:.3f}")
        self._all.append(at)
        if method in OF_NO_CHAT:
            return
        left, since = self._chats.get(chat, (float(BURST), at))
        left = min(float(BURST), left + at - since) - 1
        if left < -TOLERANCE:
            self._recorder.add_violation(f"too fast for the chat {chat}, at {at:.3f}")
        self._chats[chat] = (left, at)
        if len(self._chats) > 500:
            self._chats = {name: (n, t) for name, (n, t) in self._chats.items() if at - t < BURST}


class RecordedRateLimiter(RateLimiter):
    """The courier's rate limiter; it also checks the limit on reminders."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder
        self._reminders_sent: deque[float] = deque(maxlen=REMINDERS)

    def take(self, chat: str | None, priority: Priority, at: float) -> None:
        """As in the base class."""
        super().take(chat, priority, at)
        if priority is Priority.REMINDER and chat is not None:
            if len(self._reminders_sent) == REMINDERS and at - self._reminders_sent[0] < 1.0 - TOLERANCE:
                self._recorder.add_violation(f"more than {REMINDERS} reminders in a second, at {at:.3f}")
            self._reminders_sent.append(at)
