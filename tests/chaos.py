"""Kill the bot at random instants while clients talk with it, and count what is lost or doubled.

    python -m tests.chaos --kills 50 --seconds 600

The bot is the real process, its messenger the independent emulator behind the recording proxy.
Every update is delivered twice on top. After the last kill all journeys are walked to their end, and then
the proxy's record of what arrived is held against the bot's own books.

A message counts as doubled if it arrived but was never marked, so that it was sent again.
That can't be avoided where the process dies between sending and marking; Telegram has no way to ask.
So it is allowed where the call was unanswered at the kill, or answered less than `GRACE` seconds before it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from storage.repositories.chats import Chat
from storage.store import Store
from tests.telegram.journey import DAY_ONE, END, answer_to, reply, shown
from tests.telegram.proxy import TOKEN, Actor, Call, Proxy

CLIENTS = 20
GRACE = 0.1
"""Seconds; a receipt takes a few milliseconds, but a busy machine may let the process wait."""
READING = 1.3
"""Seconds without a new bubble after which a client answers: longer than the pause between two bubbles."""
ANSWER_TIME = (0.02, 0.08)
"""Seconds between a message's arrival and the bot's hearing of it, as over a real line."""
CALM = 120.0
"""Seconds in which every journey must come to its end once nothing is killed any more."""
LONGEST_LIFE = 2.0
"""Seconds a bot lives at most, from its first poll."""
CROSSED = ("messages crossed", "before my question had arrived", "passed each other")
"""What we say when an answer came too early to be one. The client then answers the last question again."""
KEPT = {"name": "What shall I call you", "moment_person": "Who was it", "wish": "What would you have liked"}
"""Memories, and the question whose answer they hold."""


@dataclass
class Tally:
    """What was seen."""

    kills: int = 0
    journeys: int = 0
    answers: int = 0
    messages: int = 0
    answers_lost: list[str] = field(default_factory=list)
    messages_lost: int = 0
    stuck: int = 0
    doubled_unanswered: int = 0
    doubled_after: list[float] = field(default_factory=list)
    """For each other doubled message: seconds between its answer and the kill."""

    @property
    def sound(self) -> bool:
        """Whether every promise was kept, and anything was killed at all."""
        early = any(seconds > GRACE for seconds in self.doubled_after)
        return self.kills > 0 and not (self.answers_lost or self.messages_lost or self.stuck or early)

    def line(self, seconds: float) -> str:
        """One line that says it all."""
        latest = f", answered up to {max(self.doubled_after) * 1000:.0f} ms before it" if self.doubled_after else ""
        return (
            f"chaos: {self.kills} kills in {seconds:.0f} s, {self.journeys} journeys, {self.answers} answers, "
            f"{self.messages} messages: {len(self.answers_lost)} answers lost, {self.messages_lost} messages lost, "
            f"{self.stuck} stuck, {self.doubled_unanswered + len(self.doubled_after)} doubled "
            f"({self.doubled_unanswered} unanswered at the kill, {len(self.doubled_after)} not yet marked{latest})"
        )


class Bot:
    """The bot's process."""

    def __init__(self, folder: Path, proxy: Proxy) -> None:
        self._folder = folder
        self._proxy = proxy
        self._log = (folder / "bot.log").open("ab")
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Begin; returns at once."""
        more = {"BOT_TOKEN": TOKEN, "BOT_API_URL": self._proxy.origin, "DATA_DIR": str(self._folder / "data")}
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "run"), env=os.environ | more, stdout=self._log, stderr=self._log
        )

    async def polls(self, seconds: float = 30.0) -> None:
        """Wait for its first poll. RuntimeError if it never comes."""
        before = self._proxy.polls
        for _ in range(int(seconds / 0.01)):
            if self._proxy.polls > before:
                return
            if self._process is None or self._process.returncode is not None:
                break
            await asyncio.sleep(0.01)
        raise RuntimeError(f"the bot does not start; see {self._log.name}")

    async def end(self, how: signal.Signals) -> None:
        """Send a signal and wait until the process is gone."""
        assert self._process is not None
        self._process.send_signal(how)
        await self._process.wait()


class Crowd:
    """Clients who walk through day 1, one journey after another."""

    def __init__(self, proxy: Proxy) -> None:
        self.scripts: dict[int, dict[str, str]] = {}
        self.answers = 0
        self.on_the_way: dict[int, list[str]] = {}
        """By chat, what was said on a journey that has not ended: `>` by the client, `<` by the bot."""
        self.last_journeys = False
        self._proxy = proxy

    async def walk(self) -> None:
        """Journeys of one client, until told that this one is the last."""
        while not self.last_journeys:
            chat = 100 + len(self.scripts)
            name = "Marigold " + "".join(chr(ord("a") + int(digit)) for digit in str(chat))
            own = {"What shall I call you": name, "Who was it": f"a friend of {name}"}
            own["What would you have liked"] = f"that {name} had been asked first"
            self.scripts[chat] = DAY_ONE | own
            self.on_the_way[chat] = []
            await self._journey(Actor(self._proxy, chat), self.scripts[chat], self.on_the_way[chat])
            del self.on_the_way[chat]

    async def _journey(self, actor: Actor, script: dict[str, str], said: list[str]) -> None:
        await actor.says("/start")
        seen, asked, last = 0, None, None
        while not any(END in text for text in self._proxy.texts(actor.chat)):
            await asyncio.sleep(READING if asked else 0.2)
            fresh = shown(self._proxy, actor)[seen:]
            seen += len(fresh)
            said += [f"< {call.fields.get('text', call.method)[:50]}" for call in fresh]
            if fresh:
                asked = next((call for call in reversed(fresh) if answer_to(call, script)), asked)
                if asked is None and any(words in call.fields.get("text", "") for call in fresh for words in CROSSED):
                    asked = last
                last = asked or last
            elif asked is not None:
                self.answers += 1
                said.append(f"> {answer_to(asked, script)}")
                await reply(actor, asked, answer_to(asked, script) or "")
                asked = None


async def chaos(kills: int, seconds: float, seed: int, folder: Path) -> Tally:
    """Kill so many times, within so many seconds; then let everything come to its end, and count."""
    dice = random.Random(seed)  # noqa: S311
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds - CALM / 2
    tally = Tally()
    kills_at: list[tuple[float, float]] = []
    async with Proxy() as proxy:
        proxy.deliver_twice = True
        proxy.slowness = lambda _: dice.uniform(*ANSWER_TIME)
        crowd = Crowd(proxy)
        bot = Bot(folder, proxy)
        await bot.start()
        walkers = [asyncio.create_task(crowd.walk()) for _ in range(CLIENTS)]
        while tally.kills < kills and loop.time() < end:
            if dice.random() < 0.9:
                await bot.polls()
                await asyncio.sleep(dice.uniform(0, LONGEST_LIFE))
            else:
                await asyncio.sleep(dice.uniform(0, LONGEST_LIFE))
            killed_at = loop.time()
            await bot.end(signal.SIGKILL)
            tally.kills += 1
            await bot.start()
            kills_at.append((killed_at, loop.time()))
        crowd.last_journeys = True
        _, stuck = await asyncio.wait(walkers, timeout=CALM)
        tally.stuck = len(stuck)
        for chat, said in crowd.on_the_way.items():
            print(f"chat {chat} is stuck:", *said[-12:], sep="\n    ", file=sys.stderr)
        for walker in stuck:
            walker.cancel()
        await asyncio.gather(*walkers, return_exceptions=True)
        await bot.end(signal.SIGTERM)
        tally.answers = crowd.answers
        _audit(tally, crowd, proxy, kills_at, folder / "data")
    return tally


def _audit(tally: Tally, crowd: Crowd, proxy: Proxy, kills_at: list[tuple[float, float]], data: Path) -> None:
    store = Store.open(data)
    with store.begin() as work:
        for number, script in crowd.scripts.items():
            chat = work.chats.find(f"telegram:7:{number}")
            if chat is None:
                tally.answers_lost.append(f"{number}: everything")
                continue
            tally.journeys += 1
            _audit_answers(tally, chat, script)
            marked = set(work.outbox.message_ids(chat.client, datetime(2000, 1, 1, tzinfo=UTC)))
            arrived = {int(call.result["message_id"]): call for call in proxy.sent(number)}
            tally.messages += len(arrived)
            tally.messages_lost += len(marked - arrived.keys()) + chat.waiting
            _audit_doubled(tally, (arrived[lost] for lost in arrived.keys() - marked), kills_at)
    store.close()


def _audit_answers(tally: Tally, chat: Chat, script: dict[str, str]) -> None:
    if chat.progress.runs:
        return  # stuck, and counted as such
    for memory, question in KEPT.items():
        fact = chat.progress.facts.get(memory)
        if fact is None or fact.value.lower() != script[question].lower():
            tally.answers_lost.append(f"{chat.address}: {memory}")


def _audit_doubled(tally: Tally, doubled: Iterable[Call], kills_at: list[tuple[float, float]]) -> None:
    for call in doubled:
        seconds = answered_before_the_kill(call, kills_at)
        if seconds is None:
            tally.doubled_unanswered += 1
        else:
            tally.doubled_after.append(seconds)


def answered_before_the_kill(call: Call, kills_at: Iterable[tuple[float, float]]) -> float | None:
    """Seconds between the answer to a call and the kill after it; None where the kill came first, or no answer.

    `kills_at`: when each signal was sent, and when the next process was started. A call that the proxy reads between
    them was made by the killed process, and an answer that the line takes meanwhile reaches nobody.
    """
    kill = min((killed for killed, restarted in kills_at if restarted >= call.at), default=float("inf"))
    return None if call.answered_at is None or call.answered_at >= kill else kill - call.answered_at


def main() -> int:
    """Run from the command line. 0: every promise kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=600.0, help="time for all of it, at most")
    parser.add_argument("--seed", type=int, default=None)
    asked = parser.parse_args()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(10**6)
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    begun = datetime.now(UTC)
    tally = asyncio.run(chaos(asked.kills, asked.seconds, seed, folder))
    print(tally.line((datetime.now(UTC) - begun).total_seconds()))
    if not tally.sound:
        print(f"Not sound; seed {seed}, logs and data in {folder}. {' '.join(tally.answers_lost)}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
