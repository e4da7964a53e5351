"""Sends single things to a Telegram chat, and says what went wrong by what it means."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from typing import TypeVar

from telegram import Bot, InputFile, LinkPreviewOptions
from telegram.constants import ChatAction
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
)

from bot.delivery.messenger import ChatBlocked, NoAnswer, Rejected, SendFailed, TooManyRequests
from bot.telegram.keyboard import buttons, keyboard
from state_machine.model.outgoing import Deletion, Edit, ExportFile, Message, Outgoing, TapAnswer

T = TypeVar("T")

CAUSES = (
    "too long",
    "message is not modified",
    "can't be edited",
    "can't be deleted",
    "not found",
    "not enough rights",
    "button_data_invalid",
    "text is empty",
    "too large",
    "wrong file",
)
"""What Telegram may say when it refuses. Its own words are never passed on: they may repeat what the client wrote."""
MOST_DELETED_AT_ONCE = 100
LONGEST_TOAST = 200
PAUSE_WHEN_TURNED_AWAY = 30.0
"""Seconds to wait for all chats when Telegram does not know our token: the poll loop says so and ends."""

GONE = ("chat not found", "user not found", "user is deactivated", "peer_id_invalid", "bot was blocked")
UNCHANGED = "message is not modified"
TOO_LARGE = "too large"


class Sender:
    """The messenger of one bot.

    `previews_off`: ask Telegram not to draw previews of links; some other Bot API servers refuse the wish.
    """

    def __init__(self, bot: Bot, *, previews_off: bool = True) -> None:
        self._bot = bot
        self._previews = LinkPreviewOptions(is_disabled=True) if previews_off else None
        self._flooded: dict[int, float] = {}
        self._channel = f"telegram:{_id_of(bot)}"

    @property
    def channel(self) -> str:
        """See `Messenger.channel`: the chats of this very bot, not of another that had these data before."""
        return self._channel

    async def send(self, address: str, message: Outgoing, file: tuple[str, bytes] | None) -> int | None:
        """See `Messenger.send`. Plain text, no parse mode, so that nothing has to be escaped."""
        chat = chat_of(address)
        match message:
            case Message():
                markup = keyboard(message)
                sent = await self._ask(
                    chat,
                    self._bot.send_message(
                        chat, message.text, reply_markup=markup, link_preview_options=self._previews
                    ),
                )
                return sent.message_id
            case Edit():
                await self._edit(chat, message)
                return None
            case TapAnswer():
                words = message.text[:LONGEST_TOAST] or None
                await self._ask(chat, self._bot.answer_callback_query(message.tap_id, words))
                return None
            case Deletion():
                await self.delete(address, message.message_ids)
                return None
            case ExportFile():
                if file is None:
                    raise Rejected("a file without content")
                name, content = file
                document = InputFile(content, filename=name)
                sent = await self._ask(chat, self._bot.send_document(chat, document, caption=message.caption))
                return sent.message_id

    async def typing(self, address: str) -> None:
        """See `Messenger.typing`."""
        chat = chat_of(address)
        await self._ask(chat, self._bot.send_chat_action(chat, ChatAction.TYPING))

    async def delete(self, address: str, ids: Sequence[int]) -> None:
        """See `Messenger.delete`. In hundreds; where a server knows no hundreds or refuses one, singly."""
        chat = chat_of(address)
        for start in range(0, len(ids), MOST_DELETED_AT_ONCE):
            some = list(ids[start : start + MOST_DELETED_AT_ONCE])
            try:
                await self._ask(chat, self._bot.delete_messages(chat, some))
            except (Rejected, NoAnswer, TooManyRequests) as failure:
                if isinstance(failure.__cause__, RetryAfter):
                    raise
                for one in some:
                    try:
                        await self._ask(chat, self._bot.delete_message(chat, one))
                    except Rejected:
                        continue

    async def _edit(self, chat: int, edit: Edit) -> None:
        markup = buttons(edit.choices)
        try:
            if edit.text is None:
                await self._ask(
                    chat,
                    self._bot.edit_message_reply_markup(chat, edit.message_id, reply_markup=markup),
                )
            else:
                text = edit.text if edit.settled is None else f"{edit.text}\n\n— {edit.settled}"
                await self._ask(
                    chat,
                    self._bot.edit_message_text(
                        text, chat, edit.message_id, reply_markup=markup, link_preview_options=self._previews
                    ),
                )
        except Rejected as refusal:
            if UNCHANGED not in refusal.reason.lower():
                raise

    async def _ask(self, chat: int, call: Awaitable[T]) -> T:
        try:
            answer = await call
        except Exception as error:
            # Beside its own errors, the library raises what its reading of an odd answer happens to raise.
            raise self._meaning(chat, error) from error
        self._flooded.pop(chat, None)
        return answer

    def _meaning(self, chat: int, error: Exception) -> SendFailed:
        said = str(error).lower()
        cause = next((cause for cause in CAUSES if cause in said), "for a reason of its own")
        match error:
            case RetryAfter():
                return self._too_fast(chat, error)
            case Forbidden():
                return ChatBlocked()
            case BadRequest():
                return ChatBlocked() if any(sign in said for sign in GONE) else Rejected(cause)
            case ChatMigrated():
                return Rejected("the chat has moved")
            case InvalidToken() | Conflict():
                return TooManyRequests(PAUSE_WHEN_TURNED_AWAY, for_all=True)
            case NetworkError() if TOO_LARGE in said:
                return Rejected(cause)
        return NoAnswer(type(error).__name__)

    def _too_fast(self, chat: int, error: RetryAfter) -> TooManyRequests:
        """For this chat; for all, if another chat is being told to wait at the same time."""
        wait = error.retry_after
        seconds = wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
        at = asyncio.get_running_loop().time()
        self._flooded = {other: until for other, until in self._flooded.items() if until > at}
        for_all = any(other != chat for other in self._flooded)
        self._flooded[chat] = at + seconds
        return TooManyRequests(seconds, for_all)


def _id_of(bot: Bot) -> int | str:
    """The bot's number as Telegram tells it; while it was not asked yet, as it stands in the token."""
    try:
        return bot.id
    except RuntimeError:
        return bot.token.partition(":")[0]


def chat_of(address: str) -> int:
    """The chat id in `telegram:<bot id>:<chat id>`."""
    return int(address.rsplit(":", 1)[1])
