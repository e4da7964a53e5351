"""Small books for tests: the sound one, and what is laid over it to break it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dialogues.book import Book
from dialogues.checks.tables import Tables
from dialogues.reading.faults import Findings
from dialogues.reading.wordlists import Section, read_sections
from state_machine.conditions import CONDITIONS

SOUND = Path(__file__).parent / "sound_book"
BROKEN = Path(__file__).parent / "broken"
PHASES = ("welcome", "assessment")
IT = "welcome/it"
"""Where a broken file is put in the sound book."""


@dataclass(frozen=True)
class Hears:
    """One row of the departures, as far as the checks look at it."""

    dialogue: str
    outcome: str
    phases: tuple[str, ...] = PHASES
    to: str | None = None


def book_with(folder: Path, overlay: Path) -> Path:
    """The sound book in `folder`, with a broken file in place of `welcome/it.md`, or a broken folder over it."""
    made = folder / "book"
    shutil.copytree(SOUND, made)
    if overlay.is_dir():
        shutil.copytree(overlay, made, dirs_exist_ok=True)
    else:
        shutil.copy(overlay, made / f"{IT}.md")
        contents = made / "CONTENTS.md"
        hello = "- [Hello](welcome/hello.md)\n"
        contents.write_text(contents.read_text().replace(hello, f"{hello}- [It]({IT}.md)\n"))
    return made


def tables_for(book: Book) -> Tables:
    """Tables that hear every outcome and ask for every condition, unless the book's `tables.md` says otherwise."""
    said = _tables_file(book.folder / "tables.md")
    heard = {(dialogue.name, outcome) for dialogue in book.read.values() for outcome in dialogue.outcomes}
    heard = (heard | _pairs(said.get("also hears"))) - _pairs(said.get("never hears"))
    return Tables(
        phases=PHASES,
        departures=[Hears(dialogue, outcome) for dialogue, outcome in sorted(heard)],
        asked=_entries(said.get("asks")),
        conditions=CONDITIONS.keys() - set(_entries(said.get("never asks"))),
    )


def _tables_file(path: Path) -> dict[str, Section]:
    if not path.exists():
        return {}
    return {section.name: section for section in read_sections(path.read_text(), Findings(path.name))}


def _entries(section: Section | None) -> list[str]:
    return [item.text for item in section.items] if section else []


def _pairs(section: Section | None) -> set[tuple[str, str]]:
    split: Iterable[list[str]] = (entry.split(": ") for entry in _entries(section))
    return {(dialogue, outcome) for dialogue, outcome in split}
