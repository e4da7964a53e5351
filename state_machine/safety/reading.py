"""The result of the screen: tier and kind of the danger found in a message."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Tier(IntEnum):
    """How explicit the danger is. The numbers are printed by `ipt-bot safety screen`."""

    NONE = 0
    EXPLICIT = 1
    ASK = 2
    SOMEONE_ELSE = 3


class DangerKind(StrEnum):
    """The kind of danger. The last three are no alarms; AFTER_SUICIDE and FRESH_LOSS get answers of their own."""

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
    """One reading. `signal` is the name of the matched section of the content, never the client's words."""

    tier: Tier = Tier.NONE
    kind: DangerKind = DangerKind.NONE
    signal: str | None = None

    @property
    def alarm(self) -> DangerKind:
        """The kind if it is an alarm, else NONE."""
        return self.kind if self.kind in ALARMS else DangerKind.NONE


NOTHING = RiskReading()
FAULT = RiskReading(Tier.ASK, DangerKind.SELF, "a fault in the screen")
"""The reading if the screen itself fails: a question too many is better than a missed danger."""

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
    """Sort key of readings, the strongest highest: by tier, then by the urgency of the kind."""
    return _BY_TIER[reading.tier], -_BY_KIND.index(reading.kind)
