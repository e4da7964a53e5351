"""How long to wait before trying again."""

from __future__ import annotations

from state_machine.model.outgoing import Priority
from storage.repositories.outbox import LONGEST_HOLD

LONGEST = LONGEST_HOLD.total_seconds()
"""Seconds. A hold in the database that ends later than this is ignored, so no delay may be longer."""
LONGEST_FOR_SAFETY = 30.0
"""Seconds that safety messages wait at most for their next try: the network may be back at any moment."""


def delay_after(tries: int) -> float:
    """Seconds to wait after so many failed tries: 1, 2, 4 … up to `LONGEST`."""
    return float(min(2.0 ** (min(tries, 20) - 1), LONGEST))


class Backoff:
    """Counts failed tries by address. Kept by this process; what must hold for the next one is in the database."""

    def __init__(self) -> None:
        self._tries: dict[str, tuple[Priority, int]] = {}

    def failed(self, address: str, priority: Priority) -> float:
        """One more try failed. Returns the seconds until the next; tries at another priority are not counted."""
        before, tries = self._tries.get(address, (priority, 0))
        tries = tries + 1 if before is priority else 1
        self._tries[address] = (priority, tries)
        return min(delay_after(tries), LONGEST_FOR_SAFETY) if priority is Priority.SAFETY else delay_after(tries)

    def succeeded(self, address: str) -> None:
        """The next failure is the first again."""
        self._tries.pop(address, None)
