"""The signals of danger: those shipped have no fault, and a fault in others is reported with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialogues.checks.signals import check
from dialogues.reading import signals
from state_machine.safety.signals import REQUIRED_GROUPS

GROUPS = "\n\n".join(f"## {name}\n\n- `{name.replace(' ', '')}`" for name in sorted(REQUIRED_GROUPS))
WORDS = f"# Word groups\n\n{GROUPS}\n\n## wish\n\n- `want to | wish to`\n"
SPELLINGS = "# Spellings\n\n## short forms\n\n- wanna: want to\n\n## left out\n\n- really, so\n"
SIGNAL = """# Signals

## sleep

People say it when they are tired.

Tier 2, self.

- `i {wish} sleep`

Must match:

- I really wanna sleep

Must not match:

- I sleep
"""


def faults_of(folder: Path, signal: str = SIGNAL, words: str = WORDS, spellings: str = SPELLINGS) -> list[str]:
    for name, text in (("words.md", words), ("spellings.md", spellings), ("some.md", signal)):
        (folder / name).write_text(text, encoding="utf-8")
    found = check(signals.read(folder))
    assert all(fault.fatal for fault in found)
    return [str(fault) for fault in found]


def test_the_shipped_signals_are_without_a_fault() -> None:
    for folder in signals.languages():
        assert check(signals.read(folder)) == []


def test_every_language_of_the_book_has_signals() -> None:
    assert [folder.name for folder in signals.languages()] == ["en"]


def test_a_sound_file_has_no_fault(tmp_path: Path) -> None:
    assert faults_of(tmp_path) == []


@pytest.mark.parametrize(
    ("part", "instead", "line", "said"),
    [
        ("I really wanna sleep", "I eat", 13, "does not find this"),
        ("- I sleep", "- I wish to sleep", 17, "finds this"),
        ("{wish}", "{whish}", 9, "There is no group {whish}"),
        ("sleep`", "so sleep`", 9, "“so” is a filler"),
        ("sleep`", "(sleep`", 9, "never closed"),
        ("sleep`", "sleep)`", 9, "too many"),
        ("sleep`", "sleep &`", 9, "empty"),
        ("i {wish} sleep", "[sleep]", 9, "at least one word"),
        ("Tier 2, self.", "Tier 7, self.", 3, "“Tier 1, self.” is missing"),
        ("People say it when they are tired.\n\n", "", 3, "the reason is missing"),
        ("- I really wanna sleep", "", 3, "no sentence after “Must match:”"),
        ("- `i {wish} sleep`", "", 3, "there is no pattern"),
        ("## sleep", "## Sleep well", 3, "can't name a signal"),
    ],
)
def test_a_fault_is_reported_with_its_place(tmp_path: Path, part: str, instead: str, line: int, said: str) -> None:
    assert part in SIGNAL
    found = faults_of(tmp_path, SIGNAL.replace(part, instead, 1))
    place = f"signals/{tmp_path.name}/some.md:{line}:"
    assert [fault for fault in found if said in fault and fault.startswith(place)], found


def test_a_group_that_nothing_uses_is_a_fault(tmp_path: Path) -> None:
    found = faults_of(tmp_path, words=WORDS + "\n## sleep words\n\n- `sleep | nap`\n")
    assert any("No pattern names the group “sleep words”" in fault for fault in found)


def test_a_group_that_contains_itself_is_a_fault(tmp_path: Path) -> None:
    found = faults_of(tmp_path, words=WORDS.replace("`want to | wish to`", "`want to | {wish}`"))
    assert any("contains itself" in fault for fault in found)


def test_a_group_the_screen_asks_for_must_be_there(tmp_path: Path) -> None:
    found = faults_of(tmp_path, words=WORDS.replace("## denials", "## denial"))
    assert any("The group “denials” is missing" in fault for fault in found)


def test_a_spelling_without_meaning_is_a_fault(tmp_path: Path) -> None:
    found = faults_of(tmp_path, spellings=SPELLINGS.replace("- wanna: want to", "- wanna"))
    assert any("A spelling is" in fault for fault in found)


def test_a_file_that_is_no_text_is_a_fault_and_no_crash(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_bytes(b"\xff\xfe\x00")
    assert any("UTF-8" in fault for fault in faults_of(tmp_path))
