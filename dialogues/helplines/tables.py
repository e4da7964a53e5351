"""Emergency numbers and help lines by country, and which of them may be shown.

The two CSV tables are in this folder, each row with its source and the date it was checked; the operator's file can
change the help lines (`own.py`). A wrong number is worse than none, so a row without a recent check is replaced by
the emergency number and the directory of help lines. The sentences around the numbers are in `refrains.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from dialogues.helplines import own as own_file
from dialogues.helplines import rows as helplines_rows
from dialogues.helplines.rows import EVERYWHERE, KINDS, HelpLine, HelpLineRow, HelpLinesError

ENOUGH_SOURCES = 3
"""If fewer sources agree on a number, 112 from a mobile is given as well."""

_FOLDER = Path(__file__).parent
_COLUMNS = ["country", "medical", "police", "general", "agree", "conflict", "note", "checked_on", "source"]


@dataclass(frozen=True, slots=True)
class Emergency:
    """The emergency numbers of one country.

    `general` serves for everything; `medical` and `police` are set only if they are different numbers. All are None
    if none is known; the object is then false. `or_112`: too few sources agree, so 112 is given as well.
    """

    general: str | None = None
    medical: str | None = None
    police: str | None = None
    or_112: bool = False

    def __bool__(self) -> bool:
        return bool(self.general or self.medical)

    def __str__(self) -> str:
        """The number to call if a life is in danger; empty if none is known."""
        return self.general or self.medical or ""


@dataclass(frozen=True, slots=True)
class HelpCard:
    """What can be shown to a client; bubbles name it `lines`.

    `country`: the name of the country, None if it is not known. Each kind has the lines that may be shown; if there
    are none, the emergency number and the `directory` are shown instead. `directory_of_violence`: the general
    directory, and the one for violence if that may be shown.
    """

    country: str | None
    emergency: Emergency
    directory: str
    directory_of_violence: str
    crisis: tuple[HelpLine, ...] = ()
    violence: tuple[HelpLine, ...] = ()
    child: tuple[HelpLine, ...] = ()
    sexual_violence: tuple[HelpLine, ...] = ()
    eating: tuple[HelpLine, ...] = ()
    perinatal: tuple[HelpLine, ...] = ()
    suicide_bereavement: tuple[HelpLine, ...] = ()
    poison: tuple[HelpLine, ...] = ()


@dataclass(frozen=True, slots=True)
class HelpLines:
    """Both tables, with the changes of the operator's file.

    `numbers` and `numbers_checked` are by country code; `hidden`: the keys of the rows that the operator hides.
    """

    rows: tuple[HelpLineRow, ...]
    by_country: Mapping[str, tuple[HelpLineRow, ...]]
    numbers: Mapping[str, Emergency]
    numbers_checked: Mapping[str, date]
    hidden: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path | None = None, own: Path | None = None, today: date | None = None) -> HelpLines:
        """Read `help_lines.csv` and `emergency_numbers.csv` from `folder`, and the operator's file `own` if given.

        `today`: dates in the operator's file later than tomorrow are refused. Raises `HelpLinesError` if anything is
        invalid, so that the bot does not start with a wrong number.
        """
        folder = folder or _FOLDER
        rows = tuple(helplines_rows.rows(folder / "help_lines.csv"))
        if not any(row.country == EVERYWHERE and row.kind == "crisis" for row in rows):
            raise HelpLinesError("help_lines.csv: a crisis row for “*” is missing; add the directory of lines.")
        numbers, checked = _numbers(folder / "emergency_numbers.csv")
        hidden: tuple[str, ...] = ()
        if own is not None:
            after = own_file.apply_own_lines(own, rows, numbers, today)
            rows, hidden = after.rows, after.hidden
        by_country: dict[str, list[HelpLineRow]] = {}
        for row in rows:
            by_country.setdefault(row.country, []).append(row)
        return cls(
            rows, {code: tuple(country_rows) for code, country_rows in by_country.items()}, numbers, checked, hidden
        )

    def card(self, country: str | None, today: date, language: str = "en") -> HelpCard:
        """The card for an ISO 3166 country code (None: not known) on `today`.

        `language`: the language of the country's name.
        """
        directory = self._everywhere("crisis")[0].contact
        for_violence = [row.contact for row in self._everywhere("violence") if row.status(today).shown]
        return HelpCard(
            country=_name(country, language) if country in self.numbers else None,
            emergency=self.numbers.get(country or "", Emergency()),
            directory=directory,
            directory_of_violence=", ".join([directory, *for_violence]),
            **{kind: self.of_kind(country, kind, today) for kind in KINDS},
        )

    def of_kind(self, country: str | None, kind: str, today: date) -> tuple[HelpLine, ...]:
        """The lines of one kind that may be shown on `today`; none for an unknown country."""
        rows = self.by_country.get(country or "", ())
        return tuple(row.line() for row in rows if row.kind == kind and row.status(today).shown)

    def _everywhere(self, kind: str) -> list[HelpLineRow]:
        """The directories for all countries. That of crisis lines is shown even if it is stale."""
        return [row for row in self.by_country[EVERYWHERE] if row.kind == kind]


@cache
def _name(country: str | None, language: str) -> str | None:
    from babel import Locale  # noqa: PLC0415 - slow to import, and only needed here

    name = Locale.parse(language).territories.get(country or "")
    return str(name) if name else None


def _numbers(path: Path) -> tuple[dict[str, Emergency], dict[str, date]]:
    """Read the emergency numbers and the dates of their checks, by country code."""
    numbers: dict[str, Emergency] = {}
    checked: dict[str, date] = {}
    for country, emergency, day in _rows_of_numbers(path):
        numbers[country], checked[country] = emergency, day
    return numbers, checked


def _rows_of_numbers(path: Path) -> Iterator[tuple[str, Emergency, date]]:
    seen: set[str] = set()
    for where, cells in helplines_rows.table(path, _COLUMNS):
        country = cells["country"]
        if not re.fullmatch(r"[A-Z]{2}", country) or country in seen:
            raise HelpLinesError(f"{where}: “{country}” is not a country code, or appears twice; correct it.")
        if not all(re.fullmatch(r"\d*", cells[column]) for column in ("medical", "police", "general")):
            raise HelpLinesError(f"{where}: a number has digits only, or is empty if it is not known.")
        if not cells["agree"].isdecimal() or not cells["source"]:
            raise HelpLinesError(f"{where}: “agree” is the number of agreeing sources, and “source” can't be empty.")
        seen.add(country)
        yield country, _emergency(cells), helplines_rows.checked_on(cells, where)


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
