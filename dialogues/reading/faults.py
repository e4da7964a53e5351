"""Faults of the book, each with its file, line and remedy."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from dialogues.reading.rules import Rule


class Severity(StrEnum):
    """A fault must be fixed; a warning should be looked at."""

    FAULT = "fault"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Fault:
    """One violation of one rule.

    `file` is relative to the language folder, `line` counts from 1 (0: the whole file). `sentence` names the
    remedy. `fatal`: the bot must not start.
    """

    file: str
    line: int
    sentence: str
    rule: Rule
    severity: Severity = Severity.FAULT
    fatal: bool = False

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        word = "" if self.severity is Severity.FAULT else f"{self.severity}: "
        return f"{place}: {word}{self.sentence} [{self.rule}]"


@dataclass(slots=True)
class Findings:
    """Collects the faults of one file while it is read, so that all can be reported at once."""

    file: str
    faults: list[Fault] = field(default_factory=list)

    def add(self, rule: Rule, line: int, sentence: str) -> None:
        self.faults.append(Fault(self.file, line, sentence, rule))
