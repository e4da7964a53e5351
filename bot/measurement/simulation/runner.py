"""One simulation from beginning to end: who lives in it, when the bot is away, and what is looked at every hour."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from bot.measurement.simulation.bot_process import BotProcess, ProcessSetup, keep_record_of_tasks
from bot.measurement.simulation.fake_telegram import FakeTelegram
from bot.measurement.simulation.faults import NONE, Faults
from bot.measurement.simulation.memory import resident
from bot.measurement.simulation.personas import PERSONAS, Persona
from bot.measurement.simulation.player import Place, Player, Scene
from bot.measurement.simulation.recorder import Recorder
from bot.measurement.simulation.started_clients import settle
from bot.measurement.simulation.virtual_time import Clock, run
from bot.measurement.simulation.why import explains_itself
from dialogues.rendering.prompts import Prompts
from state_machine.turn.machine import Machines
from storage.repositories.inbox import Inbox

START = datetime(2026, 3, 16, 0, 0, tzinfo=UTC)
"""A Monday. Within two weeks the clocks change in Europe, within three in Australia and Chile."""
ZONES = (
    *("Europe/Dublin", "Europe/Berlin", "America/New_York", "America/Santiago"),
    *("Australia/Sydney", "Africa/Cairo", "Asia/Tokyo", "Asia/Kolkata"),
)
FIRST_CHAT = 1000
LATE = timedelta(minutes=3)
"""A wake-up that lies back so far, with the bot there, was missed."""
CALM = timedelta(hours=2)
"""Time at the end in which nobody does anything, and what waits is carried."""
AWAY = (2.0, 30.0)
"""Seconds until a killed process is there again."""


@dataclass(frozen=True)
class Plan:
    """What is simulated. `nights_off`: instants at which the bot is switched off, and for how long."""

    clients: int
    days: int
    seed: int = 1
    faults: Faults = NONE
    start: datetime = START
    zones: tuple[str, ...] = ZONES
    personas: tuple[Persona, ...] = PERSONAS
    nights_off: Sequence[tuple[datetime, timedelta]] = ()
    show: int | None = None
    settled: bool = False
    """Begin with clients who have their first day behind them, in the books as if they had been here."""


@dataclass
class Outcome:
    """What came of it. `memory`: MB at the end of each day."""

    recorder: Recorder
    digest: str = ""
    memory: list[float] = field(default_factory=list)
    wall: float = 0.0
    lines: list[str] = field(default_factory=list)
    personas: list[str] = field(default_factory=list)
    restarts: int = 0


class Simulation:
    """Runs one plan."""

    def __init__(self, plan: Plan, folder: Path, machines: Machines, prompts: Prompts) -> None:
        self._plan = plan
        self._clock = Clock(plan.start)
        self._end = plan.start + timedelta(days=plan.days)
        self.outcome = Outcome(Recorder(self._clock.now))
        recorder = self.outcome.recorder
        self.telegram_side = FakeTelegram(self._clock.now, plan.faults, self._dice("exchange"), recorder.arrived)
        self._setup = ProcessSetup(
            folder, machines, prompts, self.telegram_side, recorder, self._clock, plan.faults, self._dice("wire")
        )
        self._process: BotProcess | None = None
        self._there_since = plan.start

    def _dice(self, name: str) -> Random:
        return Random(f"{self._plan.seed} {name}")  # noqa: S311 - a simulation must be repeatable

    async def run(self) -> Outcome:
        """Live through it."""
        begun = time.perf_counter()
        keep_record_of_tasks(asyncio.get_running_loop())
        self._process = BotProcess(self._setup)
        cast = self._players()
        if self._plan.settled:
            settle(self._process, cast, self._clock.now(), self._setup.machines.script)
        players = [asyncio.create_task(player.live(self._plan.days, self._plan.settled)) for player in cast]
        troubles = [asyncio.create_task(self._kills()), asyncio.create_task(self._outages())]
        watching = asyncio.create_task(self._watch())
        nights = asyncio.create_task(self._nights_off())
        await self._clock.until(self._end)
        for task in (*players, *troubles):
            task.cancel()
        await self._clock.until(self._end + CALM)
        watching.cancel()
        nights.cancel()
        self._audit()
        if self._process is not None:
            await self._process.stop()
        self.outcome.digest = self.telegram_side.digest.hexdigest()[:16]
        self.outcome.wall = time.perf_counter() - begun
        for task in (*players, *troubles):
            if task.done() and not task.cancelled() and (fault := task.exception()) is not None:
                raise fault
        return self.outcome

    def _players(self) -> list[Player]:
        zones = self._setup.machines.script.gazetteer.zones
        names = self._setup.machines.script.gazetteer.names
        homes = {zone: names[code] for code, found in zones.items() for zone in found}
        places = tuple(Place(homes[zone], zone) for zone in self._plan.zones)
        scene = Scene(self.telegram_side, self.outcome.recorder, self._clock, self._setup.machines.script, places)
        drawn = [persona for persona in self._plan.personas for _ in range(persona.weight)]
        self._dice("personas").shuffle(drawn)
        players = []
        for number in range(self._plan.clients):
            room = self.telegram_side.room(FIRST_CHAT + number)
            persona = drawn[number % len(drawn)]
            if number == self._plan.show:
                room.lines = self.outcome.lines
            place = places[number % len(places)]
            self.outcome.personas.append(f"{persona.name}, {place.zone}")
            players.append(Player(scene, room, persona, place, self._dice(f"client {number}")))
        return players

    # --- troubles -------------------------------------------------------------------------

    async def _kills(self) -> None:
        dice, a_day = self._dice("kills"), self._plan.faults.kills_a_day
        while a_day > 0:
            await asyncio.sleep(dice.expovariate(a_day) * 86400)
            process = self._process
            if process is None:
                continue
            if dice.random() < 0.5:
                process.worker.dies_after = dice.randint(1, 12)
                await process.died.wait()
                if self._process is not process:
                    continue
            await self._away(timedelta(seconds=dice.uniform(*AWAY)))

    async def _nights_off(self) -> None:
        for at, length in sorted(self._plan.nights_off):
            await self._clock.until(at)
            await self._away(length)

    async def _away(self, length: timedelta) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        await asyncio.sleep(length.total_seconds())
        self.outcome.restarts += 1
        self._there_since = self._clock.now()
        self._process = BotProcess(self._setup)

    async def _outages(self) -> None:
        dice, faults = self._dice("outages"), self._plan.faults
        while faults.outages_a_day > 0:
            await asyncio.sleep(dice.expovariate(faults.outages_a_day) * 86400)
            if self._process is not None:
                loop, length = asyncio.get_running_loop(), dice.uniform(*faults.outage)
                self._process.transport.down_until = loop.time() + length
                loop.call_later(length, self._within_reach_again)

    def _within_reach_again(self) -> None:
        """Who was due while Telegram was out of reach can be woken from now on, and not later than that."""
        self._there_since = self._clock.now()
        if self._process is not None:
            self._process.conversation.up_since = self._there_since

    # --- looking ----------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Every hour: has nobody been forgotten? Every day: how much memory is it?"""
        hours = 0
        while True:
            await asyncio.sleep(3600)
            hours += 1
            self._nobody_forgotten()
            if hours % 24 == 0:
                self.outcome.memory.append(resident())

    def _nobody_forgotten(self) -> None:
        now = self._clock.now()
        if self._process is None or now - self._there_since < LATE:
            return
        if asyncio.get_running_loop().time() < self._process.transport.down_until:
            return  # nobody is woken, as nothing could be carried
        recorder = self.outcome.recorder
        for book in recorder.books.values():
            if book.wake_at is None or book.decided_at is None or book.blocked:
                continue
            if now - max(book.wake_at, book.decided_at, book.since or book.wake_at) > LATE:
                recorder.counts["missed"] += 1
                recorder.wrong(f"{now:%F %T} {book.address}: not woken at {book.wake_at:%F %T}")

    def _audit(self) -> None:
        """At the end nothing waits that could be carried, and all that is parked has its reason."""
        self._nobody_forgotten()
        recorder, process = self.outcome.recorder, self._process
        if process is None:
            return
        with process.store.begin() as work:
            for parked in Inbox(work).all_failed():
                if not parked.reason:
                    recorder.wrong("an event is parked without a reason")
            for book in recorder.books.values():
                if book.erased:
                    continue
                if not book.blocked and work.outbox.count_waiting(book.client):
                    recorder.wrong(f"{book.address}: something still waits, with all the time in the world")
                if not explains_itself(self._setup.machines, self._setup.prompts, book.progress, self._clock.now()):
                    recorder.wrong(f"{book.address}: /why does not say why the last message came")


def simulate(plan: Plan, folder: Path, machines: Machines, prompts: Prompts) -> Outcome:
    """Run a plan on files in `folder`, which is empty or does not exist yet."""

    async def main() -> Outcome:
        return await Simulation(plan, folder, machines, prompts).run()

    return run(main())
