"""How long to wait before trying again."""

from __future__ import annotations

from storage.repositories.outbox import LONGEST_HOLD

LONGEST = LONGEST_HOLD.total_seconds()
"""Seconds. A hold in the store that ends later is not believed, so no pause may be longer."""


def pause_after(tries: int) -> float:
    """Seconds to wait after so many tries in vain: 1, 2, 4 … up to `LONGEST`."""
    return float(min(2.0 ** (min(tries, 20) - 1), LONGEST))
