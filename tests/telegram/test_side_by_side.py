"""Nobody's words wait at Telegram for a group, or for a chat to which nothing gets through."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.app import App
from bot.db_worker import DatabaseWorker
from bot.delivery.courier import SETTLED_WITHIN, Courier
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

    def told_to(self, chat: int) -> list[str]:
        """The texts that got through to a chat."""
        sent = [fields for method, fields in self.telegram.calls if method == "sendMessage"]
        return [fields["text"] for fields in sent if fields["chat_id"] == str(chat)]

    def was_heard(self, chat: int) -> bool:
        with self.app.store.begin() as work:
            return work.chats.find(f"telegram:7:{chat}") is not None


@pytest.fixture
async def line(app: App) -> AsyncIterator[Line]:
    made = Line(app)
    await made.begin()
    sending = asyncio.create_task(made.courier.run())
    yield made
    for gate in made.telegram.gates.values():
        gate.set()
    made.courier.stop()
    await sending
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
    async with asyncio.timeout(1):
        with pytest.raises(asyncio.CancelledError):
            await line.polling.run()
    assert not line.polling._groups._declining
    assert line.told() == []


async def test_a_chat_whose_send_hangs_delays_nobody_elses_next_batch(line: Line) -> None:
    line.hangs(ANA)
    await line.polling.take([says(1, ANA, "/start")])
    await asyncio.sleep(0.2)
    async with asyncio.timeout(SETTLED_WITHIN / 2):
        await line.polling.take([*(says(number, ANA, "hello?") for number in range(2, 7)), says(9, BEN, "hi")])
        assert line.was_heard(BEN)
        await line.polling.take([says(number, ANA, "are you there?") for number in range(2, 7)])
    assert line.polling.counts.updates == 7, "what is being processed is not processed again"
    assert line.polling._offset == 2, "nothing is acknowledged that is not processed"
    line.telegram.gates[str(ANA)].set()
    async with asyncio.timeout(5):
        while line.polling._pending:
            await asyncio.sleep(0.01)
    await line.polling.take([])
    await line.polling.take([says(10, BEN, "hello")])
    assert line.polling._offset == 11


async def test_a_flood_from_one_chat_keeps_nobody_waiting_and_not_its_own_numbers(line: Line) -> None:
    others = range(100, 120)
    flood = [says(number, ANA, f"hello, message {number}") for number in range(1, 3001)]
    for place, other in enumerate(others):
        flood.insert(150 * (place + 1), says(3000 + other, other, "/start"))
    flood.append(says(9000, ANA, "I am going to kill myself tonight"))
    queue = [*flood]

    def updates(offset: int) -> Answer:
        while queue and queue[0]["update_id"] < offset and offset:
            queue.pop(0)
        if not queue:
            raise asyncio.CancelledError
        return good(queue[:100])

    order = {update["update_id"]: place for place, update in enumerate(flood)}
    numbered = [{**update, "update_id": order[update["update_id"]] + 1} for update in flood]
    queue[:] = numbered
    answered: dict[str, float] = {}
    begun = asyncio.get_running_loop().time()

    def answer(method: str, fields: dict[str, str]) -> Answer:
        if method == "getUpdates":
            return updates(int(fields.get("offset", "0")))
        if method == "sendMessage":
            answered.setdefault(fields["chat_id"], asyncio.get_running_loop().time() - begun)
        return good(message(1) if method == "sendMessage" else True)

    line.telegram._answer = answer
    polling = asyncio.create_task(line.polling.run())
    async with asyncio.timeout(60):
        await asyncio.wait({polling})
        while not all(str(other) in answered for other in others):
            await asyncio.sleep(0.02)
        before = len(line.told_to(ANA))
        while len(line.told_to(ANA)) < before + 2:
            await asyncio.sleep(0.02)
    assert max(answered[str(other)] for other in others) < 4.0
    after = line.told_to(ANA)[before : before + 2]
    assert any("112" in text for text in after), after
    with line.app.store.begin() as work:
        chat = work.chats.find(f"telegram:7:{ANA}")
        assert chat is not None
        assert chat.waiting < 20, "bubbles of a flood are folded"
