"""What the messenger has answered is not sent again, also where the process ends before it stands in the books."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from state_machine.model.outgoing import Message, Priority
from storage import Store
from storage.send_log import Receipt, Receipts
from tests.storing import NOW

ANSWERED = """
import os, pathlib, signal, sys
from storage import Store
from storage.send_log import Receipt
from tests.storing import NOW

store = Store.open(pathlib.Path(sys.argv[1]))
with store.begin() as work:
    chat = work.clients.at("telegram:1")
    first, second, third = work.outbox.burst_of(chat.client).parcels
    store.receipts.add(Receipt(chat.client, first.id, 70, NOW))
    store.receipts.add(Receipt(chat.client, second.id, None, NOW))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_answered_before_a_kill_waits_no_more_and_is_known_by_its_number(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    with store.begin() as work:
        chat = work.clients.open("telegram:1", NOW)
        words = [Message("one"), Message("two"), Message("three")]
        work.outbox.put(chat.client, Priority.ANSWER, words, NOW)
    store.close()
    ended = subprocess.run(
        [sys.executable, "-c", ANSWERED, str(tmp_path)], check=False, cwd=Path(__file__).parents[1]
    )
    assert ended.returncode == -signal.SIGKILL
    for _ in range(2):
        store = Store.open(tmp_path, carries=True)
        with store.begin() as work:
            burst = work.outbox.burst_of(chat.client)
            assert burst is not None
            assert [parcel.message for parcel in burst.parcels] == [Message("three")]
            assert work.outbox.message_ids(chat.client, NOW) == [70]
            found = work.clients.get(chat.client)
            assert found is not None
            assert found.last_message_id == 70
        store.close()
        assert (tmp_path / "receipts").read_bytes() == b""


def test_a_receipt_of_somebody_else_or_of_nobody_marks_nothing(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    with store.begin() as work:
        ana, ben = work.clients.open("telegram:1", NOW), work.clients.open("telegram:2", NOW)
        work.outbox.put(ana.client, Priority.ANSWER, [Message("for Ana")], NOW)
        burst = work.outbox.burst_of(ana.client)
        assert burst is not None
    store.receipts.add(Receipt(ben.client, burst.parcels[0].id, 70, NOW))
    store.receipts.add(Receipt("nobody", 99, 71, NOW))
    store.close()
    store = Store.open(tmp_path, carries=True)
    with store.begin() as work:
        assert work.outbox.waiting(ana.client) == 1
    store.close()


def test_a_command_beside_a_bot_that_runs_leaves_its_receipts_alone(tmp_path: Path) -> None:
    bot = Store.open(tmp_path, carries=True)
    with bot.begin() as work:
        ana = work.clients.open("telegram:1", NOW).client
        work.outbox.put(ana, Priority.ANSWER, [Message("one")], NOW)
        burst = work.outbox.burst_of(ana)
        assert burst is not None
    receipt = Receipt(ana, burst.parcels[0].id, 70, NOW)
    bot.receipts.add(receipt)
    beside = Store.open(tmp_path)
    with beside.begin() as work:
        assert work.outbox.waiting(ana) == 1
    beside.close()
    assert bot.receipts.all() == [receipt]
    bot.close()
    again = Store.open(tmp_path, carries=True)
    with again.begin() as work:
        assert work.outbox.waiting(ana) == 0
    again.close()


@pytest.mark.parametrize(
    "rest", [b"abc 12", b"abc x 7 8\n", b"\xff\xfe\n", b"a b\n", b"abc 1 2 9" + b"9" * 30 + b"\n"]
)
def test_a_line_that_was_cut_off_or_altered_is_passed_over(tmp_path: Path, rest: bytes) -> None:
    receipts = Receipts(tmp_path / "receipts")
    whole = Receipt("abc", 12, 70, NOW)
    receipts.add(whole)
    with (tmp_path / "receipts").open("ab") as file:
        file.write(rest)
    assert receipts.all() == [whole]
    receipts.clear()
    receipts.add(whole)
    assert receipts.all() == [whole]
    receipts.close()


def test_only_its_owner_can_read_the_file(tmp_path: Path) -> None:
    Receipts(tmp_path / "receipts").close()
    assert (tmp_path / "receipts").stat().st_mode & 0o777 == 0o600
