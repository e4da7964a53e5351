"""Whether all that waited at Telegram has been taken: until then nobody is woken.

What a client answered while we were away must not be overtaken by the silence that it ended.
"""

from __future__ import annotations

import asyncio

REST_AT_MOST = 60.0
"""Seconds for which Telegram may answer without our having taken all that waits. Then whoever is due is woken."""


class Backlog:
    """What waits at Telegram, as the poll loop meets it. `taken` is set while there is nothing known to wait."""

    def __init__(self) -> None:
        self.taken = asyncio.Event()
        self._at_last: asyncio.TimerHandle | None = None

    def out_of_reach(self) -> None:
        """Telegram doesn't answer. Nothing could be carried now, so whoever is due can wait as long as that lasts."""
        self._forget_timer()
        self.taken.clear()

    def is_kept_back(self) -> None:
        """Telegram answers, but more waits there, or it gives us nothing; a flood of updates must not silence us."""
        if self._at_last is None:
            self.taken.clear()
            self._at_last = asyncio.get_running_loop().call_later(REST_AT_MOST, self.taken.set)

    def is_taken(self) -> None:
        """All that waited has been taken."""
        self._forget_timer()
        self.taken.set()

    def _forget_timer(self) -> None:
        if self._at_last is not None:
            self._at_last.cancel()
            self._at_last = None
