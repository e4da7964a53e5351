"""What the courier finds when it looks at what waits: bursts, the next goodbye, and what is not for us to carry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.pauses import LONGEST
from state_machine.model.outgoing import Priority
from storage.repositories.erasure_notices import Parting
from storage.repositories.outbox import Burst
from storage.unit_of_work import UnitOfWork

MOST_PARCELS = 20
"""Parcels of one chat read at once."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What there is room for: so many chats, down to the lane `last`, and none that is busy or told to wait.

    `under_way`: clients to whom something is being carried; `farewells`: addresses at which goodbye is being said.
    """

    last: Priority
    chats: int
    under_way: list[str]
    told_to_wait: list[str]
    farewells: set[str]


@dataclass(frozen=True, slots=True)
class Found:
    """What waits. `lanes`: the most urgent of what waits for each client under way.

    `strangers`: clients of another bot or of a terminal on the same data, whose words we leave where they are.
    `more`: there may be more than was read.
    """

    bursts: list[Burst]
    strangers: list[str]
    parting: Parting | None
    priorities: dict[str, Priority]
    more: bool

    @property
    def waited_for(self) -> set[str]:
        """The clients for whom something waits. None of them can have been erased."""
        return {*self.priorities, *(burst.client for burst in self.bursts)}


def look(work: UnitOfWork, now: datetime, serves: Callable[[str], bool], wanted: Wanted) -> Found:
    """Read what can be carried now. Strangers are held, so that they don't stand before others at each look."""
    bursts = work.outbox.bursts(now, wanted.chats, MOST_PARCELS, wanted.last, wanted.under_way + wanted.told_to_wait)
    strangers = [burst.client for burst in bursts if not serves(burst.address)]
    for client in strangers:
        work.outbox.hold(client, now + timedelta(seconds=LONGEST))
    parting = work.partings.next(now, lambda address: serves(address) and address not in wanted.farewells)
    more = wanted.last is not Priority.REMINDER or len(bursts) == wanted.chats
    ours = [burst for burst in bursts if serves(burst.address)]
    return Found(ours, strangers, parting, work.outbox.lanes_of(wanted.under_way), more)
