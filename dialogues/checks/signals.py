"""Checks the signals against their own examples. With a fault in any of them the bot does not start."""

from __future__ import annotations

from dialogues.reading.faults import Fault
from dialogues.reading.rules import Rule
from dialogues.reading.signals import WORDS, SignalBook, SignalSection, missing_groups
from state_machine.safety import Screen
from state_machine.safety.matcher import Vocabulary
from state_machine.safety.patterns import NotationError, PhrasePattern
from state_machine.safety.signals import REQUIRED_GROUPS


def check(book: SignalBook) -> list[Fault]:
    """Return every fault of one language's signals, sorted by file and line. All of them are fatal."""
    faults = list(book.faults)
    missing = missing_groups(book.signals.groups)
    words = f"signals/{book.signals.language}/{WORDS}"
    faults += [_fault(words, 0, f"The group “{name}” is missing; the screen asks for it.") for name in missing]
    if not missing:
        faults += _patterns(book)
    if not faults:
        faults += _examples(book)
    return sorted(faults, key=lambda fault: (fault.file, fault.line, fault.sentence))


def _fault(file: str, line: int, sentence: str) -> Fault:
    return Fault(file, line, sentence, Rule.PHRASES, fatal=True)


def _patterns(book: SignalBook) -> list[Fault]:
    """Return the faults of patterns that can't be read, and of groups that no pattern names."""
    faults: list[Fault] = []
    groups = Vocabulary(book.signals).groups
    for section in book.sections:
        for line in section.patterns:
            try:
                PhrasePattern(groups.pattern(line.text)).one_of  # noqa: B018 - asking for it is the check
            except NotationError as error:
                faults.append(_fault(section.file, line.line, str(error)))
    for group in book.groups:
        for line in group.patterns:
            try:
                groups.pattern(line.text)
            except NotationError as error:
                faults.append(_fault(group.file, line.line, str(error)))
    if not faults:
        faults += [
            _fault(group.file, group.line, f"No pattern names the group “{group.name}”; use it or take it out.")
            for group in book.groups
            if group.name not in groups.used | REQUIRED_GROUPS
        ]
    return faults


def _examples(book: SignalBook) -> list[Fault]:
    """Return the faults of examples that a signal should match and doesn't, or should not match and does."""
    screen = Screen([book.signals])
    faults: list[Fault] = []
    for section in book.sections:
        name = section.signal.name
        missed = [line for line in section.must if not _found(screen, section, line.text)]
        caught = [line for line in section.must_not if _found(screen, section, line.text)]
        faults += [
            _fault(section.file, line.line, f"“{name}” does not find this; mend its patterns.") for line in missed
        ]
        faults += [
            _fault(section.file, line.line, f"“{name}” finds this; make its patterns narrower.") for line in caught
        ]
    return faults


def _found(screen: Screen, section: SignalSection, text: str) -> bool:
    signal = section.signal
    if signal.hint:
        return screen.hint(signal.name.rpartition("/")[2], text)
    return any(reading.signal == signal.name and reading.tier is signal.tier for reading in screen.all_readings(text))
