"""Telegram's end: chats, what stands in them, updates that wait, and the rules it keeps others to."""

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
from bot.measurement.simulation.recorder import Arrived

BOT = 7
ME = {"id": BOT, "is_bot": True, "first_name": "Companion", "username": "CompanionBot"}
MOST_UPDATES = 100
Answer = tuple[int, dict[str, Any]]


def good(result: Any) -> Answer:
    """An answer in which all went well."""
    return 200, {"ok": True, "result": result}


def bad(status: int, description: str, **parameters: Any) -> Answer:
    """An error as Telegram words it."""
    body = {"ok": False, "error_code": status, "description": description}
    return status, body | ({"parameters": parameters} if parameters else {})


@dataclass(slots=True)
class FakeChat:
    """One chat as its client sees it. `labels` are the suggested answers; `buttons` those under the last message."""

    number: int
    blocked: bool = False
    flooded_until: float = 0.0
    labels: list[str] = field(default_factory=list)
    under: bool = False
    """Whether what can be answered now stands under the last message."""
    buttons: dict[str, str] = field(default_factory=dict)
    buttons_of: int = 0
    last_text: str = ""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    lines: list[str] | None = None
    """What was said, if anybody wants to read it."""

    @property
    def address(self) -> str:
        """The address under which the bot knows it."""
        return f"telegram:{BOT}:{self.number}"

    @property
    def offered(self) -> list[str]:
        """The answers that can be tapped now."""
        return list(self.buttons) if self.under else self.labels

    def note(self, at: datetime, who: str, words: str) -> None:
        """Write a line for whoever reads along."""
        if self.lines is not None:
            self.lines.append(f"{at:%a %F %T}  {who:<5}{words}")


