"""What a simulation came to, in lines to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bot.measurement.simulation.runner import Outcome, Plan


def report(plan: Plan, outcome: Outcome) -> Iterator[str]:
    """The summary, line by line."""
    recorder, counts = outcome.recorder, outcome.recorder.counts
    yield f"{plan.clients} clients, {plan.days} days from {plan.start:%F}, seed {plan.seed}, digest {outcome.digest}"
    yield f"turns       {counts['turns']}; {counts['updates that came again']} updates came again and changed nothing"
    yield f"arrived     {counts['arrived']} new messages; {outcome.restarts} times the bot was away and came back"
    yield f"unasked     {_list(recorder.reasons)}"
    yield f"passed over {_list(recorder.passed_over)}"
    yield f"lanes       {_list(recorder.priorities)}"
    yield f"held        {counts['courier held']} (Telegram said wait {counts['told to wait']} times)"
    lost = f"answers lost {counts['answers lost']}, calls lost {counts['calls lost']}"
    allowed = counts["doubled where the answer was lost"]
    yield f"doubled     {allowed} where the answer was lost, {counts['doubled']} else; {lost}"
    yield f"dead letters {_list(recorder.failed)}"
    yield f"faults      {counts['turn faults']} in turns, {counts['courier faults']} in the courier"
    yield f"missed      {counts['missed']}; out of hours {counts['out of hours']}"
    if outcome.memory:
        yield f"memory      {_by_week(outcome.memory)}"
    yield f"wall time   {outcome.wall:.1f} s"
    yield f"violations  {counts['violations']}"
    yield from (f"  {sentence}" for sentence in recorder.violations)


def _list(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.most_common()) or "none"


def _by_week(memory: list[float]) -> str:
    """After the first day, a week later, another week later, and at the end."""
    days = [*range(0, len(memory) - 1, 7), len(memory) - 1]
    return ", ".join(f"{memory[day]:.0f} MB after day {day + 1}" for day in days)
