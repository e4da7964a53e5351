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


class DangerKind(StrEnum):
    """What it is about. The last three are no alarm; the first two of them ask for an answer of their own."""

    SELF = "self"
    OTHERS = "others"
    VIOLENCE = "violence"
    MEDICAL = "medical"
    SOMEONE_ELSE = "someone_else"
    AFTER_SUICIDE = "after_suicide"
    FRESH_LOSS = "fresh_loss"
    NONE = "none"


ALARMS = frozenset(
    {DangerKind.SELF, DangerKind.OTHERS, DangerKind.VIOLENCE, DangerKind.MEDICAL, DangerKind.SOMEONE_ELSE}
)


@dataclass(frozen=True, slots=True)
class RiskReading:
    """`signal` names the section of the content that was found, never the client's words; None: nothing was."""

    tier: Tier = Tier.NONE
    kind: DangerKind = DangerKind.NONE
    signal: str | None = None

    @property
    def alarm(self) -> DangerKind:
        """The kind as far as it is an alarm; what needs only another tone counts as none."""
        return self.kind if self.kind in ALARMS else DangerKind.NONE


NOTHING = RiskReading()
FAULT = RiskReading(Tier.ASK, DangerKind.SELF, "a fault in the screen")
"""What is answered where the screen itself failed: better one question too many."""

_BY_TIER = {Tier.EXPLICIT: 3, Tier.ASK: 2, Tier.SOMEONE_ELSE: 1, Tier.NONE: 0}
_BY_KIND = (
    DangerKind.MEDICAL,
    DangerKind.SELF,
    DangerKind.VIOLENCE,
    DangerKind.OTHERS,
    DangerKind.SOMEONE_ELSE,
    DangerKind.FRESH_LOSS,
    DangerKind.AFTER_SUICIDE,
    DangerKind.NONE,
)


def strength(reading: RiskReading) -> tuple[int, int]:
    """By this the strongest of several readings is chosen: first the tier, then how little it can wait."""
    return _BY_TIER[reading.tier], -_BY_KIND.index(reading.kind)
