"""How many chats are served side by side, by lane, so that slow reminders never keep an answer waiting."""

from __future__ import annotations

from collections.abc import Collection

from state_machine.model.outgoing import Priority

SLOTS = {Priority.SAFETY: 1000, Priority.ANSWER: 64, Priority.REMINDER: 8}


def free(priority: Priority, taken: Collection[Priority]) -> int:
    """How many more chats this lane serves, where those of `taken` are being served; none is left at 0 or below."""
    return SLOTS[priority] - sum(other is priority for other in taken)


def room(taken: Collection[Priority]) -> tuple[Priority, int]:
    """The last lane of which a chat can be served now, and how many chats. A lane waits for all before it."""
    chats, last = 0, Priority.SAFETY
    for priority in Priority:
        left = free(priority, taken)
        if left <= 0:
            break
        chats, last = chats + min(left, SLOTS[Priority.ANSWER]), priority
    return last, chats
