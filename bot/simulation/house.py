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

from bot.courier import Courier
from bot.desk import Desk
from bot.export import export_file
from bot.simulation.exchange import Exchange
from bot.simulation.faults import Faults
from bot.simulation.inline_writer import InlineWriter
from bot.simulation.ledger import Ledger
from bot.simulation.limits import Limits, WatchedPace
from bot.simulation.virtual_time import Clock
from bot.simulation.watched import WatchedConversation, WatchedStore
from bot.simulation.wire import Wire
from bot.telegram.library import PollingBot
from bot.telegram.polling import Polling
from bot.telegram.sender import Sender
from bot.ticker import AT_ONCE, FORGET_EVERY, LOOK_EVERY, Ticker
from dialogues.prompts import Prompts
from state_machine.chart import Charts
from storage.work import Work

IDLE = 4 * 3600.0
"""Seconds between two looks of the courier when nothing waits. The real one looks oftener, and finds nothing."""
PUT_OFF_AT_MOST = timedelta(minutes=15)
"""Longer than that nothing is put off by a 429 or by tries in vain."""
LONG_POLL = 4 * 3600
TICK_AT_LEAST_EVERY = 6 * FORGET_EVERY
TOKEN = "7:simulated"  # noqa: S105
_house: contextvars.ContextVar[House | None] = contextvars.ContextVar("house", default=None)


@dataclass(frozen=True, slots=True)
class Site:
    """Where houses are built: what outlives a process."""

    folder: Path
    charts: Charts
    prompts: Prompts
    exchange: Exchange
    ledger: Ledger
    clock: Clock
    faults: Faults
    dice: Random


class House:
    """The bot's process, on the site's files."""

    def __init__(self, site: Site) -> None:
        self.tasks: list[asyncio.Task[Any]] = []
        self.writer = InlineWriter(self._cut_off)
        self.died = asyncio.Event()
        ledger = site.ledger
        self.store = WatchedStore.watched(site.folder, ledger)
        self.conversation = WatchedConversation(self.store, site.charts, site.prompts, ledger, site.clock.now())
        self.wire = Wire(site.exchange, site.faults, site.dice, Limits(ledger), ledger.counts)
        self.desk = Desk(self.store, self.writer, site.clock.now)
        self.courier: _Courier | None = None
        self._intake: list[asyncio.Task[None]] = []
        self._site = site
        self._main = self._start(self._serve())

    async def _serve(self) -> None:
        bot = PollingBot(TOKEN, request=self.wire, get_updates_request=self.wire)
        while True:
            try:
                await bot.initialize()
                break
            except Exception:
                await asyncio.sleep(1.0)
        self.courier = _Courier(self.desk, Sender(bot), self._export, WatchedPace(self._site.ledger))
        self.courier.ledger, self.courier.begun = self._site.ledger, self.desk.now()
        polling = Polling(bot, self.desk, self.conversation, self.courier, wait=LONG_POLL)
        ticker = _Ticker(self.desk, self.conversation, self.courier, polling.backlog.taken, self._site.ledger)
        self._intake = [asyncio.create_task(ticker.run()), asyncio.create_task(polling.run())]
        await asyncio.gather(asyncio.create_task(self.courier.run()), *self._intake)

    def _export(self, work: Work, client: str) -> tuple[str, bytes]:
        chat = work.clients.get(client)
        if chat is None:
            raise LookupError("the client is gone")
        return export_file(chat.progress, work.entries.all(client), self._site.clock.now())

    def _start(self, main: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run in a context of its own, by which all tasks that come of it are known."""
        context = contextvars.copy_context()
        context.run(_house.set, self)
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
            await self.courier.stop()
        self.kill()

    def _cut_off(self) -> None:
        self.writer.dead = self.wire.cut = True
        self.died.set()

    def _add_up(self) -> None:
        counts = self._site.ledger.counts
        if self.courier is not None:
            for name in ("sent", "retried", "unclear", "held", "parked", "blocked", "faults"):
                counts[f"courier {name}"] += getattr(self.courier.counts, name)
        counts["turn faults"] += self.conversation.faults


def keep_record_of_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Have each house know its tasks."""

    def factory(loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **more: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, **more)
        context = more.get("context")
        house = _house.get() if context is None else context[_house]
        if house is not None:
            house.tasks.append(task)
            if len(house.tasks) > 1000:
                house.tasks[:] = [one for one in house.tasks if not one.done()]
        return task

    loop.set_task_factory(factory)  # type: ignore[arg-type]  # the type asks for more than the loop gives


class _Courier(Courier):
    """The courier, which sleeps longer once nothing can wait that an earlier process had put off."""

    ledger: Ledger
    begun: datetime

    def _slow_poll(self) -> float:
        young = self._desk.now() - self.begun < PUT_OFF_AT_MOST
        if young and any(book.waiting and not book.blocked for book in self.ledger.books.values()):
            return super()._slow_poll()
        return IDLE


class _Ticker(Ticker):
    """The ticker, which passes over the seconds at which nobody is due."""

    def __init__(
        self,
        desk: Desk,
        conversation: WatchedConversation,
        courier: Courier,
        heard_all: asyncio.Event,
        ledger: Ledger,
    ) -> None:
        super().__init__(desk, conversation, courier, heard_all)
        self._ledger = ledger

    async def run(self) -> None:
        """Tick a second after somebody is due, and every few hours for what the ticker does beside that."""
        ledger = self._ledger
        while True:
            if await self.tick() < AT_ONCE:
                ledger.earliest_wake = await self._desk.do(lambda work: work.clients.next_wake())
                latest = self._desk.now() + TICK_AT_LEAST_EVERY
                while (wait := (min(latest, ledger.earliest_wake or latest) - self._desk.now()).total_seconds()) > 0:
                    ledger.sooner.clear()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(ledger.sooner.wait(), wait)
                await asyncio.sleep(LOOK_EVERY)
