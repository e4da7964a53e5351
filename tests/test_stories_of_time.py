"""Stories in which time passes: who is written to first, when, and never in the same words twice running."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from dialogues.rendering.prompts import Prompts
from state_machine.model.effects import Say
from state_machine.programme.tables import CHECK_IN, CLOCK_CHECK, FIRST_PEOPLE, SUITABILITY
from state_machine.schedule import triggers
from state_machine.turn.machine import Machines
from tests.talking import DAY_ONE, NOTHING_WRONG, SAD_WEEKS, START, Story, label_to, reply

# --- time ---------------------------------------------------------------------------------


def test_silence_takes_its_way_once(ana: Story) -> None:
    ana.says("/checkin")
    asked = ana.front.asked
    assert ana.passes(hours=9) == []
    assert ana.passes(hours=2) == [asked + timedelta(hours=10)]
    assert ana.progress.runs == ()
    assert ana.progress.done[CHECK_IN].outcome == "unanswered"
    assert ana.passes(hours=1) == []


@pytest.mark.parametrize(
    ("country", "zone", "start"),
    [
        ("Ireland", "Europe/Dublin", START),
        ("Japan", "Asia/Tokyo", datetime(2026, 1, 5, 23, 30, tzinfo=UTC)),
        ("Jamaica", "America/Jamaica", datetime(2026, 1, 5, 2, 30, tzinfo=UTC)),
        ("Germany", "Europe/Berlin", datetime(2026, 3, 28, 20, 0, tzinfo=UTC)),
        ("Germany", "Europe/Berlin", datetime(2026, 10, 24, 20, 0, tzinfo=UTC)),
    ],
)
def test_day_2_and_day_4_come_on_the_right_day_at_the_hour_they_chose(
    country: str, zone: str, start: datetime, machines: Machines, prompts: Prompts
) -> None:
    story = Story(machines, prompts, now=start).says("/start").answers({**DAY_ONE, "country": country})
    first = start.astimezone(ZoneInfo(zone)).date()
    assert story.progress.begun == first
    assert _next_on_their_clock(story, zone) == (first + timedelta(days=1), time(9))
    _until_the_talk(story)
    assert story.front.dialogue == SUITABILITY
    story.answers({**NOTHING_WRONG, **SAD_WEEKS})
    assert _next_on_their_clock(story, zone) == (first + timedelta(days=3), time(9))
    story.passes(days=2)
    assert story.front.dialogue == FIRST_PEOPLE


def _until_the_talk(story: Story) -> None:
    due = triggers.talk_due(story.script, story.progress)
    assert due is not None
    story.passes(seconds=(due - story.now).total_seconds() + 1)


def _next_on_their_clock(story: Story, zone: str) -> tuple[date, time]:
    due = triggers.talk_due(story.script, story.progress)
    assert due is not None
    local = due.astimezone(ZoneInfo(zone))
    return local.date(), local.time()


def test_whoever_comes_by_themselves_is_never_written_to_first(stranger: Story) -> None:
    stranger.answers({**DAY_ONE, "look_in": "never"})
    assert stranger.passes(days=40) == []
    stranger.says("hello")
    assert stranger.front.dialogue == SUITABILITY


def test_whoever_does_not_answer_gets_a_gentle_word_after_three_and_ten_days_and_then_nothing(ana: Story) -> None:
    assert len(ana.passes(days=1)) == 1
    ana.says("later")
    silent_since = ana.now
    spoke = ana.passes(days=60)
    words = [moment for moment in spoke if moment - silent_since > timedelta(days=2) and moment.hour == 9]
    assert [round((moment - silent_since) / timedelta(days=1)) for moment in words] == [3, 10]
    ana.says("hello")
    assert ana.progress.suspended, "asked before we write first again"


def test_not_now_is_asked_again_after_fourteen_days(ana: Story) -> None:
    ana.passes(days=1)
    ana.answers({**NOTHING_WRONG, "voices": "yes"})
    assert ana.progress.phase == "not_now"
    answered = ana.now.astimezone(ZoneInfo("Europe/Dublin")).date()
    assert _next_on_their_clock(ana, "Europe/Dublin") == (answered + timedelta(days=14), time(9))
    assert len(ana.passes(days=14)) == 1, "the question that was promised, and nothing else"
    assert ana.front.dialogue == SUITABILITY
    ana.answers({"cleared": "yes"})
    assert ana.progress.phase == "assessment"


def test_during_a_pause_nobody_is_written_to_first_and_answers_come_as_always(ana: Story) -> None:
    ana.says("/pause")
    ana.says(label_to(ana, "a_week"))
    until = ana.now + timedelta(days=6)
    assert ana.passes(days=6) == []
    assert ana.now == until
    assert ana.says("/checkin").bubbles


# --- wordings ------------------------------------------------------------------------------


def test_no_bubble_says_the_same_words_twice_running(ana: Story) -> None:
    said: dict[str, list[str]] = {}
    for _ in range(20):
        ana.now += timedelta(days=1)
        ana.says("/checkin")
        for _ in range(12):
            _note_wordings(ana, said)
            if not ana.progress.runs:
                break
            ana.says(reply(ana, {"mood": "6"}))
    assert len(said) >= 5
    for place, texts in said.items():
        assert all(one != next_one for one, next_one in pairwise(texts)), place


def _note_wordings(story: Story, said: dict[str, list[str]]) -> None:
    assert story.turn is not None
    for effect in story.turn.effects:
        if isinstance(effect, Say):
            here = story.script.dialogues[effect.run.dialogue].steps[effect.run.step]
            for number, bubble in enumerate(here.bubbles):
                if len(bubble.wordings) > 1:
                    turn = effect.wordings[number] % len(bubble.wordings)
                    said.setdefault(f"{effect.run.dialogue}#{here.name}.{number}", []).append(bubble.wordings[turn])


def test_no_remark_says_the_same_words_twice_running(ana: Story) -> None:
    ana.says("/people")
    happenings: list[Callable[[], Story]] = [
        lambda: ana.says("asdf qwer zxcv"),
        lambda: ana.says("?"),
        lambda: ana.shares("sticker"),
        lambda: ana.edits("what I meant"),
    ]
    for happens in happenings:
        texts = [happens().bubbles[0] for _ in range(10)]
        assert len(ana.remarks) == 1
        assert all(one != next_one for one, next_one in pairwise(texts)), texts[0]


def test_whoever_writes_on_three_nights_is_asked_about_their_clock_once(ana: Story) -> None:
    for night in range(3):
        ana.now = datetime(2026, 1, 8 + night, 3, 10, tzinfo=UTC)
        ana.says("/checkin").says("later")
    ana.says("hello")
    assert ana.front.dialogue == CLOCK_CHECK
    ana.says(label_to(ana, "another_time"))
    ana.says("Tokyo")
    zone = ana.fact("zone")
    assert zone is not None
    assert zone.code == "Asia/Tokyo"
    ana.says("hello")
    assert ana.front.dialogue != CLOCK_CHECK
