"""What comes by itself, as a bubble may speak of it: the next talk, the next check-in, the last unasked word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from babel.dates import format_date

from state_machine.model.context import Context
from state_machine.schedule import agenda, triggers


@dataclass(frozen=True, slots=True)
class LocalMoment:
    """A moment on the client's clock: `day` is the weekday, `time` `HH:MM`; or it is a day with a name of its own."""

    day: str
    time: str
    today: bool
    tomorrow: bool
    yesterday: bool


class Upcoming:
    """Worked out when it is mentioned, so that other bubbles pay nothing for it."""

    def __init__(self, context: Context, language: str) -> None:
        self._view = context
        self._language = language
        self._part = agenda.due(context, self._today()) or agenda.next_part(context, self._today())

    def _today(self) -> date:
        return self._view.now.astimezone(agenda.zone_of(self._view.progress)).date()

    def __getitem__(self, name: str) -> object:
        if name.startswith("_"):
            raise KeyError(name)
        return getattr(self, f"_{name}")()

    def _talk(self) -> str | None:
        return self._part.title if self._part else None

    def _talk_now(self) -> bool:
        return agenda.due(self._view, self._today()) is not None

    def _talk_at(self) -> LocalMoment | None:
        return self._when(triggers.talk_due(self._view.script, self._view.progress))

    def _check_in_at(self) -> LocalMoment | None:
        return self._when(triggers.check_in_due(self._view.progress))

    def _now(self) -> LocalMoment | None:
        return self._when(self._view.now)

    def _last_at(self) -> LocalMoment | None:
        unasked = self._view.progress.unasked
        return self._when(unasked.at if unasked else None)

    def _when(self, moment: datetime | None) -> LocalMoment | None:
        if moment is None:
            return None
        local = moment.astimezone(agenda.zone_of(self._view.progress))
        apart = (local.date() - self._today()).days
        shape = "EEEE" if abs(apart) < 7 else "EEEE d MMMM"
        day = format_date(local.date(), shape, locale=self._language)
        return LocalMoment(day, f"{local:%H:%M}", apart == 0, apart == 1, apart == -1)
