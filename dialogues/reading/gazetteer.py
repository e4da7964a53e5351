"""Countries, cities and time zones: babel's names, the time zone database, and the book's own `places.md`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

from babel import Locale

from dialogues.reading.faults import Findings
from dialogues.reading.rules import Rule
from dialogues.reading.wordlists import Section, read_sections
from state_machine.model.script import Gazetteer

_LARGEST_FIRST = (
    "America/New_York",
    "America/Chicago",
    "America/Los_Angeles",
    "America/Denver",
    "America/Phoenix",
    "America/Toronto",
    "America/Vancouver",
    "America/Edmonton",
    "America/Winnipeg",
    "America/Halifax",
    "Australia/Sydney",
    "Australia/Brisbane",
    "Australia/Perth",
    "Australia/Adelaide",
    "America/Sao_Paulo",
    "America/Bahia",
    "America/Manaus",
    "Europe/Moscow",
    "Asia/Yekaterinburg",
    "Asia/Novosibirsk",
    "America/Mexico_City",
    "America/Tijuana",
    "Europe/Kyiv",
    "Asia/Tashkent",
    "America/Nuuk",
    "Pacific/Pohnpei",
)
"""The order of zones in countries where the database does not begin with the most populous one."""
_YEAR_OF_RULES = 2025
_UNLISTED = {"XK": "Europe/Belgrade"}  # Kosovo has no code of its own in the database


@dataclass(frozen=True, slots=True)
class Places:
    """What `places.md` adds: other names of countries, cities that name no zone, words that are no country."""

    countries: Mapping[str, str]
    cities: Mapping[str, str]
    no_countries: frozenset[str]


def read_places(text: str, findings: Findings) -> Places:
    """Read `places.md`. Never raises."""
    countries: dict[str, str] = {}
    cities: dict[str, str] = {}
    no_countries: frozenset[str] = frozenset()
    for section in read_sections(text, findings):
        if section.name == "countries":
            countries = _pairs(section, re.compile(r"[A-Z]{2}"), findings)
        elif section.name == "cities":
            cities = _pairs(section, re.compile(r"\w+/[\w/]+"), findings)
        elif section.name == "words that are no country":
            no_countries = frozenset(item.text.lower() for item in section.items)
        else:
            findings.add(Rule.PHRASES, section.line, f"There is no list “{section.name}” of places; rename it.")
    return Places(countries, cities, no_countries)


def _pairs(section: Section, value: re.Pattern[str], findings: Findings) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for item in section.items:
        name, _, code = (part.strip() for part in item.text.partition(":"))
        if not name or not value.fullmatch(code):
            findings.add(Rule.PHRASES, item.line, "A place is “Holland: NL” or “Munich: Europe/Berlin”.")
        for spelling in _spellings(name):
            pairs[spelling] = code
    return pairs


def gazetteer(language: str, places: Places) -> Gazetteer:
    """All countries that have a time zone, under their names in `language`, their codes and other names."""
    listed = _zones_by_country()
    clocks = {code: _same_clock(zones) for code, zones in listed.items()}
    asked = {zone: like for same in clocks.values() for zone, like in same.items()}
    territories = Locale.parse(language).territories
    names = {code: territories[code] for code in sorted(listed) if code in territories}
    countries = {code.lower(): code for code in names if code.lower() not in places.no_countries}
    for code, name in names.items():
        for spelling in _spellings(name):
            countries[spelling] = code
    cities = {
        spelling: like
        for zone, like in asked.items()
        for spelling in _spellings(zone.rsplit("/", 1)[1].replace("_", " "))
    }
    return Gazetteer(
        countries={**countries, **places.countries},
        names=names,
        zones={code: tuple(dict.fromkeys(same.values())) for code, same in clocks.items()},
        cities={**cities, **{city: asked.get(zone, zone) for city, zone in places.cities.items()}},
    )


def _zones_by_country() -> dict[str, list[str]]:
    """The zones of each country, the most populous first as far as we know."""
    zones: dict[str, list[str]] = {}
    table = files("tzdata").joinpath("zoneinfo/zone.tab").read_text(encoding="utf-8")
    for line in table.splitlines():
        if line and not line.startswith("#"):
            code, _, zone = line.split("\t")[:3]
            zones.setdefault(code, []).append(zone)
    zones |= {code: [zone] for code, zone in _UNLISTED.items()}
    rank = {zone: place for place, zone in enumerate(_LARGEST_FIRST)}
    for several in zones.values():
        several.sort(key=lambda zone: rank.get(zone, len(rank)))
    return zones


def _same_clock(zones: list[str]) -> dict[str, str]:
    """For each zone of a country the first whose clock agrees all year: who shares a clock needs no question."""
    if len(zones) == 1:
        return {zones[0]: zones[0]}
    first: dict[tuple[timedelta | None, ...], str] = {}
    same: dict[str, str] = {}
    for zone in zones:
        clock = ZoneInfo(zone)
        year = (datetime(_YEAR_OF_RULES, month, 15, tzinfo=clock) for month in range(1, 13))
        same[zone] = first.setdefault(tuple(moment.utcoffset() for moment in year), zone)
    return same


def _spellings(name: str) -> set[str]:
    """A name in small letters, and as it is typed without accents, brackets and signs."""
    lower = name.lower()
    bare = "".join(c for c in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(c))
    forms = {lower, bare}
    for form in (lower, bare):
        outside, _, inside = form.partition(" (")
        forms |= {outside, inside.rstrip(")")} - {""}
    forms |= {form.replace("’", "'") for form in forms}
    forms |= {form.replace(" & ", " and ") for form in forms}
    forms |= {
        form.replace("st. ", each, 1) for form in forms if form.startswith("st. ") for each in ("saint ", "st ")
    }
    return forms
