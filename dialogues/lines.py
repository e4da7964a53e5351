"""Emergency numbers and help lines, country by country, and the rule of which may be shown.

The two tables lie in `lines/`, each row with the day it was checked and where.
A wrong number is worse than none: what nobody has vouched for lately gives way to
the emergency number and the directory. The sentences around the numbers stand in `refrains`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

GOOD_FOR = timedelta(days=180)
"""How long a row counts as checked."""
ENOUGH_SOURCES = 3
"""With fewer agreeing sources than this, 112 from a mobile is named as well."""
KINDS = frozenset(
    ["crisis", "violence", "child", "sexual_violence", "eating", "perinatal", "suicide_bereavement", "poison"]
)
CONFIDENCES = frozenset({"H", "H*", "M", "K", "L"})
VOUCHED_FOR = frozenset({"H", "H*"})
EVERYWHERE = "*"
"""What stands in place of a country for a directory that serves all of them."""

_FOLDER = Path(__file__).with_name("lines")
_LINE_COLUMNS = ["country", "kind", "name", "contact", "hours", "confidence", "checked_on", "source"]
_NUMBER_COLUMNS = ["country", "medical", "police", "general", "agree", "conflict", "note", "checked_on", "source"]


class LinesError(ValueError):
    """A table can't be read; the message names file and line, and says what is wrong."""


@dataclass(frozen=True, slots=True)
class Emergency:
    """The emergency numbers of one country; only what differs from the one before it.

    `general` serves for everything; `medical` and `police` are kept only where they are other numbers.
    All are None where nothing is known, and then the object is false.
    `or_112`: too few sources agree, so 112 from a mobile is named beside it.
    """

    general: str | None = None
    medical: str | None = None
    police: str | None = None
    or_112: bool = False

    def __bool__(self) -> bool:
        return bool(self.general or self.medical)

    def __str__(self) -> str:
        """The one number to ring for a life in danger; empty if none is known."""
        return self.general or self.medical or ""


@dataclass(frozen=True, slots=True)
class Line:
    """One help line. `hours` is None where nobody has verified them."""

    name: str
    contact: str
    hours: str | None


