"""What the screen finds in a message."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Tier(IntEnum):
    """How plainly danger is spoken of; the numbers are those of the command line."""

    NONE = 0
    EXPLICIT = 1
    ASK = 2
    SOMEONE_ELSE = 3


class Kind(StrEnum):
    """What it is about. The last three are no alarm; the first two of them ask for an answer of their own."""

    SELF = "self"
    OTHERS = "others"
    VIOLENCE = "violence"
    MEDICAL = "medical"
    SOMEONE_ELSE = "someone_else"
    AFTER_SUICIDE = "after_suicide"
    FRESH_LOSS = "fresh_loss"
    NONE = "none"


ALARMS = frozenset({Kind.SELF, Kind.OTHERS, Kind.VIOLENCE, Kind.MEDICAL, Kind.SOMEONE_ELSE})


@dataclass(frozen=True, slots=True)
class Reading:
    """`signal` names the section of the content that was found, never the client's words; None: nothing was."""

    tier: Tier = Tier.NONE
    kind: Kind = Kind.NONE
    signal: str | None = None

    @property
    def alarm(self) -> Kind:
        """The kind as far as it is an alarm; what needs only another tone counts as none."""
        return self.kind if self.kind in ALARMS else Kind.NONE


NOTHING = Reading()
FAULT = Reading(Tier.ASK, Kind.SELF, "a fault in the screen")
"""What is answered where the screen itself failed: better one question too many."""

_BY_TIER = {Tier.EXPLICIT: 3, Tier.ASK: 2, Tier.SOMEONE_ELSE: 1, Tier.NONE: 0}
_BY_KIND = (
    Kind.MEDICAL,
    Kind.SELF,
    Kind.VIOLENCE,
    Kind.OTHERS,
    Kind.SOMEONE_ELSE,
    Kind.FRESH_LOSS,
    Kind.AFTER_SUICIDE,
    Kind.NONE,
)


def strength(reading: Reading) -> tuple[int, int]:
    """By this the strongest of several readings is chosen: first the tier, then how little it can wait."""
    return _BY_TIER[reading.tier], -_BY_KIND.index(reading.kind)
