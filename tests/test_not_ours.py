"""Several edges may share one folder: each carries to its own chats only, and no goodbye stands before another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from telegram import Bot

from bot.app import App
from bot.console import Console
from bot.db_worker import DatabaseWorker
from bot.delivery.courier import Courier
from bot.delivery.rate_limiter import RateLimiter
from bot.scheduler import Scheduler
from bot.telegram.sender import Sender
from bot.worker_thread import WorkerThread
from state_machine.model.outgoing import Message
from storage.repositories.dead_letters import DeadLetters
from storage.store import UnitOfWork
from tests.talking import START, Client
from tests.telegram.stub import Answer, StubRequest, good, message


class Counting(Courier):
    """The courier, which counts its looks at the outbox."""

    looks = 0

    async def _look(self) -> None:
        self.looks += 1
        await super()._look()


class Town:
    """The whole app with the courier of bot 7, a terminal and clients of other bots on the same folder."""

    def __init__(self, app: App, worker: WorkerThread) -> None:
        self.app = app
        self.now = START
        self.slowness = 0.0
        self.request = StubRequest(self._answer)
        self.number = 100
        self.database = DatabaseWorker(app.store, worker, lambda: self.now)
        quick = RateLimiter(a_second=1000, reminders=1000, burst=1000, refill=1000)
        bot = Bot("7:token", request=self.request, get_updates_request=self.request)
        self.courier = Counting(self.database, Sender(bot), app.export, quick)
        everything_heard = asyncio.Event()
        everything_heard.set()
        self.scheduler = Scheduler(self.database, app.conversation, self.courier, everything_heard)

    def client(self, address: str) -> Client:
        """Somebody at this address who went through the first day."""
        found = Client(self.app, "somebody")
        found.address, found.now = address, self.now
        found.day_one()
        self.now = found.now
        return found

    async def erase(self, client: Client, *farewell: str) -> None:
        number = client.chat.client
        await self.database.do(
            lambda work: work.clients.erase(number, [Message(text) for text in farewell], self.now)
        )

    async def goodbyes_left(self) -> int:
        return await self.database.do(lambda work: len(work.erasure_notices.clients()))

    def texts(self) -> list[str]:
        return [fields["text"] for method, fields in self.request.calls if method == "sendMessage"]

    def _answer(self, method: str, _: dict[str, str]) -> Answer:
        self.number += 1
        return good(message(self.number) if method == "sendMessage" else True)


@asynccontextmanager
async def town(app: App) -> AsyncIterator[Town]:
    worker = WorkerThread()
    made = Town(app, worker)
    carrying = asyncio.create_task(made.courier.run())
    try:
        yield made
    finally:
        made.courier.stop()
        await carrying
        worker.close()


async def comes(town: Town, words: str) -> None:
    async with asyncio.timeout(5):
        while words not in " ".join(town.texts()):
            await asyncio.sleep(0.01)


async def test_what_is_said_to_a_terminal_waits_for_the_terminal(app: App) -> None:
    async with town(app) as here:
        mine = here.client("terminal:me")
        app.conversation.receive(mine.heard("/help"))
        due = mine.chat.wake_at
        assert due is not None
        here.now = due
        assert await here.scheduler.tick() == 0  # it is the terminal that wakes them
        here.courier.nudge()
        await asyncio.sleep(0.2)
        assert here.request.calls == []
        assert await here.database.do(lambda work: DeadLetters(work).all()) == []
        assert mine.chat.waiting > 0
    shown: list[str] = []
    Console(app, "me", shown.append, here.now).say("hello")
    assert shown


async def test_who_belongs_to_another_bot_is_neither_written_to_nor_woken_any_more(app: App) -> None:
    async with town(app) as here:
        old, mine = here.client("telegram:8:5"), here.client("telegram:7:6")
        for client in (old, mine):
            app.conversation.receive(client.heard("/help"))
        here.courier.nudge()
        async with asyncio.timeout(5):
            while mine.chat.waiting:
                await asyncio.sleep(0.01)
        assert {fields["chat_id"] for _, fields in here.request.calls} == {"6"}
        assert old.chat.waiting > 0
        due, mine_due = old.chat.wake_at, mine.chat.wake_at
        assert due is not None
        assert mine_due is not None
        here.now = max(due, mine_due)
        assert await here.scheduler.tick() == 1
        assert old.chat.wake_at == due


async def test_the_goodbye_of_a_terminal_keeps_back_nobody_elses(app: App) -> None:
    async with town(app) as here:
        await here.erase(here.client("terminal:me"), "Goodbye, terminal.")
        await here.erase(here.client("telegram:7:6"), "Goodbye, Ben.")
        here.courier.nudge()
        await comes(here, "Goodbye, Ben.")
        assert here.texts() == ["Goodbye, Ben."]
    shown: list[str] = []
    Console(app, "me", shown.append, here.now).open()
    assert "Goodbye, terminal." in shown[0]


async def test_a_goodbye_that_fails_is_put_off_and_the_next_one_is_said(app: App) -> None:
    async with town(app) as here:
        await here.erase(here.client("telegram:7:not a number"), "Goodbye, nobody.")
        await here.erase(here.client("telegram:7:6"), "Goodbye, Ben.")
        here.courier.nudge()
        await comes(here, "Goodbye, Ben.")
        assert here.courier.counts.faults == 1
        assert await here.goodbyes_left() == 1


async def test_a_goodbye_put_off_under_a_clock_that_was_fast_is_said_once_it_is_right(app: App) -> None:
    async with town(app) as here:
        ben = here.client("telegram:7:6").chat.client

        def put_off_by_a_day(work: UnitOfWork) -> None:
            work.clients.erase(ben, [Message("Goodbye, Ben.")], here.now)
            [found] = work.erasure_notices.due("telegram:7", here.now)
            work.erasure_notices.postpone(found.id, here.now + timedelta(days=1))

        await here.database.do(put_off_by_a_day)
        here.courier.nudge()
        await comes(here, "Goodbye, Ben.")


async def test_who_begins_anew_in_danger_does_not_wait_for_the_goodbye(app: App) -> None:
    async with town(app) as here:
        ben = here.client("telegram:7:6")
        client = ben.chat.client
        with app.store.begin() as work:
            work.clients.erase(client, [Message("Goodbye, Ben.")], here.now)
        app.conversation.receive(ben.heard("I am going to kill myself tonight"))
        here.courier.nudge()
        await comes(here, "Goodbye, Ben.")
        assert here.texts()[0] != "Goodbye, Ben."


async def test_a_start_within_the_seconds_of_a_goodbye_waits_for_it_quietly(app: App) -> None:
    trouble: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: trouble.append(context))
    async with town(app) as here:
        ben = here.client("telegram:7:6")
        gate = here.request.gates["6"] = asyncio.Event()
        await here.erase(ben, "Goodbye, Ben.")
        here.courier.nudge()
        await asyncio.sleep(0.1)
        await here.database.run(app.conversation.receive, ben.heard("/start"))
        here.courier.nudge()
        await asyncio.sleep(0.5)
        assert here.courier.looks < 10
        gate.set()
        await comes(here, "Hello")
        async with asyncio.timeout(5):
            while await here.goodbyes_left() or ben.chat.waiting:
                await asyncio.sleep(0.01)
        assert here.texts()[0] == "Goodbye, Ben."
        assert here.courier.looks < 15
    assert trouble == []
