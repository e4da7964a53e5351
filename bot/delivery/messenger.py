"""What the courier asks of a messenger, and the ways in which sending can fail, by what each means."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Protocol

from dialogues.templates import TRAITS
from state_machine.model.outgoing import Outgoing

TERMINAL = "terminal:"
"""How the address of a client in a terminal begins."""


def traits_of(address: str) -> Set[str]:
    """Which of the `TRAITS` hold where this address is. In a terminal none does."""
    return frozenset() if address.startswith(TERMINAL) else TRAITS


class SendFailed(Exception):
    """Something was not sent."""


class ChatBlocked(SendFailed):
    """The client blocked the bot, or the chat is gone: send nothing until they write again."""


class TooManyRequests(SendFailed):
    """Sent too fast: wait `retry_after` seconds, for this chat, or `for_all`."""

    def __init__(self, retry_after: float, for_all: bool = False) -> None:
        super().__init__(f"wait {retry_after:g} s")
        self.retry_after = retry_after
        self.for_all = for_all


class Rejected(SendFailed):
    """The messenger will never accept it as it is.

    `reason` is in the messenger's words, never the client's; `kind` is the name of a class, for the dead letter.
    """

    def __init__(self, reason: str, kind: str = "Rejected") -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind


class NoAnswer(SendFailed):
    """No answer, or one that can't be read: the message may have arrived or not."""


class Messenger(Protocol):
    """Sends single things to one chat. Every method may raise a `SendFailed`."""

    @property
    def channel(self) -> str:
        """The beginning that all addresses of this messenger share, such as `telegram:7`."""
        ...

    async def send(self, address: str, message: Outgoing, file: tuple[str, bytes] | None) -> int | None:
        """Send one thing. Returns the id of the new message, None where there is none.

        `file`: name and content, for an `ExportFile`.
        """
        ...

    async def typing(self, address: str) -> None:
        """Show for a few seconds that the bot is writing."""
        ...

    async def delete(self, address: str, ids: Sequence[int]) -> None:
        """Delete messages younger than 48 hours; those that can't be deleted are skipped."""
        ...
