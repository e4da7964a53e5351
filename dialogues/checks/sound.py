"""The checks that a dialogue must pass before it can be opened."""

from __future__ import annotations

from collections.abc import Collection

from jinja2.sandbox import ImmutableSandboxedEnvironment

from dialogues.checks import known, paths, steps
from dialogues.reading.faults import Fault
from state_machine.model.script import Dialogue


def sound(
    dialogue: Dialogue,
    env: ImmutableSandboxedEnvironment,
    memories: Collection[str],
    refrains: known.Refrains,
    skip: str,
) -> list[Fault]:
    """Return every fault that could leave a client stuck. Paths are checked only if the steps are valid."""
    faults = [
        *steps.targets_exist(dialogue),
        *steps.tags_can_be_read(dialogue, env),
        *steps.silent_ways_stand_alone(dialogue),
        *steps.conditions_exist(dialogue),
        *steps.questions_say_something(dialogue),
        *steps.silence_once(dialogue),
        *steps.answers_differ(dialogue, skip),
        *steps.ranges_touch(dialogue),
        *steps.buttons_fit(dialogue),
    ]
    if faults:
        return faults
    return [
        *paths.every_step_is_reached(dialogue),
        *paths.every_step_comes_to_an_end(dialogue),
        *paths.endings_are_outcomes(dialogue),
        *paths.no_silent_circle(dialogue),
        *known.known_on_every_path(dialogue, env, memories, refrains),
        *known.names_exist(dialogue, env, memories, refrains),
    ]
