"""The real book, read once for all tests of the Telegram edge."""

from __future__ import annotations

from bot import app
from bot.settings import Settings
from dialogues.reading import signals
from state_machine.turn import machine

BOOK, PROMPTS = app.words(Settings(_env_file=None))  # type: ignore[call-arg]
CHARTS = machine.build(BOOK.script, signals.screen())
