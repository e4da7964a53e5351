"""The plan for hard moments: made, read, changed part by part, exported, taken out."""

from __future__ import annotations

import json

import pytest

from bot.export import export_file
from dialogues.rendering.prompts import Prompts
from dialogues.rendering.split import MAX_LENGTH, split_bubble
from state_machine.model.effects import Erase
from state_machine.model.outgoing import Priority
from state_machine.model.progress import Fact, Progress
from state_machine.programme.tables import PLAN, PLAN_MAKING, PLAN_PARTS, SOS
from state_machine.turn.machine import Machines
from tests.planning import EMPTY, PAGE, WORDS, said, taps_through
from tests.standing import NOW
from tests.talking import START, Story

# --- made ----------------------------------------------------------------------------------


def test_a_plan_made_in_one_go_is_shown_in_their_own_words(planned: Story) -> None:
    assert planned.place == PAGE
    assert [words for words in WORDS.values() if words not in said(planned)] == []


def test_a_plan_is_never_held_back(planned: Story) -> None:
    assert planned.turn is not None
    assert planned.turn.priority is Priority.SAFETY


def test_every_part_can_be_skipped_and_an_empty_plan_says_so(resting: Story) -> None:
    taps_through(resting.says("/plan"), "make", "signs")
    for _ in PLAN_PARTS:
        resting.says("Skip")
    assert resting.place == EMPTY
    assert not any(name.startswith("plan_") for name in resting.progress.facts)


def test_what_was_written_before_it_was_left_is_kept(resting: Story) -> None:
    taps_through(resting.says("/plan"), "make", "signs")
    resting.says("the blinds stay down").says("/later").says("/plan")
    assert resting.place == PAGE
    assert "the blinds stay down" in said(resting)


def test_silence_in_the_middle_of_it_closes_it_and_keeps_what_was_written(resting: Story) -> None:
    taps_through(resting.says("/plan"), "make", "signs")
    resting.says("the blinds stay down").passes(days=2)
    assert PLAN_MAKING not in {run.dialogue for run in resting.progress.runs}
    assert resting.progress.facts["plan_signs"].value == "the blinds stay down"


def test_going_through_it_again_keeps_what_is_skipped(planned: Story) -> None:
    taps_through(planned, "which_changes", "make", "signs")
    planned.says("something new shows first")
    for _ in PLAN_PARTS[1:]:
        planned.says("Skip")
    assert planned.place == PAGE
    assert "something new shows first" in said(planned)
    assert WORDS["plan_live_for"] in said(planned)
    assert WORDS["plan_signs"] not in said(planned)


def test_before_consent_nothing_of_a_plan_is_kept_and_the_numbers_are_one_tap_away(
    machines: Machines, prompts: Prompts
) -> None:
    stranger = Story(machines, prompts).says("/start").says("/plan")
    assert stranger.place == f"{PLAN}#on_paper"
    taps_through(stranger, "numbers")
    assert stranger.front.dialogue == SOS
    assert not stranger.progress.facts


# --- changed part by part ------------------------------------------------------------------


@pytest.mark.parametrize("part", PLAN_PARTS)
def test_a_part_is_changed_by_itself_and_the_plan_is_shown_again(part: str, planned: Story) -> None:
    taps_through(planned, "which_changes", f"change_{part}")
    assert WORDS[f"plan_{part}"] in said(planned), "what stands there is shown while it is changed"
    planned.says("said better now")
    assert planned.place == PAGE
    assert "said better now" in said(planned)
    others = [words for name, words in WORDS.items() if name != f"plan_{part}"]
    assert [words for words in others if words not in said(planned)] == []


@pytest.mark.parametrize("part", PLAN_PARTS)
def test_one_part_can_be_the_whole_plan(part: str, resting: Story) -> None:
    taps_through(resting.says("/plan"), "which_first", f"change_{part}")
    resting.says("only this")
    assert resting.place == PAGE
    assert "only this" in said(resting)
    assert [name for name in resting.progress.facts if name.startswith("plan_")] == [f"plan_{part}"]


