"""How many chats are served side by side, by lane, so that slow reminders never keep an answer waiting."""

from __future__ import annotations

from collections.abc import Collection

from state_machine.messages import Lane

SLOTS = {Lane.SAFETY: 1000, Lane.ANSWER: 64, Lane.REMINDER: 8}


def free(lane: Lane, taken: Collection[Lane]) -> int:
    """How many more chats this lane serves, where those of `taken` are being served; none is left at 0 or below."""
    return SLOTS[lane] - sum(other is lane for other in taken)


def room(taken: Collection[Lane]) -> tuple[Lane, int]:
    """The last lane of which a chat can be served now, and how many chats. A lane waits for all before it."""
    chats, last = 0, Lane.SAFETY
    for lane in Lane:
        left = free(lane, taken)
        if left <= 0:
            break
        chats, last = chats + min(left, SLOTS[Lane.ANSWER]), lane
    return last, chats
