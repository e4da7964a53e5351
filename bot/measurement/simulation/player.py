"""Plays one client: reads what arrives, waits, answers, forgets, blocks, travels, comes back."""

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
from bot.measurement.simulation.virtual_time import Clock
from state_machine.model.script import Script

MOST_ANSWERS = 35
"""Answers in one sitting, after which anybody puts the phone away."""
READING = (1.5, 8.0)
"""Seconds in which no further bubble comes, before they answer."""
PATIENCE = 90.0
"""Seconds they wait for an answer before they look elsewhere."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a client lives: a country as they would write it, and the zone of their clock."""

    country: str
    zone: str


@dataclass(slots=True)
class Scene:
    """What all players share."""

    telegram_side: FakeTelegram
    recorder: Recorder
    clock: Clock
    script: Script
    places: tuple[Place, ...]


class Player:
    """One client, who lives until cancelled."""

    def __init__(self, scene: Scene, room: FakeChat, persona: Persona, place: Place, dice: Random) -> None:
        self.persona = persona
        self.place = place
        self.room = room
        self._scene = scene
        self._dice = dice
        self._gone = False

    async def live(self, days: int, settled: bool = False) -> None:
        """Begin on the first day, unless the first day is behind them, and go on for so many."""
        if not settled:
            first = self._local_now()
            begin = self._dice.uniform(max(9.0, first.hour + 0.1), 20.5) if first.hour < 20 else first.hour + 0.1
            await self._until(self._at(first, begin))
            await self._says("/start")
        for day in range(days + 1):
            if self.persona.quits_after is not None and day >= self.persona.quits_after:
                return
            midnight = self._at(self._local_now(), 0.0)
            for hour, deed in sorted(self._deeds(day), key=lambda one: one[0]):
                await self._until(midnight + timedelta(hours=hour))
                await deed()
            await self._until(midnight + timedelta(hours=24.2))

    def _deeds(self, day: int) -> list[tuple[float, Callable[[], Awaitable[None]]]]:
        persona, dice = self.persona, self._dice
        found: list[tuple[float, Callable[[], Awaitable[None]]]] = []
        away = persona.away
        if away is not None and day == away[0]:
            found.append((dice.uniform(8, 20), self._blocks))
        if away is not None and day == away[1]:
            found.append((dice.uniform(8, 20), self._comes_back))
        if self._gone or day == 0:
            return found
        if persona.every and day % persona.every == 0:
            found.append((dice.uniform(*persona.hours), self._visits))
        if persona.travels == day:
            found.append((dice.uniform(10, 18), self._travels))
        if persona.settles and day % persona.settles == 0:
            found.append((dice.uniform(10, 18), self._settles))
        return found

    # --- deeds --------------------------------------------------------------------------

    async def _visits(self) -> None:
        await self._says(self._dice.choice(("/checkin", "/checkin", "hello", "/today", "/why")))

    async def _blocks(self) -> None:
        self._gone = True
        self._scene.telegram_side.blocks(self.room)

    async def _comes_back(self) -> None:
        self._gone = False
        self._scene.telegram_side.comes_back(self.room)
        await self._says("hello")

    async def _travels(self) -> None:
        self.place = self._dice.choice([place for place in self._scene.places if place != self.place] or [self.place])
        await self._says("/settings", change_country="go")

    async def _settles(self) -> None:
        hour = f"{self._dice.randint(6, 22):02}:{self._dice.choice((0, 15, 30)):02}"
        days = self._dice.choice(("daily", "three", "weekdays", "weekends"))
        if self._dice.random() < 0.5:
            await self._says("/settings", change_look_in="go", look_in=hour)
        else:
            await self._says("/remind", first_time="go", remind_days=days, remind_at=hour)

    # --- talking ------------------------------------------------------------------------

    async def _says(self, words: str, **wishes: str) -> None:
        self._writes(words)
        await self._talk(**wishes)

    async def _until(self, at: datetime) -> None:
        """Let time pass; what comes unasked may be answered meanwhile."""
        clock, room = self._scene.clock, self.room
        while (wait := (at - clock.now()).total_seconds()) > 0:
            room.news.clear()
            try:
                await asyncio.wait_for(room.news.wait(), wait)
            except TimeoutError:
                return
            if not self._gone and self._dice.random() < self.persona.answers:
                await asyncio.sleep(60 * self._dice.uniform(*self.persona.after))
                if not self.room.blocked:
                    await self._talk()

    async def _talk(self, **wishes: str) -> None:
        """Read, and answer until nothing is asked any more."""
        await self._read()
        for _ in range(MOST_ANSWERS):
            said = self._answer(wishes)
            if said is None:
                return
            self.room.news.clear()
            self._gives(said)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.room.news.wait(), PATIENCE)
            await self._read()

    async def _read(self) -> None:
        """Return once nothing new has come for a while."""
        calm = self._dice.uniform(*READING)
        while True:
            self.room.news.clear()
            try:
                await asyncio.wait_for(self.room.news.wait(), calm)
            except TimeoutError:
                return

    def _answer(self, wishes: dict[str, str]) -> str | None:
        book = self._scene.recorder.at.get(self.room.address)
        if book is None or book.erased or not (progress := book.progress).runs:
            return None
        if self._dice.random() < self.persona.nonsense:
            return self._dice.choice(NONSENSE)
        persona = self.persona
        standing = {
            "country": self.place.country,
            "zone": self.place.zone.rsplit("/", 1)[1].replace("_", " "),
            "their_zone": self.place.zone,
            "now": self._scene.clock.now().isoformat(),
            "look_in": persona.look_in,
            "remind_days": persona.remind[0],
            "remind_at": persona.remind[1],
        }
        all_wishes = {**DAY_ONE, **standing, **persona.wishes, **wishes}
        return answer(self._scene.script, progress, self.room.offered, all_wishes, self._dice)

    def _gives(self, words: str) -> None:
        """Tap the button that says it, or write it; some do it twice."""
        for _ in range(1 + (self._dice.random() < self.persona.twice)):
            if self.room.under and words in self.room.buttons:
                self._scene.telegram_side.taps(self.room, words)
            elif words == "🙂":
                self._scene.telegram_side.shares(self.room)
            else:
                self._writes(words)

    def _writes(self, words: str) -> None:
        self._scene.telegram_side.writes(self.room, words)

    # --- their own clock ------------------------------------------------------------------

    def _local_now(self) -> datetime:
        return self._scene.clock.now().astimezone(ZoneInfo(self.place.zone))

    def _at(self, local: datetime, hour: float) -> datetime:
        zone = ZoneInfo(self.place.zone)
        midnight = datetime.combine(local.date(), time(0), zone).astimezone(self._scene.clock.start.tzinfo)
        return midnight + timedelta(hours=hour)
