"""CPU and wall time: measuring, adding, comparing, printing."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median


@dataclass
class Cost:
    """Seconds of CPU (all threads of this process) and of wall time."""

    cpu: float = 0.0
    wall: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.cpu + other.cpu, self.wall + other.wall)

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.cpu - other.cpu, self.wall - other.wall)

    def per(self, turns: int) -> Cost:
        """The mean of one turn."""
        return Cost(self.cpu / turns, self.wall / turns)

    @contextmanager
    def measuring(self) -> Iterator[None]:
        """Add what is spent inside the `with` block."""
        cpu, wall = time.process_time(), time.perf_counter()
        try:
            yield
        finally:
            self.wall += time.perf_counter() - wall
            self.cpu += time.process_time() - cpu


def median_cost(costs: Sequence[Cost]) -> Cost:
    """The median of several rounds, CPU and wall each by itself."""
    return Cost(median(cost.cpu for cost in costs), median(cost.wall for cost in costs))


def ratio(name: str, ours: Sequence[Cost], theirs: Sequence[Cost]) -> str:
    """A line with the median of ours over theirs, round by round: CPU, then wall."""
    pairs = list(zip(ours, theirs, strict=True))
    cpu, wall = median(a.cpu / b.cpu for a, b in pairs), median(a.wall / b.wall for a, b in pairs)
    return f"{name:<42}{cpu:>10.2f}{wall:>10.2f}"


def table(rows: Iterable[tuple[str, Cost]]) -> list[str]:
    """Rows of name, CPU and wall, in microseconds."""
    lines = [f"{'':<42}{'CPU µs':>10}{'wall µs':>10}"]
    lines += [f"{name:<42}{cost.cpu * 1e6:>10.0f}{cost.wall * 1e6:>10.0f}" for name, cost in rows]
    return lines
