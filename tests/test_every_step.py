"""At every step of every dialogue, whatever a client can send leads to a way on or to a kind word.

Never an exception, never a silent move, never a dead end. All of the graph is walked; nothing is sampled.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dialogues.rendering.prompts import Prompts, Tap
from state_machine.engine import step
from state_machine.model.effects import Erase, Say
from state_machine.model.events import Edited, Event, Said, Shared, Tapped, Woke
from state_machine.model.outgoing import Message, Outgoing
from state_machine.model.progress import Progress
from state_machine.model.text import normalise
from state_machine.turn.builder import Turn
from state_machine.turn.machine import Machines
from tests.standing import NOW, Standing, answers, standings

NONSENSE = (
    "asdfgh jkl",
    "",
    "   ",
    "👍",
    "😭😭😭",
    "?",
    "...",
    "5" * 40,
    "-1",
    "3.5",
    "a" * 5000,
    "x\n" * 50,
    "\u200b",
)
SHARED = ("sticker", "photo", "voice", "video", "document", "contact", "place", "poll")


@pytest.fixture(scope="module")
def everywhere(machines: Machines) -> list[Standing]:
    return standings(machines)


def _turn(machines: Machines, prompts: Prompts, progress: Progress, event: Event) -> tuple[Turn, list[Outgoing]]:
    turn = step(machines, progress, event)
    try:
        return turn, prompts.outgoing(turn.effects, event.at, Tap("tap", 7, "shown"))
    except Exception as fault:
        where = progress.runs[-1] if progress.runs else None
        place = f"{where.dialogue}#{where.step}" if where else "nothing open"
        raise AssertionError(f"{fault} after {event} at {place}") from fault


def _speaks(outgoing: list[Outgoing]) -> bool:
    return any(isinstance(item, Message) and item.text for item in outgoing)


def _nobody_is_stranded(machines: Machines, turn: Turn) -> None:
    """Whatever is open waits at a step that exists and has a way on."""
    for run in turn.progress.runs:
        here = machines.script.dialogues[run.dialogue].steps[run.step]
        assert here.ways or run is not turn.progress.runs[-1], (
            f"left standing at the ending {run.dialogue}#{run.step}"
        )
        assert not here.is_silent


def test_the_walk_stands_at_every_step_that_waits(machines: Machines, everywhere: list[Standing]) -> None:
    stood_at = {(s.dialogue, s.step) for s in everywhere}
    waiting = {
        (name, here.name)
        for name, dialogue in machines.script.dialogues.items()
        for here in dialogue.steps.values()
        if here.ways and not here.is_silent
    }
    assert stood_at == waiting


@pytest.mark.parametrize("text", NONSENSE, ids=lambda text: repr(text[:8]))
def test_nonsense_is_answered_and_moves_nothing_silently(
    text: str, machines: Machines, prompts: Prompts, everywhere: list[Standing]
) -> None:
    for standing in everywhere:
        turn, outgoing = _turn(machines, prompts, standing.progress, Said(NOW, text))
        assert _speaks(outgoing), f"silence at {standing}"
        _nobody_is_stranded(machines, turn)


@pytest.mark.parametrize("what", SHARED)
def test_a_thing_that_is_no_text_is_answered_and_the_question_stands(
    what: str, machines: Machines, prompts: Prompts, everywhere: list[Standing]
) -> None:
    for standing in everywhere:
        turn, outgoing = _turn(machines, prompts, standing.progress, Shared(NOW, what, "a caption"))
        assert _speaks(outgoing), f"silence at {standing}"
        assert turn.progress.runs[-1].step == standing.step


def test_a_changed_message_is_answered_and_the_question_stands(
    machines: Machines, prompts: Prompts, everywhere: list[Standing]
) -> None:
    for standing in everywhere:
        turn, outgoing = _turn(machines, prompts, standing.progress, Edited(NOW, "what I meant"))
        assert _speaks(outgoing), f"silence at {standing}"
        assert turn.progress.runs[-1].step == standing.step


def test_every_command_is_answered_at_every_step(
    machines: Machines, prompts: Prompts, everywhere: list[Standing]
) -> None:
    commands = [f"/{name}" for name in machines.script.commands]
    commands += ["/start", "/start abc-DEF_1", "/back", "/later", "/stop", "/nonsense", "/", "/help@ipt_bot"]
    for standing in everywhere:
        for command in commands:
            turn, outgoing = _turn(machines, prompts, standing.progress, Said(NOW, command))
            assert _speaks(outgoing), f"silence after {command} at {standing}"
            _nobody_is_stranded(machines, turn)


def test_every_way_on_can_be_taken_and_says_something(
    machines: Machines, prompts: Prompts, everywhere: list[Standing]
) -> None:
    for standing in everywhere:
        for words in answers(machines, standing.progress, standing.progress.runs[-1]):
            turn, outgoing = _turn(machines, prompts, standing.progress, Said(NOW, words))
            erased = any(isinstance(effect, Erase) for effect in turn.effects)
            assert _speaks(outgoing) or erased, f"silence after {words!r} at {standing}"
            if not erased:
                _nobody_is_stranded(machines, turn)


def test_every_button_can_be_tapped_and_an_old_one_gets_an_answer(
    machines: Machines, prompts: Prompts, everywhere: list[Standing]
) -> None:
    for standing in everywhere:
        run = standing.progress.runs[-1]
        for row in prompts.choices(run, standing.progress, NOW):
            for choice in row:
                if choice.button is None:
                    continue
                turn, outgoing = _turn(machines, prompts, standing.progress, Tapped(NOW, choice.button))
                assert outgoing, f"silence after a tap on {choice.label!r} at {standing}"
                if turn.progress.runs and turn.progress.runs[-1].id == run.id and choice.picked:
                    continue
                _, again = _turn(machines, prompts, turn.progress, Tapped(NOW, choice.button))
                assert again, f"silence after a second tap on {choice.label!r} at {standing}"


def test_a_second_tap_never_fills_a_second_item(
    machines: Machines, prompts: Prompts, everywhere: list[Standing]
) -> None:
    for standing in everywhere:
        run = standing.progress.runs[-1]
        for offer in prompts.offers_of(run, standing.progress, NOW):
            if offer.key.startswith("+"):
                continue
            tap = Tapped(NOW, f"{run.id}:{run.step}:{offer.key}")
            once = step(machines, standing.progress, tap).progress
            if once.runs and (once.runs[-1].id, once.runs[-1].step) == (run.id, run.step):
                continue
            twice = step(machines, once, tap).progress
            same = replace(twice, heard=None, nights=()) == replace(once, heard=None, nights=())
            assert same, f"{offer.label!r} at {standing}"


def test_back_returns_to_the_question_before_with_its_answer_taken_back(
    machines: Machines, everywhere: list[Standing]
) -> None:
    for standing in everywhere:
        run = standing.progress.runs[-1]
        for words in answers(machines, standing.progress, run):
            there = step(machines, standing.progress, Said(NOW, words)).progress
            if not there.runs or there.runs[-1].id != run.id or there.runs[-1].step == run.step:
                continue
            back = step(machines, there, Said(NOW, "/back")).progress
            assert back.runs[-1].step == run.step, f"{words!r} at {standing}"
            before = {(a.memory, a.person) for a in run.answers}
            given_here = [
                a for a in back.runs[-1].answers if a.step == run.step and (a.memory, a.person) not in before
            ]
            assert not given_here, f"{words!r} at {standing}"


def test_silence_at_a_step_is_never_an_exception(
    machines: Machines, prompts: Prompts, everywhere: list[Standing]
) -> None:
    for standing in everywhere:
        for days in (0, 1, 3, 40):
            turn, _ = _turn(machines, prompts, standing.progress, Woke(NOW + timedelta(days=days)))
            _nobody_is_stranded(machines, turn)


def test_a_step_that_was_renamed_away_strands_nobody(
    machines: Machines, prompts: Prompts, everywhere: list[Standing]
) -> None:
    for standing in everywhere:
        here = standing.progress.runs[-1]
        for run in (replace(here, step="no_such_step"), replace(here, dialogue="gone/with_a_release")):
            progress = replace(standing.progress, runs=(*standing.progress.runs[:-1], run))
            turn, outgoing = _turn(machines, prompts, progress, Said(NOW, "hello there, it's me"))
            assert _speaks(outgoing), f"silence at {standing}"
            _nobody_is_stranded(machines, turn)


def test_an_erased_fact_strands_nobody(machines: Machines, prompts: Prompts, everywhere: list[Standing]) -> None:
    for standing in everywhere:
        for fact in standing.progress.facts:
            facts = {name: value for name, value in standing.progress.facts.items() if name != fact}
            progress = replace(standing.progress, facts=facts)
            for words in ("/start", *answers(machines, progress, progress.runs[-1])[:2]):
                turn, outgoing = _turn(machines, prompts, progress, Said(NOW, words))
                assert _speaks(outgoing) or any(isinstance(e, Erase) for e in turn.effects)


def test_a_person_who_was_removed_strands_nobody(
    machines: Machines, prompts: Prompts, everywhere: list[Standing]
) -> None:
    for standing in everywhere:
        progress = replace(standing.progress, people=())
        turn, outgoing = _turn(machines, prompts, progress, Said(NOW, "/start"))
        assert _speaks(outgoing), f"silence at {standing}"
        _nobody_is_stranded(machines, turn)


def test_words_that_crossed_are_never_taken_as_an_answer(
    machines: Machines, prompts: Prompts, everywhere: list[Standing]
) -> None:
    for standing in everywhere:
        run = standing.progress.runs[-1]
        for words in answers(machines, standing.progress, run)[:3]:
            turn, outgoing = _turn(machines, prompts, standing.progress, Said(NOW, words, early=True))
            assert turn.progress.runs[-1].step == run.step, f"{words!r} at {standing}"
            assert not any(isinstance(effect, Say) for effect in turn.effects)
            same_tap_twice = normalise(words) == normalise(standing.progress.just_settled or "")
            assert _speaks(outgoing) or same_tap_twice, f"silence at {standing}"
