"""Suggested answers as Telegram shows them: a keyboard of sentences, or buttons under the message."""

from __future__ import annotations

from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)

from state_machine.model.outgoing import Choice, Message

LONGEST_PLACEHOLDER = 64
PICKED = "✓ "

Rows = tuple[tuple[Choice, ...], ...]


def keyboard(message: Message) -> ReplyKeyboardMarkup | InlineKeyboardMarkup | ReplyKeyboardRemove | None:
    """What goes with a message. Without choices the keyboard of earlier suggestions goes, unless it is kept."""
    rows = tuple(row for row in message.choices if row)
    if not rows:
        return None if message.keeps_keyboard else ReplyKeyboardRemove()
    if all(choice.button is not None for row in rows for choice in row):
        return buttons(rows)
    placeholder = message.placeholder[:LONGEST_PLACEHOLDER] if message.placeholder else None
    return ReplyKeyboardMarkup(
        [[KeyboardButton(_label(choice)) for choice in row] for row in rows],
        resize_keyboard=True,
        one_time_keyboard=True,
        input_field_placeholder=placeholder,
    )


def buttons(rows: Rows) -> InlineKeyboardMarkup | None:
    """Buttons under a message; those picked already carry a tick. None if there are none."""
    if not any(rows):
        return None
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(_label(choice), callback_data=choice.button) for choice in row] for row in rows if row]
    )


def _label(choice: Choice) -> str:
    return PICKED + choice.label if choice.picked and choice.button is not None else choice.label
