"""Words of danger while the plan is written: the talk opens, and only what was misread stands in the plan."""

from __future__ import annotations

import pytest

from state_machine.programme.tables import PLAN_MAKING, PLAN_PARTS, SOS
from tests.planning import PAGE, WORDS, said, taps_through
from tests.talking import Story

EXPLICIT = "I am going to kill myself tonight"
NOT_MEANT = "everyone would be better off without me"


def back_from_the_talk(story: Story) -> Story:
    assert story.front.dialogue == SOS
    return taps_through(story, "thoughts", "somebody_knows", "tomorrow", "landed")


@pytest.mark.parametrize("part", PLAN_PARTS)
def test_words_of_danger_open_the_talk_and_the_plan_goes_on_where_it_was(part: str, resting: Story) -> None:
    taps_through(resting.says("/plan"), "make", "signs")
    for written in PLAN_PARTS[: PLAN_PARTS.index(part)]:
        resting.says(WORDS[f"plan_{written}"])
    back_from_the_talk(resting.says(EXPLICIT))
    assert resting.place == f"{PLAN_MAKING}#{part}"
    assert resting.remarks == ["not_in_the_plan"]
    for missing in PLAN_PARTS[PLAN_PARTS.index(part) :]:
        resting.says(WORDS[f"plan_{missing}"])
        assert "not_in_the_plan" not in resting.remarks
    assert resting.place == PAGE
    assert [words for words in WORDS.values() if words not in said(resting)] == []
    assert EXPLICIT not in said(resting)
    assert EXPLICIT not in repr(resting.entries)


@pytest.mark.parametrize("part", PLAN_PARTS)
def test_words_of_danger_in_a_part_asked_by_itself_leave_what_stood_there(part: str, planned: Story) -> None:
    taps_through(planned, "which_changes", f"change_{part}")
    back_from_the_talk(planned.says(EXPLICIT))
    assert planned.place == f"{PLAN_MAKING}#{part}"
    assert "not_in_the_plan" in planned.remarks
    planned.says("Skip").says("/plan")
    assert WORDS[f"plan_{part}"] in said(planned)
    assert EXPLICIT not in said(planned)


def test_words_said_to_be_misread_can_be_written_again_and_then_stand_in_the_plan(resting: Story) -> None:
    taps_through(resting.says("/plan"), "make", "signs")
    for words in (NOT_MEANT, EXPLICIT):
        taps_through(resting.says(words), "misread")
        assert "not_in_the_plan_yet" in resting.remarks
        step_before = resting.place
        resting.says(words)
        assert resting.place != step_before
        assert resting.front.dialogue == PLAN_MAKING
    assert {answer.fact.value for answer in resting.front.answers} == {NOT_MEANT, EXPLICIT}


def test_a_hint_that_became_plain_words_is_what_was_misread(resting: Story) -> None:
    taps_through(resting.says("/plan"), "make", "signs")
    taps_through(resting.says(NOT_MEANT).says(EXPLICIT), "misread")
    assert resting.says(EXPLICIT).place == f"{PLAN_MAKING}#alone"


def test_a_talk_that_was_asked_for_says_nothing_of_the_plan(resting: Story) -> None:
    taps_through(resting.says("/plan"), "make", "signs")
    taps_through(resting.says("/sos"), "only_numbers")
    assert resting.place == f"{PLAN_MAKING}#signs"
    assert resting.remarks == []
