"""What the courier asks of a messenger, and the ways in which carrying can fail, by what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from state_machine.model.outgoing import Outgoing


class NotCarried(Exception):
    """Something was not carried."""


class Blocked(NotCarried):
    """The client blocked us, or is gone: stop until they write again."""


class NotNow(NotCarried):
    """We are too fast. Wait `retry_after` seconds: for this chat, or `for_all`."""

    def __init__(self, retry_after: float, for_all: bool = False) -> None:
        super().__init__(f"wait {retry_after:g} s")
        self.retry_after = retry_after
        self.for_all = for_all


class Refused(NotCarried):
    """The messenger will never take it as it is.

    `reason` is in the messenger's words, never the client's; `kind` the name of a class, for the books.
    """

    def __init__(self, reason: str, kind: str = "Refused") -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind


class Unclear(NotCarried):
    """No answer, or one that can't be read: it may have arrived or not."""


class Messenger(Protocol):
    """Carries single things to one chat. Every method but `serves` may raise a `NotCarried`."""

    def serves(self, address: str) -> bool:
        """Whether this is an address of ours. What waits for others is theirs to carry."""
        ...

    async def carry(self, address: str, message: Outgoing, file: tuple[str, bytes] | None) -> int | None:
        """Carry one thing. Returns the id of the new message, None where there is none.

        `file`: name and content, for an `ExportFile`.
        """
        ...

    async def typing(self, address: str) -> None:
        """Show for a few seconds that we are writing."""
        ...

    async def delete(self, address: str, ids: Sequence[int]) -> None:
        """Delete messages of ours that are younger than 48 hours; those that can't be are passed over."""
        ...
