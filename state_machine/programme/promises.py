"""THE TABLE OF PROMISES: which bubble says that something will come, what comes, and when at the earliest and latest.

A bubble that promises stands here, or its words are changed. `tests/test_promises.py` stands at each of these places,
lets time pass, and waits for what was promised; it also finds promising words in bubbles that have no row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from state_machine.programme.tables import (
    CHECK_IN,
    EATING_GATE,
    FIRST_PEOPLE,
    GAD_7,
    HARM_TO_OTHERS,
    MEDICAL,
    PHQ_9,
    REMIND,
    SOS,
    SUITABILITY,
    WELCOME,
)
from state_machine.rules.scales import RECOMMENDATION


@dataclass(frozen=True, slots=True)
class Promise:
    """`place` and `kept_by` are `dialogue#step`, or only a dialogue, by itself or at its first step.

    The times count from when the place was said. What comes at a chosen hour may come up to a day before or after
    a number of days; where several parts come on one day, the others come on the next.
    """

    place: str
    kept_by: str
    earliest: timedelta
    latest: timedelta


HOUR, DAY = timedelta(hours=1), timedelta(days=1)

PROMISES = (
    # The first days
    Promise(f"{WELCOME}#look_in", SUITABILITY, HOUR, 2 * DAY),
    Promise(f"{WELCOME}#kept", SUITABILITY, HOUR, 2 * DAY),
    Promise(f"{SUITABILITY}#not_yet", SUITABILITY, 13 * DAY, 15 * DAY),
    Promise(f"{SUITABILITY}#not_now", SUITABILITY, 13 * DAY, 15 * DAY),
    Promise(f"{FIRST_PEOPLE}#not_today", FIRST_PEOPLE, HOUR, 8 * DAY),
    # Scales, and what comes round
    Promise(f"{PHQ_9}#filled", PHQ_9, 13 * DAY, 16 * DAY),
    Promise(f"{PHQ_9}#put_off", PHQ_9, HOUR, 15 * DAY),
    Promise(f"{GAD_7}#filled", GAD_7, 27 * DAY, 30 * DAY),
    Promise(f"{GAD_7}#put_off", GAD_7, HOUR, 29 * DAY),
    Promise(f"{RECOMMENDATION}#rather_not", PHQ_9, HOUR, 15 * DAY),
    Promise(f"{EATING_GATE}#begin", EATING_GATE, 29 * DAY, 32 * DAY),
    Promise(f"{EATING_GATE}#fine", EATING_GATE, 29 * DAY, 32 * DAY),
    Promise(f"{EATING_GATE}#not_today", EATING_GATE, HOUR, 2 * DAY),
    # Check-ins
    Promise(f"{CHECK_IN}#in_an_hour", CHECK_IN, HOUR, HOUR),
    Promise(f"{REMIND}#chosen", CHECK_IN, timedelta(0), 5 * DAY),
    # Look-ins
    Promise(f"{SOS}#until_then", f"{SOS}#how_is_today", HOUR, 30 * HOUR),
    Promise(f"{HARM_TO_OTHERS}#until_then", f"{HARM_TO_OTHERS}#look_in", HOUR, 30 * HOUR),
    Promise(f"{MEDICAL}#until_then", f"{MEDICAL}#look_in", HOUR, 30 * HOUR),
)
