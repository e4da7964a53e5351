"""What comes by itself comes, whatever else came in the same instant, and whatever was left open before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.app import App
from state_machine.model.progress import Run
from state_machine.model.script import Silence
from state_machine.programme.tables import CHECK_IN, FIRST_PEOPLE, GENTLE_WORD, MAP, SOS
from state_machine.schedule import triggers
from tests.talking import DAY_ONE, NOTHING_WRONG, SAD_WEEKS, Client, walk

LAST_DAY_OF_WORDS = datetime(2026, 1, 11, 21, 0, tzinfo=UTC)


@pytest.fixture
def zed(app: App) -> Client:
    """Zed, who is asked for a check-in every evening at six, and for the talks at half past eight."""
    client = Client(app, "zed")
    client.says("/start")
    walk(client, DAY_ONE | {"look_in": "20:30"})
    lives(client, datetime(2026, 1, 6, 21, 0, tzinfo=UTC))
    walk(client, NOTHING_WRONG | SAD_WEEKS)
    client.says("/remind")
    client.says("Every day")
    client.says("18:00")
    return client


def lives(client: Client, until: datetime) -> list[str]:
    """Let time pass as the ticker would: every second somebody is due is one at which they are woken."""
    said: list[str] = []
    for _ in range(100):
        due = client.chat.wake_at
        if due is None or due > until:
            client.now = until
            return said
        assert client.wakes(due), f"{due} was waited for, and nothing came of it"
        said += client.arrives()
    raise AssertionError(f"woken again and again at {client.chat.wake_at}")


def test_a_slot_that_comes_back_because_they_wrote_again_holds_up_nothing(zed: Client) -> None:
    lives(zed, datetime(2026, 1, 7, 17, 0, tzinfo=UTC))
    zed.says("hello")
    lives(zed, LAST_DAY_OF_WORDS)
    zed.says("hello")
    zed.now += timedelta(hours=1)
    assert any("Samaritans" in bubble for bubble in zed.says("I want to die"))
    half_an_hour_later = lives(zed, zed.now + timedelta(minutes=31))
    assert any("112" in bubble for bubble in half_an_hour_later)
    assert lives(zed, zed.now + timedelta(hours=14)), "no look-in the next morning"
    assert zed.progress.runs[-1].dialogue == SOS


def test_two_silences_that_end_in_the_same_instant_both_end(zed: Client) -> None:
    asked = datetime(2026, 1, 9, 18, 0, 1, tzinfo=UTC)
    door = next(step for step in zed.script.dialogues[GENTLE_WORD].steps.values() if step.silence)
    assert door.silence is not None
    assert isinstance(door.silence.takes, Silence)
    over = datetime(2026, 1, 10, 3, 0, tzinfo=UTC) - door.silence.takes.after  # in the quiet hours, as the other
    runs = (Run(90, CHECK_IN, "mood_now", asked, asked), Run(91, GENTLE_WORD, door.name, over, over))
    progress = replace(zed.progress, runs=runs, suspended=True)
    chat = zed.chat
    with zed.app.store.begin() as work:
        work.chats.save(chat, progress, triggers.next_wake(zed.script, progress))
    zed.now = max(asked, over) + timedelta(minutes=1)
    lives(zed, datetime(2026, 1, 10, 12, 0, tzinfo=UTC))
    assert not zed.progress.runs
    assert zed.chat.wake_at is not None
    assert zed.chat.wake_at > zed.now


def test_a_page_that_was_looked_at_and_left_does_not_hold_up_the_check_in(zed: Client) -> None:
    lives(zed, datetime(2026, 1, 7, 17, 0, tzinfo=UTC))
    zed.says("/people")
    assert zed.progress.runs[-1].dialogue == MAP
    zed.now = datetime(2026, 1, 7, 17, 10, tzinfo=UTC)
    lives(zed, datetime(2026, 1, 7, 18, 5, tzinfo=UTC))
    assert zed.progress.runs[-1].dialogue == CHECK_IN


def test_a_part_that_is_half_done_keeps_its_place_while_the_check_in_comes(zed: Client) -> None:
    lives(zed, datetime(2026, 1, 8, 20, 35, tzinfo=UTC))
    assert zed.progress.runs[-1].dialogue == FIRST_PEOPLE
    zed.says("Mum")
    step = zed.progress.runs[-1].step
    lives(zed, datetime(2026, 1, 9, 18, 5, tzinfo=UTC))
    assert zed.progress.runs[-1].dialogue == CHECK_IN
    assert [(run.dialogue, run.step) for run in zed.progress.aside] == [(FIRST_PEOPLE, step)]


def test_what_is_due_seconds_after_a_silence_comes_at_its_own_second(zed: Client) -> None:
    six = datetime(2026, 1, 9, 18, 0, tzinfo=UTC)
    asked = six - timedelta(hours=10, seconds=17)
    chat = zed.chat
    progress = replace(zed.progress, runs=(Run(90, CHECK_IN, "mood_now", asked, asked),), slots={"check_in": asked})
    with zed.app.store.begin() as work:
        work.chats.save(chat, progress, triggers.next_wake(zed.script, progress))
    zed.now = asked
    lives(zed, six - timedelta(seconds=1))
    assert not zed.progress.runs
    assert zed.chat.wake_at == six


def test_an_hour_that_nobody_can_read_any_more_breaks_no_turn(zed: Client) -> None:
    """Codes of an answer may go with a release; who gave it is looked in on at the usual hour."""
    chat = zed.chat
    lost = replace(chat.progress.facts["look_in"], code="by_myself")
    with zed.app.store.begin() as work:
        progress = replace(chat.progress, facts={**chat.progress.facts, "look_in": lost})
        work.chats.save(chat, progress, chat.wake_at)
    zed.says("I want to kill myself")
    assert zed.progress.runs[-1].dialogue == SOS
