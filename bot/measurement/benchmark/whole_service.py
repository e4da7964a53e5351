"""Measures check-ins of many chats through the whole service, from an update's bytes to the last acknowledgement.

Polling, conversation, store and courier are the real ones. Only HTTP is replaced, and the rate limit is so high that
nothing waits for it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

from telegram.request import RequestData

from bot.app import App
from bot.db_worker import DatabaseWorker
from bot.delivery.courier import Courier
from bot.delivery.rate_limiter import RateLimiter
from bot.measurement.benchmark.check_ins import BOT, IDLE, MOOD, START, StubTransport
from bot.measurement.benchmark.cost import Cost
from bot.measurement.benchmark.updates import tap_update, text_update
from bot.telegram.client import PollingBot
from bot.telegram.polling import Polling
from bot.telegram.sender import Sender
from bot.telegram.service import HANDS_OVER_EVERY
from bot.worker_thread import WorkerThread
from state_machine.programme.tables import CHECK_IN

FIRST_CHAT = 6_000_000_001
ANSWER_TIMEOUT = 30.0
"""Seconds after which a turn without an answer raises TimeoutError."""
NO_LIMIT = 10**6
WITHOUT_PROGRAMME = replace(IDLE, phase="not_now")
"""Progress of a client outside the programme, so that every check-in has the same turns."""
TURNS = ("command", "mood", "moment", "enough")
"""The turns of one check-in: asked for, a number tapped, a moment chosen, and nothing to add."""

Call = tuple[str, dict[str, Any]]
"""A method of the Bot API and its fields."""


class RecordingTransport(StubTransport):
    """Replaces the HTTP client and records the calls of a turn. `question_id`: the message with the last keyboard."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self.ended = asyncio.Event()
        self.question_id = 0

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *args: Any, **kwargs: Any
    ) -> tuple[int, bytes]:
        """The response of Telegram. A message that sets or removes a keyboard is the last one of its turn."""
        name = url.rsplit("/", 1)[1]
        if name == "getMe":
            me = {"id": BOT, "is_bot": True, "first_name": "Bench", "username": "bench_bot"}
            return 200, json.dumps({"ok": True, "result": me}).encode()
        answer = await super().do_request(url, method, request_data, *args, **kwargs)
        fields = request_data.parameters if request_data else {}
        self.calls.append((name, fields))
        if name == "sendMessage" and "reply_markup" in fields:
            self.question_id = json.loads(answer[1])["result"]["message_id"]
            self.ended.set()
        return answer


class WholeService:
    """So many chats that check in once a day. `updates` and `calls` are those of the last round, turn by turn."""

    def __init__(self, app: App, chats: int) -> None:
        self.updates: list[str] = []
        self.calls: list[list[Call]] = []
        self._app = app
        self._chats = [FIRST_CHAT + number for number in range(chats)]
        self._next = 0
        self._now = START
        self._numbers = count(1)
        self._http = RecordingTransport()
        self._command = f"/{app.book.script.dialogues[CHECK_IN].opened_by}"
        with app.store.begin() as work:
            for chat in self._chats:
                opened = work.chats.create(f"telegram:{BOT}:{chat}", START)
                work.chats.save(opened, WITHOUT_PROGRAMME, None)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the service while this is entered."""
        worker = WorkerThread()
        database = DatabaseWorker(self._app.store, worker, lambda: self._now)
        bot = PollingBot(f"{BOT}:bench", request=self._http, get_updates_request=self._http)
        await bot.initialize()
        limiter = RateLimiter(NO_LIMIT, NO_LIMIT, NO_LIMIT, NO_LIMIT)
        self._courier = Courier(database, Sender(bot), self._app.export, limiter)
        self._polling = Polling(bot, database, self._app.conversation, self._courier)
        interval = sys.getswitchinterval()
        sys.setswitchinterval(HANDS_OVER_EVERY)
        sending = asyncio.create_task(self._courier.run())
        try:
            yield
        finally:
            self._courier.stop()
            await sending
            sys.setswitchinterval(interval)
            worker.close()

    async def round(self, chats: int) -> Cost:
        """Run one check-in of each of the next `chats` chats, one after another. Returns the mean cost of a turn."""
        self.updates, self.calls = [], []
        whole, preparation = Cost(), Cost()
        with whole.measuring():
            for _ in range(chats):
                chat = self._chats[self._next]
                self._next = (self._next + 1) % len(self._chats)
                if self._next == 0:
                    self._now += timedelta(days=1)
                for turn in TURNS:
                    with preparation.measuring():
                        raw = json.dumps(self._update(chat, turn))
                        self.updates.append(raw)
                    await self._process(raw)
                    self.calls.append(self._http.calls)
                await self._courier.settled(f"telegram:{BOT}:{chat}")
        return (whole - preparation).per(chats * len(TURNS))

    async def _process(self, raw: str) -> None:
        self._http.calls = []
        self._http.ended.clear()
        await self._polling.take([json.loads(raw)])
        await asyncio.wait_for(self._http.ended.wait(), ANSWER_TIMEOUT)

    def _update(self, chat: int, turn: str) -> dict[str, Any]:
        number, now = next(self._numbers), self._now
        if turn == "command":
            return text_update(number, chat, next(self._http.messages), now, self._command)
        choices = _choices(self._http.calls)
        if turn == "mood":
            button = next(c["callback_data"] for c in choices if c["text"] == MOOD)
            return tap_update(number, chat, self._http.question_id, now, button)
        label = choices[0 if turn == "moment" else -1]["text"]
        return text_update(number, chat, next(self._http.messages), now, label)


def _choices(calls: list[Call]) -> list[dict[str, Any]]:
    """The buttons of the last message of a turn."""
    markup = calls[-1][1]["reply_markup"]
    rows = markup.get("inline_keyboard") or markup.get("keyboard")
    if not rows:
        raise LookupError("the check-in of the benchmark ended too early")
    return [button for row in rows for button in row]
