"""A post office: the courier over the real store and the real Bot, with Telegram's end played by the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from telegram import Bot

from bot.db_worker import DatabaseWorker
from bot.delivery.courier import Courier
from bot.delivery.rate_limiter import RateLimiter
from bot.telegram.sender import Sender
from bot.worker_thread import WorkerThread
from state_machine.model.outgoing import Outgoing, Priority
from storage.store import Store, UnitOfWork
from tests.telegram.stub import Answer, StubRequest, good, message

ANA, BEN = "telegram:7:5", "telegram:7:6"
Export = Callable[[UnitOfWork, str], tuple[str, bytes]]


def mine(_: UnitOfWork, client: str) -> tuple[str, bytes]:
    return "mine.json", client.encode()


class Post:
    """A post office in a temporary folder. `answer` is Telegram's; time is moved by hand."""

    def __init__(self, folder: Path) -> None:
        self.at = datetime(2026, 1, 5, 9, tzinfo=UTC)
        self.answer: Callable[[str, dict[str, str]], Answer] = self.accept
        self.store = Store.open(folder)
        self.worker = WorkerThread()
        self.database = DatabaseWorker(self.store, self.worker, lambda: self.at)
        self.request = StubRequest(self._answered)
        self.heard = asyncio.Event()
        self.number = 0
        self.courier = self.new_courier()

    def new_courier(self, limiter: RateLimiter | None = None, export: Export = mine) -> Courier:
        bot = Bot("7:token", request=self.request, get_updates_request=self.request)
        quick = RateLimiter(a_second=1000, reminders=1000, burst=1000, refill=1000)
        return Courier(self.database, Sender(bot), export, limiter or quick)

    def _answered(self, method: str, fields: dict[str, str]) -> Answer:
        return self.answer(method, fields)

    def accept(self, method: str, _: dict[str, str]) -> Answer:
        self.number += 1
        return good(message(self.number) if method in {"sendMessage", "sendDocument"} else True)

    async def client(self, address: str = ANA) -> str:
        return await self.database.do(lambda work: work.chats.create(address, self.at).client)

    async def put(self, client: str, *messages: Outgoing, priority: Priority = Priority.ANSWER) -> None:
        await self.database.do(lambda work: work.outbox.put(client, priority, messages, self.at))
        self.courier.nudge()

    async def waiting(self, client: str) -> int:
        return await self.database.do(lambda work: work.outbox.count_waiting(client))

    async def comes(self, at: datetime) -> bool:
        return await self.database.do(lambda work: bool(work.outbox.ready("telegram:7", at, 1)))

    async def until_nothing_waits(self, *clients: str) -> None:
        async with asyncio.timeout(5):
            while any([await self.waiting(client) for client in clients]):
                await asyncio.sleep(0.002)

    async def until_called(self, times: int) -> None:
        async with asyncio.timeout(5):
            while len(self.request.calls) < times:
                await asyncio.sleep(0.002)

    def texts(self, chat: int | None = None) -> list[str]:
        return [
            fields["text"]
            for method, fields in self.request.calls
            if method == "sendMessage" and (chat is None or fields["chat_id"] == str(chat))
        ]


@asynccontextmanager
async def carrying(courier: Courier) -> AsyncIterator[None]:
    task = asyncio.create_task(courier.run())
    try:
        yield
    finally:
        courier.stop()
        await task
