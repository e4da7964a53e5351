"""Which step asks for a fact by itself, where it is missing or is to be changed."""

from __future__ import annotations

from state_machine.model.script import Dialogue, Script

Place = tuple[str, str]
"""A dialogue and one of its steps, by their names."""


def keeper(script: Script, memory: str, before: str | None = None) -> Place | None:
    """The step that is asked for `memory`; None if no step keeps it. `before`: the dialogue that needs it."""
    return next(iter(keepers(script, memory, before)), None)


def keepers(script: Script, memory: str, before: str | None = None) -> list[Place]:
    """The steps that may be asked for `memory`: a book in which there is more than one is ambiguous.

    They are those of the earliest dialogue in the contents that stands before `before` (anywhere, if that is None or
    stands outside the contents); else of all that stand outside the contents; else of the earliest after `before`.
    """
    places = {part.dialogue: place for place, part in enumerate(script.contents) if part.dialogue}
    here = places.get(before or "", len(script.contents))

    def rank(dialogue: Dialogue) -> tuple[int, int]:
        place = places.get(dialogue.name)
        return (1, 0) if place is None else (0 if place < here else 2, place)

    keeping = [dialogue for dialogue in script.dialogues.values() if memory in dialogue.memories]
    nearest = min((rank(dialogue) for dialogue in keeping), default=None)
    return [
        (dialogue.name, step.name)
        for dialogue in keeping
        if rank(dialogue) == nearest
        for step in dialogue.steps.values()
        if any(way.memory == memory for way in step.ways)
    ]
