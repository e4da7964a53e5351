"""Check-ins through everything but the network: each part counted by itself.

The engine is pure and the words depend on nothing else, so both are counted by doing them once more beside
the transaction, with the same progress and event; storage is the rest of the transaction.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

from telegram import Update
from telegram.request import BaseRequest, RequestData

from bot.app import App
from bot.conversation import InboundEvent
from bot.db_worker import DatabaseWorker
from bot.measurement.benchmark.measured import Cost
from bot.measurement.benchmark.updates import said, tapped
from bot.telegram.client import PollingBot
from bot.telegram.sender import Sender
from bot.telegram.updates import UpdateReader
from bot.worker_thread import WorkerThread
from dialogues.rendering.prompts import Tap
from state_machine.engine import step
from state_machine.model.events import Tapped
from state_machine.model.outgoing import Choice, Edit, Message, Outgoing
from state_machine.model.progress import Progress
from state_machine.programme.tables import CHECK_IN
from state_machine.turn.options import FINISHED
from storage.repositories.outbox import OutboxMessage, Sent
from storage.store import UnitOfWork

BOT = 7
CHAT = 5_000_000_001
CHANNEL = f"telegram:{BOT}"
BEGUN = datetime(2026, 1, 5, 18, 0, tzinfo=UTC)
A_FAIR_MOOD = "6"
PARTS = ("decode", "engine", "words", "storage", "courier's store", "send")
CALM = Progress(phase="assessment", begun=BEGUN.date(), consent=f"1 {BEGUN.date()}", heard=BEGUN)
"""A client between two parts of the programme, so that a check-in ends where it began."""


def _mark(work: UnitOfWork, sent: Sent) -> OutboxMessage | None:
    work.outbox.mark_sent(sent)
    return work.outbox.next_for(sent.client)


class StubTransport(BaseRequest):
    """The HTTP client with the network cut out: every call goes well at once."""

    def __init__(self) -> None:
        self.messages = count(1000)

    @property
    def read_timeout(self) -> float | None:
        """As the library asks."""
        return 1.0

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def do_request(
        self,
        url: str,
        method: str,  # noqa: ARG002 - the library names it
        request_data: RequestData | None = None,
        *_: Any,
        **__: Any,
    ) -> tuple[int, bytes]:
        """The answer Telegram gives when all is well."""
        fields = request_data.json_parameters if request_data else {}
        if not url.endswith(("/sendMessage", "/editMessageText", "/editMessageReplyMarkup")):
            return 200, b'{"ok":true,"result":true}'
        chat = {"id": CHAT, "type": "private"}
        result = {"message_id": next(self.messages), "date": 1, "chat": chat, "text": fields.get("text", "")}
        return 200, json.dumps({"ok": True, "result": result}).encode()


class Rounds:
    """One client who checks in again and again, a day apart. Each part of a turn is measured by itself."""

    def __init__(self, app: App) -> None:
        self.bubbles = 0
        self.measured = 0
        self._app = app
        self._reader = UpdateReader(BOT, "bench_bot")
        self._sender = Sender(PollingBot("7:bench", request=StubTransport(), get_updates_request=StubTransport()))
        self._numbers = count(1)
        self._now = BEGUN
        self._address = f"telegram:{BOT}:{CHAT}"
        self._last_message = 0
        self._choices: tuple[Choice, ...] = ()
        with app.store.begin() as work:
            chat = work.chats.create(self._address, BEGUN)
            work.chats.save(chat, CALM, None)
            self._client = chat.client

    async def run(
        self, rounds: int, around: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> dict[str, Cost]:
        """So many check-ins; what one turn cost, by part. `around` is put around each transaction of a turn."""
        self.bubbles = self.measured = 0
        costs = {part: Cost() for part in PARTS}
        worker = WorkerThread()
        database = DatabaseWorker(self._app.store, worker, lambda: self._now)
        try:
            for _ in range(rounds):
                self._now += timedelta(days=1)
                await database.do(lambda work: work.delete_expired(self._now))
                for raw in self._check_in():
                    heard = self._heard(raw, costs)
                    again = self._once_more(heard, costs)
                    with costs["storage"].counting(), around():
                        await database.run(self._app.conversation.receive, heard)
                    costs["storage"] -= again
                    await self._carry(database, costs)
                    self.measured += 1
        finally:
            worker.close()
        return {part: cost.per(self.measured) for part, cost in costs.items()}

    async def hops(self, times: int) -> Cost:
        """One way to the writer's thread and back with nothing to do there."""
        worker, cost = WorkerThread(), Cost()
        with cost.counting():
            for _ in range(times):
                await worker.run(lambda: None)
        worker.close()
        return cost.per(times)

    def _check_in(self) -> Iterator[dict[str, Any]]:
        """What Telegram hands us for one check-in, each answer once its question is there."""
        command = f"/{self._app.book.script.dialogues[CHECK_IN].opened_by}"
        yield self._said(command)
        while self._choices:
            yield self._chosen(self._choices)

    def _chosen(self, choices: tuple[Choice, ...]) -> dict[str, Any]:
        """The next answer: *Done* where something is picked, a fair mood, else the first there is."""
        done = next((c for c in choices if c.button and c.button.endswith(f":{FINISHED}")), None)
        choice = done or next((c for c in choices if c.label == A_FAIR_MOOD), choices[0])
        return self._said(choice.label) if choice.button is None else self._tapped(choice.button)

    def _heard(self, raw: dict[str, Any], costs: dict[str, Cost]) -> InboundEvent:
        with costs["decode"].counting():
            payload = json.dumps(raw, ensure_ascii=False, separators=(",", ":")).encode()
            heard = self._reader.read(Update.de_json(raw, None), self._now, payload)
        if not isinstance(heard, InboundEvent):
            raise TypeError("the bench made an update that is none")
        return heard

    def _once_more(self, heard: InboundEvent, costs: dict[str, Cost]) -> Cost:
        """The engine and the words of this turn by themselves."""
        with self._app.store.begin() as work:
            chat = work.chats.get(self._client)
        if chat is None:
            raise LookupError("the client of the bench is gone")
        tap = Tap(heard.tap_id, heard.message_id, heard.shown) if isinstance(heard.event, Tapped) else None
        engine, words = Cost(), Cost()
        with engine.counting():
            turn = step(self._app.machines, chat.progress, heard.event)
        with words.counting():
            self._app.prompts.outgoing(turn.effects, heard.event.at, tap)
        costs["engine"] += engine
        costs["words"] += words
        return engine + words

    async def _carry(self, database: DatabaseWorker, costs: dict[str, Cost]) -> None:
        """What the courier does with the messages of this turn, without its rate limiter."""
        with costs["courier's store"].counting():
            message = next(iter(await database.do(lambda work: work.outbox.ready(CHANNEL, self._now, 1))), None)
        if message is None:
            raise LookupError("a turn of the bench said nothing")
        while message is not None:
            with costs["send"].counting():
                message_id = await self._sender.send(message.address, message.content, None)
            self._seen(message.content, message_id)
            sent = Sent(message.client, message.id, message_id, self._now)
            with costs["courier's store"].counting():
                message = await database.note(partial(_mark, sent=sent))

    def _seen(self, message: Outgoing, number: int | None) -> None:
        if isinstance(message, Message):
            self.bubbles += 1
            self._last_message = number or self._last_message
            self._choices = tuple(choice for row in message.choices for choice in row)
        elif isinstance(message, Edit) and message.choices:
            self._choices = tuple(choice for row in message.choices for choice in row)

    def _said(self, text: str) -> dict[str, Any]:
        self._last_message += 1
        return said(next(self._numbers), CHAT, self._last_message, self._now, text)

    def _tapped(self, button: str) -> dict[str, Any]:
        return tapped(next(self._numbers), CHAT, self._last_message, self._now, button)