class FakeTelegram:
    """All chats of one bot. `on_arrival` hears of every new message from the bot."""

    def __init__(
        self,
        now: Callable[[], datetime],
        faults: Faults,
        dice: Random,
        on_arrival: Callable[[str, Arrived, datetime], None],
    ) -> None:
        self.rooms: dict[int, FakeChat] = {}
        self.digest = hashlib.sha256()
        """Of all that arrived, and when: two runs with the same seed have the same."""
        self._now = now
        self._faults = faults
        self._dice = dice
        self._on_arrival = on_arrival
        self._messages = 0
        self._updates = 0
        self._pending: deque[dict[str, Any]] = deque()
        self._before: list[dict[str, Any]] = []
        self._news = asyncio.Event()

    # --- the bot's side ---------------------------------------------------------------

    async def poll(self, offset: int, wait: float) -> list[dict[str, Any]]:
        """Updates from `offset` on; waits for one at most so many seconds."""
        acknowledged = []
        while self._pending and self._pending[0]["update_id"] < offset:
            acknowledged.append(self._pending.popleft())
        self._before = acknowledged or self._before
        if not self._pending:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), wait)
            except TimeoutError:
                return []
        batch = list(self._pending)[:MOST_UPDATES]
        if self._dice.random() < self._faults.delivered_again:
            batch = self._before + batch
        if self._dice.random() < self._faults.reordered:
            self._dice.shuffle(batch)
        return batch

    def call(self, method: str, fields: dict[str, str]) -> tuple[Answer, Arrived | None]:
        """Carry out one call; the new message it made, if it made one."""
        if method == "getMe":
            return good(ME), None
        room = self.rooms.get(int(fields.get("chat_id", "0")))
        if room is None:
            return good(True), None
        if room.blocked and method != "answerCallbackQuery":
            return bad(403, "Forbidden: bot was blocked by the user"), None
        if method in {"sendMessage", "sendDocument"}:
            return self._arrives(room, fields)
        if method.startswith("editMessage"):
            _put_up(room, fields, int(fields["message_id"]))
            return good(self._message(room, fields.get("text", "…"), int(fields["message_id"]), ME)), None
        return good(True), None

    def _arrives(self, room: FakeChat, fields: dict[str, str]) -> tuple[Answer, Arrived]:
        self._messages += 1
        text = fields.get("text") or fields.get("caption") or ""
        self.digest.update(f"{room.number} {self._now().isoformat()} {text}\n".encode())
        room.last_text = text
        _put_up(room, fields, self._messages)
        shown = room.offered if "reply_markup" in fields else []
        room.note(self._now(), "bot", text.replace("\n", " / ") + (f"   [{' | '.join(shown)}]" if shown else ""))
        arrived = Arrived(self._messages, text)
        self._on_arrival(room.address, arrived, self._now())
        room.news.set()
        return good(self._message(room, text, self._messages, ME)), arrived

    # --- the client's side --------------------------------------------------------------

    def room(self, number: int) -> FakeChat:
        """The chat of that number, opened if need be."""
        return self.rooms.setdefault(number, FakeChat(number))

    def writes(self, room: FakeChat, text: str) -> None:
        """The client sends a text."""
        room.note(self._now(), "they", text)
        self._messages += 1
        self._happens({"message": self._message(room, text, self._messages, _who(room))})

    def shares(self, room: FakeChat) -> None:
        """The client sends a sticker."""
        room.note(self._now(), "they", "(a sticker)")
        self._messages += 1
        message = self._message(room, "", self._messages, _who(room))
        del message["text"]
        kind = {"width": 1, "height": 1, "is_animated": False, "is_video": False, "type": "regular"}
        sticker = {"file_id": "s", "file_unique_id": "s", **kind}
        self._happens({"message": message | {"sticker": sticker}})

    def taps(self, room: FakeChat, label: str) -> None:
        """The client taps a button under the last message that has some."""
        room.note(self._now(), "they", f"({label})")
        self._updates += 1
        message = self._message(room, room.last_text, room.buttons_of, ME)
        query = {"id": str(self._updates), "from": _who(room), "chat_instance": "1", "message": message}
        self._happens({"callback_query": query | {"data": room.buttons[label]}})

    def blocks(self, room: FakeChat) -> None:
        """The client blocks the bot."""
        room.note(self._now(), "they", "(blocked the bot)")
        room.blocked = True
        change = {"chat": _chat(room), "from": _who(room), "date": int(self._now().timestamp())}
        old, new = {"user": ME, "status": "member"}, {"user": ME, "status": "kicked", "until_date": 0}
        self._happens({"my_chat_member": change | {"old_chat_member": old, "new_chat_member": new}})

    def comes_back(self, room: FakeChat) -> None:
        """The client blocks it no more."""
        room.note(self._now(), "they", "(is back)")
        room.blocked = False

    def _happens(self, what: dict[str, Any]) -> None:
        self._updates += 1
        self._pending.append({"update_id": self._updates, **what})
        self._news.set()

    def _message(self, room: FakeChat, text: str, number: int, who: dict[str, Any]) -> dict[str, Any]:
        at = int(self._now().timestamp())
        return {"message_id": number, "date": at, "chat": _chat(room), "from": who, "text": text}


def _put_up(room: FakeChat, fields: dict[str, str], number: int) -> None:
    """Show the suggested answers that come with a message."""
    markup = json.loads(fields.get("reply_markup") or "{}")
    if "keyboard" in markup:
        room.under = False
        room.labels = [button["text"] for row in markup["keyboard"] for button in row]
    elif "inline_keyboard" in markup:
        rows = markup["inline_keyboard"]
        room.buttons = {button["text"]: button["callback_data"] for row in rows for button in row}
        room.buttons_of, room.under = number, True
    elif "remove_keyboard" in markup:
        room.labels, room.under = [], False
    elif number == room.buttons_of:
        room.buttons = {}


def _chat(room: FakeChat) -> dict[str, Any]:
    return {"id": room.number, "type": "private", "first_name": "Somebody"}


def _who(room: FakeChat) -> dict[str, Any]:
    return {"id": room.number, "is_bot": False, "first_name": "Somebody"}
