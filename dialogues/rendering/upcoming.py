"""Moments as a bubble may speak of them: the next talk or check-in, the last unasked word, and when what was told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property

from babel import Locale
from babel.dates import format_date

from state_machine.model.context import Context
from state_machine.schedule import agenda, precedence, triggers


@dataclass(frozen=True, slots=True)
class LocalMoment:
    """A moment on the client's clock: `day` is the weekday, `time` `HH:MM`; or it is a day with a name of its own."""

    day: str
    time: str
    hour: int
    today: bool
    tomorrow: bool
    yesterday: bool


class Upcoming:
    """Worked out when it is mentioned, so that other bubbles pay nothing for it."""

    def __init__(self, context: Context, locale: Locale) -> None:
        self._view = context
        self._locale = locale
        self._found: dict[str, object] = {}

    @cached_property
    def _today(self) -> date:
        return self._date_of(self._view.now)

    def _date_of(self, moment: datetime) -> date:
        return moment.astimezone(agenda.zone_of(self._view.progress)).date()

    def __getitem__(self, name: str) -> object:
        if name.startswith("_"):
            raise KeyError(name)
        if name not in self._found:
            self._found[name] = getattr(self, f"_{name}")()
        return self._found[name]

    def _talk(self) -> str | None:
        """The part that is written about next; where none is, the one that waits to be asked for."""
        due = self._next_talk
        part = agenda.written_about(self._view, self._date_of(due)) if due else None
        return part.title if part else self._waiting()

    def _waiting(self) -> str | None:
        """The part that opens if the client asks for what comes next."""
        part = agenda.to_start(self._view, self._today)
        return part.title if part else None

    def _talk_at(self) -> LocalMoment | None:
        return self._when(self._next_talk)

    @cached_property
    def _next_talk(self) -> datetime | None:
        return precedence.next_talk(self._view.script, self._view.progress)

    def _instead(self) -> bool:
        """Whether the next part comes in place of a check-in that was chosen for that day."""
        due = self._next_talk
        return due is not None and agenda.is_instead_of_check_in(self._view.progress, self._date_of(due))

    def _then_quiet(self) -> bool:
        """Whether the client has been silent for so long that after this nothing is said until they write."""
        heard = self._view.progress.heard
        return heard is not None and self._view.now - heard > triggers.GENTLE_AFTER[-2] + timedelta(days=1)

    def _check_in_at(self) -> LocalMoment | None:
        return self._when(precedence.next_check_in(self._view.script, self._view.progress))

    def _now(self) -> LocalMoment | None:
        return self._when(self._view.now)

    def _told_clock(self) -> bool:
        """Whether the clock, or a city, was told in the talk in front."""
        zone, country = self._view.of_run("zone"), self._view.of_run("country")
        return zone is not None and (country is None or zone.at != country.at)

    def _last_at(self) -> LocalMoment | None:
        unasked = self._view.progress.unasked
        return self._when(unasked.at if unasked else None)

    def _when(self, moment: datetime | None) -> LocalMoment | None:
        return _when(moment, self._view, self._locale)


class Dated:
    """`dated.moment` is when the answer kept as *moment* was given; `dated.talk` the day that the talk is about."""

    def __init__(self, context: Context, locale: Locale) -> None:
        self._view = context
        self._locale = locale

    def __getitem__(self, memory: str) -> LocalMoment | None:
        if memory == "talk":
            noon = datetime.combine(self._view.day(), time(12), agenda.zone_of(self._view.progress))
            return _when(noon, self._view, self._locale)
        fact = self._view.fact(memory)
        return _when(fact.at if fact else None, self._view, self._locale)


def _when(moment: datetime | None, context: Context, locale: Locale) -> LocalMoment | None:
    if moment is None:
        return None
    zone = agenda.zone_of(context.progress)
    local = moment.astimezone(zone)
    apart = (local.date() - context.now.astimezone(zone).date()).days
    shape = "EEEE" if abs(apart) < 7 else "EEEE d MMMM"
    day = format_date(local.date(), shape, locale=locale)
    return LocalMoment(day, f"{local:%H:%M}", local.hour, apart == 0, apart == 1, apart == -1)
