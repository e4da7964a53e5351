"""How often Telegram and our process misbehave, and for how long."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Faults:
    """Probabilities (0 to 1) for each call or each poll, and ranges in seconds.

    `latency`: seconds a call takes there and back, shortest and longest.
    `outages_a_day`: how often Telegram can't be reached; `outage`: for how many seconds.
    `kills_a_day`: how often our process is killed, half of the times in the middle of a turn.
    """

    latency: tuple[float, float] = (0.03, 0.12)
    too_many_requests: float = 0.0
    """429 with `retry_after`, for that chat."""
    retry_after: tuple[int, int] = (3, 40)
    response_lost: float = 0.0
    """The message arrives, but its response is lost."""
    call_lost: float = 0.0
    """The message never arrives, and there is no response."""
    server_error: float = 0.0
    rejected: float = 0.0
    """400 for a reason that we can't know."""
    poll_lost: float = 0.0
    redelivered: float = 0.0
    """A poll delivers the updates of the poll before it again."""
    reordered: float = 0.0
    """A poll delivers its updates in random order."""
    outages_a_day: float = 0.0
    outage: tuple[float, float] = (20.0, 600.0)
    kills_a_day: float = 0.0


NONE = Faults()
LIGHT = Faults(
    too_many_requests=0.003,
    response_lost=0.002,
    call_lost=0.002,
    server_error=0.002,
    poll_lost=0.005,
    redelivered=0.02,
    reordered=0.01,
    outages_a_day=0.2,
    kills_a_day=0.3,
)
HEAVY = Faults(
    latency=(0.05, 1.5),
    too_many_requests=0.02,
    response_lost=0.02,
    call_lost=0.02,
    server_error=0.02,
    rejected=0.0005,
    poll_lost=0.05,
    redelivered=0.2,
    reordered=0.1,
    outages_a_day=1.0,
    kills_a_day=4.0,
)
LEVELS = {"none": NONE, "light": LIGHT, "heavy": HEAVY}
