"""`ipt-bot bench turn`: what a durable turn costs, beside a peer and by part, with its floors in the same run.

Every figure that is held against another is measured round by round in turn with it; medians are printed.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bot import app as apps
from bot.measurement.benchmark import beside
from bot.measurement.benchmark.floors import Statements, bare_trigger, copies_of
from bot.measurement.benchmark.long_run import long_run
from bot.measurement.benchmark.measured import Cost, middle, ratio, table
from bot.measurement.benchmark.rounds import PARTS, Rounds
from bot.measurement.benchmark.served import TURNS, Served
from bot.measurement.benchmark.start_up import start_up
from bot.settings import Settings
from storage.store import DATA_FILE, KEY_FILE

MANY_CLIENTS = 20_000
CHATS = 200
CHATS_A_ROUND = 40
CHECK_INS_A_ROUND = 10
FEWEST_ROUNDS = 3
WARM_UP = 4
"""Check-ins before anything is measured, so that templates and statements are compiled."""
HOPS = 2000

Say = Callable[[str], None]


def turn(turns: int, say: Say) -> None:
    """Measure about so many turns of a check-in on a temporary folder, and print the tables line by line."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        asyncio.run(_beside_the_peer(turns, folder / "beside", say))
        _by_part(turns, folder / "parts", say)
        _start_ups(folder / "start", say)


def _built(folder: Path) -> apps.App:
    return apps.build(Settings(data_dir=folder, _env_file=None))  # type: ignore[call-arg]


async def _beside_the_peer(turns: int, folder: Path, say: Say) -> None:
    """The whole life of a message, ours and the peer's with either durability."""
    built = _built(folder / "ours")
    served = Served(built, CHATS)
    ours: list[Cost] = []
    everysec: list[beside.Round] = []
    always: list[beside.Round] = []
    lacks = beside.missing()
    calls = 0
    try:
        async with served.running():
            await served.round(WARM_UP)
            answers = dict(zip(TURNS, served.calls, strict=False))
            with ExitStack() as stack:
                peers = []
                if lacks is None:
                    peers.append((everysec, stack.enter_context(beside.peer(folder / "1", "everysec", answers))))
                    peers.append((always, stack.enter_context(beside.peer(folder / "2", "always", answers))))
                for number in range(-1, _rounds(turns, CHATS_A_ROUND * len(TURNS))):
                    cost = await served.round(CHATS_A_ROUND)
                    calls = sum(map(len, served.calls))
                    found = [(costs, peer.round(served.updates, calls)) for costs, peer in peers]
                    if number >= 0:  # the first only warms the peers up
                        ours.append(cost)
                        for costs, one in found:
                            costs.append(one)
    finally:
        built.store.close()
    a_round = CHATS_A_ROUND * len(TURNS)
    say(f"The whole life of a message, network cut out: median of {len(ours)} rounds of {a_round} turns,")
    say(f"{CHATS} chats in turn, {calls / a_round:.1f} calls of the Bot API a turn")
    rows = [("ours, SQLite FULL: a turn is on the disk", middle(ours))]
    if lacks is None:
        rows += [
            ("aiogram, Redis everysec: 1 s may be lost", middle([one.process for one in everysec])),
            ("  with its Redis server", middle([one.whole for one in everysec])),
            ("aiogram, Redis always: a write is on disk", middle([one.process for one in always])),
            ("  with its Redis server", middle([one.whole for one in always])),
        ]
    for line in table(rows):
        say(line)
    if lacks is not None:
        say(f"Beside a peer nothing is measured: {lacks}")
        return
    say(ratio("ours / aiogram with Redis everysec", ours, [one.whole for one in everysec]))
    say(ratio("ours / aiogram with Redis always", ours, [one.whole for one in always]))
    say(ratio("ours / aiogram alone, everysec", ours, [one.process for one in everysec]))


def _by_part(turns: int, folder: Path, say: Say) -> None:
    """A durable turn by part, with its floors."""
    built = _built(folder)
    rounds = Rounds(built)
    costs: dict[str, list[Cost]] = {part: [] for part in PARTS}
    triggers, floors = [], []
    try:
        asyncio.run(rounds.run(WARM_UP))
        a_round = CHECK_INS_A_ROUND * rounds.measured // WARM_UP
        with Statements() as statements:
            for number in range(_rounds(turns, a_round)):
                copies = copies_of((folder / DATA_FILE, folder / KEY_FILE), folder / f"floor-{number}")
                statements.forget()
                for part, cost in asyncio.run(rounds.run(CHECK_INS_A_ROUND, statements.counting)).items():
                    costs[part].append(cost)
                floors.append(statements.replay(copies, rounds.measured))
                triggers.append(bare_trigger(built.machines))
        hop = asyncio.run(rounds.hops(HOPS))
    finally:
        built.store.close()
    durable = [sum(parts, Cost()) for parts in zip(costs["engine"], costs["words"], costs["storage"], strict=True)]
    say("")
    say(f"Part by part: median of {len(durable)} rounds of {CHECK_INS_A_ROUND} check-ins of one client")
    parts = [(part, middle(found)) for part, found in costs.items()]
    for line in table([*parts, ("durable turn (engine, words, storage)", middle(durable))]):
        say(line)
    say("")
    sent = round(statements.seen / rounds.measured)
    say(f"Floors in the same rounds: one trigger; the same {sent} statements by the plain driver, FULL")
    floor_rows = [("bare trigger", middle(triggers)), ("bare statements", middle(floors)), ("hop to the writer", hop)]
    for line in table(floor_rows):
        say(line)
    say(ratio("step / bare trigger (aim 15)", costs["engine"], triggers))
    say(ratio("durable turn / bare statements (aim 6)", durable, floors))
    run = long_run(built.machines, built.prompts)
    say("")
    say(f"Sixteen weeks of one client through the engine: {run.turns} turns, {run.engine.wall:.2f} s")
    first, last = run.first_week, run.last_week
    for line in table([("engine, first week", first), ("engine, last week", last), ("words", run.words_a_turn)]):
        say(line)


def _rounds(turns: int, a_round: int) -> int:
    return max(FEWEST_ROUNDS, turns // a_round)


def _start_ups(folder: Path, say: Say) -> None:
    say("")
    say("Start in a fresh process                  ready (s)   CPU (s)   peak MB")
    for clients in (0, MANY_CLIENTS):
        for what in ("terminal", "telegram"):
            started = start_up(folder / str(clients), what, clients)
            name = f"{what}, {clients} clients"
            say(f"{name:<40}{started.ready:>11.2f}{started.cpu:>10.2f}{started.peak_mb:>10.0f}")
