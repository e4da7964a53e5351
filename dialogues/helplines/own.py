"""The operator's own file, `lines.toml`: lines of their area added, replaced, confirmed or hidden.

Each entry begins with one of four headings, `[[add]]`, `[[replace]]`, `[[confirm]]`, `[[hide]]`, and names a row
by country, kind and name. docs/running.md shows one of each. The file is checked as a whole before any
of it counts: a wrong number is worse than none, and so is a confirmation that quietly fits nothing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from dialogues.helplines.rows import EVERYWHERE, KINDS, OWN, HelpLineRow, HelpLinesError

_NAMED_BY = ("country", "kind", "name")
_WHOLE = (*_NAMED_BY, "contact", "hours", "checked_on", "source")
_CELLS = {
    "add": _WHOLE,
    "replace": _WHOLE,
    "confirm": (*_NAMED_BY, "confirmed_on"),
    "hide": _NAMED_BY,
}
"""The headings, and what stands under each; nothing may be missing, and nothing else may stand there."""
_DAYS = frozenset({"confirmed_on", "checked_on"})


@dataclass(frozen=True, slots=True)
class OwnLines:
    """The rows after the operator's file, and the keys of those that it hides."""

    rows: tuple[HelpLineRow, ...]
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of the file, with its place for a fault's sentence."""

    where: str
    heading: str
    cells: Mapping[str, Any]

    @property
    def key(self) -> str:
        return " ".join(str(self.cells[name]) for name in _NAMED_BY)


def applied(
    path: Path, shipped: Sequence[HelpLineRow], countries: Collection[str], today: date | None = None
) -> OwnLines:
    """The shipped rows as the operator's file changes them.

    `countries`: the codes there are. `today`: days later than tomorrow are refused; None if that can't be known.
    Raises `HelpLinesError` with one sentence for each fault, each with the file and the line of its entry.
    """
    faults: list[str] = []
    rows = {row.key: row for row in shipped}
    hidden: list[str] = []
    named: set[str] = set()
    for entry in _entries(path):
        found = [*_faults_of(entry, countries, today)] or [*_misfit(entry, rows, named)]
        faults += [f"{entry.where}: {fault}" for fault in found]
        if found:
            continue
        named.add(entry.key)
        match entry.heading:
            case "confirm":
                rows[entry.key] = replace(rows[entry.key], confirmed_on=_day(entry.cells["confirmed_on"]))
            case "hide":
                del rows[entry.key]
                hidden.append(entry.key)
            case _:
                rows[entry.key] = _row(entry.cells)
    if not any(row.country == EVERYWHERE and row.kind == "crisis" for row in rows.values()):
        faults.append(f"{path.name}: The directory of crisis lines can't be hidden; write it under [[replace]].")
    if faults:
        raise HelpLinesError("\n".join(faults))
    return OwnLines(tuple(rows.values()), tuple(hidden))


def _entries(path: Path) -> Iterator[_Entry]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise HelpLinesError(
            f"{path.name}: The file can't be read as text in UTF-8; save it so, or take it away."
        ) from None
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise HelpLinesError(
            f"{path.name}: This is no TOML ({error}); most often a quotation mark or a heading in two pairs of "
            "brackets is missing."
        ) from None
    for heading, entries in read.items():
        if heading not in _CELLS or not (isinstance(entries, list) and all(isinstance(e, dict) for e in entries)):
            raise HelpLinesError(
                f"{path.name}: “{heading}” is no heading of an entry; "
                f"the headings are {', '.join(f'[[{name}]]' for name in _CELLS)}."
            )
        places = [
            number
            for number, line in enumerate(text.splitlines(), start=1)
            if re.match(rf"\s*\[\[\s*{heading}\s*\]\]", line)
        ]
        for number, cells in enumerate(entries):
            place = f":{places[number]}" if len(places) == len(entries) else f", [[{heading}]] number {number + 1}"
            yield _Entry(f"{path.name}{place}", heading, cells)


def _faults_of(entry: _Entry, countries: Collection[str], today: date | None) -> Iterator[str]:
    """What is wrong with an entry by itself."""
    cells, wanted = entry.cells, _CELLS[entry.heading]
    for name in wanted:
        if name not in cells:
            yield f"“{name}” is missing; an entry under [[{entry.heading}]] has {', '.join(wanted)}."
        elif name in _DAYS:
            yield from _faults_of_day(name, cells[name], today)
        elif not (isinstance(cells[name], str) and cells[name].strip()):
            yield f'“{name}” is text in quotation marks, such as {name} = "…", and can\'t be empty.'
        elif re.search(r"[\r\n{}]", cells[name]):
            yield f"“{name}” stands on one line, without curly brackets."
    for name in sorted(set(cells) - set(wanted)):
        yield f"“{name}” means nothing under [[{entry.heading}]]; take it out, or mend its name."
    if isinstance(country := cells.get("country"), str) and country not in {*countries, EVERYWHERE}:
        yield f"“{country}” is no country; write its two letters, such as IE, or “*” for a directory of all."
    if isinstance(kind := cells.get("kind"), str) and kind not in KINDS:
        yield f"There is no kind “{kind}”; the kinds are {', '.join(KINDS)}."


def _faults_of_day(name: str, value: object, today: date | None) -> Iterator[str]:
    day = _day(value)
    if day is None:
        yield f"“{name}” is a day, written {name} = 2026-11-23."
    elif today is not None and day > today + timedelta(days=1):
        yield f"“{name}” is a day that is still to come; write the day on which you checked the number."


def _misfit(entry: _Entry, rows: Mapping[str, HelpLineRow], named: Collection[str]) -> Iterator[str]:
    """How an entry does not fit the rows there are."""
    if entry.key in named:
        yield f"“{entry.key}” is named twice in this file; keep one entry."
    elif entry.heading == "add" and entry.key in rows:
        yield f"“{entry.key}” is in the table already; write [[replace]] or [[confirm]] over the entry."
    elif entry.heading != "add" and entry.key not in rows:
        yield f"There is no row “{entry.key}”; `ipt-bot lines` names them all, or write [[add]] over the entry."


def _row(cells: Mapping[str, Any]) -> HelpLineRow:
    country, kind, name, contact, hours, source = (
        " ".join(cells[cell].split()) for cell in _WHOLE if cell not in _DAYS
    )
    day = _day(cells["checked_on"])
    assert day is not None  # noqa: S101 - an entry without a day has been refused
    return HelpLineRow(country, kind, name, contact, hours, OWN, day, source)


def _day(value: object) -> date | None:
    """A day, written as TOML writes it or in quotation marks; None if it is neither."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
