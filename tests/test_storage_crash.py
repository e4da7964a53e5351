"""Processes are killed at any instant: nothing acknowledged is lost, and no change is made by half."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from state_machine.model.outgoing import Message, Priority
from state_machine.model.progress import Fact
from storage import Store
from storage.repositories.chats import MAX_RECENT
from storage.tables import METADATA
from tests.stores import HOUR, NOW, Marks, full_life, rows

TURNS = """
import sys, pathlib
from dataclasses import replace
from state_machine.model.outgoing import Message, Priority
from state_machine.model.progress import Entry, Fact, with_facts
from storage import Store
from tests.stores import NOW

store = Store.open(pathlib.Path(sys.argv[1]))
number = int(sys.argv[2])
while True:
    number += 1
    with store.begin() as work:
        assert work.inbox.claim(f"telegram:1:{number}", NOW)
        chat = work.chats.find("telegram:1") or work.chats.create("telegram:1", NOW)
        told = {f"fact_{number}_{place}": Fact(str(number), NOW) for place in range(5)}
        facts = with_facts(chat.progress.facts, told)
        work.chats.save(chat, replace(chat.progress, next_run=number, facts=facts), NOW)
        work.entries.put(chat.client, Entry(number, "weekly/check_in", NOW, "done"))
        work.outbox.put(chat.client, Priority.ANSWER, [Message(f"{number} a"), Message(f"{number} b")], NOW)
    print(number, flush=True)
"""

CUT = """
import os, sys, pathlib, signal
from storage import Store
from storage.crypto.vault import Vault
from state_machine.model.outgoing import Message
from tests.stores import NOW

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

store = Store.open(pathlib.Path(sys.argv[1]))
with store.begin() as work:
    if sys.argv[2] == "key created, row not committed":
        work.chats.create("telegram:9", NOW)
        die()
    chat = work.chats.find("telegram:1")
    work.clients.erase(chat.client, [Message("bye")], NOW)
    if sys.argv[2] == "erased, not committed":
        die()
    Vault.destroy_keys = die
"""


NOTED = """
import os, sys, pathlib, signal
from storage import Store
from storage.repositories.outbox import Sent
from tests.stores import NOW

store = Store.open(pathlib.Path(sys.argv[1]))
with store.begin(durable=False) as work:
    chat = work.chats.find("telegram:1")
    first = work.outbox.next_for(chat.client)
    work.outbox.mark_sent(Sent(chat.client, first.id, 70, NOW))
os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(script: str, *arguments: str) -> None:
    ended = subprocess.run([sys.executable, "-c", script, *arguments], check=False, cwd=Path(__file__).parent.parent)
    assert ended.returncode == -signal.SIGKILL


def test_turns_that_were_acknowledged_survive_a_kill_at_any_instant(tmp_path: Path) -> None:
    dice = random.Random(7)  # noqa: S311 (not for keys)
    acknowledged = 0
    for _ in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", TURNS, str(tmp_path), str(acknowledged)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent.parent,
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(dice.uniform(0, 0.15))
        process.kill()
        said = process.stdout.read().split("\n")
        process.wait()
        process.stdout.close()
        acknowledged = max([acknowledged + 1, *(int(line) for line in said[:-1])])
        store = Store.open(tmp_path)
        with store.begin() as work:
            chat = work.chats.find("telegram:1")
            assert chat is not None
            done = chat.progress.next_run
            assert done in (acknowledged, acknowledged + 1)
            assert chat.progress.facts == {
                f"fact_{number}_{place}": Fact(str(number), NOW)
                for number in range(1, done + 1)
                for place in range(5)
            }
            assert [entry.run for entry in work.entries.all(chat.client)] == list(range(1, done + 1))
            assert work.outbox.count_waiting(chat.client) == 2 * done
            assert not any(work.inbox.claim(f"telegram:1:{number}", NOW) for number in range(1, done + 1))
        acknowledged = done
        store.close()
        for name in ("companion.sqlite", "keys.sqlite"):
            assert rows(tmp_path / name, "PRAGMA integrity_check") == [("ok",)]
    assert acknowledged * 5 > MAX_RECENT  # so that kills hit turns that wrote facts into rows


def test_a_commit_that_did_not_wait_for_the_disk_survives_a_kill(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    with store.begin() as work:
        chat = work.chats.create("telegram:1", NOW)
        work.outbox.put(chat.client, Priority.ANSWER, [Message("one"), Message("two")], NOW)
    store.close()
    killed(NOTED, str(tmp_path))
    store = Store.open(tmp_path)
    with store.begin() as work:
        message = work.outbox.next_for(chat.client)
        assert message is not None
        assert message.content == Message("two")
        assert work.outbox.count_waiting(chat.client) == 1
    store.close()


def test_a_durable_commit_waits_for_the_disk_also_after_one_that_did_not(tmp_path: Path) -> None:
    store, levels = Store.open(tmp_path), []
    for lasting in (True, False, True, True, False):
        with store.begin(durable=lasting) as work:
            levels.append(work.connection.exec_driver_sql("PRAGMA synchronous").scalar())
    store.close()
    full, normal = 2, 1
    assert levels == [full, normal, full, full, normal]


def test_a_new_client_interrupted_between_key_and_row_leaves_nothing_and_can_start_again(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    killed(CUT, str(tmp_path), "key created, row not committed")
    assert len(rows(tmp_path / "keys.sqlite", "SELECT owner FROM keys")) == 3
    store = Store.open(tmp_path)
    assert len(rows(tmp_path / "keys.sqlite", "SELECT owner FROM keys")) == 2
    with store.begin() as work:
        assert work.chats.find("telegram:9") is None
        work.chats.create("telegram:9", NOW)
    store.close()
    store = Store.open(tmp_path)
    with store.begin() as work:
        assert work.chats.find("telegram:9") is not None
    store.close()


@pytest.mark.parametrize("when", ["erased, not committed", "erased and committed, key still there"])
def test_an_interrupted_erasure_happened_completely_or_not_at_all(tmp_path: Path, when: str) -> None:
    store = Store.open(tmp_path)
    chat = full_life(store, Marks("telegram:1"))
    store.close()
    killed(CUT, str(tmp_path), when)
    assert (chat.client,) in rows(tmp_path / "keys.sqlite", "SELECT owner FROM keys")
    again = Store.open(tmp_path)
    with again.begin() as work:
        if when == "erased, not committed":
            assert work.chats.find("telegram:1") == chat
            assert len(work.entries.all(chat.client)) == 2
        else:
            assert work.chats.find("telegram:1") is None
            parting = next(iter(work.erasure_notices.due("telegram", NOW + HOUR)), None)
            assert parting is not None
            assert parting.messages == (Message("bye"),)
            for table in METADATA.sorted_tables:
                if "client" in table.c and table.name != "erasure_notices":
                    theirs = table.select().where(table.c.client.is_not(None))
                    assert work.connection.execute(theirs).all() == []
            assert (chat.client,) not in rows(tmp_path / "keys.sqlite", "SELECT owner FROM keys")
    again.close()
