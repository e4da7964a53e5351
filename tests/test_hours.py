"""Every hour on every clock: all IANA zones, every change of the clocks from 2026 to 2028."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest

from state_machine.model.local_time import EVERY_DAY, first_after, instant, next_morning, out_of_quiet

FIRST, LAST = date(2025, 12, 30), date(2029, 1, 2)
HOURS = [time(0), time(0, 30), time(1, 30), time(2), time(2, 30), time(3), time(9), time(21, 45), time(23, 59)]


@cache
def changes() -> dict[str, list[date]]:
    """By zone, the dates on which its clocks change."""
    found: dict[str, list[date]] = {}
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        days = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days)]
        offsets = [datetime.combine(day, time(0), UTC).astimezone(zone).utcoffset() for day in days]
        found[name] = [day for day, before, after in zip(days, offsets, offsets[1:], strict=False) if before != after]
    return found


def around_changes() -> Iterator[tuple[str, date]]:
    """Each zone with each of its changes; zones that never change with one date."""
    for name, days in changes().items():
        yield from ((name, day) for day in days or [date(2027, 6, 1)])


def test_there_are_changes_to_test_at_all() -> None:
    assert len(changes()) > 400
    assert sum(len(days) for days in changes().values()) > 500


def test_a_daily_hour_comes_exactly_once_on_every_local_day_and_at_its_rule_s_instant() -> None:
    for name, day in around_changes():
        zone = ZoneInfo(name)
        for at in HOURS:
            moment = datetime.combine(day - timedelta(days=3), time(12), zone).astimezone(UTC)
            dates = []
            for _ in range(6):
                moment = first_after(moment, at, zone)
                dates.append(slot_of(moment, at, zone))
                assert_is_the_rule_s_instant(moment, at, zone)
            assert dates == [dates[0] + timedelta(days=number) for number in range(6)], (name, at)


def slot_of(moment: datetime, at: time, zone: ZoneInfo) -> date:
    """The date an instant stands for: the day before, where the clocks went forward over midnight."""
    local = moment.astimezone(zone)
    over_midnight = (moment - timedelta(seconds=1)).astimezone(zone).date() != local.date() and local.time() < at
    return local.date() - timedelta(days=over_midnight)


def assert_is_the_rule_s_instant(moment: datetime, at: time, zone: ZoneInfo) -> None:
    local = moment.astimezone(zone)
    if local.time() == at:
        assert local.fold == 0, "the first of the two hours"
        return
    just_before = (moment - timedelta(seconds=1)).astimezone(zone)
    assert just_before.utcoffset() != local.utcoffset(), "the first minute after the hour that is lost"
    assert just_before.time() < at < local.time() or just_before.date() != local.date()


@pytest.mark.parametrize("weekdays", [{0}, {5, 6}, {0, 2, 4}])
def test_a_weekly_hour_comes_on_its_weekdays_only_and_misses_none(weekdays: set[int]) -> None:
    for name, day in around_changes():
        zone = ZoneInfo(name)
        moment = datetime.combine(day - timedelta(days=8), time(12), zone).astimezone(UTC)
        until = moment + timedelta(days=16)
        dates = []
        while (moment := first_after(moment, time(2, 30), zone, frozenset(weekdays))) < until:
            dates.append(slot_of(moment, time(2, 30), zone))
        expected = [
            each
            for number in range(-9, 10)
            if (each := day + timedelta(days=number)).weekday() in weekdays and dates[0] <= each <= dates[-1]
        ]
        assert dates == expected, name


def test_a_date_that_a_zone_leaves_out_has_no_instant() -> None:
    assert instant(date(2011, 12, 30), time(9), ZoneInfo("Pacific/Apia")) is None


@pytest.mark.parametrize(
    ("day", "at", "zone", "expected"),
    [
        (date(2026, 3, 29), time(2, 30), "Europe/Berlin", "2026-03-29T03:00:00+02:00"),
        (date(2026, 10, 25), time(2, 30), "Europe/Berlin", "2026-10-25T02:30:00+02:00"),
        (date(2026, 3, 8), time(2, 30), "America/New_York", "2026-03-08T03:00:00-04:00"),
        (date(2026, 10, 4), time(2, 15), "Australia/Lord_Howe", "2026-10-04T02:30:00+11:00"),
        (date(2026, 7, 1), time(9), "Asia/Kathmandu", "2026-07-01T09:00:00+05:45"),
    ],
)
def test_the_lost_hour_gives_the_first_minute_after_it_and_the_doubled_one_the_first(
    day: date, at: time, zone: str, expected: str
) -> None:
    found = instant(day, at, ZoneInfo(zone))
    assert found is not None
    assert found.astimezone(ZoneInfo(zone)).isoformat() == expected


def test_the_next_morning_is_ten_on_the_client_s_clock() -> None:
    zone = ZoneInfo("Asia/Tokyo")
    evening = datetime(2026, 5, 1, 22, tzinfo=zone)
    assert next_morning(evening, zone) == datetime(2026, 5, 2, 10, tzinfo=zone)
    assert next_morning(datetime(2026, 5, 2, 10, tzinfo=zone), zone) == datetime(2026, 5, 2, 10, tzinfo=zone)


def test_what_nobody_chose_an_hour_for_waits_until_the_quiet_hours_are_over() -> None:
    zone = ZoneInfo("Europe/Lisbon")
    assert out_of_quiet(datetime(2026, 5, 1, 23, tzinfo=zone), zone) == datetime(2026, 5, 2, 8, tzinfo=zone)
    assert out_of_quiet(datetime(2026, 5, 2, 3, tzinfo=zone), zone) == datetime(2026, 5, 2, 8, tzinfo=zone)
    day = datetime(2026, 5, 2, 14, tzinfo=zone)
    assert out_of_quiet(day, zone) == day


def test_every_day_is_all_seven() -> None:
    assert sorted(EVERY_DAY) == [0, 1, 2, 3, 4, 5, 6]
