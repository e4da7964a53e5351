"""What the messenger has accepted is not sent again, even if the process ends before it is marked as sent."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from state_machine.model.outgoing import Message, Priority
from storage import Store
from storage.repositories.outbox import Sent
from storage.store import SendLog
from tests.stores import NOW

ANSWERED = """
import os, pathlib, signal, sys
from storage import Store
from storage.repositories.outbox import Sent
from tests.stores import NOW

store = Store.open(pathlib.Path(sys.argv[1]))
with store.begin() as work:
    chat = work.chats.find("telegram:1")
    first = work.outbox.next_for(chat.client).id
    store.send_log.add(Sent(chat.client, first, 70, NOW))
    store.send_log.add(Sent(chat.client, first + 1, None, NOW))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_answered_before_a_kill_waits_no_more_and_is_known_by_its_number(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    with store.begin() as work:
        chat = work.chats.create("telegram:1", NOW)
        words = [Message("one"), Message("two"), Message("three")]
        work.outbox.put(chat.client, Priority.ANSWER, words, NOW)
    store.close()
    ended = subprocess.run(
        [sys.executable, "-c", ANSWERED, str(tmp_path)], check=False, cwd=Path(__file__).parents[1]
    )
    assert ended.returncode == -signal.SIGKILL
    for _ in range(2):
        store = Store.open(tmp_path, sends=True)
        with store.begin() as work:
            following = work.outbox.next_for(chat.client)
            assert following is not None
            assert following.content == Message("three")
            assert work.outbox.count_waiting(chat.client) == 1
            assert work.outbox.message_ids(chat.client, NOW) == [70]
            found = work.chats.get(chat.client)
            assert found is not None
            assert found.last_message_id == 70
        store.close()
        assert (tmp_path / "send.log").read_bytes() == b""


def test_a_line_about_somebody_else_or_nobody_marks_nothing(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    with store.begin() as work:
        ana, ben = work.chats.create("telegram:1", NOW), work.chats.create("telegram:2", NOW)
        work.outbox.put(ana.client, Priority.ANSWER, [Message("for Ana")], NOW)
        waiting = work.outbox.next_for(ana.client)
        assert waiting is not None
    store.send_log.add(Sent(ben.client, waiting.id, 70, NOW))
    store.send_log.add(Sent("nobody", 99, 71, NOW))
    store.close()
    store = Store.open(tmp_path, sends=True)
    with store.begin() as work:
        assert work.outbox.count_waiting(ana.client) == 1
    store.close()


def test_a_command_beside_a_bot_that_runs_leaves_its_send_log_alone(tmp_path: Path) -> None:
    bot = Store.open(tmp_path, sends=True)
    with bot.begin() as work:
        ana = work.chats.create("telegram:1", NOW).client
        work.outbox.put(ana, Priority.ANSWER, [Message("one")], NOW)
        waiting = work.outbox.next_for(ana)
        assert waiting is not None
    sent = Sent(ana, waiting.id, 70, NOW)
    bot.send_log.add(sent)
    beside = Store.open(tmp_path)
    with beside.begin() as work:
        assert work.outbox.count_waiting(ana) == 1
    beside.close()
    assert bot.send_log.read_all() == [sent]
    bot.close()
    again = Store.open(tmp_path, sends=True)
    with again.begin() as work:
        assert work.outbox.count_waiting(ana) == 0
    again.close()


@pytest.mark.parametrize(
    "rest", [b"abc 12", b"abc x 7 8\n", b"\xff\xfe\n", b"a b\n", b"abc 1 2 9" + b"9" * 30 + b"\n"]
)
def test_a_line_that_was_cut_off_or_altered_is_passed_over(tmp_path: Path, rest: bytes) -> None:
    send_log = SendLog(tmp_path / "send.log")
    whole = Sent("abc", 12, 70, NOW)
    send_log.add(whole)
    with (tmp_path / "send.log").open("ab") as file:
        file.write(rest)
    assert send_log.read_all() == [whole]
    send_log.clear()
    send_log.add(whole)
    assert send_log.read_all() == [whole]
    send_log.close()


def test_the_file_of_an_earlier_release_is_taken_in_as_well(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    with store.begin() as work:
        ana = work.chats.create("telegram:1", NOW).client
        work.outbox.put(ana, Priority.ANSWER, [Message("one")], NOW)
        waiting = work.outbox.next_for(ana)
        assert waiting is not None
    store.send_log.add(Sent(ana, waiting.id, 70, NOW))
    store.close()
    (tmp_path / "send.log").rename(tmp_path / "receipts")
    store = Store.open(tmp_path, sends=True)
    with store.begin() as work:
        assert work.outbox.count_waiting(ana) == 0
    store.close()


def test_only_its_owner_can_read_the_file(tmp_path: Path) -> None:
    SendLog(tmp_path / "send.log").close()
    assert (tmp_path / "send.log").stat().st_mode & 0o777 == 0o600
