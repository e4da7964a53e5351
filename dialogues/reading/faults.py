"""What is wrong with the book: a sentence with its file, its line and its remedy."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from dialogues.reading.rules import Rule


class Severity(StrEnum):
    """How bad it is: a fault must be mended, a warning should be looked at."""

    FAULT = "fault"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Fault:
    """One breach of one rule.

    `file` is a path below the language folder, `line` counts from 1 (0: the file as a whole).
    `fatal`: the programme must not start with it.
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
    """Collects the faults of one file while it is read, so that all are listed at once."""

    file: str
    faults: list[Fault] = field(default_factory=list)

    def add(self, rule: Rule, line: int, sentence: str) -> None:
        self.faults.append(Fault(self.file, line, sentence, rule))
