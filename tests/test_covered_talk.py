"""A talk about danger keeps its look-ins while something else is open over it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dialogues.rendering.prompts import Prompts
from state_machine.programme.tables import CHECK_IN, PLAN, SOS
from state_machine.turn.machine import Machines
from tests.talking import DAY_ONE, Story

PROGRAMME = ("/today", "Now")
COVERS = [PROGRAMME, ("/checkin",), ("/settings",), ("/plan",)]


@pytest.fixture
def in_danger(machines: Machines, prompts: Prompts) -> Story:
    """Somebody on the evening of day 2 who has said that they might act soon, with part of a talk still to do."""
    story = Story(machines, prompts).says("/start").answers({**DAY_ONE, "look_in": "17:00"})
    story.passes(days=1)
    while story.progress.runs:
        story.says("later")
    story.says("I want to kill myself")
    return story.says("I might act soon")


def covered(story: Story, words: tuple[str, ...]) -> Story:
    for said in words:
        story.says(said)
    assert story.front.dialogue != SOS, "nothing was opened over the talk"
    return story


@pytest.mark.parametrize("words", COVERS, ids=" ".join)
def test_after_thirty_silent_minutes_the_line_comes_whatever_lies_over_the_talk(
    in_danger: Story, words: tuple[str, ...]
) -> None:
    covered(in_danger, words)
    heard = in_danger.now
    assert in_danger.passes(minutes=31) == [heard + timedelta(minutes=30)]
    assert in_danger.place == f"{SOS}#one_line"
    assert any("112" in bubble for bubble in in_danger.bubbles)


@pytest.mark.parametrize("words", COVERS, ids=" ".join)
def test_the_look_in_comes_the_next_morning_and_nothing_else_before_it(
    in_danger: Story, words: tuple[str, ...]
) -> None:
    covered(in_danger, words)
    in_danger.passes(hours=1)
    *_, look_in = in_danger.passes(hours=24)
    assert look_in.hour == 10
    assert in_danger.place == f"{SOS}#how_is_today"
    assert in_danger.progress.unasked is None or in_danger.progress.unasked.at < look_in - timedelta(hours=20)


def test_the_line_waits_while_they_answer_what_lies_over_the_talk(in_danger: Story) -> None:
    in_danger.says("/checkin")
    for number in range(3):
        assert in_danger.passes(minutes=20) == []
        in_danger.says(str(number + 4))
        assert in_danger.front.dialogue == CHECK_IN
    assert in_danger.passes(minutes=29) == []
    assert len(in_danger.passes(minutes=2)) == 1
    assert in_danger.place == f"{SOS}#one_line"


def test_nothing_of_the_programme_is_offered_while_the_talk_is_open(in_danger: Story) -> None:
    covered(in_danger, PROGRAMME)
    before = in_danger.progress.unasked
    in_danger.passes(days=3)
    assert in_danger.progress.unasked == before
    assert any(run.dialogue == SOS for run in in_danger.progress.runs)


def test_what_lay_over_the_talk_stands_there_still_when_the_talk_is_over(in_danger: Story) -> None:
    covered(in_danger, PROGRAMME)
    over = in_danger.front
    in_danger.passes(days=4, hours=3)
    assert all(run.dialogue != SOS for run in in_danger.progress.runs)
    assert in_danger.progress.done[SOS].outcome == "still_here"
    open_and_left = (*in_danger.progress.runs, *in_danger.progress.aside)
    assert any((run.dialogue, run.step) == (over.dialogue, over.step) for run in open_and_left)


def test_the_plan_left_open_over_something_keeps_no_reminder_away(ana: Story) -> None:
    ana.passes(days=1)
    ana.says("/plan")
    assert ana.front.dialogue == PLAN
    ana.says("/checkin")
    ana.passes(days=2)
    assert ana.progress.unasked is not None
    assert ana.progress.unasked.at > ana.now - timedelta(days=2)
