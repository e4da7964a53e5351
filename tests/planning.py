"""What the tests of the plan for hard moments share: the words that are written in it, and somebody who has one."""

from __future__ import annotations

from dataclasses import replace

from dialogues.rendering.prompts import Prompts
from state_machine.programme.tables import PLAN, PLAN_PARTS
from state_machine.turn.machine import Machines
from tests.standing import lives
from tests.talking import START, Story, label_to

WORDS = {f"plan_{part}": f"my own words about {part.replace('_', ' ')}" for part in PLAN_PARTS}
PAGE, EMPTY = f"{PLAN}#page", f"{PLAN}#empty"


def at_rest(machines: Machines, prompts: Prompts) -> Story:
    """Ana, who has said yes and has nothing open."""
    return Story(machines, prompts, replace(next(lives()), heard=START))


def with_a_plan(ana: Story) -> Story:
    """Ana with all seven parts written, reading her plan."""
    ana.says("/plan").taps(label_to(ana, "make"))
    return ana.answers(WORDS, until=PLAN)


def taps_through(story: Story, *targets: str) -> Story:
    for target in targets:
        story.taps(label_to(story, target))
    return story


def said(story: Story) -> str:
    return "\n".join(story.bubbles)
