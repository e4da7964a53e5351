"""All that can happen to us. One event, one turn.

Every event carries the instant `at` (aware, UTC): the engine has no other clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Said:
    """The client wrote, or tapped a button that writes for them.

    `crossed`: it was sent before the open question had reached them, so it can't be an answer to it.
    `unseen`: that question will not reach them by itself (they had blocked us, or Telegram refused it), so it must
    be asked again.
    `sent`: when they wrote it, if it waited for us since. What we answer is said at `at`, so that time we ask for
    runs from there; but a clock is read, and a day told of, as it was when they wrote.
    """

    at: datetime
    text: str
    early: bool = False
    unseen: bool = False
    sent: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tapped:
    """A button under one of our messages. `button` is its token: run, step and choice."""

    at: datetime
    button: str


@dataclass(frozen=True, slots=True)
class Shared:
    """Something that is not text: `what` is sticker, photo, voice, video, document, contact, place or other.

    `unseen`: as with words.
    """

    at: datetime
    what: str
    caption: str = ""
    unseen: bool = False


@dataclass(frozen=True, slots=True)
class Edited:
    """The client changed a message they had sent before."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Woke:
    """A moment we had asked to be woken at has come."""

    at: datetime


Event = Said | Tapped | Shared | Edited | Woke
