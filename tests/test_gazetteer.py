"""Countries, cities and clocks, under the names that clients type."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

import pytest

from dialogues import book
from state_machine.model.script import Gazetteer


@cache
def places() -> Gazetteer:
    return book.read().script.gazetteer


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("germany", "DE"),
        ("uk", "GB"),
        ("england", "GB"),
        ("usa", "US"),
        ("united states", "US"),
        ("holland", "NL"),
        ("turkey", "TR"),
        ("türkiye", "TR"),
        ("turkiye", "TR"),
        ("cote d'ivoire", "CI"),
        ("trinidad and tobago", "TT"),
        ("saint lucia", "LC"),
        ("burma", "MM"),
        ("kosovo", "XK"),
        ("nz", "NZ"),
    ],
)
def test_a_country_is_found_under_the_name_people_type(typed: str, code: str) -> None:
    assert places().countries[typed] == code


@pytest.mark.parametrize("word", ["no", "in", "it", "is", "me", "so", "my"])
def test_a_little_word_is_no_country(word: str) -> None:
    assert word not in places().countries


@pytest.mark.parametrize(
    ("country", "first"),
    [
        ("US", "America/New_York"),
        ("CA", "America/Toronto"),
        ("AU", "Australia/Sydney"),
        ("BR", "America/Sao_Paulo"),
        ("RU", "Europe/Moscow"),
        ("MX", "America/Mexico_City"),
        ("ES", "Europe/Madrid"),
        ("PT", "Europe/Lisbon"),
        ("NZ", "Pacific/Auckland"),
        ("CL", "America/Santiago"),
        ("ID", "Asia/Jakarta"),
        ("KZ", "Asia/Almaty"),
        ("MN", "Asia/Ulaanbaatar"),
        ("CD", "Africa/Kinshasa"),
        ("UA", "Europe/Kyiv"),
        ("CN", "Asia/Shanghai"),
        ("AR", "America/Argentina/Buenos_Aires"),
        ("DE", "Europe/Berlin"),
    ],
)
def test_the_clock_that_most_people_of_a_country_live_by_comes_first(country: str, first: str) -> None:
    assert places().zones[country][0] == first


def test_a_country_with_one_clock_has_one_zone_however_many_are_listed() -> None:
    assert len(places().zones["DE"]) == len(places().zones["AR"]) == 1
    assert len(places().zones["US"]) > 4


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("munich", "Europe/Berlin"),
        ("münchen", "Europe/Berlin"),
        ("new york", "America/New_York"),
        ("são paulo", "America/Sao_Paulo"),
        ("sao paulo", "America/Sao_Paulo"),
        ("st louis", "America/Chicago"),
    ],
)
def test_a_city_is_found_whether_or_not_a_zone_is_named_after_it(typed: str, zone: str) -> None:
    assert places().cities.get(typed) == zone


def test_a_city_whose_clock_is_that_of_a_larger_one_stands_under_the_larger_one() -> None:
    assert places().cities["detroit"] == "America/New_York"
    assert set(places().cities.values()) <= {zone for zones in places().zones.values() for zone in zones}


def test_every_zone_exists() -> None:
    gazetteer = places()
    named = {*gazetteer.cities.values(), *(zone for zones in gazetteer.zones.values() for zone in zones)}
    assert named <= available_timezones()


def test_every_country_that_can_be_named_has_a_name_and_a_clock() -> None:
    gazetteer = places()
    assert set(gazetteer.countries.values()) <= gazetteer.names.keys() & gazetteer.zones.keys()
