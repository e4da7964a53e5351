"""Simulates one client: reads what arrives, waits, answers, ignores, blocks and unblocks the bot, travels."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from bot.measurement.simulation.answers import NONSENSE, answer
from bot.measurement.simulation.fake_telegram import FakeChat, FakeTelegram
from bot.measurement.simulation.personas import DAY_ONE, Persona
from bot.measurement.simulation.recorder import Recorder
from bot.measurement.simulation.virtual_time import VirtualClock
from state_machine.model.script import Script

MOST_ANSWERS = 35
"""Answers in one sitting, after which the client stops."""
READING = (1.5, 8.0)
"""Seconds without a new message before they answer, shortest and longest."""
PATIENCE = 90.0
"""Seconds they wait for a response before they look at the chat again."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a client lives: a country as they would write it, and their time zone."""

    country: str
    zone: str


@dataclass(slots=True)
class PlayerSetup:
    """What all players share. `places`: where they may travel to."""

    telegram: FakeTelegram
    recorder: Recorder
    clock: VirtualClock
    script: Script
    places: tuple[Place, ...]


class Player:
    """One simulated client."""

    def __init__(self, setup: PlayerSetup, chat: FakeChat, persona: Persona, place: Place, rng: Random) -> None:
        self.persona = persona
        self.place = place
        self.chat = chat
        self._setup = setup
        self._rng = rng
        self._has_blocked = False

    async def run(self, days: int, started: bool = False) -> None:
        """Use the bot for so many days. They begin with /start, unless they have `started` before."""
        if not started:
            first = self._local_now()
            begin = self._rng.uniform(max(9.0, first.hour + 0.1), 20.5) if first.hour < 20 else first.hour + 0.1
            await self._wait_until(self._at(first, begin))
            await self._says("/start")
        for day in range(days + 1):
            if self.persona.quits_after is not None and day >= self.persona.quits_after:
                return
            midnight = self._at(self._local_now(), 0.0)
            for hour, action in sorted(self._planned_actions(day), key=lambda one: one[0]):
                await self._wait_until(midnight + timedelta(hours=hour))
                await action()
            await self._wait_until(midnight + timedelta(hours=24.2))

    def _planned_actions(self, day: int) -> list[tuple[float, Callable[[], Awaitable[None]]]]:
        """What they do by themselves on this day, each with the hour of their own clock."""
        persona, rng = self.persona, self._rng
        found: list[tuple[float, Callable[[], Awaitable[None]]]] = []
        blocked_days = persona.blocked_days
        if blocked_days is not None and day == blocked_days[0]:
            found.append((rng.uniform(8, 20), self._blocks))
        if blocked_days is not None and day == blocked_days[1]:
            found.append((rng.uniform(8, 20), self._unblocks))
        if self._has_blocked or day == 0:
            return found
        if persona.visits_every and day % persona.visits_every == 0:
            found.append((rng.uniform(*persona.visit_hours), self._visits))
        if persona.travels_on == day:
            found.append((rng.uniform(10, 18), self._travels))
        if persona.changes_settings_every and day % persona.changes_settings_every == 0:
            found.append((rng.uniform(10, 18), self._changes_settings))
        return found

    # --- what they do by themselves --------------------------------------------------------------------------

    async def _visits(self) -> None:
        await self._says(self._rng.choice(("/checkin", "/checkin", "hello", "/today", "/why")))

    async def _blocks(self) -> None:
        self._has_blocked = True
        self._setup.telegram.blocks(self.chat)

    async def _unblocks(self) -> None:
        self._has_blocked = False
        self._setup.telegram.unblocks(self.chat)
        await self._says("hello")

    async def _travels(self) -> None:
        self.place = self._rng.choice([place for place in self._setup.places if place != self.place] or [self.place])
        await self._says("/settings", change_country="go")

    async def _changes_settings(self) -> None:
        hour = f"{self._rng.randint(6, 22):02}:{self._rng.choice((0, 15, 30)):02}"
        days = self._rng.choice(("daily", "three", "weekdays", "weekends"))
        if self._rng.random() < 0.5:
            await self._says("/settings", change_look_in="go", look_in=hour)
        else:
            await self._says("/remind", first_time="go", remind_days=days, remind_at=hour)

    # --- messages ------------------------------------------------------------------------

    async def _says(self, words: str, **wishes: str) -> None:
        self._send_text(words)
        await self._converse(**wishes)

    async def _wait_until(self, at: datetime) -> None:
        """Wait until this instant. Messages that arrive meanwhile may be answered."""
        clock, chat = self._setup.clock, self.chat
        while (wait := (at - clock.now()).total_seconds()) > 0:
            chat.news.clear()
            try:
                await asyncio.wait_for(chat.news.wait(), wait)
            except TimeoutError:
                return
            if not self._has_blocked and self._rng.random() < self.persona.answers:
                await asyncio.sleep(60 * self._rng.uniform(*self.persona.answer_delay))
                if not self.chat.blocked:
                    await self._converse()

    async def _converse(self, **wishes: str) -> None:
        """Read, and answer until no question is open, at most `MOST_ANSWERS` times."""
        await self._read()
        for _ in range(MOST_ANSWERS):
            said = self._answer(wishes)
            if said is None:
                return
            self.chat.news.clear()
            self._send_answer(said)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.chat.news.wait(), PATIENCE)
            await self._read()

    async def _read(self) -> None:
        """Return once no message has arrived for the time it takes to read."""
        pause = self._rng.uniform(*READING)
        while True:
            self.chat.news.clear()
            try:
                await asyncio.wait_for(self.chat.news.wait(), pause)
            except TimeoutError:
                return

    def _answer(self, wishes: dict[str, str]) -> str | None:
        record = self._setup.recorder.by_address.get(self.chat.address)
        if record is None or record.erased or not (progress := record.progress).runs:
            return None
        if self._rng.random() < self.persona.nonsense:
            return self._rng.choice(NONSENSE)
        persona = self.persona
        always = {
            "country": self.place.country,
            "zone": self.place.zone.rsplit("/", 1)[1].replace("_", " "),
            "their_zone": self.place.zone,
            "now": self._setup.clock.now().isoformat(),
            "look_in": persona.look_in,
            "remind_days": persona.remind[0],
            "remind_at": persona.remind[1],
        }
        all_wishes = {**DAY_ONE, **always, **persona.wishes, **wishes}
        return answer(self._setup.script, progress, self.chat.offered, all_wishes, self._rng)

    def _send_answer(self, words: str) -> None:
        """Tap the button with this label, or write the words; some clients do it twice."""
        for _ in range(1 + (self._rng.random() < self.persona.sends_twice)):
            if self.chat.is_inline and words in self.chat.buttons:
                self._setup.telegram.taps(self.chat, words)
            elif words == "🙂":
                self._setup.telegram.sends_sticker(self.chat)
            else:
                self._send_text(words)

    def _send_text(self, words: str) -> None:
        self._setup.telegram.sends_text(self.chat, words)

    # --- the client's own clock ------------------------------------------------------------------

    def _local_now(self) -> datetime:
        return self._setup.clock.now().astimezone(ZoneInfo(self.place.zone))

    def _at(self, local: datetime, hour: float) -> datetime:
        """The instant at this hour (of 24, as a fraction) on the local date, in the time zone of the simulation."""
        zone = ZoneInfo(self.place.zone)
        midnight = datetime.combine(local.date(), time(0), zone).astimezone(self._setup.clock.start.tzinfo)
        return midnight + timedelta(hours=hour)
