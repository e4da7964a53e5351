"""The book: all dialogues, the contents and the phrases of one language, read and checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypedDict, TypeVar

from jinja2.sandbox import ImmutableSandboxedEnvironment

from dialogues.checks.known import refrains_stand_alone
from dialogues.checks.mentions import mentions
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
"""Dialogues in this folder must have no faults, or the bot does not start: they are about help and danger."""
CONTENTS, REFRAINS, LISTS, PLACES = "CONTENTS.md", "refrains.md", "lists.md", "places.md"
NEVER_SAY = "never_say.md"


@dataclass(frozen=True)
class Book:
    """One language of the book.

    `script`: the data for the engine, without faulty dialogues. `read`: every dialogue that could be parsed, for the
    checks. `faults`: faults that are fatal or exclude a dialogue.
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
        """The faults with which the bot must not start."""
        return tuple(fault for fault in self.faults if fault.fatal)


def read(folder: Path | None = None, language: str = "en") -> Book:
    """Read the book of one language from its folder (by default that of the installed package).

    Never raises because of the content of the files; see `faults`.
    """
    # Slow to import, and not needed for drawing diagrams or reading a single file.
    from dialogues.reading.gazetteer import gazetteer, read_places  # noqa: PLC0415

    folder = folder or Path(__file__).parent / language
    faults: list[Fault] = []
    contents = _read_page(folder, CONTENTS, read_contents, faults)
    refrains = _read_page(folder, REFRAINS, read_refrains, faults)
    lists = _read_page(folder, LISTS, read_lists, faults)
    never_say = _read_page(folder, NEVER_SAY, read_never_say, faults)
    places = _read_page(folder, PLACES, read_places, faults)
    dialogues = _read_dialogues(folder, faults)
    steering_words = _steering_words(lists, refrains)
    faults += conditions_of_contents_exist(contents.parts)
    faults += _faults_of_dialogues(dialogues, faults, refrains, environment(lists.numbers, language), steering_words)
    for cached in (parsed, fault_in, mentions):
        cached.cache_clear()
    faulty_files = {fault.file for fault in faults}
    order = {part.dialogue: place for place, part in enumerate(contents.parts) if part.dialogue}
    complete = sorted(
        (dialogue for dialogue in dialogues.values() if dialogue.file not in faulty_files),
        key=lambda dialogue: (order.get(dialogue.name, len(contents.parts)), dialogue.name),
    )
    script = Script(
        dialogues={dialogue.name: dialogue for dialogue in complete},
        contents=contents.parts,
        refrains={name: len(bubble.wordings) for name, bubble in refrains.items()},
        feelings=lists.feelings,
        gazetteer=gazetteer(language, places),
        **steering_words,
    )
    return Book(
        folder=folder,
        language=language,
        script=script,
        read=dialogues,
        refrain_bubbles=refrains,
        numbers=lists.numbers,
        never_say=never_say,
        phase_titles=contents.titles,
        faults=tuple(faults),
    )


def _faults_of_dialogues(
    dialogues: Mapping[str, Dialogue],
    reading_faults: Sequence[Fault],
    refrains: Mapping[str, Bubble],
    env: ImmutableSandboxedEnvironment,
    steering_words: _SteeringWords,
) -> list[Fault]:
    """Return the faults of dialogues that were parsed without faults, so that none is a consequence of another."""
    unreadable_files = {fault.file for fault in reading_faults}
    memories = frozenset().union(*(dialogue.memories for dialogue in dialogues.values()))
    wordings = {name: bubble.wordings for name, bubble in refrains.items()}
    skip = steering_words.get("skip", Script({}).skip)
    in_refrains = refrains_stand_alone(REFRAINS, refrains, env, memories)
    return [replace(fault, fatal=True) for fault in in_refrains] + [
        replace(fault, fatal=dialogue.name.startswith(ALWAYS))
        for dialogue in dialogues.values()
        if dialogue.file not in unreadable_files
        for fault in sound(dialogue, env, memories, wordings, skip)
    ]


class _SteeringWords(TypedDict, total=False):
    numbers: tuple[str, ...]
    skip: str
    finished: str
    back: tuple[str, ...]
    later: tuple[str, ...]
    not_known: tuple[str, ...]
    greetings: tuple[str, ...]
    greeted: tuple[str, ...]
    clock_words: Mapping[str, str]


def _steering_words(lists: Lists, refrains: Mapping[str, Bubble]) -> _SteeringWords:
    """The words that a client can type to navigate, as far as this language has them."""
    steering_words = _SteeringWords(
        numbers=lists.numbers, greetings=lists.greetings, greeted=lists.greeted, clock_words=lists.clock
    )
    if "skip_button" in refrains:
        steering_words["skip"] = refrains["skip_button"].wordings[0]
    if "done_button" in refrains:
        steering_words["finished"] = refrains["done_button"].wordings[0]
    if lists.back:
        steering_words["back"] = lists.back
    if lists.later:
        steering_words["later"] = lists.later
    if lists.not_known:
        steering_words["not_known"] = lists.not_known
    return steering_words


def _read_dialogues(folder: Path, faults: list[Fault]) -> dict[str, Dialogue]:
    """Read every dialogue below the folder. Faults are appended to `faults`; what could be read is returned."""
    dialogues: dict[str, Dialogue] = {}
    for path in sorted(folder.glob("*/**/*.md")):
        file = path.relative_to(folder).as_posix()
        text = _read_text(folder, file, faults)
        if text is None:
            continue
        reading = read_dialogue(text, file.removesuffix(".md"))
        faults.extend(replace(fault, fatal=file.startswith(ALWAYS)) for fault in reading.faults)
        if reading.dialogue is not None:
            dialogues[reading.dialogue.name] = reading.dialogue
    return dialogues


_Parsed = TypeVar("_Parsed")


def _read_page(folder: Path, file: str, reader: Callable[[str, Findings], _Parsed], faults: list[Fault]) -> _Parsed:
    """Read one of the files beside the dialogues. Its faults are fatal."""
    findings = Findings(file)
    result = reader(_read_text(folder, file, faults) or "", findings)
    faults.extend(replace(fault, fatal=True) for fault in findings.faults)
    return result


def _read_text(folder: Path, file: str, faults: list[Fault]) -> str | None:
    fatal = "/" not in file or file.startswith(ALWAYS)
    try:
        return (folder / file).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        sentence = "This file is not UTF-8 text; save it as UTF-8."
    except OSError:
        sentence = "This file can't be read or is missing; put it back."
    faults.append(Fault(file, 0, sentence, Rule.TEXT, fatal=fatal))
    return None
