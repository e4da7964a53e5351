"""One row of the help lines: what stands in it, how it is read from a table, and when it may be trusted."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

GOOD_FOR = timedelta(days=180)
"""How long a row counts as checked."""
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
"""What a line is for, in the order in which they are listed."""
CONFIDENCES = frozenset({"H", "H*", "M", "K", "L"})
VOUCHED_FOR = frozenset({"H", "H*"})
NOTHING_SOLID = "L"
OWN = "own"
"""What stands in place of a confidence where the operator wrote the row."""
EVERYWHERE = "*"
"""What stands in place of a country for a directory that serves all of them."""
NOT_VERIFIED = "not verified"
"""What stands in place of hours that nobody has checked."""

_COLUMNS = ["country", "kind", "name", "contact", "hours", "confidence", "checked_on", "source"]


class HelpLinesError(ValueError):
    """A table or the operator's file can't be used; each line of the message has place, fault and remedy."""


class Standing(StrEnum):
    """How far a row may be trusted on a day. The first three are shown to clients, the others need a check."""

    BY_SOURCE = "vouched for by its source"
    CONFIRMED = "confirmed by the operator"
    OWN = "the operator's own"
    STALE = "stale"
    UNCONFIRMED = "unconfirmed"
    UNKNOWN = "unknown"

    @property
    def shown(self) -> bool:
        """Whether a client may see the row."""
        return self in {Standing.BY_SOURCE, Standing.CONFIRMED, Standing.OWN}


@dataclass(frozen=True, slots=True)
class HelpLine:
    """One help line as a client sees it. `hours` is None where nobody has verified them."""

    name: str
    contact: str
    hours: str | None


@dataclass(frozen=True, slots=True)
class HelpLineRow:
    """One row of the table of lines, as it is written. `confirmed_on`: when the operator last checked it."""

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
        """The name under which an operator confirms the row."""
        return f"{self.country} {self.kind} {self.name}"

    @property
    def looked_at(self) -> date:
        """The last day on which somebody held the row against its source."""
        return max(self.checked_on, self.confirmed_on or self.checked_on)

    def standing(self, today: date) -> Standing:
        """How far the row may be trusted on `today`."""
        if today - self.looked_at > GOOD_FOR:
            return Standing.STALE
        if self.confidence == OWN:
            return Standing.OWN
        if self.confirmed_on is not None and today - self.confirmed_on <= GOOD_FOR:
            return Standing.CONFIRMED
        if self.confidence in VOUCHED_FOR:
            return Standing.BY_SOURCE
        return Standing.UNKNOWN if self.confidence == NOTHING_SOLID else Standing.UNCONFIRMED

    def line(self) -> HelpLine:
        """The row as a client sees it."""
        contact = ", ".join(part.strip() for part in self.contact.split(";"))
        return HelpLine(self.name, contact, None if self.hours == NOT_VERIFIED else self.hours)


def rows(path: Path) -> Iterator[HelpLineRow]:
    """Each row of `help_lines.csv`. Raises `HelpLinesError` for the first that can't be trusted."""
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
            raise HelpLinesError(f"{where}: “{row.country}” is no country; write its two letters, or “*”.")
        if row.kind not in KINDS:
            raise HelpLinesError(f"{where}: there is no kind “{row.kind}”; the kinds are {', '.join(KINDS)}.")
        if row.confidence not in CONFIDENCES:
            raise HelpLinesError(f"{where}: the confidence is one of {', '.join(sorted(CONFIDENCES))}.")
        if not (row.name and row.contact and row.hours and row.source):
            raise HelpLinesError(f"{where}: name, contact, hours and source can't be empty.")
        if row.key in seen:
            raise HelpLinesError(f"{where}: “{row.key}” stands twice; keep one.")
        seen.add(row.key)
        yield row


def table(path: Path, columns: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Each row below the headings as column to value, with `file:line` for a fault's sentence."""
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
    """The day in the column of that name."""
    try:
        return date.fromisoformat(cells["checked_on"])
    except ValueError:
        raise HelpLinesError(f"{where}: “{cells['checked_on']}” is no date; write it like 2026-11-23.") from None
