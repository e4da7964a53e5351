"""Words that waited at the messenger while we were away: they count when they were written, and are answered now."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from bot.app import App
from bot.conversation import InboundEvent
from state_machine.model.events import Said
from state_machine.programme.tables import CHECK_IN
from tests.talking import Client


def wrote(client: Client, text: str, sent: datetime, taken: datetime) -> InboundEvent:
    """A message that was written at `sent` and taken at `taken`, not yet told to anybody."""
    waiting = client.heard(text)
    client.now = taken
    return InboundEvent(waiting.key, waiting.address, Said(taken, text, sent=sent), waiting.message_id, payload=b"{}")


@pytest.fixture
def new_yorker(newcomer: Client) -> Client:
    """Somebody in New York who has been asked for the time on their clock, at nine in the morning of Greenwich."""
    for words in ("Show me in two minutes", "I'm 18 or over. Yes, keep it", "Only mine", "United States"):
        newcomer.says(words)
    return newcomer


def zone_of(client: Client) -> str | None:
    return next(a.fact.code for a in reversed(client.progress.runs[-1].answers) if a.memory == "zone")


def test_a_clock_is_read_as_it_was_when_the_client_wrote(app: App, new_yorker: Client) -> None:
    sent = new_yorker.now.replace(hour=20, minute=0)
    app.conversation.receive(wrote(new_yorker, "15:00", sent, sent + timedelta(hours=3)))
    assert zone_of(new_yorker) == "America/New_York"


def test_a_date_before_the_question_or_after_now_is_not_believed(app: App, new_yorker: Client) -> None:
    asked = new_yorker.now
    app.conversation.receive(wrote(new_yorker, "04:00", asked - timedelta(days=900), asked + timedelta(hours=3)))
    assert zone_of(new_yorker) == "America/New_York", "as if written when it was asked"


def test_a_check_in_answered_in_the_evening_is_of_that_day_though_it_was_taken_after_midnight(app: App) -> None:
    ana = Client(app).day_one()
    ana.now = ana.now.replace(hour=22)
    ana.says("/checkin")
    today = ana.now.date()
    app.conversation.receive(wrote(ana, "4", ana.now + timedelta(minutes=30), ana.now + timedelta(hours=3)))
    assert (ana.place or "").startswith(CHECK_IN)
    assert (ana.now.date(), ana.progress.runs[-1].day) == (today + timedelta(days=1), today)


def test_a_check_in_taken_on_its_own_day_is_of_no_earlier_day(app: App) -> None:
    ana = Client(app).day_one()
    ana.says("/checkin")
    app.conversation.receive(wrote(ana, "4", ana.now + timedelta(minutes=30), ana.now + timedelta(hours=3)))
    day: date | None = ana.progress.runs[-1].day
    assert day is None


def test_the_silence_after_a_safety_question_begins_when_it_is_asked_and_not_when_they_wrote(app: App) -> None:
    ana = Client(app).day_one()
    taken = ana.now + timedelta(minutes=40)
    app.conversation.receive(wrote(ana, "I want to kill myself", ana.now, taken))
    assert ana.chat.wake_at == taken + timedelta(minutes=30)
