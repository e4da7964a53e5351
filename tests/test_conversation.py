"""One event, one turn, one transaction: what holds whatever breaks in between. Real app, real files."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.app import App
from bot.conversation import Conversation, Heard
from dialogues.book import Book
from dialogues.lines import Lines
from dialogues.prompts import Prompts
from state_machine import occasions
from state_machine.chart import Charts
from state_machine.engine import step
from state_machine.events import Event, Said, Woke
from state_machine.programme import NOTE, WELCOME
from state_machine.progress import Progress
from state_machine.script import Bubble
from storage.tables import METADATA
from tests.storing import change
from tests.talking import DAY_ONE, Client, app_on, keeps, label_to, reply, walk

FAULT = "fault"
REPOSITORY = Path(__file__).parent.parent


@pytest.fixture
def app(tmp_path: Path, book: Book, charts: Charts, prompts: Prompts) -> Iterator[App]:
    """Everything, on real files in a folder of its own."""
    made = app_on(tmp_path / "data", book, charts, prompts)
    yield made
    made.store.close()


@pytest.fixture
def ana(app: App) -> Client:
    """Somebody who has been asked their first question."""
    client = Client(app)
    client.says("/start")
    return client


def _rows(app: App) -> dict[str, int]:
    with app.store.begin() as work:
        return {
            table.name: work.connection.scalar(select(func.count()).select_from(table)) or 0
            for table in METADATA.sorted_tables
        }


def _with_a_broken_step(app: App, place: str) -> App:
    """The same app, with a book in which one step can't be said."""
    dialogue, _, name = place.partition("#")
    whole = app.book.script.dialogues[dialogue]
    here = replace(whole.steps[name], bubbles=(Bubble(("{{ nobody_knows_this }}",)),))
    broken = replace(whole, steps={**whole.steps, name: here})
    script = replace(app.book.script, dialogues={**app.book.script.dialogues, dialogue: broken})
    book = replace(app.book, script=script)
    charts, prompts = replace(app.charts, script=script), Prompts(book, Lines.read(), "Robin")
    return replace(
        app, book=book, charts=charts, prompts=prompts, conversation=Conversation(app.store, charts, prompts)
    )


# --- once ----------------------------------------------------------------------------


def test_the_same_update_twice_has_one_effect(ana: Client, app: App) -> None:
    heard = ana.heard(reply(ana, DAY_ONE))
    assert app.conversation.hear(heard)
    assert ana.arrives()
    after, rows = ana.progress, _rows(app)
    assert not app.conversation.hear(heard)
    assert not ana.arrives()
    assert (ana.progress, _rows(app)) == (after, rows)


def test_the_same_update_comes_again_after_a_restart_and_has_no_effect(ana: Client, app: App) -> None:
    heard = ana.heard(reply(ana, DAY_ONE))
    app.conversation.hear(heard)
    afresh = _opened_again(app)
    assert not afresh.conversation.hear(heard)
    afresh.store.close()


def test_a_double_tap_never_fills_two_items(ana: Client, app: App) -> None:
    walk(ana, DAY_ONE, until="#".join(keeps(app.charts.script, "mood", WELCOME)))
    tap = ana.tap("4")
    app.conversation.hear(tap)
    ana.carried()
    once = ana.progress
    app.conversation.hear(replace(tap, key="a second finger"))
    assert not ana.arrives()
    assert replace(ana.progress, heard=once.heard) == once


def test_a_wake_up_happens_once(ana: Client, app: App) -> None:
    walk(ana, DAY_ONE)
    due = occasions.next_wake(app.charts.script, ana.progress)
    assert due is not None
    assert ana.wakes(due)
    assert ana.arrives()
    after = ana.progress
    assert not ana.wakes(due)
    assert not ana.arrives()
    assert ana.progress == after


def test_what_is_due_is_kept_beside_the_progress_so_that_a_restart_finds_it(ana: Client, app: App) -> None:
    walk(ana, DAY_ONE)
    due = occasions.next_wake(app.charts.script, ana.progress)
    assert due is not None
    client = ana.chat.client
    with app.store.begin() as work:
        assert work.clients.due(due - timedelta(microseconds=1), 9) == []
        assert work.clients.due(due, 9) == [(client, due)]


# --- a fault is one client's alone -----------------------------------------------------


