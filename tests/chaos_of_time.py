"""Kill the bot at random instants around due wake-ups, and count what is missed or said twice.

    python -m tests.chaos_of_time --kills 50

The bot is the real process, its messenger the emulator behind the recording proxy. Many clients have put a check-in
off by some time, so that one is due every moment; each must be asked once, whenever the process is killed.
Asked twice is allowed only where the call was unanswered at a kill, or answered less than `GRACE` seconds before it.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import signal
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dialogues import book as books
from state_machine.model.progress import Fact, Progress
from state_machine.model.script import Script
from state_machine.schedule import triggers
from storage.store import Store
from tests.chaos import GRACE, Bot, answered_before_the_kill
from tests.telegram.proxy import Call, Proxy

ANSWER_TIME = (0.02, 0.08)
"""Seconds Telegram takes to answer."""
FIRST_CHAT = 100
A_SECOND = 3
"""Clients due in one second."""
A_LIFE = (0.0, 1.5)
"""Seconds from the first poll of a process to its end."""
START_UP = 4.0
"""Seconds a start takes at most, as a guess: so long the wake-ups are spread for each kill."""
CALM = 60.0
"""Seconds to the end once nothing is killed any more, beside those that the share of reminders takes."""
REMINDERS_A_SECOND = 5


@dataclass
class Tally:
    """What was seen."""

    kills: int = 0
    clients: int = 0
    missed: list[str] = field(default_factory=list)
    early: int = 0
    doubled_unanswered: int = 0
    doubled_after: list[float] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether every promise was kept."""
        return not (self.missed or self.early or any(seconds > GRACE for seconds in self.doubled_after))

    def line(self) -> str:
        """One line that says it all."""
        return (
            f"chaos of time: {self.kills} kills, {self.clients} wake-ups: {len(self.missed)} missed, "
            f"{self.early} too early, {self.doubled_unanswered} twice where the call was unanswered at a kill, "
            f"{len(self.doubled_after)} twice where it was not marked yet"
        )


def put_off(now: datetime, due: datetime) -> Progress:
    """Somebody some days into the programme who was here this morning and put a check-in off until `due`."""
    here = now - timedelta(hours=3)
    words = {"name": ("Ana", None), "zone": ("UTC", "UTC"), "look_in": ("I'll come by myself", "never")}
    return Progress(
        phase="assessment",
        facts={memory: Fact(value, here, code) for memory, (value, code) in words.items()},
        begun=(now - timedelta(days=3)).date(),
        heard=here,
        consent=f"1 {(now - timedelta(days=3)).date()}",
        snoozed_until=due,
        next_run=2,
    )


def fill(folder: Path, script: Script, begin: datetime, clients: int) -> None:
    """Put clients into the books who are due one after another from `begin` on."""
    store = Store.open(folder)
    for number in range(clients):
        due = begin + timedelta(seconds=number / A_SECOND)
        with store.begin() as work:
            chat = work.chats.create(f"telegram:7:{FIRST_CHAT + number}", begin)
            progress = put_off(datetime.now(UTC), due)
            work.chats.save(chat, progress, triggers.next_wake(script, progress))
    store.close()


async def chaos(kills: int, seed: int, folder: Path, clients: int | None = None) -> Tally:
    """Kill so many times while wake-ups come due; then let everything come to its end, and count."""
    dice = random.Random(seed)  # noqa: S311
    script, loop = books.read().script, asyncio.get_running_loop()
    tally = Tally(clients=clients or int(kills * START_UP * A_SECOND))
    begin = datetime.now(UTC) + timedelta(seconds=1)
    begins = loop.time() + 1.0
    fill(folder / "data", script, begin, tally.clients)
    kills_at: list[tuple[float, float]] = []
    async with Proxy() as proxy:
        proxy.slowness = lambda _: dice.uniform(*ANSWER_TIME)
        bot = Bot(folder, proxy)
        await bot.start()
        while tally.kills < kills:
            await bot.polls()
            await asyncio.sleep(dice.uniform(*A_LIFE))
            killed_at = loop.time()
            await bot.end(signal.SIGKILL)
            tally.kills += 1
            await bot.start()
            kills_at.append((killed_at, loop.time()))
        last = begin + timedelta(seconds=tally.clients / A_SECOND)
        await asyncio.sleep(max(0.0, (last - datetime.now(UTC)).total_seconds()))
        with_all = range(FIRST_CHAT, FIRST_CHAT + tally.clients)
        try:
            await proxy.until(
                lambda: all(proxy.sent(chat) for chat in with_all), CALM + tally.clients / REMINDERS_A_SECOND
            )
        except TimeoutError:
            tally.missed = [str(chat) for chat in with_all if not proxy.sent(chat)]
        await asyncio.sleep(1.0)
        await bot.end(signal.SIGTERM)
        for chat in with_all:
            due = begins + (chat - FIRST_CHAT) / A_SECOND
            tally.early += sum(call.at < due for call in proxy.sent(chat))
            _audit(tally, proxy.sent(chat), kills_at)
    return tally


def _audit(tally: Tally, calls: list[Call], kills_at: list[tuple[float, float]]) -> None:
    """The last of the calls is the one that counts; each before it was cut off by a kill."""
    for call in calls[:-1]:
        seconds = answered_before_the_kill(call, kills_at)
        if seconds is None:
            tally.doubled_unanswered += 1
        else:
            tally.doubled_after.append(seconds)


def main() -> int:
    """Run from the command line. 0: every promise kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=None)
    asked = parser.parse_args()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(10**6)
    folder = Path(tempfile.mkdtemp(prefix="chaos-of-time-"))
    tally = asyncio.run(chaos(asked.kills, seed, folder))
    print(tally.line())
    if not tally.sound:
        print(f"Not sound; seed {seed}, logs and data in {folder}. {' '.join(tally.missed)}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
