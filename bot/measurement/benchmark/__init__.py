"""`ipt-bot bench turn`: what a durable turn costs, by part, compared with a peer and with lower bounds.

Things that are compared are measured in alternating rounds; medians are printed.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bot import app as composition
from bot.measurement.benchmark import peer_process
from bot.measurement.benchmark.check_ins import PARTS, CheckIns
from bot.measurement.benchmark.cost import Cost, median_cost, ratio, table
from bot.measurement.benchmark.floors import Statements, bare_trigger, copies_of
from bot.measurement.benchmark.long_run import long_run
from bot.measurement.benchmark.start_up import start_up
from bot.measurement.benchmark.whole_service import TURNS, WholeService
from bot.settings import Settings
from storage.store import DATA_FILE, KEY_FILE

MANY_CLIENTS = 20_000
CHATS = 200
CHATS_A_ROUND = 40
CHECK_INS_A_ROUND = 10
FEWEST_ROUNDS = 3
WARM_UP = 4
"""Check-ins before anything is measured, so that templates and statements are compiled."""
ROUND_TRIPS = 2000

Say = Callable[[str], None]


def turn(turns: int, say: Say) -> None:
    """Measure about `turns` turns of a check-in in a temporary folder. `say` prints one line."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        asyncio.run(_compare_with_peer(turns, folder / "whole", say))
        _by_part(turns, folder / "parts", say)
        _start_ups(folder / "start", say)


def _build(folder: Path) -> composition.App:
    return composition.build(Settings(data_dir=folder, _env_file=None))  # type: ignore[call-arg]


async def _compare_with_peer(turns: int, folder: Path, say: Say) -> None:
    """Measure messages from update to acknowledgement: ours, and the peer's with either durability of Redis."""
    app = _build(folder / "ours")
    service = WholeService(app, CHATS)
    ours: list[Cost] = []
    everysec: list[peer_process.PeerCost] = []
    always: list[peer_process.PeerCost] = []
    missing = peer_process.missing_software()
    calls = 0
    try:
        async with service.running():
            await service.round(WARM_UP)
            answers = dict(zip(TURNS, service.calls, strict=False))
            with ExitStack() as stack:
                peers = []
                if missing is None:
                    peers.append(
                        (everysec, stack.enter_context(peer_process.peer(folder / "1", "everysec", answers)))
                    )
                    peers.append((always, stack.enter_context(peer_process.peer(folder / "2", "always", answers))))
                for number in range(-1, _rounds(turns, CHATS_A_ROUND * len(TURNS))):
                    cost = await service.round(CHATS_A_ROUND)
                    calls = sum(map(len, service.calls))
                    peer_costs = [(costs, peer.round(service.updates, calls)) for costs, peer in peers]
                    if number >= 0:  # the first round only warms the peers up
                        ours.append(cost)
                        for costs, one in peer_costs:
                            costs.append(one)
    finally:
        app.store.close()
    a_round = CHATS_A_ROUND * len(TURNS)
    say(f"The whole life of a message, without the network: median of {len(ours)} rounds of {a_round} turns,")
    say(f"{CHATS} chats one after another, {calls / a_round:.1f} calls of the Bot API a turn")
    rows = [("ours, SQLite FULL: a turn is on the disk", median_cost(ours))]
    if missing is None:
        rows += [
            ("aiogram, Redis everysec: 1 s may be lost", median_cost([one.process for one in everysec])),
            ("  with its Redis server", median_cost([one.whole for one in everysec])),
            ("aiogram, Redis always: a write is on disk", median_cost([one.process for one in always])),
            ("  with its Redis server", median_cost([one.whole for one in always])),
        ]
    for line in table(rows):
        say(line)
    if missing is not None:
        say(f"No comparison with a peer: {missing}")
        return
    say(ratio("ours / aiogram with Redis everysec", ours, [one.whole for one in everysec]))
    say(ratio("ours / aiogram with Redis always", ours, [one.whole for one in always]))
    say(ratio("ours / aiogram alone, everysec", ours, [one.process for one in everysec]))


def _by_part(turns: int, folder: Path, say: Say) -> None:
    """Measure the parts of a durable turn, and its lower bounds."""
    costs: dict[str, list[Cost]] = {part: [] for part in PARTS}
    triggers, floors = [], []
    with Statements() as statements:
        app = _build(folder)
        try:
            check_ins = CheckIns(app)
            asyncio.run(check_ins.run(WARM_UP))
            a_round = CHECK_INS_A_ROUND * check_ins.turns // WARM_UP
            for number in range(_rounds(turns, a_round)):
                copies = copies_of((folder / DATA_FILE, folder / KEY_FILE), folder / f"floor-{number}")
                statements.forget()
                for part, cost in asyncio.run(check_ins.run(CHECK_INS_A_ROUND, statements.measuring)).items():
                    costs[part].append(cost)
                floors.append(statements.replay(copies, check_ins.turns))
                triggers.append(bare_trigger(app.machines))
            round_trip = asyncio.run(check_ins.thread_round_trips(ROUND_TRIPS))
        finally:
            app.store.close()
    durable = [sum(parts, Cost()) for parts in zip(costs["engine"], costs["words"], costs["storage"], strict=True)]
    say("")
    say(f"Part by part: median of {len(durable)} rounds of {CHECK_INS_A_ROUND} check-ins of one client")
    parts = [(part, median_cost(found)) for part, found in costs.items()]
    for line in table([*parts, ("durable turn (engine, words, storage)", median_cost(durable))]):
        say(line)
    say("")
    sent = round(statements.count / check_ins.turns)
    say(f"Lower bounds in the same rounds: one trigger; the same {sent} statements by the plain driver, FULL")
    floor_rows = [
        ("bare trigger", median_cost(triggers)),
        ("bare statements", median_cost(floors)),
        ("round trip to the database thread", round_trip),
    ]
    for line in table(floor_rows):
        say(line)
    say(ratio("step / bare trigger (aim 15)", costs["engine"], triggers))
    say(ratio("durable turn / bare statements (aim 6)", durable, floors))
    run = long_run(app.machines, app.prompts)
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
