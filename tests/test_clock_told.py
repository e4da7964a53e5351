"""Whoever tells what their clock says is written to at their hour all year, also after the clocks have changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest

from dialogues.rendering.prompts import Prompts
from state_machine.model.context import Context
from state_machine.model.local_time import changes
from state_machine.model.progress import Fact, Progress
from state_machine.programme.tables import CLOCK_CHECK, WELCOME
from state_machine.rules.clocks import told, zone_that_says
from state_machine.schedule import agenda, triggers
from state_machine.turn.machine import Machines
from tests.talking import DAY_ONE, START, Story, label_to

WINTER = datetime(2026, 1, 15, 15, 5, tzinfo=UTC)
YEAR = timedelta(days=366)
DAY = timedelta(days=1)


@cache
def zones() -> dict[str, list[str]]:
    """Every zone that people live in, by country, as the time zone database lists them."""
    found: dict[str, list[str]] = {}
    table = files("tzdata").joinpath("zoneinfo/zone.tab").read_text(encoding="utf-8")
    for line in table.splitlines():
        if line and not line.startswith("#"):
            code, _, zone = line.split("\t")[:3]
            found.setdefault(code, []).append(zone)
    return found


def told_on() -> list[datetime]:
    """A day in winter and one in summer: between any two changes of the clocks there is one of them, or a year."""
    return [datetime(2026, month, 20, 6, 7, tzinfo=UTC) for month in (1, 7)]


def tells(story: Story, zone: str, at: datetime) -> Story:
    """Say what the clock says there."""
    story.now = at - timedelta(seconds=20)
    return story.says(f"{at.astimezone(ZoneInfo(zone)):%H:%M}")


def names_the_city(story: Story, zone: str) -> Story:
    """Say the city of the zone, if it is asked for."""
    asked = story.place is not None and story.place.endswith("#place")
    return story.says(zone.rsplit("/", 1)[1].replace("_", " ")) if asked else story


@pytest.fixture
def at_the_clock(machines: Machines, prompts: Prompts) -> Story:
    """Somebody who has skipped the country, and is asked what their clock says."""
    story = Story(machines, prompts).says("/start").answers(DAY_ONE, until=f"{WELCOME}#country")
    return story.says(story.script.skip)


def assert_is_written_to_at_eight_all_year(story: Story, zone: str, at: datetime) -> None:
    """Whether a check-in every day at 08:00 comes then around each change of the clocks for a year."""
    here = ZoneInfo(zone)
    hour = {"remind_days": Fact("Every day", at, "daily"), "remind_at": Fact("08:00", at, "08:00")}
    known = {"zone": next(a.fact for run in story.progress.runs for a in run.answers if a.memory == "zone")}
    base = Progress(facts={**hour, **known}, begun=date(2025, 1, 1), heard=at)
    moments = [each[0] for each in changes(here, at, at + YEAR)]
    for day in (moment + apart * DAY for moment in moments for apart in (-2, -1, 0, 1)):
        due = triggers.check_in_due(replace(base, slots={"check_in": day}))
        assert due is not None
        assert due.astimezone(here).time() == time(8), (zone, at, day, known)


@pytest.mark.parametrize("at", told_on(), ids=str)
def test_in_every_zone_the_clock_and_a_city_where_it_is_asked_are_enough(at: datetime, at_the_clock: Story) -> None:
    before = at_the_clock.progress
    for zone in (zone for several in zones().values() for zone in several):
        at_the_clock.progress = before
        tells(at_the_clock, zone, at)
        kept = agenda.zone_of(at_the_clock.progress)
        assert kept.key in at_the_clock.script.gazetteer.city_names, (
            "a place, and never an offset, without a city too"
        )
        assert at.astimezone(kept).time() == at.astimezone(ZoneInfo(zone)).time()
        names_the_city(at_the_clock, zone)
        assert at_the_clock.place == f"{WELCOME}#name", (zone, at_the_clock.remarks)
        assert_is_written_to_at_eight_all_year(at_the_clock, zone, at)


@pytest.mark.parametrize("at", told_on(), ids=str)
def test_in_every_zone_of_a_country_with_several_it_is_the_same(
    at: datetime, machines: Machines, prompts: Prompts
) -> None:
    for code, several in zones().items():
        if len(machines.script.gazetteer.zones[code]) == 1:
            continue
        story = Story(machines, prompts).says("/start").answers(DAY_ONE, until=f"{WELCOME}#country")
        story.says(machines.script.gazetteer.names[code])
        before = story.progress
        for zone in several:
            story.progress = before
            names_the_city(tells(story, zone, at), zone)
            assert_is_written_to_at_eight_all_year(story, zone, at)


def test_what_was_understood_is_said_back_with_the_weekday(at_the_clock: Story) -> None:
    tells(at_the_clock, "Asia/Kolkata", WINTER)
    assert "Thursday, 20:35 in the evening" in at_the_clock.bubbles[0]


def test_the_cities_that_fit_are_offered_and_a_tap_on_one_is_enough(machines: Machines, prompts: Prompts) -> None:
    story = Story(machines, prompts).says("/start").answers(DAY_ONE, until=f"{WELCOME}#country").says("USA")
    story.now = WINTER
    story.says("8.05 am")
    assert story.place == f"{WELCOME}#place"
    assert {"Denver", "Phoenix"} <= {offer.label for offer in story.offers}
    story.says("Phoenix")
    assert agenda.zone_of(story.progress).key == "America/Phoenix"


@pytest.mark.parametrize(
    ("country", "typed", "zone"),
    [
        ("Canada", "Saskatchewan", "America/Regina"),
        ("Australia", "Brisbane, Queensland", "Australia/Brisbane"),
        ("USA", "Arizona", "America/Phoenix"),
        ("USA", "Austin, Texas", "America/Chicago"),
        ("USA", "kenya", "Africa/Nairobi"),
    ],
)
def test_a_city_or_a_part_of_a_country_is_enough_where_the_clock_is_asked(
    country: str, typed: str, zone: str, machines: Machines, prompts: Prompts
) -> None:
    story = Story(machines, prompts).says("/start").answers(DAY_ONE, until=f"{WELCOME}#country").says(country)
    story.says(typed)
    assert story.place == f"{WELCOME}#name"
    kept, there = agenda.zone_of(story.progress), ZoneInfo(zone)
    assert changes(kept, START, START + YEAR) == changes(there, START, START + YEAR)


@pytest.mark.parametrize(
    "text",
    [
        *("15:15", "15.15", "15h15", "1515", "15 15", "3.15 pm", "3:15pm", "3:15 p.m.", "3.15 in the afternoon"),
        *("quarter past three", "a quarter past 3", "it's about quarter past three", "fifteen minutes past three"),
        *("It's 3:15 now!", "3:15", "3h15", "it says 15:15", "a quarter after three", "about 3:15 pm"),
    ],
)
def test_a_clock_is_read_as_people_tell_it(text: str, machines: Machines) -> None:
    now = datetime(2026, 1, 15, 14, 15, tzinfo=UTC)
    zone = zone_that_says(text, _of("Spain", machines, now))
    assert zone == "Europe/Madrid"


@pytest.mark.parametrize(
    ("text", "hour", "minute"),
    [("half seven", 18, 30), ("half seven", 19, 30), ("half past seven", 19, 30), ("half past seven", 7, 30)],
)
def test_of_two_readings_the_one_is_taken_that_some_clock_there_shows(
    text: str, hour: int, minute: int, machines: Machines
) -> None:
    now = datetime(2026, 1, 15, hour, minute, tzinfo=ZoneInfo("Europe/Madrid"))
    assert zone_that_says(text, _of("Spain", machines, now)) == "Europe/Madrid"


@pytest.mark.parametrize(
    "text", ["", "late", "three", "25:00", "13 pm", "15:75", "half", "quarter past", "99", "0 am", "3 bears", "-3:15"]
)
def test_what_tells_no_time_that_fits_is_asked_again(text: str, machines: Machines) -> None:
    now = datetime(2026, 1, 15, 9, 15, tzinfo=UTC)
    assert zone_that_says(text, _of("Spain", machines, now)) is None


@pytest.mark.parametrize(("text", "times"), [("9:10", {550, 1270}), ("09:10", {550}), ("11 at night", {1380})])
def test_an_hour_without_its_half_of_the_day_may_be_either(text: str, times: set[int], machines: Machines) -> None:
    assert {time for group in told(text, machines.script) for time in group} == times


def _of(country: str, machines: Machines, now: datetime) -> Context:
    code = machines.script.gazetteer.countries[country.lower()]
    return Context(machines.script, Progress(facts={"country": Fact(country, START, code)}), None, now)


# --- afterwards -----------------------------------------------------------------------------


@pytest.fixture
def uncertain(machines: Machines, prompts: Prompts) -> Story:
    """Somebody in Lima who told in January what the clock says, and named no country and no city."""
    story = Story(machines, prompts, now=WINTER).says("/start").answers(DAY_ONE, until=f"{WELCOME}#country")
    story.says(story.script.skip)
    tells(story, "America/Lima", WINTER).says(story.script.skip)
    assert agenda.zone_of(story.progress).key == "America/New_York"
    return story.answers({**DAY_ONE, "look_in": "never"})


def test_once_the_clocks_of_the_places_differ_it_is_asked_about_once(uncertain: Story) -> None:
    uncertain.now = datetime(2026, 4, 1, 15, 0, tzinfo=UTC)
    _asked_when_idle(uncertain)
    uncertain.says(label_to(uncertain, "another_time"))
    names_the_city(tells(uncertain, "America/Lima", datetime(2026, 4, 1, 15, 5, tzinfo=UTC)), "America/Lima")
    assert agenda.zone_of(uncertain.progress).key == "America/Lima"
    assert "10:05 in the morning" in uncertain.bubbles[-1]
    _not_asked_when_idle(uncertain)


def test_who_says_that_it_is_right_is_asked_no_more(uncertain: Story) -> None:
    uncertain.now = datetime(2026, 4, 1, 15, 0, tzinfo=UTC)
    _asked_when_idle(uncertain)
    uncertain.says(label_to(uncertain, "right"))
    while uncertain.progress.runs:
        uncertain.says(uncertain.script.skip)
    uncertain.now = datetime(2026, 12, 1, 15, 0, tzinfo=UTC)
    _not_asked_when_idle(uncertain)


def test_before_the_clocks_change_nothing_is_asked(uncertain: Story) -> None:
    uncertain.now += timedelta(days=2)
    _not_asked_when_idle(uncertain)


def test_a_check_in_that_was_asked_for_leads_to_the_question_too(uncertain: Story) -> None:
    uncertain.now = datetime(2026, 4, 1, 15, 0, tzinfo=UTC)
    uncertain.progress = replace(uncertain.progress, suspended=False)
    uncertain.says("/checkin")
    uncertain.answers({"mood": "6"}, until=f"{CLOCK_CHECK}#is_it")


@pytest.mark.parametrize("place", ["London", None])
def test_an_offset_kept_by_the_release_before_is_asked_about_once_and_gives_way(
    place: str | None, machines: Machines, prompts: Prompts
) -> None:
    story = Story(machines, prompts, now=WINTER).says("/start").answers({**DAY_ONE, "country": "Skip"})
    zone = Fact("Etc/GMT+0", WINTER, "Etc/GMT+0")
    facts = {name: fact for name, fact in story.progress.facts.items() if name != "country"}
    story.progress = replace(story.progress, facts={**facts, "zone": zone})
    _asked_when_idle(story)
    assert agenda.zone_of(story.progress).key == "Etc/GMT+0", "nothing is guessed before they were asked"
    story.says(label_to(story, "right"))
    assert story.place == "always/clock#place"
    story.says(place or story.script.skip)
    kept = agenda.zone_of(story.progress).key
    assert kept == "Europe/London" if place else not kept.startswith("Etc/")
    _not_asked_when_idle(story)


def _asked_when_idle(story: Story) -> None:
    story.says("hello")
    assert story.place == f"{CLOCK_CHECK}#is_it"


def _not_asked_when_idle(story: Story) -> None:
    while story.progress.runs:
        story.says("later")
    story.says("hello")
    assert story.place is None or CLOCK_CHECK not in story.place
