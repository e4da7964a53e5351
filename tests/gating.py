"""What the tests of the gates share: answers to the four questions, and somebody who is asked them."""

from __future__ import annotations

from dataclasses import replace

from dialogues.rendering.prompts import Prompts
from state_machine.model.progress import Fact, Person
from state_machine.programme.tables import PERSON_GATE
from state_machine.rules.person_gates import OWN, THEIRS
from state_machine.turn.machine import Machines
from tests.standing import lives
from tests.talking import START, Story, label_to

ALL_FOUR = (*THEIRS, OWN)


def facts(**codes: str) -> dict[str, Fact]:
    return {f"gate_{name}": Fact(code, START, code) for name, code in codes.items()}


NO = facts(fear="no", control="no", hurt="no", frightened="no")


def knowing_two(machines: Machines, prompts: Prompts) -> Story:
    """Ana with Rob and Cy on her map."""
    return Story(machines, prompts, replace(next(lives()), heard=START)).knows("Rob", "Cy")


def asked_about(story: Story, name: str) -> Story:
    """The gate of somebody, opened by the door on the map."""
    story.says("/people")
    story.says(label_to(story, "who_is_asked_about")).says(name)
    assert story.front.dialogue == PERSON_GATE
    return story


def through(story: Story, **codes: str) -> Story:
    """Answer the gate: yes or no by memory, no where nothing is given."""
    story.taps(label_to(story, "fear"))
    while story.progress.runs and story.front.dialogue == PERSON_GATE:
        here = story.script.dialogues[PERSON_GATE].steps[story.front.step]
        memory = next((way.memory for way in here.ways if way.memory in ALL_FOUR), None)
        if memory is None:
            break
        story.taps({"no": "No", "yes": "Yes", "unsaid": "I'd rather not say"}[codes.get(memory[5:], "no")])
    return story


def person(story: Story, name: str = "Rob") -> Person:
    return next(each for each in story.progress.people if each.name == name)


def tell(story: Story, known: dict[str, Fact], name: str = "Rob") -> Story:
    told = [replace(p, facts=known) if p.name == name else p for p in story.progress.people]
    story.progress = replace(story.progress, people=tuple(told))
    return story
