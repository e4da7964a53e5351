"""What was told belongs to the day on which it was told, whenever it is said, closed or taken up again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dialogues.book import Book
from dialogues.rendering.prompts import Prompts
from state_machine.engine import step
from state_machine.model.events import Said
from state_machine.model.progress import Fact
from state_machine.programme.tables import CHECK_IN, NOTE, WELCOME
from state_machine.turn.machine import Machines
from tests.talking import DAY_ONE, Story, label_to

AUCKLAND = ZoneInfo("Pacific/Auckland")
MONDAY, TUESDAY, WEDNESDAY = (date(2026, 1, day) for day in (5, 6, 7))
FAR = {**DAY_ONE, "country": "New Zealand", "zone": "Auckland"}
EXPLICIT = "I am going to kill myself tonight"
MOMENTS = [
    {"moment": "hard"},
    {"moment": "good"},
    {"moment": "alone", "alone_kind": "missed"},
    {"moment": "nothing", "day_kind": "long"},
]


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """An instant by the clock in Auckland, where in the morning UTC has the day before."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=AUCKLAND).astimezone(UTC)


@pytest.fixture
def newcomer_far_away(machines: Machines, prompts: Prompts) -> Story:
    """Somebody in Auckland who is asked on Monday morning, Sunday in UTC, what happened."""
    story = Story(machines, prompts, now=at(MONDAY, 9)).says("/start").answers(FAR, until=f"{WELCOME}#country")
    story.says("New Zealand")
    if story.place != f"{WELCOME}#name":
        story.says("Auckland")
    return story.answers(FAR, until=f"{WELCOME}#moment")


@pytest.fixture
def far_away(machines: Machines, prompts: Prompts) -> Story:
    """Somebody in Auckland who has done the first day on Sunday, and is written to by nobody."""
    story = Story(machines, prompts, now=at(MONDAY, 9) - timedelta(days=1)).says("/start")
    story.answers(FAR, until=f"{WELCOME}#country").says("New Zealand")
    if story.place != f"{WELCOME}#name":
        story.says("Auckland")
    return story.answers({**FAR, "look_in": "never"})


def goes_on(story: Story, moment: datetime) -> Story:
    """Come back at `moment`, and take up what was left open."""
    story.now = moment
    story.says("hello")
    while story.front.dialogue == "always/go_on":
        story.says(label_to(story, "go_on"))
    return story


def test_every_dialogue_that_says_the_day_of_an_answer_is_in_these_tests(book: Book) -> None:
    dated = {name for name, text in book.refrains.items() if any("dated." in wording for wording in text)}
    found = {
        dialogue.name
        for dialogue in book.script.dialogues.values()
        for here in dialogue.steps.values()
        for bubble in here.bubbles
        for wording in bubble.wordings
        if "dated." in wording or any(f"refrains.{name}" in wording for name in dated)
    }
    assert found == {WELCOME, CHECK_IN}


def test_no_bubble_says_today_s_weekday_of_what_was_told_before(book: Book) -> None:
    wordings = [
        w for d in book.script.dialogues.values() for s in d.steps.values() for b in s.bubbles for w in b.wordings
    ]
    assert not [w for w in [*wordings, *(w for each in book.refrains.values() for w in each)] if "{{ today" in w]


@pytest.mark.parametrize("answers", MOMENTS, ids=lambda each: each["moment"])
def test_a_moment_told_on_monday_and_finished_on_wednesday_is_monday_s(
    answers: dict[str, str], newcomer_far_away: Story
) -> None:
    story = newcomer_far_away.answers({**FAR, **answers}, until=f"{WELCOME}#felt")
    goes_on(story, at(WEDNESDAY, 8)).answers({**FAR, **answers}, until=f"{WELCOME}#given_back")
    said = " ".join(story.bubbles)
    assert "Monday" in said
    assert not [day for day in ("Sunday", "Tuesday", "Wednesday") if day in said]


def test_said_at_once_the_day_is_that_of_the_client_s_clock(newcomer_far_away: Story) -> None:
    said = " ".join(newcomer_far_away.answers(FAR, until=f"{WELCOME}#what").bubbles)
    assert "Monday, a hard moment" in said


def test_a_mood_of_another_day_than_the_moment_has_its_own_day(newcomer_far_away: Story) -> None:
    story = goes_on(newcomer_far_away, at(WEDNESDAY, 8)).answers(FAR, until=f"{WELCOME}#given_back")
    assert "Wednesday." in " ".join(story.bubbles)
    assert "A mood of four, on Monday." in " ".join(story.bubbles)


def test_what_was_told_more_than_a_week_ago_has_its_date(newcomer_far_away: Story) -> None:
    story = newcomer_far_away.answers(FAR, until=f"{WELCOME}#felt")
    goes_on(story, at(MONDAY, 8) + timedelta(days=14)).answers(FAR, until=f"{WELCOME}#given_back")
    assert "Monday 5 January" in " ".join(story.bubbles)


def test_who_finishes_the_first_talk_two_days_later_is_promised_no_tomorrow(newcomer_far_away: Story) -> None:
    story = newcomer_far_away.answers(FAR, until=f"{WELCOME}#felt")
    goes_on(story, at(WEDNESDAY, 8)).answers(FAR, until=f"{WELCOME}#look_in")
    assert "omorrow" not in " ".join(story.bubbles)
    story.says("20:30")
    assert "omorrow" not in " ".join(story.bubbles)


