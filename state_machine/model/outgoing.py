"""What waits to be carried to the messenger: words in their final form, for any edge.

A message says what can be answered, not how it looks: Telegram makes keyboards of the choices,
the terminal numbers them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Priority(StrEnum):
    """Who goes first. The values sort in order of precedence."""

    SAFETY = "0 safety"
    ANSWER = "1 answer"
    REMINDER = "2 reminder"


@dataclass(frozen=True, slots=True)
class Choice:
    """A suggested answer. `button` is the token a tap sends back; None where a tap writes the label itself."""

    label: str
    button: str | None = None
    picked: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One bubble. `choices` are rows of suggested answers; `asks` the token of the question it ends.

    `keeps_keyboard`: leave the suggested answers of an earlier bubble where they are.
    `placeholder`: what the empty input line suggests (at most 64 characters).
    `run`: the run whose messages are deleted from the chat again; None where the message stays.
    """

    text: str
    choices: tuple[tuple[Choice, ...], ...] = ()
    asks: str | None = None
    placeholder: str | None = None
    keeps_keyboard: bool = False
    run: int | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """Change a message already carried: another text, other buttons, or `settled`: its text with the choice below."""

    message_id: int
    text: str | None = None
    choices: tuple[tuple[Choice, ...], ...] = ()
    settled: str | None = None


@dataclass(frozen=True, slots=True)
class TapAnswer:
    """Answer a tap, so that its button stops waiting; with a few words, or none."""

    tap_id: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Deletion:
    """Delete messages from the chat, the client's and ours: these, or all that was said before in a run.

    Which messages those of `run` are is only known when this is carried: some of them may still wait to be sent.
    """

    message_ids: tuple[int, ...] = ()
    run: int | None = None


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file of all that is kept, made at the moment it is carried. `caption` goes with it."""

    caption: str


Outgoing = Message | Edit | TapAnswer | Deletion | ExportFile
