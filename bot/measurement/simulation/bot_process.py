"""One process of the bot, with all its own parts: begun, stopped, or killed at any instant."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from bot.db_worker import DatabaseWorker
from bot.delivery.courier import Courier
from bot.export import export_file
from bot.measurement.simulation.fake_telegram import FakeTelegram
from bot.measurement.simulation.faults import Faults
from bot.measurement.simulation.inline_worker import InlineWorker
from bot.measurement.simulation.limits import Limits, RecordedRateLimiter
from bot.measurement.simulation.recorded_store import RecordedConversation, RecordedStore
from bot.measurement.simulation.recorder import Recorder
from bot.measurement.simulation.transport import FakeTransport
from bot.measurement.simulation.virtual_time import Clock
from bot.scheduler import AT_ONCE, FORGET_EVERY, LOOK_EVERY, Scheduler
from bot.telegram.client import PollingBot
from bot.telegram.polling import Polling
from bot.telegram.sender import Sender
from dialogues.rendering.prompts import Prompts
from state_machine.turn.machine import Machines
from storage.store import UnitOfWork

IDLE = 4 * 3600.0
"""Seconds between two looks of the courier when nothing waits. The real one looks oftener, and finds nothing."""
PUT_OFF_AT_MOST = timedelta(minutes=15)
"""Longer than that nothing is put off by a 429 or by tries in vain."""
LONG_POLL = 4 * 3600
TICK_AT_LEAST_EVERY = 6 * FORGET_EVERY
TOKEN = "7:simulated"  # noqa: S105
_process: contextvars.ContextVar[BotProcess | None] = contextvars.ContextVar("process", default=None)


@dataclass(frozen=True, slots=True)
class ProcessSetup:
    """Where houses are built: what outlives a process."""

    folder: Path
    machines: Machines
    prompts: Prompts
    telegram_side: FakeTelegram
    recorder: Recorder
    clock: Clock
    faults: Faults
    dice: Random


class BotProcess:
    """The bot's process, on the site's files."""

    def __init__(self, setup: ProcessSetup) -> None:
        self.tasks: list[asyncio.Task[Any]] = []
        self.worker = InlineWorker(self._cut_off)
        self.died = asyncio.Event()
        recorder = setup.recorder
        self.store = RecordedStore.watched(setup.folder, recorder)
        self.conversation = RecordedConversation(
            self.store, setup.machines, setup.prompts, recorder, setup.clock.now()
        )
        self.transport = FakeTransport(
            setup.telegram_side, setup.faults, setup.dice, Limits(recorder), recorder.counts
        )
        self.database = DatabaseWorker(self.store, self.worker, setup.clock.now)
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
        self.courier.recorder, self.courier.begun = self._setup.recorder, self.database.now()
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
        """Run in a context of its own, by which all tasks that come of it are known."""
        context = contextvars.copy_context()
        context.run(_process.set, self)
        return asyncio.get_running_loop().create_task(main, context=context)

    def kill(self) -> None:
        """End at once: nothing more is written, sent or heard."""
        self._cut_off()
        for task in self.tasks:
            task.cancel()
        self.store.close()
        self._add_up()

    async def stop(self) -> None:
        """End as the real process ends when it is asked to."""
        for task in self._intake:
            task.cancel()
        if self.courier is not None:
            self.courier.stop()
            await asyncio.gather(*self._sending, return_exceptions=True)
        self.kill()

    def _cut_off(self) -> None:
        self.worker.dead = self.transport.cut = True
        self.died.set()

    def _add_up(self) -> None:
        counts = self._setup.recorder.counts
        if self.courier is not None:
            for name in ("sent", "retried", "unclear", "held", "rejected", "blocked", "faults"):
                counts[f"courier {name}"] += getattr(self.courier.counts, name)
        counts["turn faults"] += self.conversation.faults


def keep_record_of_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Have each house know its tasks."""

    def factory(loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **more: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, **more)
        context = more.get("context")
        process = _process.get() if context is None else context[_process]
        if process is not None:
            process.tasks.append(task)
            if len(process.tasks) > 1000:
                process.tasks[:] = [one for one in process.tasks if not one.done()]
        return task

    loop.set_task_factory(factory)  # type: ignore[arg-type]  # the type asks for more than the loop gives


class _Courier(Courier):
    """The courier, which sleeps longer once nothing can wait that an earlier process had put off."""

    recorder: Recorder
    begun: datetime

    def _slow_poll(self) -> float:
        young = self._database.now() - self.begun < PUT_OFF_AT_MOST
        if young and any(book.waiting and not book.blocked for book in self.recorder.books.values()):
            return super()._slow_poll()
        return IDLE


class _Scheduler(Scheduler):
    """The ticker, which passes over the seconds at which nobody is due."""

    def __init__(
        self,
        database: DatabaseWorker,
        conversation: RecordedConversation,
        courier: Courier,
        heard_all: asyncio.Event,
        recorder: Recorder,
    ) -> None:
        super().__init__(database, conversation, courier, heard_all)
        self._recorder = recorder

    async def run(self) -> None:
        """Tick a second after somebody is due, and every few hours for what the ticker does beside that."""
        recorder = self._recorder
        while True:
            if await self.tick() < AT_ONCE:
                recorder.earliest_wake = await self._database.do(
                    lambda work: work.clients.next_wake_at(self._courier.channel)
                )
                latest = self._database.now() + TICK_AT_LEAST_EVERY
                while (
                    wait := (min(latest, recorder.earliest_wake or latest) - self._database.now()).total_seconds()
                ) > 0:
                    recorder.sooner.clear()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(recorder.sooner.wait(), wait)
                await asyncio.sleep(LOOK_EVERY)
