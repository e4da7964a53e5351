"""What a reader of the client's phone sees: a chat that applies what is sent, edited and deleted.

The conversation, the store and the courier are the real ones; Telegram's end is played by `Phones`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from telegram import Bot

from bot.app import App
from bot.conversation import InboundEvent
from bot.db_worker import DatabaseWorker
from bot.delivery.courier import Courier
from bot.delivery.rate_limiter import RateLimiter
from bot.telegram.sender import Sender
from bot.worker_thread import WorkerThread
from state_machine.model.events import Edited, Said, Shared, Tapped
from state_machine.model.progress import Progress, Run
from storage.repositories.chats import Chat
from storage.store import UnitOfWork
from tests.talking import START
from tests.telegram.stub import Answer, StubRequest, bad, good, message


@dataclass
class Shown:
    """One message as it stands in a chat; `buttons` are those under it, label to token."""

    text: str
    ours: bool = True
    buttons: dict[str, str] = field(default_factory=dict)


class Phones:
    """Telegram's end for all chats of one bot, and the courier that sends to it."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.now = START
        self.request = StubRequest(self._answer)
        self.worker = WorkerThread()
        self.database = DatabaseWorker(app.store, self.worker, lambda: self.now)
        self.chats: dict[str, dict[int, Shown]] = {}
        self.courier = self.new_courier()
        self.refuses: str | None = None
        """Messages with these words are refused for good."""
        self._numbers = count(1)

    def new_courier(self) -> Courier:
        bot = Bot("7:token", request=self.request, get_updates_request=self.request)
        quick = RateLimiter(a_second=10_000, reminders=10_000, burst=10_000, refill=10_000)
        return Courier(self.database, Sender(bot), self.app.export, quick)

    def received(self, chat: str, text: str) -> int:
        """A message of the client's own arrives at Telegram. Its number."""
        number = next(self._numbers)
        self.chats.setdefault(chat, {})[number] = Shown(text, ours=False)
        return number

    def _answer(self, method: str, fields: dict[str, str]) -> Answer:
        chat = self.chats.setdefault(fields.get("chat_id", ""), {})
        if self.refuses is not None and self.refuses in fields.get("text", ""):
            return bad(400, "Bad Request: message text is empty")
        match method:
            case "sendMessage" | "sendDocument":
                number = next(self._numbers)
                rows = json.loads(fields.get("reply_markup", "{}")).get("inline_keyboard", [])
                buttons = {each["text"]: each["callback_data"] for row in rows for each in row}
                chat[number] = Shown(fields.get("text", fields.get("caption", "")), buttons=buttons)
                return good(message(number))
            case "editMessageText":
                chat[int(fields["message_id"])].text = fields["text"]
            case "deleteMessages":
                for number in json.loads(fields["message_ids"]):
                    chat.pop(number, None)
            case _:
                pass
        return good(True)


@asynccontextmanager
async def phones(app: App, *, carrying: bool = True) -> AsyncIterator[Phones]:
    """Telegram's end, with the courier at work unless `carrying` is False."""
    made = Phones(app)
    task = asyncio.create_task(made.courier.run()) if carrying else None
    try:
        yield made
    finally:
        made.courier.stop()
        if task is not None:
            await task
        made.worker.close()


class Phone:
    """One client with their phone."""

    def __init__(self, at: Phones, name: int) -> None:
        self.at = at
        self.name = str(name)
        self.address = f"telegram:7:{name}"
        self.said_to: dict[int, int] = {}
        """The messages of their own, with the run that was in front when each was written."""
        self._keys = count(1)

    @property
    def chat(self) -> Chat:
        with self.at.app.store.begin() as work:
            chat = work.chats.find(self.address)
        assert chat is not None
        return chat

    @property
    def front(self) -> Run | None:
        """The run in front; None also once they are erased."""
        with self.at.app.store.begin() as work:
            chat = work.chats.find(self.address)
        return chat.progress.runs[-1] if chat is not None and chat.progress.runs else None

    @property
    def seen(self) -> dict[int, Shown]:
        """What stands in the chat, by message id."""
        return self.at.chats.setdefault(self.name, {})

    @property
    def texts(self) -> list[str]:
        return [shown.text for shown in self.seen.values()]

    async def stands(self, progress: Progress) -> None:
        """Let them stand somewhere, with nothing said yet."""
        self.at.now = max(self.at.now, progress.heard or self.at.now)
        now = self.at.now

        def keep(work: UnitOfWork) -> None:
            chat = work.chats.find(self.address) or work.chats.create(self.address, now)
            work.chats.save(chat, progress, None)

        await self.at.database.do(keep)

    def message(self, event: Said | Shared | Edited, shown: str) -> InboundEvent:
        """A message of theirs, as the edge hears it."""
        return InboundEvent(
            f"{self.address}:{next(self._keys)}", self.address, event, self.at.received(self.name, shown)
        )

    def tap(self, label: str, *, message_id: int | None = None) -> InboundEvent:
        """A tap on the newest button of that label, or on that of one message."""
        found = [number for number, shown in self.seen.items() if label in shown.buttons]
        number = message_id or found[-1]
        event = Tapped(self._later(), self.seen[number].buttons[label])
        return InboundEvent(f"{self.address}:{next(self._keys)}", self.address, event, number, "tap", b"tap", "?")

    async def says(self, text: str) -> None:
        await self.hears(self.message(Said(self._later(), text), text))

    async def shares(self, what: str) -> None:
        await self.hears(self.message(Shared(self._later(), what), what))

    async def taps(self, label: str) -> None:
        await self.hears(self.tap(label))

    async def hears(self, heard: InboundEvent, *, arrives: bool = True) -> None:
        """Have the bot take an event, and let all that it says arrive."""
        if self.front is not None and heard.message_id is not None and isinstance(heard.event, Said | Shared):
            self.said_to[heard.message_id] = self.front.id
        await self.at.database.run(self.at.app.conversation.receive, heard)
        if arrives:
            await self.settled()

    async def waits(self, time: timedelta) -> None:
        """Let time pass; whatever is due happens at its own instant."""
        until = self.at.now + time
        while (chat := self.chat).wake_at is not None and chat.wake_at <= until:
            self.at.now = max(chat.wake_at, self.at.now)
            await self.at.database.run(self.at.app.conversation.wake, chat.client, chat.wake_at, self.at.now)
            await self.settled()
        self.at.now = until

    async def settled(self) -> None:
        """Nothing waits for them any more."""
        self.at.courier.nudge()
        async with asyncio.timeout(5):
            while await self.at.database.do(self._waiting):
                await asyncio.sleep(0.001)

    def _waiting(self, work: UnitOfWork) -> bool:
        client = work.vault.find_client(self.address)
        return client is not None and work.outbox.count_waiting(client) > 0

    def _later(self) -> datetime:
        self.at.now += timedelta(seconds=5)
        return self.at.now
