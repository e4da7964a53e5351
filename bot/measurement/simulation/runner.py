"""Runs one simulation: starts the clients, kills and restarts the bot, and checks it every hour and at the end."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from bot.measurement.simulation.bot_process import BotProcess, ProcessSetup, track_tasks
from bot.measurement.simulation.fake_telegram import FakeTelegram
from bot.measurement.simulation.faults import NONE, Faults
from bot.measurement.simulation.memory import resident
from bot.measurement.simulation.personas import PERSONAS, Persona
from bot.measurement.simulation.player import Place, Player, PlayerSetup
from bot.measurement.simulation.recorder import Recorder
from bot.measurement.simulation.started_clients import add_started_clients
from bot.measurement.simulation.virtual_time import VirtualClock, run
from bot.measurement.simulation.why import explains_last_message
from dialogues.rendering.prompts import Prompts
from state_machine.turn.machine import Machines
from storage.repositories.inbox import Inbox

START = datetime(2026, 3, 16, 0, 0, tzinfo=UTC)
"""A Monday. The clocks change within two weeks in Europe, within three in Australia and Chile."""
ZONES = (
    *("Europe/Dublin", "Europe/Berlin", "America/New_York", "America/Santiago"),
    *("Australia/Sydney", "Africa/Cairo", "Asia/Tokyo", "Asia/Kolkata"),
)
FIRST_CHAT = 1000
OVERDUE = timedelta(minutes=3)
"""A wake-up that is overdue by more than this, while the bot runs, was missed."""
QUIET_END = timedelta(hours=2)
"""Time at the end in which no client does anything, and what waits is sent."""
RESTART_AFTER = (2.0, 30.0)
"""Seconds until a killed process is started again, shortest and longest."""


@dataclass(frozen=True)
class SimulationPlan:
    """What is simulated.

    `zones`: the time zones of the clients in turn. `downtimes`: when the bot is switched off, and for how long.
    `show`: the number of the client whose transcript is collected.
    """

    clients: int
    days: int
    seed: int = 1
    faults: Faults = NONE
    start: datetime = START
    zones: tuple[str, ...] = ZONES
    personas: tuple[Persona, ...] = PERSONAS
    downtimes: Sequence[tuple[datetime, timedelta]] = ()
    show: int | None = None
    started: bool = False
    """Begin with clients who are already in the database, with their first day behind them."""


@dataclass
class SimulationResult:
    """What a simulation recorded.

    `memory`: MB at the end of each day. `wall`: seconds. `transcript`: of the client `show`. `personas`: one line for
    each client. `restarts`: how often the bot was started again.
    """

    recorder: Recorder
    digest: str = ""
    memory: list[float] = field(default_factory=list)
    wall: float = 0.0
    transcript: list[str] = field(default_factory=list)
    personas: list[str] = field(default_factory=list)
    restarts: int = 0


class Simulation:
    """Runs one plan."""

    def __init__(self, plan: SimulationPlan, folder: Path, machines: Machines, prompts: Prompts) -> None:
        self._plan = plan
        self._clock = VirtualClock(plan.start)
        self._end = plan.start + timedelta(days=plan.days)
        self.result = SimulationResult(Recorder(self._clock.now))
        recorder = self.result.recorder
        self.telegram = FakeTelegram(self._clock.now, plan.faults, self._rng("telegram"), recorder.arrived)
        self._setup = ProcessSetup(
            folder, machines, prompts, self.telegram, recorder, self._clock, plan.faults, self._rng("transport")
        )
        self._process: BotProcess | None = None
        self._reachable_since = plan.start

    def _rng(self, name: str) -> Random:
        return Random(f"{self._plan.seed} {name}")  # noqa: S311 - a simulation must be repeatable

    async def run(self) -> SimulationResult:
        """Run the simulation to its end."""
        started_at = time.perf_counter()
        track_tasks(asyncio.get_running_loop())
        self._process = BotProcess(self._setup)
        players = self._players()
        if self._plan.started:
            add_started_clients(self._process, players, self._clock.now(), self._setup.machines.script)
        playing = [asyncio.create_task(player.run(self._plan.days, self._plan.started)) for player in players]
        faults = [asyncio.create_task(self._kills()), asyncio.create_task(self._outages())]
        watch = asyncio.create_task(self._watch())
        downtimes = asyncio.create_task(self._downtimes())
        await self._clock.until(self._end)
        for task in playing:
            task.cancel()
        await self._clock.until(self._end + QUIET_END)
        for task in (*faults, watch, downtimes):
            task.cancel()
        self._check_at_end()
        if self._process is not None:
            await self._process.stop()
        self.result.digest = self.telegram.digest.hexdigest()[:16]
        self.result.wall = time.perf_counter() - started_at
        for task in (*playing, *faults):
            if task.done() and not task.cancelled() and (fault := task.exception()) is not None:
                raise fault
        return self.result

    def _players(self) -> list[Player]:
        zones = self._setup.machines.script.gazetteer.zones
        names = self._setup.machines.script.gazetteer.names
        countries = {zone: names[code] for code, found in zones.items() for zone in found}
        places = tuple(Place(countries[zone], zone) for zone in self._plan.zones)
        setup = PlayerSetup(self.telegram, self.result.recorder, self._clock, self._setup.machines.script, places)
        drawn = [persona for persona in self._plan.personas for _ in range(persona.weight)]
        self._rng("personas").shuffle(drawn)
        players = []
        for number in range(self._plan.clients):
            chat = self.telegram.chat(FIRST_CHAT + number)
            persona = drawn[number % len(drawn)]
            if number == self._plan.show:
                chat.transcript = self.result.transcript
            place = places[number % len(places)]
            self.result.personas.append(f"{persona.name}, {place.zone}")
            players.append(Player(setup, chat, persona, place, self._rng(f"client {number}")))
        return players

    # --- faults -------------------------------------------------------------------------

    async def _kills(self) -> None:
        rng, a_day = self._rng("kills"), self._plan.faults.kills_a_day
        while a_day > 0:
            await asyncio.sleep(rng.expovariate(a_day) * 86400)
            process, left = self._process, (self._end - self._clock.now()).total_seconds()
            if left <= 0:
                return
            if process is None:
                continue
            if rng.random() < 0.5:
                process.worker.dies_after = rng.randint(1, 12)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.died.wait(), left)
                process.worker.dies_after = None
                if self._process is not process or not process.died.is_set():
                    continue
            await self._restart_after(timedelta(seconds=rng.uniform(*RESTART_AFTER)))

    async def _downtimes(self) -> None:
        for at, length in sorted(self._plan.downtimes):
            await self._clock.until(at)
            await self._restart_after(length)

    async def _restart_after(self, length: timedelta) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        await asyncio.sleep(length.total_seconds())
        self.result.restarts += 1
        self._reachable_since = self._clock.now()
        self._process = BotProcess(self._setup)

    async def _outages(self) -> None:
        rng, faults = self._rng("outages"), self._plan.faults
        while faults.outages_a_day > 0:
            await asyncio.sleep(rng.expovariate(faults.outages_a_day) * 86400)
            if self._clock.now() >= self._end:
                return
            if self._process is not None:
                loop, length = asyncio.get_running_loop(), rng.uniform(*faults.outage)
                self._process.transport.outage_until = loop.time() + length
                loop.call_later(length, self._end_outage)

    def _end_outage(self) -> None:
        """Wake-ups that were due during the outage must come from now on."""
        self._reachable_since = self._clock.now()
        if self._process is not None:
            self._process.conversation.up_since = self._reachable_since

    # --- checks ----------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Check the wake-ups every hour, and note the memory every day."""
        hours = 0
        while True:
            await asyncio.sleep(3600)
            hours += 1
            self._check_wake_ups()
            if hours % 24 == 0:
                self.result.memory.append(resident())

    def _check_wake_ups(self) -> None:
        now = self._clock.now()
        if self._process is None or now - self._reachable_since < OVERDUE:
            return
        if asyncio.get_running_loop().time() < self._process.transport.outage_until:
            return  # no wake-ups run, as nothing could be sent
        recorder = self.result.recorder
        for record in recorder.clients.values():
            if record.wake_at is None or record.decided_at is None or record.blocked:
                continue
            if (
                now - max(record.wake_at, record.decided_at, record.reachability_changed_at or record.wake_at)
                > OVERDUE
            ):
                recorder.counts["missed"] += 1
                recorder.add_violation(f"{now:%F %T} {record.address}: not woken at {record.wake_at:%F %T}")

    def _check_at_end(self) -> None:
        """Check that nothing waits to be sent, dead letters have reasons, and /why explains the last message."""
        self._check_wake_ups()
        recorder, process = self.result.recorder, self._process
        if process is None:
            return
        with process.store.begin() as work:
            for failed in Inbox(work).all_failed():
                if not failed.reason:
                    recorder.add_violation("a dead letter has no reason")
            for record in recorder.clients.values():
                if record.erased:
                    continue
                if not record.blocked and work.outbox.count_waiting(record.client):
                    recorder.add_violation(
                        f"{record.address}: a message still waits although there was time to send it"
                    )
                if not explains_last_message(
                    self._setup.machines, self._setup.prompts, record.progress, self._clock.now()
                ):
                    recorder.add_violation(f"{record.address}: /why does not explain the last message")


def simulate(plan: SimulationPlan, folder: Path, machines: Machines, prompts: Prompts) -> SimulationResult:
    """Run a plan on files in `folder`, which is empty or does not exist yet."""

    async def main() -> SimulationResult:
        return await Simulation(plan, folder, machines, prompts).run()

    return run(main())
