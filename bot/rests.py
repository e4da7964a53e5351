"""How long a client is left alone: after tries in vain, and after the messenger told us to wait.

Kept by this process, on its steady clock. What also holds for the next one stands in the outbox as a hold.
"""

from __future__ import annotations

from bot.pauses import pause_after
from state_machine.model.outgoing import Priority

LONGEST_IN_DANGER = 30.0
"""Seconds that words of safety wait at most for their next try: the way may be open again at any moment."""


class Rests:
    """What is remembered of failures, client by client."""

    def __init__(self) -> None:
        self._tries: dict[str, tuple[Priority, int]] = {}
        self._told: dict[str, float] = {}

    def in_vain(self, client: str, priority: Priority) -> float:
        """One more try was in vain. Seconds until the next; other lanes' tries are not counted."""
        before, tries = self._tries.get(client, (priority, 0))
        tries = tries + 1 if before is priority else 1
        self._tries[client] = (priority, tries)
        return min(pause_after(tries), LONGEST_IN_DANGER) if priority is Priority.SAFETY else pause_after(tries)

    def carried(self, client: str) -> None:
        """The way is open: the next failure is the first again."""
        self._tries.pop(client, None)

    def told(self, client: str, until: float) -> None:
        """The messenger says to wait until then. Nothing lifts this: it would only say so again, for longer."""
        self._told[client] = until

    def waiting(self, at: float) -> list[str]:
        """Who may not be sent anything at this instant, because the messenger said so."""
        self._told = {client: until for client, until in self._told.items() if until > at}
        return list(self._told)
