"""The real process and its wake-ups: killed when they are due, and under a shifted system clock."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dialogues.book import Book
from state_machine.model.progress import Fact, Progress, Unasked
from state_machine.schedule import triggers
from storage.store import Store
from tests.chaos_of_time import chaos, put_off
from tests.telegram.proxy import TOKEN, Proxy

BERLIN = ZoneInfo("Europe/Berlin")
SIX = datetime(2026, 3, 28, 18, tzinfo=BERLIN), datetime(2026, 3, 29, 18, tzinfo=BERLIN)
"""The evening before the clocks change, and the evening after."""
HEAD_START = timedelta(seconds=2)


async def test_killed_when_wake_ups_are_due_none_is_missed_and_none_comes_twice(tmp_path: Path) -> None:
    tally = await chaos(kills=1, seed=3, folder=tmp_path, clients=6)
    assert tally.sound, tally.line()
    assert tally.kills == 1


@pytest.mark.skipif(
    shutil.which("faketime") is None, reason="needs the program faketime (Debian: apt install faketime)"
)
async def test_at_six_in_the_evening_on_both_sides_of_a_change_of_the_clocks(tmp_path: Path, book: Book) -> None:
    async with Proxy() as proxy:
        for number, evening in enumerate(SIX, start=1):
            folder = tmp_path / str(number)
            _fill(folder / "data", book, evening)
            utc = (evening - HEAD_START).astimezone(UTC)
            process = await asyncio.create_subprocess_exec(
                *("faketime", f"{utc:%F %T}", sys.executable, "-m", "bot", "run"),
                env=os.environ | _environment(proxy, folder),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                await proxy.until(lambda: len(proxy.sent(5)) == number, 20)  # noqa: B023 - asked within this round
                await asyncio.sleep(0.3)
            finally:
                os.killpg(process.pid, signal.SIGTERM)  # the program that shifts the clock has a child of its own
                await process.wait()
            last = _last_unasked(folder / "data")
            assert last.reason == "check_in"
            assert last.due.astimezone(BERLIN) == evening
            assert timedelta(0) <= last.at - last.due < timedelta(seconds=30)
    assert len(proxy.sent(5)) == 2
    assert SIX[1].astimezone(UTC) - SIX[0].astimezone(UTC) == timedelta(hours=23)


def _environment(proxy: Proxy, folder: Path) -> dict[str, str]:
    """The clock of the day is shifted, the steady clock is left alone."""
    ours = {"BOT_TOKEN": TOKEN, "BOT_API_URL": proxy.origin, "DATA_DIR": str(folder / "data"), "TZ": "UTC"}
    return ours | {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}


def _fill(folder: Path, book: Book, evening: datetime) -> None:
    """Somebody in Berlin who wants to be asked every day at six, and wrote at noon."""
    noon = evening.astimezone(UTC) - timedelta(hours=6)
    begun = noon - timedelta(days=3)
    words = {
        "zone": ("Berlin", "Europe/Berlin"),
        "remind_days": ("Every day", "daily"),
        "remind_at": ("18:00", "18:00"),
    }
    chosen = {memory: Fact(value, begun, code) for memory, (value, code) in words.items()}
    progress: Progress = replace(put_off(noon, noon), snoozed_until=None, heard=noon, begun=date(2026, 3, 25))
    progress = replace(progress, facts={**progress.facts, **chosen}, slots={"check_in": noon - timedelta(hours=2)})
    store = Store.open(folder)
    with store.begin() as work:
        chat = work.chats.create("telegram:7:5", noon)
        work.chats.save(chat, progress, triggers.next_wake(book.script, progress))
    store.close()


def _last_unasked(folder: Path) -> Unasked:
    store = Store.open(folder)
    with store.begin() as work:
        chat = work.chats.find("telegram:7:5")
    store.close()
    assert chat is not None
    assert chat.progress.unasked is not None
    return chat.progress.unasked
