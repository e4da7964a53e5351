"""Checks of all paths through one dialogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dialogues.reading.faults import Fault
from dialogues.reading.rules import Rule
from state_machine.model.script import Dialogue


def every_step_is_reached(dialogue: Dialogue) -> Iterator[Fault]:
    """Every step is reachable from the first."""
    reached = _reachable(_onward(dialogue), {dialogue.first})
    for step in dialogue.steps.values():
        if step.name not in reached:
            yield Fault(
                dialogue.file,
                step.line,
                f"No path leads to “{step.name}”; lead to it from another step, or take it out.",
                Rule.REACHED,
            )


def every_step_comes_to_an_end(dialogue: Dialogue) -> Iterator[Fault]:
    """An ending is reachable from every step."""
    backward: dict[str, set[str]] = {name: set() for name in dialogue.steps}
    for name, targets in _onward(dialogue).items():
        for target in targets:
            backward[target].add(name)
    saved = _reachable(backward, {step.name for step in dialogue.steps.values() if step.is_ending})
    for step in dialogue.steps.values():
        if step.name not in saved:
            yield Fault(
                dialogue.file,
                step.line,
                f"From “{step.name}” no path comes to an end; give it a way on that does.",
                Rule.COMES_TO_AN_END,
            )


def endings_are_outcomes(dialogue: Dialogue) -> Iterator[Fault]:
    """The steps without ways on are the outcomes of the header, and no others."""
    for step in dialogue.steps.values():
        if step.is_ending and step.name not in dialogue.outcomes:
            yield Fault(
                dialogue.file,
                step.line,
                f"“{step.name}” has no ways on, so it ends the dialogue; add it to “outcomes”, or give it ways on.",
                Rule.OUTCOMES,
            )
    for outcome in dialogue.outcomes:
        step_of = dialogue.steps.get(outcome)
        if step_of is None or not step_of.is_ending:
            yield Fault(
                dialogue.file,
                1,
                f"The outcome “{outcome}” is no ending of this file; write a step of that name without ways on, "
                "or take it out of “outcomes”.",
                Rule.OUTCOMES,
            )


def no_silent_circle(dialogue: Dialogue) -> Iterator[Fault]:
    """Steps with silent ways do not form a cycle."""
    silent = {
        step.name: {way.target for way in step.ways if dialogue.steps[way.target].is_silent}
        for step in dialogue.steps.values()
        if step.is_silent
    }
    for name, targets in silent.items():
        if name in _reachable(silent, targets):
            yield Fault(
                dialogue.file,
                dialogue.steps[name].line,
                f"From “{name}” silent ways lead back to it with nothing said between; break the circle.",
                Rule.SILENT_CIRCLE,
            )


def _onward(dialogue: Dialogue) -> dict[str, set[str]]:
    return {
        step.name: {way.target for way in step.ways if way.target in dialogue.steps}
        for step in dialogue.steps.values()
    }


def _reachable(edges: Mapping[str, set[str]], begin: set[str]) -> set[str]:
    reached = set(begin)
    waiting = list(begin)
    while waiting:
        for target in edges.get(waiting.pop(), ()):
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    return reached
