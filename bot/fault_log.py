"""Writes faults to the log: the first of a kind at once, those that follow as a number from time to time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

SAY_AGAIN_AFTER = 600.0
"""Seconds after which a fault that lasts is said again, with how often it came meanwhile."""
MOST_KINDS = 1000


@dataclass
class _Said:
    at: float
    more: int = 0


class FaultLog:
    """The faults of one part. `clock` gives steady seconds. May be used from several threads."""

    def __init__(self, log: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._kinds: dict[str, _Said] = {}

    def say(self, kind: str, line: str) -> None:
        """A fault of this kind came: write `line`, or only count it if one of its kind was written lately."""
        now = self._clock()
        said = self._kinds.get(kind)
        if said is not None and now - said.at < SAY_AGAIN_AFTER:
            said.more += 1
            return
        more = f" ({said.more} more of this kind since the last line)" if said is not None and said.more else ""
        self._log.error("%s%s", line, more)
        if said is None and len(self._kinds) >= MOST_KINDS:
            self._kinds.pop(next(iter(self._kinds)), None)
        self._kinds[kind] = _Said(now)

    def over(self, begins: str) -> int:
        """Faults whose kind begins so are over: the next one is said at once. How many there were."""
        ended = [kind for kind in tuple(self._kinds) if kind.startswith(begins)]
        found = [self._kinds.pop(kind, None) for kind in ended]
        return sum(1 + said.more for said in found if said is not None)
