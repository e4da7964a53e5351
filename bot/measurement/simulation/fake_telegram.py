"""A fake Telegram for one bot: its chats, their messages, and the updates that wait to be polled."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from bot.measurement.simulation.faults import Faults
from bot.measurement.simulation.recorder import ArrivedMessage

BOT = 7
ME = {"id": BOT, "is_bot": True, "first_name": "Companion", "username": "CompanionBot"}
MOST_UPDATES_PER_POLL = 100
"""As Telegram's own limit for getUpdates."""
Response = tuple[int, dict[str, Any]]


def good(result: Any) -> Response:
    """The response to a call that succeeded."""
    return 200, {"ok": True, "result": result}


def bad(status: int, description: str, **parameters: Any) -> Response:
    """An error response as Telegram words it."""
    body = {"ok": False, "error_code": status, "description": description}
    return status, body | ({"parameters": parameters} if parameters else {})


@dataclass(slots=True)
class FakeChat:
    """One chat as its client sees it.

    `labels`: the buttons of the reply keyboard. `buttons`: label to callback data of the inline keyboard shown last,
    which belongs to the message `buttons_of`. `last_text`: the text of the latest message of the bot.
    """

    number: int
    blocked: bool = False
    flooded_until: float = 0.0
    """The second of the loop's clock until which messages to this chat are answered by 429."""
    labels: list[str] = field(default_factory=list)
    is_inline: bool = False
    """Whether the keyboard shown last is an inline one."""
    buttons: dict[str, str] = field(default_factory=dict)
    buttons_of: int = 0
    last_text: str = ""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a message arrives."""
    transcript: list[str] | None = None
    """Collects a line for everything that happens, unless None."""

    @property
    def address(self) -> str:
        """The address under which the bot knows it."""
        return f"telegram:{BOT}:{self.number}"

    @property
    def offered(self) -> list[str]:
        """The labels of the buttons that can be tapped now."""
        return list(self.buttons) if self.is_inline else self.labels

    def note(self, at: datetime, who: str, words: str) -> None:
        """Add a line to the transcript."""
        if self.transcript is not None:
            self.transcript.append(f"{at:%a %F %T}  {who:<5}{words}")


class FakeTelegram:
    """All chats of one bot. `on_arrival(address, message, at)` is called for each message it sends."""

    def __init__(
        self,
        now: Callable[[], datetime],
        faults: Faults,
        rng: Random,
        on_arrival: Callable[[str, ArrivedMessage, datetime], None],
    ) -> None:
        self.chats: dict[int, FakeChat] = {}
        self.digest = hashlib.sha256()
        """A hash of all messages that arrived and when; two runs with the same seed have the same."""
        self._now = now
        self._faults = faults
        self._rng = rng
        self._on_arrival = on_arrival
        self._messages = 0
        self._updates = 0
        self._pending: deque[dict[str, Any]] = deque()
        self._acknowledged: list[dict[str, Any]] = []
        self._news = asyncio.Event()

    # --- called by the bot ---------------------------------------------------------------

    async def poll(self, offset: int, wait: float) -> list[dict[str, Any]]:
        """Updates from number `offset` on. Waits at most `wait` seconds for the first."""
        acknowledged = []
        while self._pending and self._pending[0]["update_id"] < offset:
            acknowledged.append(self._pending.popleft())
        self._acknowledged = acknowledged or self._acknowledged
        if not self._pending:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), wait)
            except TimeoutError:
                return []
        batch = list(self._pending)[:MOST_UPDATES_PER_POLL]
        if self._rng.random() < self._faults.redelivered:
            batch = self._acknowledged + batch
        if self._rng.random() < self._faults.reordered:
            self._rng.shuffle(batch)
        return batch

    def call(self, method: str, fields: dict[str, str]) -> tuple[Response, ArrivedMessage | None]:
        """Carry out one call. Returns the response, and the message that the call sent, if any."""
        if method == "getMe":
            return good(ME), None
        chat = self.chats.get(int(fields.get("chat_id", "0")))
        if chat is None:
            return good(True), None
        if chat.blocked and method != "answerCallbackQuery":
            return bad(403, "Forbidden: bot was blocked by the user"), None
        if method in {"sendMessage", "sendDocument"}:
            return self._deliver(chat, fields)
        if method.startswith("editMessage"):
            _show_keyboard(chat, fields, int(fields["message_id"]))
            return good(self._message(chat, fields.get("text", "…"), int(fields["message_id"]), ME)), None
        return good(True), None

    def _deliver(self, chat: FakeChat, fields: dict[str, str]) -> tuple[Response, ArrivedMessage]:
        self._messages += 1
        text = fields.get("text") or fields.get("caption") or ""
        self.digest.update(f"{chat.number} {self._now().isoformat()} {text}\n".encode())
        chat.last_text = text
        _show_keyboard(chat, fields, self._messages)
        shown = chat.offered if "reply_markup" in fields else []
        chat.note(self._now(), "bot", text.replace("\n", " / ") + (f"   [{' | '.join(shown)}]" if shown else ""))
        arrived = ArrivedMessage(self._messages, text)
        self._on_arrival(chat.address, arrived, self._now())
        chat.news.set()
        return good(self._message(chat, text, self._messages, ME)), arrived

    # --- called by the simulated clients --------------------------------------------------------------

    def chat(self, number: int) -> FakeChat:
        """The chat with this number; it is created if there is none."""
        return self.chats.setdefault(number, FakeChat(number))

    def sends_text(self, chat: FakeChat, text: str) -> None:
        """The client sends a text."""
        chat.note(self._now(), "they", text)
        self._messages += 1
        self._enqueue({"message": self._message(chat, text, self._messages, _user_fields(chat))})

    def sends_sticker(self, chat: FakeChat) -> None:
        """The client sends a sticker."""
        chat.note(self._now(), "they", "(a sticker)")
        self._messages += 1
        message = self._message(chat, "", self._messages, _user_fields(chat))
        del message["text"]
        kind = {"width": 1, "height": 1, "is_animated": False, "is_video": False, "type": "regular"}
        sticker = {"file_id": "s", "file_unique_id": "s", **kind}
        self._enqueue({"message": message | {"sticker": sticker}})

    def taps(self, chat: FakeChat, label: str) -> None:
        """The client taps a button of the inline keyboard shown last."""
        chat.note(self._now(), "they", f"({label})")
        self._updates += 1
        message = self._message(chat, chat.last_text, chat.buttons_of, ME)
        query = {"id": str(self._updates), "from": _user_fields(chat), "chat_instance": "1", "message": message}
        self._enqueue({"callback_query": query | {"data": chat.buttons[label]}})

    def blocks(self, chat: FakeChat) -> None:
        """The client blocks the bot."""
        chat.note(self._now(), "they", "(blocked the bot)")
        chat.blocked = True
        change = {"chat": _chat_fields(chat), "from": _user_fields(chat), "date": int(self._now().timestamp())}
        old, new = {"user": ME, "status": "member"}, {"user": ME, "status": "kicked", "until_date": 0}
        self._enqueue({"my_chat_member": change | {"old_chat_member": old, "new_chat_member": new}})

    def unblocks(self, chat: FakeChat) -> None:
        """The client unblocks the bot."""
        chat.note(self._now(), "they", "(is back)")
        chat.blocked = False

    def _enqueue(self, what: dict[str, Any]) -> None:
        self._updates += 1
        self._pending.append({"update_id": self._updates, **what})
        self._news.set()

    def _message(self, chat: FakeChat, text: str, number: int, who: dict[str, Any]) -> dict[str, Any]:
        at = int(self._now().timestamp())
        return {"message_id": number, "date": at, "chat": _chat_fields(chat), "from": who, "text": text}


def _show_keyboard(chat: FakeChat, fields: dict[str, str], number: int) -> None:
    """Apply the keyboard that comes with message `number`, or with an edit of it."""
    markup = json.loads(fields.get("reply_markup") or "{}")
    if "keyboard" in markup:
        chat.is_inline = False
        chat.labels = [button["text"] for row in markup["keyboard"] for button in row]
    elif "inline_keyboard" in markup:
        rows = markup["inline_keyboard"]
        chat.buttons = {button["text"]: button["callback_data"] for row in rows for button in row}
        chat.buttons_of, chat.is_inline = number, True
    elif "remove_keyboard" in markup:
        chat.labels, chat.is_inline = [], False
    elif number == chat.buttons_of:
        chat.buttons = {}


def _chat_fields(chat: FakeChat) -> dict[str, Any]:
    return {"id": chat.number, "type": "private", "first_name": "Somebody"}


def _user_fields(chat: FakeChat) -> dict[str, Any]:
    return {"id": chat.number, "is_bot": False, "first_name": "Somebody"}
