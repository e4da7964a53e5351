"""Emergency numbers and help lines, country by country, and the rule of which may be shown.

The two tables lie in `lines/`, each row with the day it was checked and where; the operator's own file
may change them (`own_lines.py`). A wrong number is worse than none: what nobody has vouched for lately gives
way to the emergency number and the directory. The sentences around the numbers stand in `refrains`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from dialogues.helplines import own as helplines_own
from dialogues.helplines import rows as helplines_rows
from dialogues.helplines.rows import EVERYWHERE, KINDS, HelpLine, HelpLineRow, HelpLinesError

ENOUGH_SOURCES = 3
"""With fewer agreeing sources than this, 112 from a mobile is named as well."""

_FOLDER = Path(__file__).parent
_COLUMNS = ["country", "medical", "police", "general", "agree", "conflict", "note", "checked_on", "source"]


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
class HelpCard:
    """What can be shown to a client: `lines` in a bubble.

    `country` is its name, or None if it is not known. Each kind has the lines that may be shown, often none;
    then the emergency number and the directory stand in their place. `directory_of_violence` has the general
    directory too, and the one for violence where that may be shown.
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
    """Both tables as they hold for this copy, read once.

    `numbers` and `numbers_checked` by country code; `hidden`: the keys of the rows that the operator took out.
    """

    rows: tuple[HelpLineRow, ...]
    by_country: Mapping[str, tuple[HelpLineRow, ...]]
    numbers: Mapping[str, Emergency]
    numbers_checked: Mapping[str, date]
    hidden: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path | None = None, own: Path | None = None, today: date | None = None) -> HelpLines:
        """Read `help_lines.csv` and `emergency_numbers.csv` from `folder`, and the operator's file, if there is one.

        `today` serves to refuse days in the operator's file that are still to come.
        Raises `HelpLinesError` for what can't be trusted: with a wrong table nothing may start.
        """
        folder = folder or _FOLDER
        rows = tuple(helplines_rows.rows(folder / "help_lines.csv"))
        if not any(row.country == EVERYWHERE and row.kind == "crisis" for row in rows):
            raise HelpLinesError("help_lines.csv: a crisis row for “*” is missing; add the directory of lines.")
        numbers, checked = _numbers(folder / "emergency_numbers.csv")
        hidden: tuple[str, ...] = ()
        if own is not None:
            after = helplines_own.applied(own, rows, numbers, today)
            rows, hidden = after.rows, after.hidden
        by_country: dict[str, list[HelpLineRow]] = {}
        for row in rows:
            by_country.setdefault(row.country, []).append(row)
        return cls(rows, {code: tuple(those) for code, those in by_country.items()}, numbers, checked, hidden)

    def card(self, country: str | None, today: date, language: str = "en") -> HelpCard:
        """The numbers for an ISO 3166 code (None: not known) that may be shown on `today`.

        `language` is that of the country's name.
        """
        directory = self._everywhere("crisis")[0].contact
        for_violence = [row.contact for row in self._everywhere("violence") if row.standing(today).shown]
        return HelpCard(
            country=_name(country, language) if country in self.numbers else None,
            emergency=self.numbers.get(country or "", Emergency()),
            directory=directory,
            directory_of_violence=", ".join([directory, *for_violence]),
            **{kind: self.of_kind(country, kind, today) for kind in KINDS},
        )

    def of_kind(self, country: str | None, kind: str, today: date) -> tuple[HelpLine, ...]:
        """The lines of one kind that may be shown; none for an unknown country."""
        rows = self.by_country.get(country or "", ())
        return tuple(row.line() for row in rows if row.kind == kind and row.standing(today).shown)

    def _everywhere(self, kind: str) -> list[HelpLineRow]:
        """The directories that serve all countries. The one of crisis lines is shown even if it is stale."""
        return [row for row in self.by_country[EVERYWHERE] if row.kind == kind]


@cache
def _name(country: str | None, language: str) -> str | None:
    from babel import Locale  # noqa: PLC0415 - its tables are large, and reading the lines needs none of them

    name = Locale.parse(language).territories.get(country or "")
    return str(name) if name else None


def _numbers(path: Path) -> tuple[dict[str, Emergency], dict[str, date]]:
    """The emergency numbers, and the days they were checked, by country."""
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
            raise HelpLinesError(f"{where}: “{country}” is no country, or stands twice.")
        if not all(re.fullmatch(r"\d*", cells[column]) for column in ("medical", "police", "general")):
            raise HelpLinesError(f"{where}: a number is figures only, or empty where it is not known.")
        if not cells["agree"].isdecimal() or not cells["source"]:
            raise HelpLinesError(f"{where}: “agree” is how many sources agree, and “source” can't be empty.")
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
