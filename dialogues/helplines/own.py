"""Applies the operator's file, `lines.toml`, which adds, replaces, confirms or hides help lines.

Each entry begins with one of four headings, `[[add]]`, `[[replace]]`, `[[confirm]]`, `[[hide]]`, and names a row
by country, kind and name; docs/running.md has an example of each. The whole file is checked before any of it is
used, because a wrong number is worse than none, and a confirmation that matches no row must not go unnoticed.
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

_KEY_FIELDS = ("country", "kind", "name")
_ROW_FIELDS = (*_KEY_FIELDS, "contact", "hours", "checked_on", "source")
_FIELDS = {
    "add": _ROW_FIELDS,
    "replace": _ROW_FIELDS,
    "confirm": (*_KEY_FIELDS, "confirmed_on"),
    "hide": _KEY_FIELDS,
}
"""The required fields of each heading; no other fields are allowed."""
_DATE_FIELDS = frozenset({"confirmed_on", "checked_on"})


@dataclass(frozen=True, slots=True)
class OwnLines:
    """The rows as changed by the operator's file, and the keys of the hidden rows."""

    rows: tuple[HelpLineRow, ...]
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of the file. `action` is its heading; `place` is the file and line, for the sentences of faults."""

    place: str
    action: str
    fields: Mapping[str, Any]

    @property
    def key(self) -> str:
        return " ".join(str(self.fields[name]) for name in _KEY_FIELDS)


def apply_own_lines(
    path: Path, shipped: Sequence[HelpLineRow], countries: Collection[str], today: date | None = None
) -> OwnLines:
    """Return the shipped rows as changed by the operator's file.

    `countries`: the known country codes. `today`: dates later than tomorrow are refused (None: not checked).
    Raises `HelpLinesError` with one sentence for each fault, with the file and the line of its entry.
    """
    faults: list[str] = []
    rows = {row.key: row for row in shipped}
    hidden: list[str] = []
    used_keys: set[str] = set()
    for entry in _entries(path):
        entry_faults = [*_faults_of_fields(entry, countries, today)] or [*_mismatch(entry, rows, used_keys)]
        faults += [f"{entry.place}: {fault}" for fault in entry_faults]
        if entry_faults:
            continue
        used_keys.add(entry.key)
        match entry.action:
            case "confirm":
                rows[entry.key] = replace(rows[entry.key], confirmed_on=_date(entry.fields["confirmed_on"]))
            case "hide":
                del rows[entry.key]
                hidden.append(entry.key)
            case _:
                rows[entry.key] = _row(entry.fields)
    if not any(row.country == EVERYWHERE and row.kind == "crisis" for row in rows.values()):
        faults.append(f"{path.name}: The directory of crisis lines can't be hidden; use [[replace]] instead.")
    if faults:
        raise HelpLinesError("\n".join(faults))
    return OwnLines(tuple(rows.values()), tuple(hidden))


def _entries(path: Path) -> Iterator[_Entry]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise HelpLinesError(
            f"{path.name}: The file can't be read as UTF-8 text; save it as UTF-8, or remove it."
        ) from None
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise HelpLinesError(
            f"{path.name}: This is not valid TOML ({error}); often a quotation mark or a heading in two pairs of "
            "brackets is missing."
        ) from None
    for action, entries in read.items():
        if action not in _FIELDS or not (isinstance(entries, list) and all(isinstance(e, dict) for e in entries)):
            raise HelpLinesError(
                f"{path.name}: “{action}” is not a heading; "
                f"the headings are {', '.join(f'[[{name}]]' for name in _FIELDS)}."
            )
        line_numbers = [
            number
            for number, line in enumerate(text.splitlines(), start=1)
            if re.match(rf"\s*\[\[\s*{action}\s*\]\]", line)
        ]
        for number, fields in enumerate(entries):
            has_lines = len(line_numbers) == len(entries)
            place = f":{line_numbers[number]}" if has_lines else f", [[{action}]] number {number + 1}"
            yield _Entry(f"{path.name}{place}", action, fields)


def _faults_of_fields(entry: _Entry, countries: Collection[str], today: date | None) -> Iterator[str]:
    """Yield the faults of an entry by itself."""
    fields, expected = entry.fields, _FIELDS[entry.action]
    for name in expected:
        if name not in fields:
            yield f"“{name}” is missing; an entry under [[{entry.action}]] has {', '.join(expected)}."
        elif name in _DATE_FIELDS:
            yield from _faults_of_date(name, fields[name], today)
        elif not (isinstance(fields[name], str) and fields[name].strip()):
            yield f'“{name}” is text in quotation marks, such as {name} = "…", and can\'t be empty.'
        elif re.search(r"[\r\n{}]", fields[name]):
            yield f"“{name}” must be on one line and without curly brackets."
    for name in sorted(set(fields) - set(expected)):
        yield f"“{name}” is not allowed under [[{entry.action}]]; remove it, or correct its name."
    if isinstance(country := fields.get("country"), str) and country not in {*countries, EVERYWHERE}:
        yield f"“{country}” is not a country; write its two letters, such as IE, or “*” for a directory of all."
    if isinstance(kind := fields.get("kind"), str) and kind not in KINDS:
        yield f"There is no kind “{kind}”; the kinds are {', '.join(KINDS)}."


def _faults_of_date(name: str, value: object, today: date | None) -> Iterator[str]:
    day = _date(value)
    if day is None:
        yield f"“{name}” must be a date, written {name} = 2026-11-23."
    elif today is not None and day > today + timedelta(days=1):
        yield f"“{name}” is in the future; write the date on which you checked the number."


def _mismatch(entry: _Entry, rows: Mapping[str, HelpLineRow], used_keys: Collection[str]) -> Iterator[str]:
    """Yield the reasons why an entry does not fit the existing rows."""
    if entry.key in used_keys:
        yield f"“{entry.key}” is named twice in this file; keep one entry."
    elif entry.action == "add" and entry.key in rows:
        yield f"“{entry.key}” is in the table already; use [[replace]] or [[confirm]] as the heading."
    elif entry.action != "add" and entry.key not in rows:
        yield f"There is no row “{entry.key}”; `ipt-bot lines` lists them all; to add one, use [[add]]."


def _row(fields: Mapping[str, Any]) -> HelpLineRow:
    country, kind, name, contact, hours, source = (
        " ".join(fields[field].split()) for field in _ROW_FIELDS if field not in _DATE_FIELDS
    )
    day = _date(fields["checked_on"])
    assert day is not None  # noqa: S101 - an entry without a date has been refused
    return HelpLineRow(country, kind, name, contact, hours, OWN, day, source)


def _date(value: object) -> date | None:
    """Return a date, given as a TOML date or as ISO text; None if it is neither."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
