"""One process of the bot, made of its real parts, which can be stopped, or killed at any instant."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from bot.db_worker import DatabaseWorker
from bot.delivery.backoff import delay_after
from bot.delivery.courier import Courier
from bot.export import export_file
from bot.measurement.simulation.fake_telegram import FakeTelegram
from bot.measurement.simulation.faults import Faults
from bot.measurement.simulation.inline_worker import InlineWorker
from bot.measurement.simulation.limits import Limits, RecordedRateLimiter
from bot.measurement.simulation.recorded_store import RecordedConversation, RecordedStore
from bot.measurement.simulation.recorder import Recorder
from bot.measurement.simulation.transport import FakeTransport
from bot.measurement.simulation.virtual_time import VirtualClock
from bot.scheduler import AT_ONCE, FORGET_EVERY, LONGEST_PAUSE, LOOK_EVERY, Scheduler
from bot.telegram.client import PollingBot
from bot.telegram.polling import Polling
from bot.telegram.sender import Sender
from dialogues.rendering.prompts import Prompts
from state_machine.turn.machine import Machines
from storage.store import UnitOfWork

T = TypeVar("T")

IDLE_POLL = 4 * 3600.0
"""Seconds between two reads of the outbox when nothing waits. The real courier does it more often."""
LONGEST_DELAY = timedelta(minutes=15)
"""A send is delayed at most this long by a 429 or by failed tries."""
LONG_POLL = 4 * 3600
"""Seconds one call of getUpdates waits for an update."""
TICK_AT_LEAST_EVERY = 6 * FORGET_EVERY
TOKEN = "7:simulated"  # noqa: S105
_process: contextvars.ContextVar[BotProcess | None] = contextvars.ContextVar("process", default=None)


@dataclass(frozen=True, slots=True)
class ProcessSetup:
    """What every process is started with; it outlives the process."""

    folder: Path
    machines: Machines
    prompts: Prompts
    telegram: FakeTelegram
    recorder: Recorder
    clock: VirtualClock
    faults: Faults
    rng: Random


class BotProcess:
    """The bot's process, on the files in the folder of the setup."""

    def __init__(self, setup: ProcessSetup) -> None:
        self.tasks: list[asyncio.Task[Any]] = []
        self.worker = InlineWorker(self._disconnect)
        self.died = asyncio.Event()
        recorder = setup.recorder
        self.store = RecordedStore.open_recorded(setup.folder, recorder)
        self.conversation = RecordedConversation(
            self.store, setup.machines, setup.prompts, recorder, setup.clock.now()
        )
        self.transport = FakeTransport(setup.telegram, setup.faults, setup.rng, Limits(recorder), recorder.counts)
        self.database = _Database(self.store, self.worker, setup.clock.now)
        self.courier: _Courier | None = None
        self._intake: list[asyncio.Task[None]] = []
        self._sending: list[asyncio.Task[None]] = []
        self._setup = setup
        self._main = self._start(self._serve())

    async def _serve(self) -> None:
        bot = PollingBot(TOKEN, request=self.transport, get_updates_request=self.transport)
        while True:
            try:
                await bot.initialize()
                break
            except Exception:
                await asyncio.sleep(1.0)
        self.courier = _Courier(self.database, Sender(bot), self._export, RecordedRateLimiter(self._setup.recorder))
        self.courier.recorder, self.courier.started_at = self._setup.recorder, self.database.now()
        polling = Polling(bot, self.database, self.conversation, self.courier, wait=LONG_POLL)
        scheduler = _Scheduler(
            self.database, self.conversation, self.courier, polling.backlog.taken, self._setup.recorder
        )
        self._intake = [asyncio.create_task(scheduler.run()), asyncio.create_task(polling.run())]
        self._sending = [asyncio.create_task(self.courier.run())]
        await asyncio.gather(*self._sending, *self._intake)

    def _export(self, work: UnitOfWork, client: str) -> tuple[str, bytes]:
        chat = work.chats.get(client)
        if chat is None:
            raise LookupError("the client is gone")
        return export_file(chat.progress, work.entries.all(client), self._setup.clock.now())

    def _start(self, main: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run it in its own context variables, so that all tasks it creates are known as this process's."""
        context = contextvars.copy_context()
        context.run(_process.set, self)
        return asyncio.get_running_loop().create_task(main, context=context)

    def kill(self) -> None:
        """End at once: nothing more is written, sent or received."""
        self._disconnect()
        for task in self.tasks:
            task.cancel()
        self.store.close()
        self._add_counts()

    async def stop(self) -> None:
        """End as the real process does on SIGTERM."""
        for task in self._intake:
            task.cancel()
        if self.courier is not None:
            self.courier.stop()
            await asyncio.gather(*self._sending, return_exceptions=True)
        self.kill()

    def _disconnect(self) -> None:
        self.worker.dead = self.transport.disconnected = True
        self.died.set()

    def _add_counts(self) -> None:
        counts = self._setup.recorder.counts
        if self.courier is not None:
            for name in ("sent", "retried", "unclear", "held", "rejected", "blocked", "faults"):
                counts[f"courier {name}"] += getattr(self.courier.counts, name)
        counts["turn faults"] += self.conversation.faults


def track_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Make each process know its own tasks, so that `kill` can cancel them."""

    def factory(loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **more: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, **more)
        context = more.get("context")
        process = _process.get() if context is None else context[_process]
        if process is not None:
            process.tasks.append(task)
            if len(process.tasks) > 1000:
                process.tasks[:] = [one for one in process.tasks if not one.done()]
        return task

    loop.set_task_factory(factory)  # type: ignore[arg-type]  # the stub asks for more than the loop gives


class _Database(DatabaseWorker):
    """A database worker that reads without a further thread: virtual time does not wait for threads."""

    async def read(self, function: Callable[[UnitOfWork], T]) -> T:
        """As in the base class, but run at once, like all other work."""
        return await self.run(self._in_reading_transaction, function)


class _Courier(Courier):
    """The courier, but it sleeps longer once nothing delayed by an earlier process can wait any more."""

    recorder: Recorder
    started_at: datetime

    def _slow_poll(self) -> float:
        is_young = self._database.now() - self.started_at < LONGEST_DELAY
        if is_young and any(record.waiting and not record.blocked for record in self.recorder.clients.values()):
            return super()._slow_poll()
        return IDLE_POLL


class _Scheduler(Scheduler):
    """The scheduler, but it skips the seconds at which nobody is due."""

    def __init__(
        self,
        database: DatabaseWorker,
        conversation: RecordedConversation,
        courier: Courier,
        all_received: asyncio.Event,
        recorder: Recorder,
    ) -> None:
        super().__init__(database, conversation, courier, all_received)
        self._recorder = recorder

    async def run(self) -> None:
        """Tick one second after a wake-up is due, and at least every few hours. Faults: as in the base class."""
        failures = 0
        while True:
            pause = LOOK_EVERY
            try:
                if await self.tick() < AT_ONCE:
                    await self._until_next_wake()
                failures = 0
            except Exception as fault:
                failures += 1
                self.faults += 1
                pause = min(delay_after(failures), LONGEST_PAUSE)
                self._database.store_failed(fault)
            await asyncio.sleep(pause)

    async def _until_next_wake(self) -> None:
        """Return when the next wake-up is due, after `TICK_AT_LEAST_EVERY` at most."""
        recorder, now = self._recorder, self._database.now
        recorder.earliest_wake = await self._database.do(
            lambda work: work.clients.next_wake_at(self._courier.channel)
        )
        latest = now() + TICK_AT_LEAST_EVERY
        while (wait := (min(latest, recorder.earliest_wake or latest) - now()).total_seconds()) > 0:
            recorder.earlier_wake.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(recorder.earlier_wake.wait(), wait)
