"""A check-in put off for an hour over midnight stays that day's, and the next day has its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from dialogues.rendering.prompts import Prompts
from state_machine.model.progress import Fact
from state_machine.programme.tables import CHECK_IN
from state_machine.turn.machine import Machines
from tests.talking import DAY_ONE, START, Story, label_to

TUESDAY = date(2026, 1, 6)
DAY = timedelta(days=1)


@pytest.fixture
def late(machines: Machines, prompts: Prompts) -> Story:
    """Somebody in Dublin who is asked every night at half past eleven, and has put Tuesday's off for an hour."""
    story = Story(machines, prompts).says("/start").answers({**DAY_ONE, "look_in": "never"})
    hour = {
        "remind_days": Fact("Every day", story.now, "daily"),
        "remind_at": Fact("23:30", story.now, "23:30"),
    }
    story.progress = replace(story.progress, facts={**story.progress.facts, **hour})
    assert asked_at_half_past_eleven(story, 0)
    return put_off_for_an_hour(story)


def asked_at_half_past_eleven(story: Story, days_later: int) -> bool:
    """Whether the check-in is asked for that night."""
    night = (START + DAY * (1 + days_later)).replace(hour=23, minute=30, second=1)
    before = story.progress.unasked
    story.passes(seconds=(night - story.now).total_seconds())
    return story.progress.unasked != before and story.front.dialogue == CHECK_IN


def put_off_for_an_hour(story: Story) -> Story:
    return story.says("Not now").says(label_to(story, "in_an_hour"))


def test_it_is_kept_for_the_day_it_was_asked_on_and_the_next_night_is_asked_as_always(late: Story) -> None:
    assert len(late.passes(minutes=61)) == 1
    late.answers({"mood": "5"})
    done = late.progress.done[CHECK_IN]
    assert (done.kept, done.day) == (True, TUESDAY)
    assert late.progress.check_ins[-1].day == TUESDAY
    for night in (1, 2):
        assert asked_at_half_past_eleven(late, night)
        late.answers({"mood": "5"})
        assert late.progress.done[CHECK_IN].day == TUESDAY + DAY * night


def test_the_next_night_is_asked_also_if_it_stays_unanswered(late: Story) -> None:
    assert len(late.passes(minutes=61)) == 1
    assert asked_at_half_past_eleven(late, 1)


def test_after_midnight_it_asks_how_the_day_was_and_the_next_night_is_asked_also_if_that_is_left(late: Story) -> None:
    late.passes(minutes=61)
    assert late.place == f"{CHECK_IN}#mood_then"
    late.says(label_to(late, "not_today"))
    assert not late.progress.runs
    assert asked_at_half_past_eleven(late, 1)


def test_an_hour_that_is_asked_for_after_midnight_is_still_of_the_day_before(late: Story) -> None:
    late.progress = replace(late.progress, snoozed_until=None)
    assert asked_at_half_past_eleven(late, 1)
    late.passes(minutes=40)
    put_off_for_an_hour(late)
    assert len(late.passes(minutes=61)) == 1
    late.answers({"mood": "5"})
    assert late.progress.done[CHECK_IN].day == TUESDAY + DAY
    assert asked_at_half_past_eleven(late, 2)


def test_whoever_checks_in_by_themselves_before_the_hour_is_over_is_not_asked_once_more(late: Story) -> None:
    late.passes(minutes=10)
    late.says("/checkin").answers({"mood": "5"})
    assert late.progress.done[CHECK_IN].day == TUESDAY
    assert late.passes(hours=2) == []
    assert asked_at_half_past_eleven(late, 1)


def test_within_one_day_nothing_is_different(machines: Machines, prompts: Prompts) -> None:
    story = Story(machines, prompts).says("/start").answers({**DAY_ONE, "look_in": "never"})
    story.passes(days=1)
    story.says("/checkin").says("Not now").says(label_to(story, "in_an_hour"))
    assert len(story.passes(minutes=61)) == 1
    assert story.front.day is None
    story.answers({"mood": "5"})
    assert story.progress.done[CHECK_IN].day == TUESDAY
