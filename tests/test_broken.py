"""The error manual: every rule of the format has a broken file, and every broken file breaks its one rule."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import dialogues
from dialogues import book
from dialogues.checks.whole import check
from dialogues.reading.faults import Fault, Severity
from dialogues.reading.rules import Rule
from tests.books import BROKEN, SOUND, book_with, tables_for

MANUAL = BROKEN / "README.md"
RULE_BOOK = Path(dialogues.__file__).parent / "README.md"
OVERLAYS = sorted(path for path in BROKEN.iterdir() if path != MANUAL)
HEAD = """# Broken on purpose

Each of these files breaks one rule of the format, and its name says how.
A file is read as `welcome/it.md` of the sound book (`../sound_book`); a folder is copied over that book.
In a folder, `tables.md` says where the tables of the programme differ from using every outcome.
The sentences are what `ipt-bot check` prints; a test compares them.

| rule | broken by | what the check says |
|---|---|---|
"""


def rule_declared_in(overlay: Path) -> str:
    text = (overlay / "README.md" if overlay.is_dir() else overlay).read_bytes().decode("utf-8", "replace")
    declared = re.search(r"^Rule (R\d+)\.$", text, re.MULTILINE)
    assert declared, f"{overlay.name} does not say which rule it breaks"
    return declared[1]


def faults_of(overlay: Path, folder: Path) -> list[Fault]:
    made = book.read(book_with(folder, overlay))
    return check(made, tables_for(made))


def test_the_sound_book_has_no_fault() -> None:
    made = book.read(SOUND)
    assert check(made, tables_for(made)) == []


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_a_broken_file_breaks_the_rule_it_names_and_no_other(overlay: Path, tmp_path: Path) -> None:
    faults = faults_of(overlay, tmp_path)
    assert {fault.rule for fault in faults} == {rule_declared_in(overlay)}, [str(fault) for fault in faults]


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_every_fault_says_where_it_is_and_what_to_do(overlay: Path, tmp_path: Path) -> None:
    for fault in faults_of(overlay, tmp_path):
        assert fault.file
        assert fault.sentence.endswith(".")
        assert re.search(r"[;,] |asks for", fault.sentence), fault.sentence


def test_every_rule_has_a_broken_file() -> None:
    assert {rule_declared_in(overlay) for overlay in OVERLAYS} == {rule.value for rule in Rule}


def test_the_rule_book_tells_every_rule_in_order() -> None:
    told = re.findall(r"^- \*\*(R\d+)\*\* ", RULE_BOOK.read_text(encoding="utf-8"), re.MULTILINE)
    assert told == [rule.value for rule in Rule]


def test_the_manual_says_what_the_check_says(tmp_path: Path) -> None:
    rows = []
    for overlay in sorted(OVERLAYS, key=lambda path: (int(rule_declared_in(path)[1:]), path.name)):
        faults = faults_of(overlay, tmp_path / overlay.stem)
        first = next(fault for fault in faults if fault.severity is Severity.FAULT)
        place = f"{first.file}:{first.line}" if first.line else first.file
        sentence = first.sentence.replace("|", "\\|")
        rows.append(f"| {first.rule} | [{overlay.stem.replace('_', ' ')}]({overlay.name}) | `{place}` {sentence} |\n")
    manual = HEAD + "".join(rows)
    if os.environ.get("REWRITE"):
        MANUAL.write_text(manual, encoding="utf-8")
    assert MANUAL.read_text(encoding="utf-8") == manual
