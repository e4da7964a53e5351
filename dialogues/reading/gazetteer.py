"""Countries, cities and time zones: babel's names, the time zone database, and the book's own `places.md`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

from babel import Locale

from dialogues.reading.faults import Findings
from dialogues.reading.rules import Rule
from dialogues.reading.wordlists import Section, read_sections
from state_machine.model.local_time import changes
from state_machine.model.script import Gazetteer
from state_machine.model.text import folded, normalise

_LARGEST_FIRST = (
    "Asia/Shanghai",
    "Asia/Kolkata",
    "Africa/Lagos",
    "Europe/Berlin",
    "Africa/Nairobi",
    "Asia/Jakarta",
    "Asia/Karachi",
    "Africa/Johannesburg",
    "America/Sao_Paulo",
    "Asia/Tokyo",
    "America/New_York",
    "Asia/Dhaka",
    "Africa/Accra",
    "America/Mexico_City",
    "America/Bogota",
    "Africa/Cairo",
    "America/Chicago",
    "Europe/Kyiv",
    "Asia/Tehran",
    "Europe/London",
    "America/Caracas",
    "America/Los_Angeles",
    "Asia/Yangon",
    "Asia/Kabul",
    "Asia/Dubai",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "America/Denver",
    "America/Santiago",
    "Australia/Sydney",
    "America/Phoenix",
    "America/Havana",
    "Asia/Jerusalem",
    "Australia/Brisbane",
    "Asia/Beirut",
    "Pacific/Auckland",
    "Asia/Gaza",
    "Europe/Chisinau",
    "America/Toronto",
    "America/Vancouver",
    "America/Edmonton",
    "America/Winnipeg",
    "America/Halifax",
    "Australia/Perth",
    "Australia/Adelaide",
    "America/Bahia",
    "America/Manaus",
    "Europe/Moscow",
    "Asia/Yekaterinburg",
    "Asia/Novosibirsk",
    "America/Tijuana",
    "Asia/Tashkent",
    "Pacific/Honolulu",
    "Pacific/Guadalcanal",
    "Pacific/Fiji",
    "America/Anchorage",
    "Pacific/Tongatapu",
    "America/Nuuk",
    "Pacific/Pohnpei",
)
"""The order of zones by how many people live by their clock, roughly (UN, World Population Prospects 2024): of the
world first, then within countries where the database does not begin with the most populous one."""
_FROM = datetime(2026, 1, 1, tzinfo=UTC)
_UNTIL = _FROM + timedelta(days=2 * 365)
"""Two zones whose clocks do the same in these years are one clock."""
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
    rules = {zone: changes(ZoneInfo(zone), _FROM, _UNTIL) for zones in listed.values() for zone in zones}
    clocks = {code: _same_clock(zones, rules) for code, zones in listed.items()}
    world = dict.fromkeys(_same_clock(_by_size(sorted(rules)), rules).values())
    asked = {zone: like for same in clocks.values() for zone, like in same.items()}
    locale = Locale.parse(language)
    territories = locale.territories
    names = {code: territories[code] for code in sorted(listed) if code in territories}
    countries = {code.lower(): code for code in names if code.lower() not in places.no_countries}
    for code, name in names.items():
        for spelling in _spellings(name):
            countries[spelling] = code
    called = {zone: zone.rsplit("/", 1)[1].replace("_", " ") for zone in asked}
    city_names = {zone: locale.time_zones.get(zone, {}).get("city", called[zone]) for zone in asked}
    cities = {
        spelling: like
        for zone, like in asked.items()
        for name in {called[zone], city_names[zone]}
        for spelling in _spellings(name)
    }
    return Gazetteer(
        countries={**countries, **places.countries},
        names=names,
        zones={code: tuple(dict.fromkeys(same.values())) for code, same in clocks.items()},
        cities={**cities, **{city: asked.get(zone, zone) for city, zone in places.cities.items()}},
        world=tuple(world),
        city_names=city_names,
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
    return {code: _by_size(those) for code, those in zones.items()}


def _by_size(zones: Iterable[str]) -> list[str]:
    rank = {zone: place for place, zone in enumerate(_LARGEST_FIRST)}
    return sorted(zones, key=lambda zone: rank.get(zone, len(rank)))


def _same_clock(zones: list[str], rules: Mapping[str, object]) -> dict[str, str]:
    """For each of `zones` the first that has the same rules: who shares a clock needs no question."""
    first: dict[object, str] = {}
    return {zone: first.setdefault(rules[zone], zone) for zone in zones}


def _spellings(name: str) -> set[str]:
    """A name in small letters, and as it is typed without accents, brackets and signs."""
    lower = folded(name)
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
    return forms | {normalise(form) for form in forms}
