"""The real book, read once for all tests of the Telegram edge."""

from __future__ import annotations

from bot import app
from bot.settings import Settings
from dialogues import signals
from state_machine import chart

BOOK, PROMPTS = app.words(Settings(_env_file=None))  # type: ignore[call-arg]
CHARTS = chart.build(BOOK.script, signals.screen())