# --- check-ins -----------------------------------------------------------------------------------------


def test_one_begun_before_midnight_and_finished_after_it_is_of_the_evening(far_away: Story) -> None:
    for mood_at, end_at in (((MONDAY, 23, 51), (TUESDAY, 0, 10)), ((TUESDAY, 0, 5), (TUESDAY, 0, 10))):
        far_away.now = at(MONDAY, 23, 50)
        story = Story(far_away.machines, far_away.prompts, far_away.progress, far_away.now).says("/checkin")
        story.now = at(*mood_at)
        story.says("5")
        story.now = at(*end_at)
        story.answers({})
        assert story.progress.done[CHECK_IN].day == MONDAY
        assert story.progress.check_ins[-1].day == MONDAY
        assert [entry.day for entry in story.entries.values() if entry.dialogue == CHECK_IN] == [MONDAY]


def test_after_it_the_next_evening_is_asked_for_as_always(far_away: Story) -> None:
    hour = {"remind_days": Fact("", at(MONDAY, 9), "daily"), "remind_at": Fact("23:50", at(MONDAY, 9), "23:50")}
    far_away.progress = replace(far_away.progress, facts={**far_away.progress.facts, **hour}, begun=MONDAY)
    for day in (TUESDAY, WEDNESDAY):
        far_away.passes(seconds=(at(day, 23, 51) - far_away.now).total_seconds())
        assert far_away.place == f"{CHECK_IN}#mood_now"
        far_away.passes(minutes=15)
        far_away.answers({"mood": "5"})
        assert far_away.progress.done[CHECK_IN].day == day


def test_one_that_silence_closes_after_midnight_is_of_the_evening(far_away: Story) -> None:
    far_away.now = at(MONDAY, 23)
    far_away.says("/checkin").says("5").passes(hours=12)
    assert not far_away.progress.runs
    assert far_away.progress.check_ins[-1].day == MONDAY
    assert far_away.progress.done[CHECK_IN].day == MONDAY


def test_one_that_a_talk_of_danger_interrupted_is_of_the_day_on_which_the_mood_was_told(far_away: Story) -> None:
    far_away.now = at(MONDAY, 8)
    far_away.says("/checkin").says("5").says(EXPLICIT)
    far_away.now = at(WEDNESDAY, 8)
    _to_the_check_in(far_away)
    far_away.answers({})
    assert far_away.progress.check_ins[-1].day == MONDAY
    assert next(entry.day for entry in far_away.entries.values() if entry.dialogue == CHECK_IN) == MONDAY


def test_one_whose_mood_was_told_only_after_such_a_talk_is_of_that_day(far_away: Story) -> None:
    far_away.now = at(MONDAY, 8)
    far_away.says("/checkin").says(EXPLICIT)
    far_away.now = at(WEDNESDAY, 8)
    _to_the_check_in(far_away)
    far_away.answers({"mood": "5"})
    assert far_away.progress.check_ins[-1].day == WEDNESDAY


def test_one_put_off_two_days_later_is_put_off_for_that_day(far_away: Story) -> None:
    far_away.now = at(MONDAY, 8)
    far_away.says("/checkin").says(EXPLICIT)
    far_away.now = at(WEDNESDAY, 8)
    _to_the_check_in(far_away)
    far_away.says(label_to(far_away, "when_then")).says(label_to(far_away, "not_today"))
    assert far_away.progress.put_off[CHECK_IN] == WEDNESDAY


def test_one_for_yesterday_names_the_day_if_it_is_asked_once_more_later(far_away: Story) -> None:
    far_away.now = at(TUESDAY, 9)
    far_away.says("/checkin").answers({"mood": "6"})
    far_away.says("/checkin").says(label_to(far_away, "for_yesterday"))
    assert "How was it yesterday" in far_away.bubbles[-1]
    far_away.now = at(WEDNESDAY, 9)
    far_away.says("/checkin") if not far_away.progress.runs else goes_on(far_away, at(WEDNESDAY, 9))
    assert "How was it on Monday" in far_away.bubbles[-1]
    far_away.answers({"mood": "4"})
    assert far_away.progress.check_ins[-1].day == MONDAY


def _to_the_check_in(story: Story) -> None:
    for _ in range(12):
        story.says("later")
        if not story.progress.runs:
            break
        if story.front.dialogue == "always/go_on":
            story.says(label_to(story, "go_on"))
        if story.front.dialogue == CHECK_IN:
            return
    raise AssertionError(story.place)


# --- words that waited ------------------------------------------------------------------------------------


def test_words_that_waited_over_midnight_keep_the_instant_and_the_day_of_their_writing(far_away: Story) -> None:
    written, heard = at(MONDAY, 23, 30), at(TUESDAY, 2)
    turn = step(
        far_away.machines, far_away.progress, Said(heard, "what a long and odd evening that was", sent=written)
    )
    note = next(effect.entry for effect in turn.effects if hasattr(effect, "entry") and effect.entry.dialogue == NOTE)
    assert (note.day, note.answers[0].fact.at) == (MONDAY, written)


def test_an_answer_keeps_the_instant_of_its_writing(far_away: Story) -> None:
    far_away.now = at(MONDAY, 22)
    far_away.says("/checkin")
    written, heard = at(MONDAY, 22, 30), at(TUESDAY, 9)
    turn = step(far_away.machines, far_away.progress, Said(heard, "5", sent=written))
    assert turn.progress.runs[-1].answers[0].fact.at == written
