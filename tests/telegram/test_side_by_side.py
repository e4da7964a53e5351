"""Nobody's words wait at Telegram for a group, or for a chat to which nothing gets through."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.app import App
from bot.db_worker import DatabaseWorker
from bot.delivery.courier import Courier
from bot.telegram.client import PollingBot
from bot.telegram.groups import AT_ONCE
from bot.telegram.polling import Polling
from bot.telegram.sender import Sender
from bot.worker_thread import WorkerThread
from tests.talking import START
from tests.telegram.stub import Answer, StubRequest, good, message

ANA, BEN = 5, 6


class Line:
    """A poll loop over the whole app. Calls to a chat with a gate hang until it is opened."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.telegram = StubRequest(self._answered)
        self.worker = WorkerThread()
        self.batches: list[list[dict[str, Any]]] = []

    async def begin(self) -> None:
        bot = PollingBot("7:token", request=self.telegram, get_updates_request=self.telegram)
        await bot.initialize()
        database = DatabaseWorker(self.app.store, self.worker, lambda: START)
        self.courier = Courier(database, Sender(bot), self.app.export)
        self.polling = Polling(bot, database, self.app.conversation, self.courier)

    def _answered(self, method: str, _: dict[str, str]) -> Answer:
        if method == "getUpdates":
            if not self.batches:
                raise asyncio.CancelledError
            return good(self.batches.pop(0))
        return good(message(1) if method == "sendMessage" else True)

    def hangs(self, *chats: int) -> None:
        self.telegram.gates |= {str(chat): asyncio.Event() for chat in chats}

    async def until_told(self, groups: int) -> None:
        """Let everything through, and wait until so many groups have been told."""
        for gate in self.telegram.gates.values():
            gate.set()
        async with asyncio.timeout(5):
            while len(self.told()) < groups:
                await asyncio.sleep(0.01)

    def told(self) -> list[str]:
        """The chats to which a call got through."""
        return [fields["chat_id"] for method, fields in self.telegram.calls if method == "sendMessage"]

    def was_heard(self, chat: int) -> bool:
        with self.app.store.begin() as work:
            return work.clients.at(f"telegram:7:{chat}") is not None


@pytest.fixture
async def line(app: App) -> AsyncIterator[Line]:
    made = Line(app)
    await made.begin()
    yield made
    made.worker.close()


def says(number: int, chat: int, words: str) -> dict[str, Any]:
    kind = {"id": chat, "type": "private"} if chat > 0 else {"id": chat, "type": "group", "title": "Friends"}
    who = {"id": abs(chat), "is_bot": False, "first_name": "A"}
    return {
        "update_id": number,
        "message": {"message_id": number, "date": 1, "chat": kind, "from": who, "text": words},
    }


async def test_words_are_read_before_any_group_has_been_answered(line: Line) -> None:
    groups = [-100 - number for number in range(10)]
    line.hangs(*groups)
    spoken = [says(number, group, "/start") for number, group in enumerate(groups, start=10)]
    async with asyncio.timeout(1):
        await line.polling.take([*spoken, says(99, ANA, "I want to kill myself")])
    assert line.was_heard(ANA)
    assert line.told() == []
    await line.until_told(AT_ONCE)


async def test_only_a_few_groups_are_told_at_once_and_the_others_when_they_speak_again(line: Line) -> None:
    groups = [-100 - number for number in range(AT_ONCE + 2)]
    line.hangs(*groups)
    spoken = [says(number, group, "/start") for number, group in enumerate(groups, start=10)]
    await line.polling.take(spoken)
    assert line.polling.counts.declined == AT_ONCE
    await line.until_told(AT_ONCE)
    await line.polling.take(spoken)
    await line.until_told(len(groups))
    assert sorted(line.told()) == sorted(str(group) for group in groups), "each once"


async def test_when_the_loop_ends_no_group_is_waited_for(line: Line) -> None:
    line.hangs(-9)
    line.batches = [[says(10, -9, "/start")]]
    before = asyncio.all_tasks()
    async with asyncio.timeout(1):
        with pytest.raises(asyncio.CancelledError):
            await line.polling.run()
    assert asyncio.all_tasks() == before
    assert line.told() == []


async def test_a_chat_that_nothing_reaches_is_waited_for_once_a_batch(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.courier.SETTLED_WITHIN", 0.5)
    line.hangs(ANA)
    carrying = asyncio.create_task(line.courier.run())
    await line.polling.take([says(1, ANA, "/start")])
    await asyncio.sleep(0.2)
    async with asyncio.timeout(1.2):
        await line.polling.take(
            [*(says(number, ANA, "are you there?") for number in range(2, 7)), says(9, BEN, "hello")]
        )
    assert line.was_heard(BEN)
    line.telegram.gates[str(ANA)].set()
    line.courier.stop()
    await carrying
