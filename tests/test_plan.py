"""The plan for hard moments: made, read, changed part by part, exported, taken out, and never far away."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest

from bot.export import export_file
from dialogues.pieces import LONGEST, pieces
from dialogues.prompts import Prompts
from state_machine.chart import Charts
from state_machine.effects import Erase
from state_machine.engine import step
from state_machine.events import Said
from state_machine.messages import Lane
from state_machine.programme import DOORS, HOME, PLAN, PLAN_MAKING, PLAN_PARTS, SOS
from state_machine.progress import Fact, Progress
from tests.standing import NOW, lives, standings
from tests.talking import START, Story, label_to

WORDS = {f"plan_{part}": f"my own words about {part.replace('_', ' ')}" for part in PLAN_PARTS}
PAGE, EMPTY = f"{PLAN}#page", f"{PLAN}#empty"


@pytest.fixture
def ana(charts: Charts, prompts: Prompts) -> Story:
    """Ana, who has said yes and has nothing open."""
    life = replace(next(lives()), heard=START)
    return Story(charts, prompts, life)


@pytest.fixture
def planned(ana: Story) -> Story:
    """Ana with all seven parts written, reading her plan."""
    ana.says("/plan").taps(label_to(ana, "make"))
    return ana.answers(WORDS, until=PLAN)


def taps_through(story: Story, *targets: str) -> Story:
    for target in targets:
        story.taps(label_to(story, target))
    return story


def said(story: Story) -> str:
    return "\n".join(story.bubbles)


# --- made ----------------------------------------------------------------------------------


def test_a_plan_made_in_one_go_is_shown_in_their_own_words(planned: Story) -> None:
    assert planned.place == PAGE
    assert [words for words in WORDS.values() if words not in said(planned)] == []


def test_a_plan_is_never_held_back(planned: Story) -> None:
    assert planned.turn is not None
    assert planned.turn.lane is Lane.SAFETY


def test_every_part_can_be_skipped_and_an_empty_plan_says_so(ana: Story) -> None:
    taps_through(ana.says("/plan"), "make", "signs")
    for _ in PLAN_PARTS:
        ana.says("Skip")
    assert ana.place == EMPTY
    assert not any(name.startswith("plan_") for name in ana.progress.facts)


def test_what_was_written_before_it_was_left_is_kept(ana: Story) -> None:
    taps_through(ana.says("/plan"), "make", "signs")
    ana.says("the blinds stay down").says("/later").says("/plan")
    assert ana.place == PAGE
    assert "the blinds stay down" in said(ana)


def test_silence_in_the_middle_of_it_closes_it_and_keeps_what_was_written(ana: Story) -> None:
    taps_through(ana.says("/plan"), "make", "signs")
    ana.says("the blinds stay down").passes(days=2)
    assert PLAN_MAKING not in {run.dialogue for run in ana.progress.runs}
    assert ana.progress.facts["plan_signs"].value == "the blinds stay down"


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
    charts: Charts, prompts: Prompts
) -> None:
    stranger = Story(charts, prompts).says("/start").says("/plan")
    assert stranger.place == f"{PLAN}#on_paper"
    taps_through(stranger, "numbers")
    assert stranger.front.dialogue == SOS
    assert not stranger.progress.facts


# --- words of danger in the middle of it ---------------------------------------------------

EXPLICIT = "I am going to kill myself tonight"
NOT_MEANT = "everyone would be better off without me"


def back_from_the_talk(story: Story) -> Story:
    assert story.front.dialogue == SOS
    return taps_through(story, "thoughts", "somebody_knows", "tomorrow", "landed")


@pytest.mark.parametrize("part", PLAN_PARTS)
def test_words_of_danger_open_the_talk_and_the_plan_goes_on_where_it_was(part: str, ana: Story) -> None:
    taps_through(ana.says("/plan"), "make", "signs")
    for written in PLAN_PARTS[: PLAN_PARTS.index(part)]:
        ana.says(WORDS[f"plan_{written}"])
    back_from_the_talk(ana.says(EXPLICIT))
    assert ana.place == f"{PLAN_MAKING}#{part}"
    assert ana.remarks == ["not_in_the_plan"]
    for missing in PLAN_PARTS[PLAN_PARTS.index(part) :]:
        ana.says(WORDS[f"plan_{missing}"])
        assert "not_in_the_plan" not in ana.remarks
    assert ana.place == PAGE
    assert [words for words in WORDS.values() if words not in said(ana)] == []
    assert EXPLICIT not in said(ana)
    assert EXPLICIT not in repr(ana.entries)


@pytest.mark.parametrize("part", PLAN_PARTS)
def test_words_of_danger_in_a_part_asked_by_itself_leave_what_stood_there(part: str, planned: Story) -> None:
    taps_through(planned, "which_changes", f"change_{part}")
    back_from_the_talk(planned.says(EXPLICIT))
    assert planned.place == f"{PLAN_MAKING}#{part}"
    assert "not_in_the_plan" in planned.remarks
    planned.says("Skip").says("/plan")
    assert WORDS[f"plan_{part}"] in said(planned)
    assert EXPLICIT not in said(planned)


def test_words_said_to_be_misread_can_be_written_again_and_then_stand_in_the_plan(ana: Story) -> None:
    taps_through(ana.says("/plan"), "make", "signs")
    for words in (NOT_MEANT, EXPLICIT):
        taps_through(ana.says(words), "misread")
        assert "not_in_the_plan_yet" in ana.remarks
        step_before = ana.place
        ana.says(words)
        assert ana.place != step_before
        assert ana.front.dialogue == PLAN_MAKING
    assert {answer.fact.value for answer in ana.front.answers} == {NOT_MEANT, EXPLICIT}


def test_a_hint_that_became_plain_words_is_what_was_misread(ana: Story) -> None:
    taps_through(ana.says("/plan"), "make", "signs")
    taps_through(ana.says(NOT_MEANT).says(EXPLICIT), "misread")
    assert ana.says(EXPLICIT).place == f"{PLAN_MAKING}#alone"


def test_a_talk_that_was_asked_for_says_nothing_of_the_plan(ana: Story) -> None:
    taps_through(ana.says("/plan"), "make", "signs")
    taps_through(ana.says("/sos"), "only_numbers")
    assert ana.place == f"{PLAN_MAKING}#signs"
    assert ana.remarks == []


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
def test_one_part_can_be_the_whole_plan(part: str, ana: Story) -> None:
    taps_through(ana.says("/plan"), "which_first", f"change_{part}")
    ana.says("only this")
    assert ana.place == PAGE
    assert "only this" in said(ana)
    assert [name for name in ana.progress.facts if name.startswith("plan_")] == [f"plan_{part}"]


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


# --- within reach --------------------------------------------------------------------------


def test_the_plan_opens_over_every_step_of_the_book_and_nothing_else_moves(charts: Charts) -> None:
    for standing in standings(charts):
        if standing.dialogue == PLAN:
            continue
        *below, front = step(charts, standing.progress, Said(NOW, "/plan")).progress.runs
        assert front.dialogue == PLAN, f"not from {standing}"
        waiting = [run for run in standing.progress.runs if run.dialogue not in DOORS]
        assert waiting == below, f"something moved at {standing}"


def test_the_plan_is_two_taps_from_twelve_steps_taken_at_random(charts: Charts, prompts: Prompts) -> None:
    everywhere = [standing for standing in standings(charts) if standing.dialogue != PLAN]
    for standing in random.Random(7).sample(everywhere, 12):  # noqa: S311 - a choice, no secret
        story = Story(charts, prompts, standing.progress, NOW).says("/help")
        story.says(label_to(story, "plan"))
        assert story.front.dialogue == PLAN, f"not from {standing}"


def test_the_plan_stands_in_the_menu_and_on_the_page_of_doors(charts: Charts, ana: Story) -> None:
    plan = charts.script.dialogues[PLAN]
    assert plan.menu
    assert not {"suicide", "crisis", "danger", "safety"} & set(plan.menu.lower().split())
    ana.says("hello")
    assert ana.front.dialogue == HOME
    ana.says(label_to(ana, "plan"))
    assert ana.place == EMPTY


def test_the_numbers_of_the_country_stand_under_the_plan(planned: Story) -> None:
    assert "112" in said(planned)
    assert taps_through(planned, "numbers").front.dialogue == SOS


def test_without_a_country_the_plan_is_shown_all_the_same(charts: Charts, prompts: Prompts) -> None:
    known = {"plan_ask": Fact("Ines", START)}
    nowhere = Story(charts, prompts, Progress(phase="assessment", consent="1 2026-01-05", facts=known, heard=START))
    assert nowhere.says("/plan").place == PAGE
    assert "Ines" in said(nowhere)


# --- as long as it has to be ---------------------------------------------------------------


def test_a_very_long_plan_comes_in_pieces_and_loses_no_word(charts: Charts, prompts: Prompts) -> None:
    long = {name: " ".join(f"{name}{number}" for number in range(300)) for name in WORDS}
    facts = {name: Fact(words, START) for name, words in long.items()}
    story = Story(charts, prompts, Progress(phase="assessment", consent="1 2026-01-05", facts=facts, heard=START))
    story.says("/plan")
    assert all(len(text.encode("utf-16-le")) // 2 <= LONGEST for text in story.bubbles)
    there = set(said(story).split())
    assert [words for text in long.values() for words in text.split() if words not in there] == []


@pytest.mark.parametrize("text", ["a b\nc", "word " * 3000, "x" * 9000, "🙂" * 5000, "line\n" * 2000, " " * 9000, ""])
def test_pieces_fit_and_hold_every_sign(text: str) -> None:
    made = pieces(text)
    assert all(len(piece.encode("utf-16-le")) // 2 <= LONGEST for piece in made)
    assert "".join("".join(made).split()) == "".join(text.split())
