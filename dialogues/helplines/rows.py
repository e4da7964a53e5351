"""Rows of the table of help lines: reading them from CSV, and whether a row may be shown."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

VALID_FOR = timedelta(days=180)
"""How long a check of a row is valid."""
KINDS = (
    "crisis",
    "violence",
    "child",
    "sexual_violence",
    "eating",
    "perinatal",
    "suicide_bereavement",
    "poison",
)
"""The purposes of help lines, in the order in which they are listed."""
CONFIDENCES = frozenset({"H", "H*", "M", "K", "L"})
TRUSTED_CONFIDENCES = frozenset({"H", "H*"})
NO_CONFIDENCE = "L"
OWN = "own"
"""The confidence of a row written by the operator."""
EVERYWHERE = "*"
"""The country of a directory that serves all countries."""
NOT_VERIFIED = "not verified"
"""The hours of a line whose opening hours have not been checked."""

_COLUMNS = ["country", "kind", "name", "contact", "hours", "confidence", "checked_on", "source"]


class HelpLinesError(ValueError):
    """A table or the operator's file can't be used. Each line of the message has place, fault and remedy."""


class VerificationStatus(StrEnum):
    """Whether a row has been verified. The first three are shown to clients, the others need a check."""

    CONFIRMED_BY_SOURCE = "confirmed by its source"
    CONFIRMED = "confirmed by the operator"
    OWN = "the operator's own"
    STALE = "stale"
    UNCONFIRMED = "unconfirmed"
    UNKNOWN = "unknown"

    @property
    def shown(self) -> bool:
        """Whether a client may see the row."""
        return self in {VerificationStatus.CONFIRMED_BY_SOURCE, VerificationStatus.CONFIRMED, VerificationStatus.OWN}


@dataclass(frozen=True, slots=True)
class HelpLine:
    """One help line as a client sees it. `hours` is None if they have not been verified."""

    name: str
    contact: str
    hours: str | None


@dataclass(frozen=True, slots=True)
class HelpLineRow:
    """One row of the table, as written. `confirmed_on`: when the operator last checked it."""

    country: str
    kind: str
    name: str
    contact: str
    hours: str
    confidence: str
    checked_on: date
    source: str
    confirmed_on: date | None = None

    @property
    def key(self) -> str:
        """The key by which the operator's file names the row."""
        return f"{self.country} {self.kind} {self.name}"

    @property
    def last_checked(self) -> date:
        """The date of the last check, by its source or by the operator."""
        return max(self.checked_on, self.confirmed_on or self.checked_on)

    def status(self, today: date) -> VerificationStatus:
        """The verification status on `today`."""
        if today - self.last_checked > VALID_FOR:
            return VerificationStatus.STALE
        if self.confidence == OWN:
            return VerificationStatus.OWN
        if self.confirmed_on is not None and today - self.confirmed_on <= VALID_FOR:
            return VerificationStatus.CONFIRMED
        if self.confidence in TRUSTED_CONFIDENCES:
            return VerificationStatus.CONFIRMED_BY_SOURCE
        return VerificationStatus.UNKNOWN if self.confidence == NO_CONFIDENCE else VerificationStatus.UNCONFIRMED

    def line(self) -> HelpLine:
        """The row as a client sees it."""
        contact = ", ".join(part.strip() for part in self.contact.split(";"))
        return HelpLine(self.name, contact, None if self.hours == NOT_VERIFIED else self.hours)


def rows(path: Path) -> Iterator[HelpLineRow]:
    """Yield each row of `help_lines.csv`. Raises `HelpLinesError` for the first invalid one."""
    seen: set[str] = set()
    for where, cells in table(path, _COLUMNS):
        row = HelpLineRow(
            country=cells["country"],
            kind=cells["kind"],
            name=cells["name"],
            contact=cells["contact"],
            hours=cells["hours"],
            confidence=cells["confidence"],
            checked_on=checked_on(cells, where),
            source=cells["source"],
        )
        if not re.fullmatch(r"[A-Z]{2}|\*", row.country):
            raise HelpLinesError(f"{where}: “{row.country}” is not a country; write its two letters, or “*”.")
        if row.kind not in KINDS:
            raise HelpLinesError(f"{where}: there is no kind “{row.kind}”; the kinds are {', '.join(KINDS)}.")
        if row.confidence not in CONFIDENCES:
            raise HelpLinesError(f"{where}: the confidence is one of {', '.join(sorted(CONFIDENCES))}.")
        if not (row.name and row.contact and row.hours and row.source):
            raise HelpLinesError(f"{where}: name, contact, hours and source can't be empty.")
        if row.key in seen:
            raise HelpLinesError(f"{where}: “{row.key}” appears twice; keep one.")
        seen.add(row.key)
        yield row


def table(path: Path, columns: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each row below the headings as `file:line` and a dict of column to value.

    Raises `HelpLinesError` if the columns or the number of cells differ.
    """
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        if next(reader, None) != columns:
            raise HelpLinesError(f"{path.name}:1: the columns are {', '.join(columns)}, in this order.")
        for cells in reader:
            where = f"{path.name}:{reader.line_num}"
            if len(cells) != len(columns):
                raise HelpLinesError(f"{where}: the row has {len(cells)} cells instead of {len(columns)}.")
            yield where, {column: cell.strip() for column, cell in zip(columns, cells, strict=True)}


def checked_on(cells: Mapping[str, str], where: str) -> date:
    """Parse the column `checked_on`. Raises `HelpLinesError` if it is not a date; `where` is its `file:line`."""
    try:
        return date.fromisoformat(cells["checked_on"])
    except ValueError:
        raise HelpLinesError(f"{where}: “{cells['checked_on']}” is not a date; write it like 2026-11-23.") from None
