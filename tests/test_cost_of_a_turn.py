"""What a turn costs does not grow with the book or with what is known of a client. Calls are counted, not seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import FrameType

import pytest

from bot.measurement.benchmark.check_ins import IDLE, MOOD, START
from bot.measurement.benchmark.engine_cost import ratio
from dialogues.book import Book
from dialogues.helplines.tables import HelpLines
from dialogues.rendering.prompts import Prompts
from state_machine.engine import step
from state_machine.model.context import Context
from state_machine.model.events import Event, Said, Woke
from state_machine.model.progress import Done, Fact, Progress
from state_machine.model.script import Bubble, Dialogue, Label, Part, Script, Step, Way
from state_machine.programme.tables import CHECK_IN
from state_machine.schedule import triggers
from state_machine.turn import machine
from state_machine.turn.machine import Machines
from state_machine.turn.options import offers

PARTS, FACTS, STEPS = 150, 1_000, 2_000
OF_ONE = 20
"""Steps of one made-up dialogue."""
NO_MORE_THAN = 1.3
DAY = START + timedelta(days=40)


def _dialogue(number: int) -> Dialogue:
    """A made-up dialogue of so many steps, one after the other."""
    names = [f"step_{place}" for place in range(OF_ONE - 1)]
    ways = {
        name: Way(Label("Go on"), target, f"kept_{number}")
        for name, target in zip(names, [*names[1:], "done"], strict=True)
    }
    steps = {name: Step(name, (Bubble(("Well?",)),), (way,)) for name, way in ways.items()}
    steps["done"] = Step("done", (Bubble(("Good.",)),), ())
    return Dialogue(f"made_up/{number}", f"Talk {number}", "", steps, ("done",))


def _grown(script: Script) -> Script:
    """The book with a phase of many parts, most of them made up, and many steps."""
    made = {dialogue.name: dialogue for dialogue in map(_dialogue, range(STEPS // OF_ONE))}
    others = [part for part in script.contents if part.phase != IDLE.phase]
    here = [part for part in script.contents if part.phase == IDLE.phase]
    more = [
        Part(
            IDLE.phase,
            3 + number // 2,
            f"Talk {number}",
            f"made_up/{number % len(made)}",
            when="has_people" if number % 2 else None,
        )
        for number in range(PARTS - len(here))
    ]
    return replace(script, dialogues={**script.dialogues, **made}, contents=(*here, *more, *others))


def _known(progress: Progress, script: Script, facts: int) -> Progress:
    """`progress` of somebody of whom so many facts are known, and who has done most of their phase."""
    parts = [part for part in script.contents if part.phase == progress.phase]
    yesterday = DAY - timedelta(days=1)
    done = {part.name: Done(len(parts), yesterday, "done", 1) for part in parts[: len(parts) * 2 // 3]}
    kept = {f"kept_{number}": Fact("so", yesterday, "so") for number in range(facts)}
    return replace(progress, heard=yesterday, done=done, facts={**progress.facts, **kept})


def _calls(once: Callable[[], object]) -> int:
    """How many functions are called, of Python and of C, once everything that is kept for later is there."""
    once()
    seen = 0

    def count(_frame: FrameType, what: str, _argument: object) -> None:
        nonlocal seen
        seen += what in ("call", "c_call")

    sys.setprofile(count)
    try:
        once()
    finally:
        sys.setprofile(None)
    return seen


def _turns(machines: Machines, facts: int) -> dict[str, tuple[Progress, Event]]:
    script = machines.script
    calm = _known(IDLE, script, facts)
    asked = step(machines, calm, Said(DAY, f"/{script.dialogues[CHECK_IN].opened_by}")).progress
    rated = step(machines, asked, Said(DAY, MOOD)).progress
    run = rated.runs[-1]
    labels = offers(script.dialogues[run.dialogue].steps[run.step], Context(script, rated, run, DAY))
    return {
        "a typed number": (asked, Said(DAY, MOOD)),
        "a tapped label": (rated, Said(DAY, labels[0].label)),
        "words of their own": (rated, Said(DAY, "we sat by the river and said little")),
        "what comes next": (calm, Said(DAY, "/today")),
        "hello": (calm, Said(DAY, "hello")),
        "a wake-up": (calm, Woke(DAY)),
    }


def _whole_turn(machines: Machines, prompts: Prompts, progress: Progress, event: Event) -> None:
    turn = step(machines, progress, event)
    prompts.outgoing(turn.effects, event.at)
    triggers.next_wake(machines.script, turn.progress)


@pytest.fixture(scope="module")
def grown(book: Book, machines: Machines) -> tuple[Machines, Prompts]:
    script = _grown(book.script)
    assert sum(len(dialogue.steps) for dialogue in script.dialogues.values()) >= STEPS
    assert sum(part.phase == IDLE.phase for part in script.contents) == PARTS
    return machine.build(script, machines.screen), Prompts(replace(book, script=script), HelpLines.read(), "Robin")


KINDS = ("a typed number", "a tapped label", "words of their own", "what comes next", "hello", "a wake-up")


@pytest.mark.parametrize("kind", KINDS)
def test_a_turn_costs_the_same_with_a_large_book_and_much_that_is_known(
    kind: str, machines: Machines, prompts: Prompts, grown: tuple[Machines, Prompts]
) -> None:
    few, many = _turns(machines, 0)[kind], _turns(grown[0], FACTS)[kind]
    small = _calls(lambda: _whole_turn(machines, prompts, *few))
    large = _calls(lambda: _whole_turn(*grown, *many))
    assert small > 100
    assert large < NO_MORE_THAN * small, (small, large)


def test_the_engine_is_counted_in_triggers_of_a_bare_machine(machines: Machines) -> None:
    found = ratio(machines)
    assert found.keys() == {"a typed number", "a tapped label", "what comes next"}
    assert all(1 < each < 30 for each in found.values()), found