def test_a_turn_that_breaks_leaves_progress_as_it_was_and_the_next_message_goes_on(
    ana: Client, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    words = reply(ana, DAY_ONE)
    before = ana.progress
    broken = _with_a_broken_step(app, _next_place(ana, Said(ana.now, words)))
    with caplog.at_level(logging.DEBUG):
        assert broken.conversation.hear(ana.heard(words))
    assert ana.progress == before
    assert ana.arrives() == [app.prompts.refrain(FAULT)]
    assert broken.conversation.faults == 1
    with app.store.begin() as work:
        (parked,) = work.inbox.parked()
    assert (parked.client, parked.payload) == (ana.chat.client, words.encode())
    assert words not in caplog.text
    ana.app = app
    assert ana.says(words)
    assert ana.progress != before


def test_the_same_broken_update_again_is_not_apologised_for_twice(ana: Client, app: App) -> None:
    words = reply(ana, DAY_ONE)
    broken = _with_a_broken_step(app, _next_place(ana, Said(ana.now, words)))
    heard = ana.heard(words)
    broken.conversation.hear(heard)
    assert len(ana.arrives()) == 1
    assert not broken.conversation.hear(heard)
    assert not ana.arrives()


def test_a_wake_up_that_breaks_is_tried_again_later_and_the_client_is_not_disturbed(ana: Client, app: App) -> None:
    walk(ana, DAY_ONE)
    before = ana.progress
    due = occasions.next_wake(app.charts.script, before)
    assert due is not None
    broken = _with_a_broken_step(app, _next_place(ana, Woke(due)))
    assert broken.conversation.wake(ana.chat.client, due, due)
    assert ana.progress == before
    assert not ana.arrives()
    with app.store.begin() as work:
        assert work.clients.due(due, 9) == []
        ((client, again),) = work.clients.due(due + timedelta(days=1), 9)
    assert client == ana.chat.client
    assert again > due
    assert app.conversation.wake(client, again, again)
    assert ana.arrives()


def test_a_corrupt_row_is_that_client_s_fault_alone(ana: Client, app: App) -> None:
    ben = Client(app, "ben")
    ben.says("/start")
    change(
        app.settings.data_dir / "companion.sqlite",
        "UPDATE chats SET progress = x'01ff' WHERE client = ?",
        ana.chat.client,
    )
    app.conversation.hear(ana.heard("anything"))
    assert ana.arrives() == [app.prompts.refrain(FAULT)]
    assert app.conversation.faults == 1
    assert ben.says(reply(ben, DAY_ONE))
    with app.store.begin() as work:
        assert [parked.payload for parked in work.inbox.parked()] == [b"anything"]


def test_a_corrupt_row_that_is_due_is_not_due_for_ever(ana: Client, app: App) -> None:
    walk(ana, DAY_ONE)
    client = ana.chat.client
    due = occasions.next_wake(app.charts.script, ana.progress)
    assert due is not None
    change(app.settings.data_dir / "companion.sqlite", "UPDATE chats SET progress = x'01'")
    assert not app.conversation.wake(client, due, due)
    with app.store.begin() as work:
        assert work.clients.due(due + timedelta(days=400), 9) == []


def test_two_clients_turns_do_not_mix(app: App) -> None:
    ana, ben = Client(app, "ana"), Client(app, "ben")
    for client in (ana, ben):
        client.says("/start")
    for _ in range(5):
        ana.says(reply(ana, DAY_ONE))
        ben.says(reply(ben, {**DAY_ONE, "phone": "shared", "country": "Germany"}))
    assert ana.place == ben.place
    assert {a.fact.value for a in ana.progress.runs[0].answers} != {
        a.fact.value for a in ben.progress.runs[0].answers
    }
    with app.store.begin() as work:
        assert work.clients.count() == 2
    assert ana.chat.client != ben.chat.client
    alone = Client(app, "cy")
    alone.says("/start")
    for _ in range(5):
        alone.says(reply(alone, DAY_ONE))
    assert _said_and_done(alone.progress) == _said_and_done(ana.progress)


# --- early words -----------------------------------------------------------------------


def test_words_sent_before_the_question_was_carried_are_kept_and_never_answers(ana: Client, app: App) -> None:
    _with_consent(ana)
    place = ana.place
    ana.app.conversation.hear(ana.heard("/help"))
    here = ana.place
    assert here != place
    app.conversation.hear(ana.heard("numbers please, I mean the answer to before"))
    assert ana.place == here
    assert "numbers please, I mean the answer to before" in _notes(ana)
    ana.arrives()
    assert ana.says(reply(ana, {}))
    assert ana.place != here


def test_words_with_a_lower_number_than_our_last_message_are_early(ana: Client, app: App) -> None:
    _with_consent(ana)
    place = ana.place
    ours = ana.chat.last_message_id
    assert ours is not None
    early = ana.heard(reply(ana, DAY_ONE), message_id=ours - 1)
    app.conversation.hear(early)
    assert ana.arrives()
    assert ana.place == place
    assert ana.says(reply(ana, DAY_ONE))
    assert ana.place != place


def test_a_command_sent_early_works_all_the_same(ana: Client, app: App) -> None:
    _with_consent(ana)
    app.conversation.hear(ana.heard("/help", message_id=1))
    assert (ana.place or "").startswith("always/help#")


# --- blocked, erased -------------------------------------------------------------------


def test_a_blocked_client_hears_nothing_and_is_asked_again_when_they_return(ana: Client, app: App) -> None:
    _with_consent(ana)
    app.conversation.hear(ana.heard("/help"))
    app.conversation.blocked(ana.address, ana.now)
    assert ana.chat.blocked
    assert not ana.arrives()
    with app.store.begin() as work:
        assert work.clients.due(ana.now + timedelta(days=400), 9) == []
    here = ana.place
    said = ana.says("I am back, what did I miss")
    assert not ana.chat.blocked
    assert ana.place == here
    assert len(said) >= 2, "the words are answered, and the open question is asked once more"
    assert "I am back, what did I miss" in _notes(ana)


def test_erasing_leaves_no_row_in_any_table_and_a_second_start_begins_anew(ana: Client, app: App) -> None:
    walk(ana, DAY_ONE)
    ana.says("/checkin")
    walk(ana, {"mood": "6"})
    first = ana.chat.client
    ana.says("/delete")
    app.conversation.hear(ana.heard(label_to(ana, "delete")))
    with app.store.begin() as work:
        assert work.clients.at(ana.address) is None
        parting = work.partings.next(ana.now)
        assert parting is not None
        assert [words.text for words in parting.farewell] == [app.prompts.refrain("erased")]
        assert parting.delete
        work.partings.done(parting.id)
    with app.store.begin() as work:
        for table in METADATA.sorted_tables:
            if "client" in table.c:
                about = work.connection.execute(select(table).where(table.c.client.is_not(None))).all()
                assert about == [], table.name
    assert ana.says("/start")
    assert ana.chat.client != first
    assert ana.progress.facts == {}
    assert ana.place == f"{WELCOME}#{app.charts.script.dialogues[WELCOME].first}"


def test_saying_no_to_consent_leaves_nothing(ana: Client, app: App) -> None:
    walk(ana, DAY_ONE, until=f"{WELCOME}#{keeps(app.charts.script, 'consent')[1]}")
    app.conversation.hear(ana.heard(label_to(ana, "declined")))
    with app.store.begin() as work:
        assert work.clients.count() == 0
        parting = work.partings.next(ana.now)
        assert parting is not None
        assert parting.farewell
        work.partings.done(parting.id)
    assert {name for name, rows in _rows(app).items() if rows} <= {"inbox", "pairing"}


# --- killed ----------------------------------------------------------------------------

CHILD = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from sqlalchemy import Engine, event
from bot.app import build
from bot.conversation import Heard
from bot.settings import Settings
from state_machine.events import Said

folder, when, words, key, number, address, at = sys.argv[1:]
app = build(Settings(data_dir=Path(folder), operator="Robin", _env_file=None))

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def before_the_commit(connection):
    if connection.engine.url.database.endswith("companion.sqlite"):
        die()

if when == "before":
    event.listen(Engine, "commit", before_the_commit)
heard = Heard(key, address, Said(datetime.fromisoformat(at), words), int(number), payload=words.encode())
app.conversation.hear(heard)
die()
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_before_the_commit_there_is_no_trace_and_after_it_everything_is_sent(
    when: str, ana: Client, app: App
) -> None:
    before, place = _rows(app), ana.place
    heard = ana.heard(reply(ana, DAY_ONE))
    app.store.close()
    _killed(app, when, heard)
    afresh = _opened_again(app)
    ana.app = afresh
    if when == "before":
        assert (_rows(afresh), ana.place) == (before, place)
        assert afresh.conversation.hear(heard)
    else:
        assert not afresh.conversation.hear(heard)
    assert ana.place != place
    assert ana.arrives()
    afresh.store.close()


def test_killed_before_the_commit_of_a_first_message_nobody_is_left_behind(app: App) -> None:
    dan = Client(app, "dan")
    heard = dan.heard("/start")
    app.store.close()
    _killed(app, "before", heard)
    afresh = _opened_again(app)
    with afresh.store.begin() as work:
        assert work.clients.count() == 0
        assert work.vault.find(dan.address) is None
    dan.app = afresh
    assert afresh.conversation.hear(heard)
    assert dan.arrives()
    afresh.store.close()


def _killed(app: App, when: str, heard: Heard) -> None:
    """Take one message in a process of its own that is killed there, `before` or `after` the commit."""
    assert isinstance(heard.event, Said)
    about = (heard.event.text, heard.key, str(heard.message_id), heard.address, heard.event.at.isoformat())
    command = [sys.executable, "-c", CHILD, str(app.settings.data_dir), when, *about]
    died = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY, timeout=60)
    assert died.returncode == -signal.SIGKILL, died.stderr


def _opened_again(app: App) -> App:
    """What another process would see of the same folder."""
    return app_on(app.settings.data_dir, app.book, app.charts, app.prompts)


def _next_place(client: Client, event: Event) -> str:
    """Where the event would lead, found without anything being kept."""
    run = step(client.app.charts, client.progress, event).progress.runs[-1]
    return f"{run.dialogue}#{run.step}"


def _with_consent(client: Client) -> None:
    """Go on until consent is given."""
    walk(client, DAY_ONE, until="#".join(keeps(client.script, "country", WELCOME)))


def _notes(client: Client) -> list[str]:
    """What was kept beside the answers."""
    number = client.chat.client
    with client.app.store.begin() as work:
        entries = work.entries.all(number)
    return [entry.answers[0].fact.value for entry in entries if entry.dialogue == NOTE]


def _said_and_done(progress: Progress) -> list[tuple[str, str, list[tuple[str, str]]]]:
    return [(run.dialogue, run.step, [(a.memory, a.fact.value) for a in run.answers]) for run in progress.runs]
