"""Progress, entries and messages as JSON bytes, and back: what is sealed is this.

A message is one of several shapes, so it carries its name: `{"type": "Edit", …}`.
Fields that a later release adds take their defaults; fields it dropped are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from state_machine.model.outgoing import Deletion, Edit, ExportFile, Message, Outgoing, TapAnswer
from state_machine.model.progress import Entry, Fact, Progress


class Malformed(ValueError):
    """The bytes are not what they should be. Says nothing of what they are."""


@dataclass(frozen=True, slots=True)
class _Named:
    type: str


@dataclass(frozen=True, slots=True)
class _NamedFact:
    memory: str
    fact: Fact


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        # Of facts that stand in rows of their own, only those at hand are part of the progress.
        at_hand = getattr(value, "at_hand", None)
        return dict(value.items()) if at_hand is None else at_hand
    raise TypeError(type(value).__name__)


_encode = msgspec.json.Encoder(enc_hook=_plain).encode
_progress = msgspec.json.Decoder(Progress)
_entry = msgspec.json.Decoder(Entry)
_fact = msgspec.json.Decoder(_NamedFact)
_name = msgspec.json.Decoder(_Named)
_messages: dict[str, msgspec.json.Decoder[Any]] = {
    shape.__name__: msgspec.json.Decoder(shape) for shape in (Message, Edit, TapAnswer, Deletion, ExportFile)
}
_farewell = msgspec.json.Decoder(tuple[Message, ...])


def _decode(decoder: msgspec.json.Decoder[Any], data: bytes) -> Any:
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        # The library's message may quote what stands in the data, so it goes no further.
        raise Malformed from None


def write_progress(progress: Progress) -> bytes:
    """Progress as JSON bytes."""
    return _encode(progress)


def read_progress(data: bytes) -> Progress:
    """Progress from JSON bytes. Raises Malformed."""
    progress: Progress = _decode(_progress, data)
    return progress


def write_entry(entry: Entry) -> bytes:
    """An entry as JSON bytes."""
    return _encode(entry)


def read_entry(data: bytes) -> Entry:
    """An entry from JSON bytes. Raises Malformed."""
    entry: Entry = _decode(_entry, data)
    return entry


def write_fact(memory: str, fact: Fact) -> bytes:
    """A fact as JSON bytes, with the memory it stands under."""
    return _encode(_NamedFact(memory, fact))


def read_fact(data: bytes) -> tuple[str, Fact]:
    """A memory and its fact from JSON bytes. Raises Malformed."""
    named: _NamedFact = _decode(_fact, data)
    return named.memory, named.fact


def write_message(message: Outgoing) -> bytes:
    """A message to be carried, as JSON bytes with the name of its shape."""
    fields: dict[str, Any] = msgspec.to_builtins(message, enc_hook=_plain)
    return _encode({"type": type(message).__name__, **fields})


def read_message(data: bytes) -> Outgoing:
    """A message from JSON bytes. Raises Malformed, also for a shape unknown here."""
    name: str = _decode(_name, data).type
    if name not in _messages:
        raise Malformed
    message: Outgoing = _decode(_messages[name], data)
    return message


def write_farewell(messages: Sequence[Message]) -> bytes:
    """The last messages to a client, as JSON bytes."""
    return _encode(tuple(messages))


def read_farewell(data: bytes) -> tuple[Message, ...]:
    """The last messages to a client, from JSON bytes. Raises Malformed."""
    farewell: tuple[Message, ...] = _decode(_farewell, data)
    return farewell
