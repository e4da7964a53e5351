"""`ipt-bot bench turn`: what a durable turn costs, part by part, with its floors measured in the same run."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

from bot import app as apps
from bot.measurement.benchmark.floors import Statements, bare_transaction, bare_trigger
from bot.measurement.benchmark.long_run import long_run
from bot.measurement.benchmark.measured import table
from bot.measurement.benchmark.rounds import Rounds
from bot.measurement.benchmark.start_up import start_up
from bot.settings import Settings

MANY_CLIENTS = 20_000
WARM_UP = 4
"""Check-ins before anything is measured, so that templates and statements are compiled."""
HOPS = 2000


def turn(turns: int, say: Callable[[str], None]) -> None:
    """Measure about so many turns of a check-in on a temporary folder, and print the tables line by line."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        _turns(turns, Path(folder) / "turns", say)
        _start_ups(Path(folder) / "start", say)


def _turns(turns: int, folder: Path, say: Callable[[str], None]) -> None:
    built = apps.build(Settings(data_dir=folder, _env_file=None))  # type: ignore[call-arg]
    rounds = Rounds(built)
    try:
        asyncio.run(rounds.run(WARM_UP))
        a_round = rounds.measured // WARM_UP
        with Statements() as statements:
            asyncio.run(rounds.run(1, statements.counting))
        costs = asyncio.run(rounds.run(max(1, turns // a_round)))
        hop = asyncio.run(rounds.hops(HOPS))
    finally:
        built.store.close()
    durable = costs["engine"] + costs["words"] + costs["storage"]
    whole = durable + costs["decode"] + costs["courier's store"] + costs["send"]
    said = rounds.bubbles / rounds.measured * a_round
    say(
        f"Check-ins of {a_round} turns and {said:.0f} bubbles, SQLite FULL: a turn of {rounds.measured}, part by part"
    )
    for line in table([*costs.items(), ("durable turn", durable), ("whole life", whole)]):
        say(line)
    trigger = bare_trigger(built.machines)
    a_turn = round(statements.seen / a_round)
    floor = bare_transaction(folder / "floor.sqlite", a_turn)
    say("")
    say(f"Floors in the same run: one trigger; the same {a_turn} statements and a commit, by the plain driver, FULL")
    for line in table([("bare trigger", trigger), ("bare transaction", floor), ("hop to the writer", hop)]):
        say(line)
    engine = costs["engine"]
    say(f"{'engine / bare trigger':<33}{engine.cpu / trigger.cpu:>10.1f}{engine.wall / trigger.wall:>10.1f}")
    say(f"{'durable turn / bare transaction':<33}{durable.cpu / floor.cpu:>10.1f}{durable.wall / floor.wall:>10.1f}")
    run = long_run(built.machines, built.prompts)
    say("")
    say(f"Sixteen weeks of one client through the engine: {run.turns} turns, {run.engine.wall:.2f} s")
    first, last = run.first_week, run.last_week
    for line in table([("engine, first week", first), ("engine, last week", last), ("words", run.words_a_turn)]):
        say(line)


def _start_ups(folder: Path, say: Callable[[str], None]) -> None:
    say("")
    say("Start in a fresh process                  ready (s)   CPU (s)   peak MB")
    for clients in (0, MANY_CLIENTS):
        for what in ("terminal", "telegram"):
            started = start_up(folder / str(clients), what, clients)
            name = f"{what}, {clients} clients"
            say(f"{name:<40}{started.ready:>11.2f}{started.cpu:>10.2f}{started.peak_mb:>10.0f}")
