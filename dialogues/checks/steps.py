"""Checks of each step of one dialogue."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from jinja2.sandbox import ImmutableSandboxedEnvironment

from dialogues.reading.faults import Fault
from dialogues.reading.rules import Rule
from dialogues.templates import fault_in
from state_machine.conditions import CONDITIONS
from state_machine.model.answer_kinds import AnswerKind
from state_machine.model.script import Dialogue, Label, Numbers, Silence, Step, Way, When
from state_machine.model.text import normalise

LONGEST_LABEL = 64
MOST_BUTTONS = 12
_MOST_NUMBER_BUTTONS = 11  # a wider range is typed, not tapped


def targets_exist(dialogue: Dialogue) -> Iterator[Fault]:
    """Every way on leads to an existing step."""
    for step in dialogue.steps.values():
        for way in step.ways:
            if way.target not in dialogue.steps:
                yield Fault(
                    dialogue.file,
                    way.line,
                    f"There is no step “{way.target}” in this file; write it, or lead to another.",
                    Rule.TARGET,
                )


def tags_can_be_read(dialogue: Dialogue, env: ImmutableSandboxedEnvironment) -> Iterator[Fault]:
    """The tags of each wording are closed within it, and use only what the rules allow."""
    for step in dialogue.steps.values():
        for bubble in step.bubbles:
            for wording in bubble.wordings:
                sentence = fault_in(env, wording)
                if sentence:
                    yield Fault(dialogue.file, bubble.line, sentence, Rule.TEMPLATE)


def silent_ways_stand_alone(dialogue: Dialogue) -> Iterator[Fault]:
    """A step with silent ways has no bubbles and no other ways, and its last way is *otherwise*."""
    for step in dialogue.steps.values():
        if not step.is_silent:
            continue
        silent = [way.takes for way in step.ways if isinstance(way.takes, When)]
        if len(silent) < len(step.ways) or step.bubbles:
            yield Fault(
                dialogue.file,
                step.line,
                f"“{step.name}” is left before anything is said, so it can have no bubbles and no other ways; "
                "move them to a step of their own.",
                Rule.SILENT,
            )
        if [takes.condition for takes in silent].count(None) != 1 or silent[-1].condition is not None:
            yield Fault(
                dialogue.file,
                step.line,
                f"The silent ways of “{step.name}” need one “otherwise”, as the last of them.",
                Rule.SILENT,
            )


def conditions_exist(dialogue: Dialogue) -> Iterator[Fault]:
    """Every condition of a silent way is defined in `state_machine/conditions`."""
    for step in dialogue.steps.values():
        for way in step.ways:
            if isinstance(way.takes, When) and way.takes.condition not in {None, *CONDITIONS}:
                yield Fault(
                    dialogue.file,
                    way.line,
                    f"There is no condition “{way.takes.condition}”; use one of those in state_machine/conditions, "
                    "or ask for it to be written.",
                    Rule.CONDITION_EXISTS,
                )


def questions_say_something(dialogue: Dialogue) -> Iterator[Fault]:
    """A step that waits for an answer has a bubble."""
    for step in dialogue.steps.values():
        if step.ways and not step.is_silent and not step.bubbles:
            yield Fault(
                dialogue.file,
                step.line,
                f"“{step.name}” waits for an answer but says nothing; write a bubble above its ways on.",
                Rule.SAYS_SOMETHING,
            )


def silence_once(dialogue: Dialogue) -> Iterator[Fault]:
    """A step has at most one way on for silence."""
    for step in dialogue.steps.values():
        silences = [way for way in step.ways if isinstance(way.takes, Silence)]
        for way in silences[1:]:
            yield Fault(
                dialogue.file, way.line, "Silence already has a way on in this step; keep one.", Rule.ONE_SILENCE
            )


def answers_differ(dialogue: Dialogue, skip: str) -> Iterator[Fault]:
    """No two ways of a step take the same answer; case and emoji are ignored."""
    for step in dialogue.steps.values():
        seen: set[str] = set()
        for way in step.ways:
            answer = _answer(way, skip)
            if isinstance(way.takes, Label) and answer == normalise(skip):
                yield Fault(
                    dialogue.file, way.line, f"“{skip}” is written [*Skip*](#{way.target}).", Rule.LABELS_DIFFER
                )
            elif answer and answer in seen:
                yield Fault(
                    dialogue.file,
                    way.line,
                    f"Two ways on of “{step.name}” take the same answer “{answer}”; make them differ by a word.",
                    Rule.LABELS_DIFFER,
                )
            seen.add(answer)


def _answer(way: Way, skip: str) -> str:
    if isinstance(way.takes, Label):
        # Normalising a label that has only emoji would leave nothing to compare.
        return normalise(way.takes.text) or way.takes.text
    if way.takes is AnswerKind.SKIP:
        return normalise(skip)
    if isinstance(way.takes, AnswerKind):
        return str(way.takes)
    return ""


def ranges_touch(dialogue: Dialogue) -> Iterator[Fault]:
    """The number ranges of a step have no gaps and do not overlap."""
    for step in dialogue.steps.values():
        ranges = sorted((way for way in step.ways if isinstance(way.takes, Numbers)), key=_low)
        for first, second in pairwise(ranges):
            assert isinstance(first.takes, Numbers)  # noqa: S101 - what was filtered for above
            if _low(second) != first.takes.high + 1:
                wrong = "overlap" if _low(second) <= first.takes.high else "leave a gap"
                yield Fault(
                    dialogue.file,
                    second.line,
                    f"The numbers of “{step.name}” {wrong}; each range begins one above the one before.",
                    Rule.RANGES,
                )


def _low(way: Way) -> int:
    return way.takes.low if isinstance(way.takes, Numbers) else 0


def buttons_fit(dialogue: Dialogue) -> Iterator[Fault]:
    """A label has at most 64 characters, a step at most 12 buttons."""
    for step in dialogue.steps.values():
        for way in step.ways:
            if isinstance(way.takes, Label) and len(way.takes.text) > LONGEST_LABEL:
                yield Fault(
                    dialogue.file,
                    way.line,
                    f"This label has {len(way.takes.text)} characters; shorten it to {LONGEST_LABEL}.",
                    Rule.BUTTONS,
                )
        count = _buttons(step)
        if count > MOST_BUTTONS:
            yield Fault(
                dialogue.file,
                step.line,
                f"“{step.name}” has {count} buttons; {MOST_BUTTONS} are the most, so ask in two steps.",
                Rule.BUTTONS,
            )


def _buttons(step: Step) -> int:
    numbers = sum(way.takes.high - _low(way) + 1 for way in step.ways if isinstance(way.takes, Numbers))
    others = sum(isinstance(way.takes, Label) or way.takes is AnswerKind.SKIP for way in step.ways)
    return others + (numbers if numbers <= _MOST_NUMBER_BUTTONS else 0)