@dataclass(frozen=True, slots=True)
class Card:
    """What can be shown to a client. `country` is its name, or None if it is not known."""

    country: str | None
    emergency: Emergency
    crisis: tuple[Line, ...]
    poison: tuple[Line, ...]
    directory: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table of lines, as it is written."""

    country: str
    kind: str
    name: str
    contact: str
    hours: str
    confidence: str
    checked_on: date
    source: str

    @property
    def key(self) -> str:
        """The name under which an operator confirms the row."""
        return f"{self.country} {self.kind} {self.name}"

    def line(self) -> Line:
        contact = ", ".join(part.strip() for part in self.contact.split(";"))
        return Line(self.name, contact, None if self.hours == "not verified" else self.hours)


@dataclass(frozen=True, slots=True)
class Lines:
    """Both tables, read once. `confirmed` maps the key of a row to the day the operator confirmed it."""

    rows: tuple[Row, ...]
    numbers: Mapping[str, Emergency]
    confirmed: Mapping[str, date]
    directory: str

    @classmethod
    def read(cls, folder: Path | None = None, confirmed: Mapping[str, date] | None = None) -> Lines:
        """Read `help_lines.csv` and `emergency_numbers.csv` from `folder`.

        Raises `LinesError` for the first row that can't be trusted: with a wrong table nothing may start.
        """
        folder = folder or _FOLDER
        rows = tuple(_rows(folder / "help_lines.csv"))
        directory = next((r.contact for r in rows if r.country == EVERYWHERE and r.kind == "crisis"), None)
        if directory is None:
            raise LinesError("help_lines.csv: a crisis row for “*” is missing; add the directory of lines.")
        return cls(rows, dict(_numbers(folder / "emergency_numbers.csv")), confirmed or {}, directory)

    def card(self, country: str | None, today: date, language: str = "en") -> Card:
        """The numbers for an ISO 3166 code (None: not known) that may be shown on `today`.

        `language` is that of the country's name.
        """
        return Card(
            country=_name(country, language) if country in self.numbers else None,
            emergency=self.numbers.get(country or "", Emergency()),
            crisis=self.of_kind(country, "crisis", today),
            poison=self.of_kind(country, "poison", today),
            directory=self.directory,
        )

    def of_kind(self, country: str | None, kind: str, today: date) -> tuple[Line, ...]:
        """The lines of one kind that may be shown; none for an unknown country."""
        return tuple(
            row.line()
            for row in self.rows
            if row.country == country and row.kind == kind and self.may_be_shown(row, today)
        )

    def may_be_shown(self, row: Row, today: date) -> bool:
        """Whether somebody has vouched for the row lately: its source, or the operator."""
        by_source = row.confidence in VOUCHED_FOR and today - row.checked_on <= GOOD_FOR
        confirmed = self.confirmed.get(row.key)
        return by_source or (confirmed is not None and today - confirmed <= GOOD_FOR)


@cache
def _name(country: str | None, language: str) -> str | None:
    from babel import Locale  # noqa: PLC0415 - its tables are large, and reading the lines needs none of them

    name = Locale.parse(language).territories.get(country or "")
    return str(name) if name else None


def _rows(path: Path) -> Iterator[Row]:
    seen: set[str] = set()
    for where, cells in _cells(path, _LINE_COLUMNS):
        row = Row(
            country=cells["country"],
            kind=cells["kind"],
            name=cells["name"],
            contact=cells["contact"],
            hours=cells["hours"],
            confidence=cells["confidence"],
            checked_on=_date(cells, where),
            source=cells["source"],
        )
        if not re.fullmatch(r"[A-Z]{2}|\*", row.country):
            raise LinesError(f"{where}: “{row.country}” is no country; write its two letters, or “*”.")
        if row.kind not in KINDS:
            raise LinesError(f"{where}: there is no kind “{row.kind}”; the kinds are {', '.join(sorted(KINDS))}.")
        if row.confidence not in CONFIDENCES:
            raise LinesError(f"{where}: the confidence is one of {', '.join(sorted(CONFIDENCES))}.")
        if not (row.name and row.contact and row.hours and row.source):
            raise LinesError(f"{where}: name, contact, hours and source can't be empty.")
        if row.key in seen:
            raise LinesError(f"{where}: “{row.key}” stands twice; keep one.")
        seen.add(row.key)
        yield row


def _numbers(path: Path) -> Iterator[tuple[str, Emergency]]:
    seen: set[str] = set()
    for where, cells in _cells(path, _NUMBER_COLUMNS):
        country = cells["country"]
        if not re.fullmatch(r"[A-Z]{2}", country) or country in seen:
            raise LinesError(f"{where}: “{country}” is no country, or stands twice.")
        if not all(re.fullmatch(r"\d*", cells[column]) for column in ("medical", "police", "general")):
            raise LinesError(f"{where}: a number is figures only, or empty where it is not known.")
        if not cells["agree"].isdecimal() or not cells["source"]:
            raise LinesError(f"{where}: “agree” is how many sources agree, and “source” can't be empty.")
        _date(cells, where)
        seen.add(country)
        yield country, _emergency(cells)


def _emergency(cells: Mapping[str, str]) -> Emergency:
    general, medical, police = cells["general"] or None, cells["medical"] or None, cells["police"] or None
    if general is None and medical is None:
        return Emergency()
    if general is None and medical == police:
        general = medical
    medical = None if medical == general else medical
    police = None if police in {general, medical} else police
    named_already = "112" in {general, medical, police}
    return Emergency(general, medical, police, int(cells["agree"]) < ENOUGH_SOURCES and not named_already)


def _cells(path: Path, columns: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Each row below the headings as column to value, with `file:line` for a fault's sentence."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        if next(reader, None) != columns:
            raise LinesError(f"{path.name}:1: the columns are {', '.join(columns)}, in this order.")
        for cells in reader:
            where = f"{path.name}:{reader.line_num}"
            if len(cells) != len(columns):
                raise LinesError(f"{where}: the row has {len(cells)} cells instead of {len(columns)}.")
            yield where, {column: cell.strip() for column, cell in zip(columns, cells, strict=True)}


def _date(cells: Mapping[str, str], where: str) -> date:
    try:
        return date.fromisoformat(cells["checked_on"])
    except ValueError:
        raise LinesError(f"{where}: “{cells['checked_on']}” is no date; write it like 2026-11-23.") from None
