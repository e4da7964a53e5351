"""Checks of the length of bubbles and steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from jinja2.sandbox import ImmutableSandboxedEnvironment

from dialogues.checks.template_text import longest
from dialogues.reading.faults import Fault
from dialogues.reading.rules import Rule
from state_machine.model.script import Bubble, Dialogue, Step

LONGEST_BUBBLE = 400
MOST_BUBBLES = 3
MOST_BUBBLES_TAKEN_OUT = 1
"""A step that is deleted from the chat has one bubble, because only the message that was answered is deleted."""
MOST_WORDS = 70
MOST_WORDS_IN_SAFETY = 40


def bubbles_are_short(
    file: str,
    bubbles: Sequence[Bubble],
    env: ImmutableSandboxedEnvironment,
    refrains: Mapping[str, Sequence[str]],
) -> Iterator[Fault]:
    """A bubble has at most 400 characters in its longest form, with 12 characters for a name."""
    for bubble in bubbles:
        for wording in bubble.wordings:
            length = len(longest(env, wording, refrains))
            if length > LONGEST_BUBBLE:
                yield Fault(
                    file,
                    bubble.line,
                    f"This bubble can have {length} characters; shorten it to {LONGEST_BUBBLE}, "
                    "or make it two bubbles.",
                    Rule.BUBBLE_LENGTH,
                )


def the_client_may_soon_speak(
    dialogue: Dialogue, env: ImmutableSandboxedEnvironment, refrains: Mapping[str, Sequence[str]]
) -> Iterator[Fault]:
    """A step has at most 3 bubbles (1 if it is deleted from the chat) and 70 words (40 with safety priority)."""
    bubbles = MOST_BUBBLES_TAKEN_OUT if dialogue.taken_out else MOST_BUBBLES
    most = MOST_WORDS_IN_SAFETY if dialogue.safety else MOST_WORDS
    for step in dialogue.steps.values():
        words = _words(step, env, refrains)
        if len(step.bubbles) > bubbles:
            yield Fault(
                dialogue.file,
                step.line,
                f"“{step.name}” has {len(step.bubbles)} bubbles; let the client speak after {bubbles}.",
                Rule.BEFORE_ANSWER,
            )
        if words > most:
            yield Fault(
                dialogue.file,
                step.line,
                f"“{step.name}” can say {words} words before the client may speak; {most} are the most.",
                Rule.BEFORE_ANSWER,
            )


def _words(step: Step, env: ImmutableSandboxedEnvironment, refrains: Mapping[str, Sequence[str]]) -> int:
    return sum(
        max((len(longest(env, wording, refrains).split()) for wording in bubble.wordings), default=0)
        for bubble in step.bubbles
    )
