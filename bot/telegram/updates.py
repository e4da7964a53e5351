"""What a Telegram update means to us. Nothing here keeps anything."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from telegram import CallbackQuery, ChatMemberUpdated, Message, Update
from telegram.constants import ChatMemberStatus, ChatType

from bot.conversation import InboundEvent
from bot.telegram.client import LARGEST_NUMBER
from state_machine.model.events import Edited, Said, Shared, Tapped

WAITED = timedelta(minutes=1)
"""Longer on its way than that, a message waited for us, and it counts when it was sent."""
ALLOWED_UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"]


class OutOfRange(Exception):
    """A number of Telegram's that can't be one: it does not fit into 64 bits."""


@dataclass(frozen=True, slots=True)
class ClientLeft:
    """The client blocked us. `key` makes it take effect once, so that it can't undo that they are back."""

    key: str
    address: str


@dataclass(frozen=True, slots=True)
class GroupMention:
    """Somebody spoke to us in a group, or put us into one."""

    address: str


@dataclass(frozen=True, slots=True)
class UpdateReader:
    """Reads the updates of one bot. `username` None: unknown, so that any `@name` after a command is ours."""

    bot_id: int
    username: str | None

    def read(self, update: Update, at: datetime, payload: bytes) -> InboundEvent | ClientLeft | GroupMention | None:
        """What an update received at `at` means; None if it means nothing to us.

        Raises OutOfRange, and whatever the library raises at an odd update.
        """
        if update.callback_query is not None:
            return self._tapped(update, update.callback_query, at, payload)
        if update.my_chat_member is not None:
            return self._membership(update, update.my_chat_member)
        message = update.message or update.edited_message
        if message is None:
            return None
        if message.chat.type != ChatType.PRIVATE:
            return self._group(message) if update.message is not None else None
        event = self._edited(message, at) if update.edited_message is not None else self._event(message, at)
        if event is None:
            return None
        return InboundEvent(
            key=self._key(update),
            address=self._address(message.chat.id),
            event=event,
            message_id=_in_range(message.message_id),
            tap_id=None,
            payload=payload,
        )

    def read_plainly(self, raw: dict[str, Any], at: datetime) -> InboundEvent | None:
        """What the plain fields of an update say which the library can't read; None if they say too little.

        Words said in a private chat are read in any case: there may be danger in them.
        """
        message, number = raw.get("message"), raw.get("update_id")
        chat = message.get("chat") if isinstance(message, dict) else None
        if not isinstance(message, dict) or not isinstance(chat, dict) or chat.get("type") != ChatType.PRIVATE:
            return None
        chat_id, message_id = chat.get("id"), message.get("message_id")
        if not (_fits(chat_id) and _fits(message_id) and _fits(number)):
            return None
        words = next((said for said in (message.get("text"), message.get("caption")) if isinstance(said, str)), "")
        own = bool(words) and "forward_origin" not in message
        only = {"message_id": message_id, "date": int(at.timestamp()), "chat": {"id": chat_id, "type": "private"}}
        payload = json.dumps({"update_id": number, "message": only | {"text": words}})
        return InboundEvent(
            key=f"telegram:{self.bot_id}:{number}",
            address=f"telegram:{self.bot_id}:{chat_id}",
            event=Said(at, self._without_name(words)) if own else Shared(at, "other", words),
            message_id=message_id,
            payload=payload.encode(),
        )

    def _key(self, update: Update) -> str:
        return f"telegram:{self.bot_id}:{_in_range(update.update_id)}"

    def _address(self, chat_id: int) -> str:
        return f"telegram:{self.bot_id}:{_in_range(chat_id)}"

    def _tapped(
        self, update: Update, query: CallbackQuery, at: datetime, payload: bytes
    ) -> InboundEvent | GroupMention | None:
        if query.message is not None and query.message.chat.type != ChatType.PRIVATE:
            return GroupMention(self._address(query.message.chat.id))
        # A private chat has the id of its client, which helps where Telegram names no message any more.
        chat = query.message.chat.id if query.message is not None else query.from_user.id
        return InboundEvent(
            key=self._key(update),
            address=self._address(chat),
            event=Tapped(at, query.data or ""),
            message_id=_in_range(query.message.message_id) if query.message is not None else None,
            tap_id=query.id,
            payload=payload,
            shown=query.message.text if isinstance(query.message, Message) else None,
        )

    def _membership(self, update: Update, change: ChatMemberUpdated) -> ClientLeft | GroupMention | None:
        status = change.new_chat_member.status
        if change.chat.type == ChatType.PRIVATE:
            gone = status in (ChatMemberStatus.BANNED, ChatMemberStatus.LEFT)
            return ClientLeft(self._key(update), self._address(change.chat.id)) if gone else None
        was_in = change.old_chat_member.status not in (ChatMemberStatus.BANNED, ChatMemberStatus.LEFT)
        may_speak = change.chat.type in (ChatType.GROUP, ChatType.SUPERGROUP)
        came = not was_in and status in (ChatMemberStatus.MEMBER, ChatMemberStatus.ADMINISTRATOR)
        return GroupMention(self._address(change.chat.id)) if may_speak and came else None

    def _group(self, message: Message) -> GroupMention | None:
        """Only what is said to us: as an administrator we would hear everything."""
        words = message.text or message.caption or ""
        reply = message.reply_to_message
        to_us = reply is not None and reply.from_user is not None and reply.from_user.id == self.bot_id
        named = self.username is not None and f"@{self.username}".lower() in words.lower()
        command = words.startswith("/") and "@" not in words.split(maxsplit=1)[0]
        return GroupMention(self._address(message.chat.id)) if command or named or to_us else None

    def _event(self, message: Message, at: datetime) -> Said | Shared | Edited | None:
        words = message.text or message.caption or ""
        if message.forward_origin is not None:
            return Shared(at, "other", words)
        if message.text is not None:
            waited = at - message.date > WAITED
            return Said(at, self._without_name(message.text), sent=message.date if waited else None)
        what = _what(message)
        return None if what is None else Shared(at, what, words)

    def _edited(self, message: Message, at: datetime) -> Said | Shared | Edited | None:
        words = message.text or message.caption
        return None if words is None or message.forward_origin is not None else Edited(at, words)

    def _without_name(self, text: str) -> str:
        """`/help@OurBot` as `/help`, which is how Telegram writes a command picked from a list."""
        if not text.startswith("/"):
            return text
        command, space, rest = text.partition(" ")
        name, at_sign, whom = command.partition("@")
        if at_sign and (self.username is None or whom.lower() == self.username.lower()):
            return name + space + rest
        return text


def _fits(number: object) -> bool:
    return type(number) is int and abs(number) <= LARGEST_NUMBER


def _in_range(number: int) -> int:
    if not _fits(number):
        raise OutOfRange
    return number


def _what(message: Message) -> str | None:
    """The kind of a message that is not text; None for what Telegram itself says, as that one is pinned."""
    kinds = (
        ("sticker", message.sticker),
        ("photo", message.photo),
        ("video", message.video or message.video_note or message.animation),
        ("voice", message.voice or message.audio),
        ("document", message.document),
        ("contact", message.contact),
        ("place", message.venue or message.location),
        ("other", message.poll or message.dice or message.game or message.story or message.paid_media),
        ("other", message.invoice or message.passport_data or message.checklist),
    )
    return next((what for what, there in kinds if there), None)
