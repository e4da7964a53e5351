"""The summary of a simulation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bot.measurement.simulation.runner import SimulationPlan, SimulationResult


def report(plan: SimulationPlan, result: SimulationResult) -> Iterator[str]:
    """The summary, line by line."""
    recorder, counts = result.recorder, result.recorder.counts
    yield f"{plan.clients} clients, {plan.days} days from {plan.start:%F}, seed {plan.seed}, digest {result.digest}"
    yield f"turns       {counts['turns']}; {counts['updates redelivered']} redelivered updates changed nothing"
    yield f"arrived     {counts['arrived']} new messages; {result.restarts} restarts"
    yield f"unasked     {_list(recorder.unasked_by_reason)}"
    yield f"skipped     {_list(recorder.skipped)}"
    yield f"priorities  {_list(recorder.priorities)}"
    yield f"held        {counts['courier held']} (Telegram answered 429 {counts['429 responses']} times)"
    lost = f"responses lost {counts['responses lost']}, calls lost {counts['calls lost']}"
    allowed = counts["doubled where the response was lost"]
    yield f"doubled     {allowed} where the response was lost, {counts['doubled']} else; {lost}"
    yield f"dead letters {_list(recorder.failed)}"
    yield f"faults      {counts['turn faults']} in turns, {counts['courier faults']} in the courier"
    yield f"missed      {counts['missed']}; out of hours {counts['out of hours']}"
    if result.memory:
        yield f"memory      {_by_week(result.memory)}"
    yield f"wall time   {result.wall:.1f} s"
    yield f"violations  {counts['violations']}"
    yield from (f"  {sentence}" for sentence in recorder.violations)


def _list(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.most_common()) or "none"


def _by_week(memory: list[float]) -> str:
    """Memory after the first day, after each further week, and at the end."""
    days = [*range(0, len(memory) - 1, 7), len(memory) - 1]
    return ", ".join(f"{memory[day]:.0f} MB after day {day + 1}" for day in days)
