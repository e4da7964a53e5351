"""Whatever is open, words of danger open the talk at once, and move nothing else.

All of the graph is walked: every step of every dialogue, every phase, before consent, paused, edits and captions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from dialogues.rendering.prompts import Prompts
from state_machine.engine import step
from state_machine.model.events import Edited, Event, Said, Shared, Tapped
from state_machine.model.outgoing import Message, Priority
from state_machine.model.progress import Progress, RecentText, Run
from state_machine.programme.rows import PHASES
from state_machine.programme.tables import DOORS, GO_ON, MEDICAL, OPENED_BY_WORDS, SOS, TALKS
from state_machine.safety import DangerKind
from state_machine.turn.machine import Machines
from state_machine.turn.options import token
from tests.standing import NOW, Standing, standings

EXPLICIT = "I am going to kill myself tonight"
HINT = "everyone would be better off without me"
WAYS_TO_SEND: dict[str, Callable[[str], Event]] = {
    "said": lambda text: Said(NOW, text),
    "said before the question arrived": lambda text: Said(NOW, text, early=True),
    "changed": lambda text: Edited(NOW, text),
    "under a picture": lambda text: Shared(NOW, "photo", text),
    "behind a command": lambda text: Said(NOW, f"/today {text}"),
    "behind a command that nobody knows": lambda text: Said(NOW, f"/hello {text}"),
    "behind a slash": lambda text: Said(NOW, f"/ {text}"),
}


@pytest.fixture(scope="module")
def everywhere(machines: Machines) -> list[Standing]:
    return standings(machines)


def _below(progress: Progress) -> tuple[Run, ...]:
    """What is open apart from talks of danger, with the answers and the place of each."""
    talks = OPENED_BY_WORDS
    return tuple(replace(run, asked=NOW) for run in progress.runs if run.dialogue not in talks)


@pytest.mark.parametrize("how", WAYS_TO_SEND)
def test_words_of_danger_open_the_talk_at_every_step_and_move_nothing_else(
    how: str, machines: Machines, prompts: Prompts, everywhere: list[Standing]
) -> None:
    for standing in everywhere:
        if standing.dialogue in OPENED_BY_WORDS:
            continue
        turn = step(machines, standing.progress, WAYS_TO_SEND[how](EXPLICIT))
        assert turn.progress.runs[-1].dialogue == SOS, f"no talk at {standing}"
        assert turn.priority is Priority.SAFETY
        doors = {run for run in _below(standing.progress) if run.dialogue in DOORS}
        assert _below(turn.progress) == tuple(r for r in _below(standing.progress) if r not in doors), str(standing)
        said = [item for item in prompts.outgoing(turn.effects, NOW) if isinstance(item, Message)]
        assert any(character.isdecimal() for message in said for character in message.text), (
            f"no number at {standing}"
        )


def test_after_the_talk_the_question_that_waited_is_offered_and_unchanged(
    machines: Machines, everywhere: list[Standing]
) -> None:
    for standing in everywhere:
        front = standing.progress.runs[-1]
        if (
            machines.script.dialogues[standing.dialogue].safety
            or standing.dialogue in {GO_ON, *DOORS}
            or front.amends
        ):
            continue
        talking = step(machines, standing.progress, Said(NOW, EXPLICIT)).progress
        offered = step(machines, talking, Said(NOW, "/later")).progress
        assert offered.runs[-1].dialogue == GO_ON, str(standing)
        resumed = step(machines, offered, Said(NOW, "Go on")).progress.runs[-1]
        assert (resumed.dialogue, resumed.step, resumed.answers) == (front.dialogue, front.step, front.answers)


def test_words_in_the_middle_of_the_talk_never_throw_anybody_back_to_its_beginning(
    machines: Machines, everywhere: list[Standing]
) -> None:
    for standing in everywhere:
        if standing.dialogue != SOS:
            continue
        turn = step(machines, standing.progress, Said(NOW, EXPLICIT))
        assert (turn.progress.runs[-1].step, turn.progress.runs[-1].id) == (
            standing.progress.runs[-1].step,
            standing.progress.runs[-1].id,
        ), str(standing)


@pytest.mark.parametrize("phase", PHASES)
def test_the_talk_opens_in_every_phase_and_while_paused(phase: str, machines: Machines) -> None:
    progress = Progress(phase=phase, consent="1 2026-03-01", paused_until=NOW + timedelta(days=3))
    assert step(machines, progress, Said(NOW, EXPLICIT)).progress.runs[-1].dialogue == SOS


def test_before_consent_the_talk_opens_and_nothing_is_entered(machines: Machines) -> None:
    turn = step(machines, Progress(), Said(NOW, EXPLICIT))
    assert turn.progress.runs[-1].dialogue == SOS
    assert not any(type(effect).__name__ == "SaveEntry" for effect in turn.effects)


def test_a_hint_is_asked_about_and_a_plain_no_holds_for_a_while(machines: Machines) -> None:
    progress = Progress(phase="assessment", consent="1 2026-03-01")
    asked = step(machines, progress, Said(NOW, HINT)).progress
    assert asked.runs[-1].dialogue == SOS
    answered = step(machines, asked, Said(NOW, "No")).progress
    assert answered.done[SOS].outcome == "no_thoughts"
    again = step(machines, answered, Said(NOW + timedelta(minutes=5), HINT)).progress
    assert all(run.dialogue != SOS for run in again.runs)
    later = step(machines, answered, Said(NOW + timedelta(hours=2), HINT)).progress
    assert later.runs[-1].dialogue == SOS


def test_signs_alone_are_read_with_the_words_before_them(machines: Machines) -> None:
    progress = Progress(phase="assessment", consent="1 2026-03-01")
    begun = step(machines, progress, Said(NOW, "I took all my")).progress
    assert step(machines, begun, Said(NOW + timedelta(seconds=5), "💊")).progress.runs[-1].dialogue == MEDICAL


def test_a_bare_command_is_no_word_of_anybody(machines: Machines) -> None:
    progress = Progress(phase="assessment", consent="1 2026-03-01")
    for command in ("/today", "/today ", "/", "/later", "/kill"):
        assert step(machines, progress, Said(NOW, command)).progress.recent in {(), (RecentText("kill", NOW),)}


def test_words_in_a_talk_that_bring_the_number_overtake_what_waits(machines: Machines) -> None:
    progress = Progress(phase="assessment", consent="1 2026-03-01")
    talking = step(machines, progress, Said(NOW, EXPLICIT)).progress
    assert step(machines, talking, Said(NOW, "I will do it with pills tonight")).priority is Priority.SAFETY
    answered = step(machines, step(machines, progress, Said(NOW, HINT)).progress, Said(NOW, "No")).progress
    assert step(machines, answered, Said(NOW + timedelta(minutes=5), HINT)).priority is Priority.SAFETY


def test_words_said_to_be_misread_rest_for_a_day_and_others_do_not(machines: Machines) -> None:
    progress = Progress(phase="assessment", consent="1 2026-03-01")
    talking = step(machines, progress, Said(NOW, EXPLICIT)).progress
    misread = step(machines, talking, Said(NOW, "You misread me")).progress
    soon = NOW + timedelta(hours=1)
    assert all(run.dialogue != SOS for run in step(machines, misread, Said(soon, EXPLICIT)).progress.runs)
    others = step(machines, misread, Said(soon, "I want to end my life")).progress
    assert others.runs[-1].dialogue == SOS
    next_week = step(machines, misread, Said(NOW + timedelta(days=7), EXPLICIT)).progress
    assert next_week.runs[-1].dialogue == SOS


def test_the_words_that_were_read_are_forgotten_after_a_day(machines: Machines) -> None:
    progress = Progress(phase="assessment", consent="1 2026-03-01")
    heard = step(machines, progress, Said(NOW, "a long grey day at the office")).progress
    assert [each.words for each in heard.recent] == ["a long grey day at the office"]
    later = step(machines, heard, Said(NOW + timedelta(hours=25), "it rained")).progress
    assert [each.words for each in later.recent] == ["it rained"]


def test_heavy_feelings_among_those_picked_are_asked_about_once_in_three_days(machines: Machines) -> None:
    progress = Progress(phase="assessment", consent="1 2026-03-01")

    def checked_in(progress: Progress, days: int) -> Progress:
        at = NOW + timedelta(days=days)
        for words in ("/checkin", "5", "Was alone", "More"):
            progress = step(machines, progress, Said(at, words)).progress
        for key in ("+hopeless", "done"):
            progress = step(machines, progress, Tapped(at, token(progress.runs[-1], key))).progress
        return progress

    first = checked_in(progress, 0)
    assert first.runs[-1].dialogue == SOS
    answered = step(machines, first, Said(NOW, "No")).progress
    closed = replace(answered, runs=(), done={SOS: answered.done[SOS]})
    assert checked_in(closed, 1).runs[-1].dialogue != SOS
    assert checked_in(closed, 4).runs[-1].dialogue == SOS


def test_every_kind_of_danger_has_its_talk_in_the_book(machines: Machines) -> None:
    for kind, talk in TALKS.items():
        assert talk in machines.script.dialogues, f"{kind} has no talk"
        assert machines.script.dialogues[talk].safety
    assert {*TALKS} == {*DangerKind} - {DangerKind.NONE}


def test_the_record_of_a_talk_holds_no_word_of_the_client(machines: Machines) -> None:
    progress = Progress(phase="assessment", consent="1 2026-03-01")
    progress = step(machines, progress, Said(NOW, EXPLICIT)).progress
    turn = step(machines, progress, Said(NOW, "You misread me"))
    entries = [effect.entry for effect in turn.effects if type(effect).__name__ == "SaveEntry"]  # type: ignore[union-attr]
    assert [entry.dialogue for entry in entries] == [SOS]
    assert all(" " not in answer.fact.value for entry in entries for answer in entry.answers)