def test_a_part_that_is_skipped_when_asked_alone_stays_as_it_was(planned: Story) -> None:
    taps_through(planned, "which_changes", "change_ask")
    planned.says("Skip")
    assert "kept" not in planned.remarks
    assert planned.says("/plan").place == PAGE
    assert WORDS["plan_ask"] in said(planned)


# --- taken out -----------------------------------------------------------------------------


def kept_anywhere(story: Story, words: str) -> bool:
    return words in repr(story.progress) or words in repr(story.entries)


@pytest.mark.parametrize("part", PLAN_PARTS)
def test_a_part_that_is_taken_out_is_nowhere_kept(part: str, planned: Story) -> None:
    words = WORDS[f"plan_{part}"]
    assert kept_anywhere(planned, words)
    taps_through(planned, "which_changes", "which_goes", f"remove_{part}")
    assert planned.place == PAGE
    assert words not in said(planned)
    assert not kept_anywhere(planned, words)


def test_a_part_is_taken_out_of_a_plan_that_is_still_being_written_below(planned: Story) -> None:
    taps_through(planned, "which_changes", "make", "signs")
    planned.says("half written").says("/plan")
    taps_through(planned, "which_changes", "which_goes", "remove_signs")
    assert not kept_anywhere(planned, "half written")


def test_all_of_it_is_taken_out_after_being_asked_once(planned: Story) -> None:
    taps_through(planned, "which_changes", "which_goes", "sure", "closed")
    assert WORDS["plan_ask"] in repr(planned.progress.facts)
    taps_through(planned.says("/plan"), "which_changes", "which_goes", "sure", "remove_all")
    assert [words for words in WORDS.values() if kept_anywhere(planned, words)] == []
    assert planned.says("/plan").place == EMPTY


def test_deleting_everything_takes_the_plan_along(planned: Story) -> None:
    planned.says("/delete")
    taps_through(planned, "delete")
    assert planned.turn is not None
    assert any(isinstance(effect, Erase) for effect in planned.turn.effects)
    assert not planned.progress.facts


# --- exported ------------------------------------------------------------------------------


def test_the_plan_is_in_the_export_once_and_as_it_stands(planned: Story) -> None:
    taps_through(planned, "which_changes", "change_signs")
    planned.says("said better now")
    _, content = export_file(planned.progress, list(planned.entries.values()), NOW)
    known = json.loads(content)["known"]
    assert {name: known[name]["value"] for name in WORDS} == {**WORDS, "plan_signs": "said better now"}
    assert WORDS["plan_signs"] not in content.decode("utf-8")


# --- as long as it has to be ---------------------------------------------------------------


def test_a_very_long_plan_comes_in_pieces_and_loses_no_word(machines: Machines, prompts: Prompts) -> None:
    long = {name: " ".join(f"{name}{number}" for number in range(300)) for name in WORDS}
    facts = {name: Fact(words, START) for name, words in long.items()}
    story = Story(machines, prompts, Progress(phase="assessment", consent="1 2026-01-05", facts=facts, heard=START))
    story.says("/plan")
    assert all(len(text.encode("utf-16-le")) // 2 <= MAX_LENGTH for text in story.bubbles)
    there = set(said(story).split())
    assert [words for text in long.values() for words in text.split() if words not in there] == []


@pytest.mark.parametrize("text", ["a b\nc", "word " * 3000, "x" * 9000, "🙂" * 5000, "line\n" * 2000, " " * 9000, ""])
def test_pieces_fit_and_hold_every_sign(text: str) -> None:
    made = split_bubble(text)
    assert all(len(piece.encode("utf-16-le")) // 2 <= MAX_LENGTH for piece in made)
    assert "".join("".join(made).split()) == "".join(text.split())
