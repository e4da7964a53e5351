"""The book: all dialogues, the contents and the phrases of one language, read and held together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypedDict, TypeVar

from jinja2.sandbox import ImmutableSandboxedEnvironment

from dialogues.checks.known import refrains_stand_alone
from dialogues.checks.programme import conditions_of_contents_exist
from dialogues.checks.sound import sound
from dialogues.reading.contents import read_contents
from dialogues.reading.faults import Fault, Findings
from dialogues.reading.never_say import Phrase, read_never_say
from dialogues.reading.reader import read as read_dialogue
from dialogues.reading.rules import Rule
from dialogues.reading.wordlists import Lists, read_lists, read_refrains
from dialogues.templates import environment, fault_in, parsed
from state_machine.model.script import Bubble, Dialogue, Part, Script

ALWAYS = "always/"
"""Dialogues in this folder must be whole, or the programme does not start: help and danger are in it."""
CONTENTS, REFRAINS, LISTS, PLACES = "CONTENTS.md", "refrains.md", "lists.md", "places.md"
NEVER_SAY = "never_say.md"


@dataclass(frozen=True)
class Book:
    """One language of the book.

    `script` holds what the engine needs, without the faulty dialogues; `read` every dialogue that could be
    read at all, for the checks; `faults` what stands in the way of starting or of a dialogue.
    """

    folder: Path
    language: str
    script: Script
    read: Mapping[str, Dialogue] = field(default_factory=dict)
    refrain_bubbles: Mapping[str, Bubble] = field(default_factory=dict)
    numbers: tuple[str, ...] = ()
    never_say: tuple[Phrase, ...] = ()
    phase_titles: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()

    @property
    def refrains(self) -> dict[str, tuple[str, ...]]:
        """Every refrain by name, with its wordings."""
        return {name: bubble.wordings for name, bubble in self.refrain_bubbles.items()}

    @property
    def contents(self) -> tuple[Part, ...]:
        """The parts of the programme in their order."""
        return self.script.contents

    @property
    def fatal(self) -> tuple[Fault, ...]:
        """The faults with which the programme must not start."""
        return tuple(fault for fault in self.faults if fault.fatal)


def read(folder: Path | None = None, language: str = "en") -> Book:
    """Read the book of one language from its folder (that of the installed package if none is given).

    Never raises because of what stands in the files: whatever is wrong is in `faults`.
    """
    # Names and zones take time to load, and who only draws or reads one file needs none.
    from dialogues.reading.gazetteer import gazetteer, read_places  # noqa: PLC0415

    folder = folder or Path(__file__).parent / language
    faults: list[Fault] = []
    contents = _page(folder, CONTENTS, read_contents, faults)
    refrains = _page(folder, REFRAINS, read_refrains, faults)
    lists = _page(folder, LISTS, read_lists, faults)
    never_say = _page(folder, NEVER_SAY, read_never_say, faults)
    places = _page(folder, PLACES, read_places, faults)
    every = _dialogues(folder, faults)
    steering = _steering(lists, refrains)
    faults += conditions_of_contents_exist(contents.parts)
    faults += _unsound(every, faults, refrains, environment(lists.numbers, language), steering)
    parsed.cache_clear()
    fault_in.cache_clear()
    broken = {fault.file for fault in faults}
    order = {part.dialogue: place for place, part in enumerate(contents.parts) if part.dialogue}
    whole = sorted(
        (dialogue for dialogue in every.values() if dialogue.file not in broken),
        key=lambda dialogue: (order.get(dialogue.name, len(contents.parts)), dialogue.name),
    )
    script = Script(
        dialogues={dialogue.name: dialogue for dialogue in whole},
        contents=contents.parts,
        refrains={name: len(bubble.wordings) for name, bubble in refrains.items()},
        feelings=lists.feelings,
        gazetteer=gazetteer(language, places),
        **steering,
    )
    return Book(
        folder=folder,
        language=language,
        script=script,
        read=every,
        refrain_bubbles=refrains,
        numbers=lists.numbers,
        never_say=never_say,
        phase_titles=contents.titles,
        faults=tuple(faults),
    )


def _unsound(
    every: Mapping[str, Dialogue],
    unreadable: Sequence[Fault],
    refrains: Mapping[str, Bubble],
    env: ImmutableSandboxedEnvironment,
    steering: _Steering,
) -> list[Fault]:
    """The faults of dialogues that could be read in full, so that no fault is only the shadow of another."""
    half_read = {fault.file for fault in unreadable}
    memories = frozenset().union(*(dialogue.memories for dialogue in every.values()))
    wordings = {name: bubble.wordings for name, bubble in refrains.items()}
    skip = steering.get("skip", Script({}).skip)
    in_refrains = refrains_stand_alone(REFRAINS, refrains, env, memories)
    return [replace(fault, fatal=True) for fault in in_refrains] + [
        replace(fault, fatal=dialogue.name.startswith(ALWAYS))
        for dialogue in every.values()
        if dialogue.file not in half_read
        for fault in sound(dialogue, env, memories, wordings, skip)
    ]


class _Steering(TypedDict, total=False):
    numbers: tuple[str, ...]
    skip: str
    finished: str
    back: tuple[str, ...]
    later: tuple[str, ...]
    not_known: tuple[str, ...]
    greetings: tuple[str, ...]
    greeted: tuple[str, ...]


def _steering(lists: Lists, refrains: Mapping[str, Bubble]) -> _Steering:
    """The words by which a client steers, as far as this language names them."""
    steering = _Steering(numbers=lists.numbers, greetings=lists.greetings, greeted=lists.greeted)
    if "skip_button" in refrains:
        steering["skip"] = refrains["skip_button"].wordings[0]
    if "done_button" in refrains:
        steering["finished"] = refrains["done_button"].wordings[0]
    if lists.back:
        steering["back"] = lists.back
    if lists.later:
        steering["later"] = lists.later
    if lists.not_known:
        steering["not_known"] = lists.not_known
    return steering


def _dialogues(folder: Path, faults: list[Fault]) -> dict[str, Dialogue]:
    """Every dialogue below the folder that could be read, with the faults of all."""
    every: dict[str, Dialogue] = {}
    for path in sorted(folder.glob("*/**/*.md")):
        file = path.relative_to(folder).as_posix()
        text = _text(folder, file, faults)
        if text is None:
            continue
        reading = read_dialogue(text, file.removesuffix(".md"))
        faults.extend(replace(fault, fatal=file.startswith(ALWAYS)) for fault in reading.faults)
        if reading.dialogue is not None:
            every[reading.dialogue.name] = reading.dialogue
    return every


_Read = TypeVar("_Read")


def _page(folder: Path, file: str, reader: Callable[[str, Findings], _Read], faults: list[Fault]) -> _Read:
    """Read one of the pages beside the dialogues; without it nothing can start."""
    findings = Findings(file)
    result = reader(_text(folder, file, faults) or "", findings)
    faults.extend(replace(fault, fatal=True) for fault in findings.faults)
    return result


def _text(folder: Path, file: str, faults: list[Fault]) -> str | None:
    fatal = "/" not in file or file.startswith(ALWAYS)
    try:
        return (folder / file).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        sentence = "This file is not plain text in UTF-8; save it so in your editor."
    except OSError:
        sentence = "This file can't be read or is missing; put it back."
    faults.append(Fault(file, 0, sentence, Rule.TEXT, fatal=fatal))
    return None
