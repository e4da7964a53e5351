"""A process killed in the middle of a turn: before the commit no trace, after it everything is sent."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.app import App
from bot.conversation import InboundEvent
from state_machine.model.events import Said
from tests.stores import rows_of_each
from tests.talking import DAY_ONE, Client, app_on, reply

REPOSITORY = Path(__file__).parent.parent


CHILD = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from sqlalchemy import Engine, event
from bot.app import build
from bot.conversation import InboundEvent
from bot.settings import Settings
from state_machine.model.events import Said

folder, when, words, key, number, address, at = sys.argv[1:]
ready = False

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def before_the_commit(statement):
    if ready and when == "before" and statement == "COMMIT":
        die()

def watched(connection, _):
    ((_, _, file),) = connection.execute("PRAGMA database_list").fetchall()
    if file.endswith("companion.sqlite"):
        connection.set_trace_callback(before_the_commit)

event.listen(Engine, "connect", watched)
app = build(Settings(data_dir=Path(folder), operator="Robin", _env_file=None))
ready = True
heard = InboundEvent(key, address, Said(datetime.fromisoformat(at), words), int(number), payload=words.encode())
app.conversation.receive(heard)
die()
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_before_the_commit_there_is_no_trace_and_after_it_everything_is_sent(
    when: str, newcomer: Client, app: App
) -> None:
    before, place = rows_of_each(app.store), newcomer.place
    heard = newcomer.heard(reply(newcomer, DAY_ONE))
    app.store.close()
    _killed(app, when, heard)
    afresh = _opened_again(app)
    newcomer.app = afresh
    if when == "before":
        assert (rows_of_each(afresh.store), newcomer.place) == (before, place)
        assert afresh.conversation.receive(heard)
    else:
        assert not afresh.conversation.receive(heard)
    assert newcomer.place != place
    assert newcomer.arrives()
    afresh.store.close()


def test_killed_before_the_commit_of_a_first_message_nobody_is_left_behind(app: App) -> None:
    dan = Client(app, "dan")
    heard = dan.heard("/start")
    app.store.close()
    _killed(app, "before", heard)
    afresh = _opened_again(app)
    with afresh.store.begin() as work:
        assert work.clients.count() == 0
        assert work.vault.find_client(dan.address) is None
    dan.app = afresh
    assert afresh.conversation.receive(heard)
    assert dan.arrives()
    afresh.store.close()


def _killed(app: App, when: str, heard: InboundEvent) -> None:
    """Take one message in a process of its own that is killed there, `before` or `after` the commit."""
    assert isinstance(heard.event, Said)
    about = (heard.event.text, heard.key, str(heard.message_id), heard.address, heard.event.at.isoformat())
    command = [sys.executable, "-c", CHILD, str(app.settings.data_dir), when, *about]
    died = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY, timeout=60)
    assert died.returncode == -signal.SIGKILL, died.stderr


def _opened_again(app: App) -> App:
    """What another process would see of the same folder."""
    return app_on(app.settings.data_dir, app.book, app.machines, app.prompts)
