"""Measures check-ins of one client without the network, each part of a turn by itself.

The engine and the rendering of words are pure. So both are measured by running them once more outside the
transaction, with the same progress and event; the rest of the transaction is storage.
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
from bot.measurement.benchmark.cost import Cost
from bot.measurement.benchmark.updates import tap_update, text_update
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
START = datetime(2026, 1, 5, 18, 0, tzinfo=UTC)
MOOD = "6"
PARTS = ("decode", "engine", "words", "storage", "courier's store", "send")
IDLE = Progress(phase="assessment", begun=START.date(), consent=f"1 {START.date()}", heard=START)
"""Progress of a client with no open dialogue, so that it is the same before and after a check-in."""


def _mark(work: UnitOfWork, sent: Sent) -> OutboxMessage | None:
    work.outbox.mark_sent(sent)
    return work.outbox.next_for(sent.client)


class StubTransport(BaseRequest):
    """Replaces the HTTP client: every call succeeds at once."""

    def __init__(self) -> None:
        self.messages = count(1000)

    @property
    def read_timeout(self) -> float | None:
        """The property the library asks for."""
        return 1.0

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def do_request(
        self,
        url: str,
        method: str,  # noqa: ARG002 - the name is the library's
        request_data: RequestData | None = None,
        *_: Any,
        **__: Any,
    ) -> tuple[int, bytes]:
        """The response of Telegram to a call that succeeds."""
        fields = request_data.json_parameters if request_data else {}
        if not url.endswith(("/sendMessage", "/editMessageText", "/editMessageReplyMarkup")):
            return 200, b'{"ok":true,"result":true}'
        chat = {"id": CHAT, "type": "private"}
        result = {"message_id": next(self.messages), "date": 1, "chat": chat, "text": fields.get("text", "")}
        return 200, json.dumps({"ok": True, "result": result}).encode()


class CheckIns:
    """One client who checks in once a day. `turns`, `bubbles`: how many the last run measured."""

    def __init__(self, app: App) -> None:
        self.bubbles = 0
        self.turns = 0
        self._app = app
        self._reader = UpdateReader(BOT, "bench_bot")
        self._sender = Sender(PollingBot("7:bench", request=StubTransport(), get_updates_request=StubTransport()))
        self._numbers = count(1)
        self._now = START
        self._address = f"telegram:{BOT}:{CHAT}"
        self._last_message = 0
        self._choices: tuple[Choice, ...] = ()
        with app.store.begin() as work:
            chat = work.chats.create(self._address, START)
            work.chats.save(chat, IDLE, None)
            self._client = chat.client

    async def run(
        self, check_ins: int, around: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> dict[str, Cost]:
        """Run so many check-ins. Returns the mean cost of a turn by part.

        `around`: entered around each transaction of a turn.
        """
        self.bubbles = self.turns = 0
        costs = {part: Cost() for part in PARTS}
        worker = WorkerThread()
        database = DatabaseWorker(self._app.store, worker, lambda: self._now)
        try:
            for _ in range(check_ins):
                self._now += timedelta(days=1)
                await database.do(lambda work: work.delete_expired(self._now))
                for raw in self._check_in():
                    inbound = self._decode(raw, costs)
                    again = self._repeat_engine_and_words(inbound, costs)
                    with costs["storage"].measuring(), around():
                        await database.run(self._app.conversation.receive, inbound)
                    costs["storage"] -= again
                    await self._send_all(database, costs)
                    self.turns += 1
        finally:
            worker.close()
        return {part: cost.per(self.turns) for part, cost in costs.items()}

    async def thread_round_trips(self, times: int) -> Cost:
        """Mean cost of calling a function that does nothing on the database thread."""
        worker, cost = WorkerThread(), Cost()
        with cost.measuring():
            for _ in range(times):
                await worker.run(lambda: None)
        worker.close()
        return cost.per(times)

    def _check_in(self) -> Iterator[dict[str, Any]]:
        """The updates of one check-in, each made after the question before it is sent."""
        command = f"/{self._app.book.script.dialogues[CHECK_IN].opened_by}"
        yield self._text_update(command)
        while self._choices:
            yield self._next_answer(self._choices)

    def _next_answer(self, choices: tuple[Choice, ...]) -> dict[str, Any]:
        """The next answer: *Done* where something can be picked, `MOOD`, else the first choice."""
        done = next((c for c in choices if c.button and c.button.endswith(f":{FINISHED}")), None)
        choice = done or next((c for c in choices if c.label == MOOD), choices[0])
        return self._text_update(choice.label) if choice.button is None else self._tap_update(choice.button)

    def _decode(self, raw: dict[str, Any], costs: dict[str, Cost]) -> InboundEvent:
        with costs["decode"].measuring():
            payload = json.dumps(raw, ensure_ascii=False, separators=(",", ":")).encode()
            inbound = self._reader.read(Update.de_json(raw, None), self._now, payload)
        if not isinstance(inbound, InboundEvent):
            raise TypeError("the benchmark made an update that is not for the bot")
        return inbound

    def _repeat_engine_and_words(self, inbound: InboundEvent, costs: dict[str, Cost]) -> Cost:
        """Measure the engine and the words of this turn by themselves. Returns their sum."""
        with self._app.store.begin() as work:
            chat = work.chats.get(self._client)
        if chat is None:
            raise LookupError("the client of the benchmark is gone")
        tap = Tap(inbound.tap_id, inbound.message_id, inbound.shown) if isinstance(inbound.event, Tapped) else None
        engine, words = Cost(), Cost()
        with engine.measuring():
            turn = step(self._app.machines, chat.progress, inbound.event)
        with words.measuring():
            self._app.prompts.outgoing(turn.effects, inbound.event.at, tap)
        costs["engine"] += engine
        costs["words"] += words
        return engine + words

    async def _send_all(self, database: DatabaseWorker, costs: dict[str, Cost]) -> None:
        """Do what the courier does with the messages of this turn, without its rate limiter."""
        with costs["courier's store"].measuring():
            message = next(iter(await database.do(lambda work: work.outbox.ready(CHANNEL, self._now, 1))), None)
        if message is None:
            raise LookupError("a turn of the benchmark sent nothing")
        while message is not None:
            with costs["send"].measuring():
                message_id = await self._sender.send(message.address, message.content, None)
            self._note_sent(message.content, message_id)
            sent = Sent(message.client, message.id, message_id, self._now)
            with costs["courier's store"].measuring():
                message = await database.note(partial(_mark, sent=sent))

    def _note_sent(self, message: Outgoing, number: int | None) -> None:
        if isinstance(message, Message):
            self.bubbles += 1
            self._last_message = number or self._last_message
            self._choices = tuple(choice for row in message.choices for choice in row)
        elif isinstance(message, Edit) and message.choices:
            self._choices = tuple(choice for row in message.choices for choice in row)

    def _text_update(self, text: str) -> dict[str, Any]:
        self._last_message += 1
        return text_update(next(self._numbers), CHAT, self._last_message, self._now, text)

    def _tap_update(self, button: str) -> dict[str, Any]:
        return tap_update(next(self._numbers), CHAT, self._last_message, self._now, button)
