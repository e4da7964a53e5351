"""The peer of the benchmark: the same check-in as an aiogram FSM on Redis, written as aiogram's documentation shows.

It stores the state of a client and their answers, and nothing else: no encryption, no history, no deduplication of
updates, no outbox, no screening for danger, and no order of the updates of one chat.
It runs as a process of its own with the interpreter of `.venv-peer`, and imports nothing of ours. The first line of
its standard input (JSON) holds the calls to make at each turn; each further line is a round of updates. For each
round it prints one line with its costs.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from itertools import count
from typing import Any

from aiogram import Bot, Dispatcher, F, Router
from aiogram.client.session.base import BaseSession
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.redis import RedisStorage
from aiogram.types import (
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    LinkPreviewOptions,
    Message,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)

router = Router()
answers: dict[str, list[tuple[str, dict[str, Any]]]] = {}
"""For each turn the calls to make: methods of the Bot API and their fields, as our bot made them."""
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class CheckInStates(StatesGroup):
    """The states of a check-in."""

    mood = State()
    moment = State()
    more = State()


class StubSession(BaseSession):
    """Replaces the HTTP client: fields are encoded as for the network, and every call succeeds."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self._messages = count(1000)

    async def make_request(self, bot: Bot, method: Any, timeout: int | None = None) -> Any:  # noqa: ARG002
        """As `AiohttpSession` does it: encode the fields, then parse and check the response."""
        self.calls += 1
        files: dict[str, Any] = {}
        dumped = method.model_dump(warnings=False)
        fields = {name: self.prepare_value(value, bot=bot, files=files) for name, value in dumped.items() if value}
        content = '{"ok":true,"result":true}'
        if method.__api_method__ != "answerCallbackQuery":
            chat = {"id": int(fields["chat_id"]), "type": "private"}
            sent = {"message_id": next(self._messages), "date": 1, "chat": chat, "text": fields.get("text", "")}
            content = json.dumps({"ok": True, "result": sent})
        return self.check_response(bot=bot, method=method, status_code=200, content=content).result

    async def stream_content(self, *_: Any, **__: Any) -> Any:
        """Not used."""
        raise NotImplementedError
        yield b""

    async def close(self) -> None:
        """Nothing to close."""


def keyboard(markup: dict[str, Any] | None) -> Any:
    """The keyboard of one message, made as a handler would make it."""
    if markup is None:
        return None
    if "inline_keyboard" in markup:
        rows = [
            [InlineKeyboardButton(text=b["text"], callback_data=b["callback_data"]) for b in row]
            for row in markup["inline_keyboard"]
        ]
        return InlineKeyboardMarkup(inline_keyboard=rows)
    if "keyboard" in markup:
        labels = [[KeyboardButton(text=button["text"]) for button in row] for row in markup["keyboard"]]
        return ReplyKeyboardMarkup(keyboard=labels, resize_keyboard=True, one_time_keyboard=True)
    return ReplyKeyboardRemove()


async def say(message: Message, turn: str) -> None:
    """Send the bubbles of a turn."""
    for name, fields in answers[turn]:
        if name == "sendMessage":
            markup = keyboard(fields.get("reply_markup"))
            await message.answer(fields["text"], reply_markup=markup, link_preview_options=NO_PREVIEW)
        elif name == "editMessageText":
            await message.edit_text(fields["text"], link_preview_options=NO_PREVIEW)


@router.message(Command("checkin"))
async def begin(message: Message, state: FSMContext) -> None:
    """Ask for the mood."""
    await state.set_data({})
    await state.set_state(CheckInStates.mood)
    await say(message, "command")


@router.callback_query(CheckInStates.mood, F.data)
async def mood(query: CallbackQuery, state: FSMContext) -> None:
    """Keep the mood, ask for the moment."""
    await state.update_data(mood=query.data)
    await state.set_state(CheckInStates.moment)
    await query.answer()
    if isinstance(query.message, Message):
        await say(query.message, "mood")


@router.message(CheckInStates.moment, F.text)
async def moment(message: Message, state: FSMContext) -> None:
    """Keep the moment, ask whether there is more."""
    await state.update_data(moment=message.text)
    await state.set_state(CheckInStates.more)
    await say(message, "moment")


@router.message(CheckInStates.more, F.text)
async def enough(message: Message, state: FSMContext) -> None:
    """Keep what was said, and end."""
    await state.update_data(more=message.text)
    await state.set_state(None)
    await say(message, "enough")


async def main() -> None:
    """Process one line after another until standard input ends."""
    storage = RedisStorage.from_url(f"unix://{sys.argv[1]}")
    session = StubSession()
    bot = Bot("7:bench", session=session)
    dispatcher = Dispatcher(storage=storage)
    dispatcher.include_router(router)
    answers.update(json.loads(sys.stdin.readline()))
    while line := await asyncio.to_thread(sys.stdin.readline):
        updates: list[str] = json.loads(line)
        session.calls = 0
        server = await _server_seconds(storage)
        cpu, wall = time.process_time(), time.perf_counter()
        for raw in updates:
            await dispatcher.feed_raw_update(bot, json.loads(raw))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        server = await _server_seconds(storage) - server
        print(json.dumps({"cpu": cpu, "wall": wall, "server": server, "calls": session.calls}), flush=True)
    await storage.close()


async def _server_seconds(storage: RedisStorage) -> float:
    used = await storage.redis.info("cpu")
    return float(used["used_cpu_sys"] + used["used_cpu_user"])


if __name__ == "__main__":
    asyncio.run(main())
