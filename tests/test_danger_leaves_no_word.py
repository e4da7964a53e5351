"""A run full of dangerous messages: no word of them in the log, in the files, or among the counts."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.app import App
from bot.conversation import InboundEvent
from state_machine.model.events import Edited, Said, Shared
from tests.stores import disguises

CORPUS = Path(__file__).parent / "safety" / "corpus_en.jsonl"
START = datetime(2026, 1, 5, 9, tzinfo=UTC)


def _dangerous() -> Iterator[str]:
    """The explicit messages of our own corpus that are long enough to be found again."""
    for line in CORPUS.read_text(encoding="utf-8").splitlines()[::7]:
        message = json.loads(line)
        if message["tier"] == "explicit" and isinstance(message["text"], str) and len(message["text"]) > 15:
            yield message["text"]


def test_no_dangerous_word_reaches_a_log_a_file_or_a_count(app: App, caplog: pytest.LogCaptureFixture) -> None:
    said = list(_dangerous())
    assert len(said) > 40
    with caplog.at_level(logging.DEBUG):
        for number, text in enumerate(said):
            at = START + timedelta(minutes=number)
            event = (Said(at, text), Edited(at, text), Shared(at, "photo", text))[number % 3]
            address = f"terminal:{number % 4}"
            assert app.conversation.receive(InboundEvent(f"danger:{number}", address, event, payload=text.encode()))
    with app.store.begin() as work:
        counts = work.counters.bands()
    assert counts, "danger was met and counted"
    app.store.close()
    everything = caplog.text.encode() + str(counts).encode()
    everything += b"".join(path.read_bytes() for path in app.settings.data_dir.rglob("*") if path.is_file())
    for text in said:
        assert text.encode() not in everything
        assert not any(disguise in everything for disguise in disguises(text))
