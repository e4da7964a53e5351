"""Many messages of one chat in one batch: joined into few events and few transactions, so that nobody waits for them.

A person sends a handful of messages in a row; each of those is an event of its own. What comes after them in the same
batch came before any question could have reached the client, so it is no answer: it is read for danger and kept as a
note. That needs one event for many messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.conversation import InboundEvent
from bot.telegram.updates import ClientLeft
from state_machine.model.events import Said

MOST_SINGLE = 10
"""Messages of one chat in one batch that are events of their own."""
LONGEST_JOINED = 4000
"""Characters of the text of joined messages, at most."""
MOST_IN_TRANSACTION = 25


def joined(chat: Sequence[InboundEvent | ClientLeft]) -> list[InboundEvent | ClientLeft]:
    """What came from one chat, with text messages after the first few joined, a line each. Commands stay single."""
    found = list(chat[:MOST_SINGLE])
    for what in chat[MOST_SINGLE:]:
        last = found[-1]
        if len(found) > MOST_SINGLE and _is_text(last) and _is_text(what) and _length(last, what) <= LONGEST_JOINED:
            found[-1] = _join(last, what)
        else:
            found.append(what)
    return found


def in_transactions(chat: Sequence[InboundEvent | ClientLeft]) -> Iterator[list[InboundEvent | ClientLeft]]:
    """What came from one chat in portions that may be processed in one transaction each."""
    portion: list[InboundEvent | ClientLeft] = []
    for what in chat:
        alone = isinstance(what, ClientLeft)
        if portion and (alone or len(portion) == MOST_IN_TRANSACTION):
            yield portion
            portion = []
        portion.append(what)
        if alone:
            yield portion
            portion = []
    if portion:
        yield portion


def _is_text(what: InboundEvent | ClientLeft) -> bool:
    return isinstance(what, InboundEvent) and isinstance(what.event, Said) and not what.event.text.startswith("/")


def _length(*several: InboundEvent | ClientLeft) -> int:
    texts = [what.event.text for what in several if isinstance(what, InboundEvent) and isinstance(what.event, Said)]
    return sum(map(len, texts)) + len(texts)


def _join(first: InboundEvent | ClientLeft, second: InboundEvent | ClientLeft) -> InboundEvent:
    if not (isinstance(first, InboundEvent) and isinstance(second, InboundEvent)):
        raise TypeError("only messages can be joined")
    if not (isinstance(first.event, Said) and isinstance(second.event, Said)):
        raise TypeError("only text can be joined")
    event = replace(first.event, text=f"{first.event.text}\n{second.event.text}", early=True)
    ids = (*first.further_message_ids, *([] if second.message_id is None else [second.message_id]))
    return replace(first, event=event, further_keys=(*first.further_keys, second.key), further_message_ids=ids)
