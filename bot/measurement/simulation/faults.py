"""How Telegram misbehaves: how often, and how long."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Faults:
    """Chances between 0 and 1, for each call or each poll; seconds where that is said.

    `slow`: the time a call takes there and back, from and to, in seconds.
    `kills_a_day`: how often our own process is killed, half of them in the middle of answers.
    """

    slow: tuple[float, float] = (0.03, 0.12)
    too_fast: float = 0.0
    """429 with `retry_after`, for that chat."""
    retry_after: tuple[int, int] = (3, 40)
    answer_lost: float = 0.0
    """It arrived, but we never hear so."""
    call_lost: float = 0.0
    """It never arrived, and we are not told."""
    server_error: float = 0.0
    refused: float = 0.0
    """400 for no reason that we could know."""
    poll_lost: float = 0.0
    delivered_again: float = 0.0
    """A poll brings the updates before it once more."""
    reordered: float = 0.0
    """A poll brings its updates in any order."""
    outages_a_day: float = 0.0
    outage: tuple[float, float] = (20.0, 600.0)
    kills_a_day: float = 0.0


NONE = Faults()
LIGHT = Faults(
    too_fast=0.003,
    answer_lost=0.002,
    call_lost=0.002,
    server_error=0.002,
    poll_lost=0.005,
    delivered_again=0.02,
    reordered=0.01,
    outages_a_day=0.2,
    kills_a_day=0.3,
)
HEAVY = Faults(
    slow=(0.05, 1.5),
    too_fast=0.02,
    answer_lost=0.02,
    call_lost=0.02,
    server_error=0.02,
    refused=0.0005,
    poll_lost=0.05,
    delivered_again=0.2,
    reordered=0.1,
    outages_a_day=1.0,
    kills_a_day=4.0,
)
LEVELS = {"none": NONE, "light": LIGHT, "heavy": HEAVY}
