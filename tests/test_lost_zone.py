"""A time zone that this machine does not know any more breaks nothing, and the clock is asked about again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta

import pytest

from bot.app import App
from state_machine.model.local_time import zone_named
from state_machine.model.progress import Fact
from state_machine.programme.tables import CLOCK_CHECK
from state_machine.schedule import agenda, triggers
from tests.talking import DAY_ONE, Client, label_to, walk


@pytest.mark.parametrize("name", ["Europe/Atlantis", "Europe", "../zone", "/etc/passwd", "", None, "zone\0", "ÄÖ"])
def test_a_name_that_is_no_zone_is_read_as_utc(name: str | None) -> None:
    assert zone_named(name).key == "UTC"


@pytest.fixture
def astray(app: App) -> Client:
    """Somebody on day 2, in a country with several zones, whose own was dropped from the time zone database."""
    client = Client(app)
    client.says("/start")
    walk(client, {**DAY_ONE, "country": "Brazil"})
    return lose(client)


def lose(client: Client) -> Client:
    """Let the zone of a client be one that nobody knows any more."""
    chat = client.chat
    facts = {**chat.progress.facts, "zone": Fact("Atlantis", client.now, "America/Atlantis")}
    progress = replace(chat.progress, facts=facts)
    with client.app.store.begin() as work:
        work.chats.save(chat, progress, triggers.next_wake(client.script, progress))
    return client


@pytest.mark.parametrize(
    "word", ["hello", "/settings", "/remind", "/checkin", "/export", "/sos", "/delete", "help me"]
)
def test_every_word_is_answered_as_always(astray: Client, word: str) -> None:
    assert astray.says(word)
    assert not astray.app.conversation.faults


def test_the_next_day_comes_all_the_same(astray: Client) -> None:
    due = astray.chat.wake_at
    assert due is not None
    assert astray.wakes(due)
    assert not astray.app.conversation.faults
    assert astray.chat.wake_at is not None
    assert astray.chat.wake_at > due


def test_where_the_country_has_one_clock_that_one_is_taken_without_a_question(app: App) -> None:
    client = lose(Client(app).day_one())
    client.says("hello")
    assert agenda.zone_of(client.progress).key == "Europe/Dublin"


def test_the_clock_is_asked_about_again_and_believed(astray: Client) -> None:
    astray.says("/today")
    while astray.progress.runs:
        astray.says("later")
    astray.now += timedelta(hours=1)
    astray.says("hello")
    assert astray.place == f"{CLOCK_CHECK}#is_it"
    astray.says(label_to(astray, "another_time"))
    there = (astray.now.astimezone(UTC) - timedelta(hours=3)).strftime("%H:%M")
    astray.says(there)
    zone = agenda.zone_of(astray.progress)
    assert zone.utcoffset(astray.now.replace(tzinfo=None)) == timedelta(hours=-3)
    while astray.progress.runs:
        astray.says("later")
    astray.says("hello")
    assert astray.place is None or not astray.place.startswith(CLOCK_CHECK)
