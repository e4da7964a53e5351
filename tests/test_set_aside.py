"""What an operator sees of what was set aside, and what comes of the events after a fix. Real files, real updates."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.app import App
from bot.cli import cli
from bot.console import Console
from bot.conversation import AlreadyHandled
from bot.operator.dead_letters import NOTHING, REMEDY, _events, listed
from bot.telegram.payloads import read_again
from state_machine.engine import step
from state_machine.model.events import Woke
from state_machine.programme.tables import HOME, WELCOME
from state_machine.schedule import triggers
from storage.errors import DatabaseFault
from tests.setting_aside import (
    CHAT,
    FAULT,
    NAME,
    WHEN,
    WORDS,
    OnTelegram,
    asked_for_a_wish,
    broken,
    fails,
    next_label,
    notes,
    parked,
    refused,
    taken_up,
)
from tests.storing import change, rows
from tests.talking import DAY_ONE, START, Client, keeps, label_to, reply, walk


@pytest.fixture
def ana(app: App) -> OnTelegram:
    return asked_for_a_wish(app)


# --- the list ------------------------------------------------------------------------


def test_what_was_set_aside_is_listed_without_a_word_a_name_or_a_chat(ana: OnTelegram) -> None:
    fails(ana, WORDS)
    ana.says("/help")
    ana.app.conversation.receive(ana.heard("/people"))
    refused(ana, -1)
    told = list(listed(ana.app.settings))
    client = ana.chat.client
    assert re.fullmatch(rf"{WHEN}  event    {client}  {FAULT}", told[0])
    assert re.fullmatch(rf"{WHEN}  bubble   {client}  Rejected", told[1])
    assert told[2:] == ["Set aside: 1 event, 1 bubble.", REMEDY]
    again = " ".join([*told, *taken_up(ana)])
    for mark in (*WORDS.split()[2:], *NAME.split(), str(CHAT), "/people"):
        assert mark not in again


def test_the_command_prints_the_list_beside_a_bot_that_runs_and_takes_all_up(
    ana: OnTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = fails(ana, WORDS)
    place = ana.place
    monkeypatch.setenv("DATA_DIR", str(ana.app.settings.data_dir))
    ended = CliRunner().invoke(cli, ["dead-letters"])
    assert (ended.exit_code, ended.stdout.splitlines()) == (0, list(listed(ana.app.settings)))
    ended = CliRunner().invoke(cli, ["replay"])
    assert ended.exit_code == 0, ended.output
    assert "Taken up: 1 event." in ended.stdout
    assert ana.place != place
    assert ana.arrives()
    assert not ana.app.conversation.receive(heard)
    assert CliRunner().invoke(cli, ["dead-letters"]).stdout == f"{NOTHING}\n"


@pytest.mark.parametrize("words", [["dead-letters"], ["replay"], ["rotate-key"]])
def test_where_nothing_has_been_kept_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    folder = tmp_path / "nothing here"
    monkeypatch.setenv("DATA_DIR", str(folder))
    ended = CliRunner().invoke(cli, words)
    assert (ended.exit_code, ended.stdout) == (0, f"Nothing has been kept in {folder} yet.\n")
    assert not folder.exists()


def test_where_nothing_is_set_aside_a_sentence_says_so(ana: OnTelegram) -> None:
    assert list(listed(ana.app.settings)) == [NOTHING]
    assert taken_up(ana) == [NOTHING]


# --- events --------------------------------------------------------------------------


def test_after_the_fix_the_answer_takes_effect_once_and_telegram_s_second_delivery_changes_nothing(
    ana: OnTelegram,
) -> None:
    heard = fails(ana, WORDS)
    told = taken_up(ana)
    assert re.fullmatch(rf"{WHEN}  event    {ana.chat.client}  taken up", told[0])
    assert told[1] == "Taken up: 1 event."
    assert WORDS in [answer.fact.value for answer in ana.progress.runs[-1].answers]
    assert ana.arrives(), "the next question"
    assert notes(ana) == []
    after = ana.progress
    assert not ana.app.conversation.receive(heard)
    assert not ana.arrives()
    assert taken_up(ana) == [NOTHING]
    assert ana.progress == after
    assert rows(ana.app.settings.data_dir / "companion.sqlite", "SELECT 1 FROM inbox WHERE payload IS NOT NULL") == []


def test_what_fails_again_stays_with_its_new_reason_and_the_client_is_not_disturbed(ana: OnTelegram) -> None:
    data = ana.app.settings.data_dir / "companion.sqlite"
    fails(ana, WORDS)
    before, place = ana.progress, ana.place
    assert f"set aside: {FAULT}" in taken_up(ana, broken(ana.app))[0]
    assert ana.progress == before
    ((whole,),) = rows(data, "SELECT progress FROM chats")
    change(data, "UPDATE chats SET progress = x'01'")
    told = taken_up(ana)
    assert told[0].endswith("set aside: Unreadable")
    assert told[1:] == ["Set aside: 1 event.", REMEDY]
    assert parked(ana.app) == ["Unreadable"]
    change(data, "UPDATE chats SET progress = ?", whole)
    assert not ana.arrives()
    taken_up(ana)
    assert ana.place != place
    assert parked(ana.app) == []


def test_one_client_s_second_fault_does_not_keep_another_waiting(ana: OnTelegram) -> None:
    ben = OnTelegram(ana.app, CHAT + 1)
    ben.updates = 1000
    ben.says("/start")
    fails(ana, WORDS)
    fails(ben, reply(ben, DAY_ONE))
    place = ben.place
    data = ana.app.settings.data_dir / "companion.sqlite"
    change(data, "UPDATE chats SET progress = x'01' WHERE client = ?", ana.chat.client)
    assert "Taken up: 1 event. Set aside: 1 event." in taken_up(ben)
    assert ben.place != place


def test_words_whose_question_is_no_longer_open_are_kept_and_answered_kindly_but_are_no_answer(
    ana: OnTelegram,
) -> None:
    early = next_label(ana)
    fails(ana, early)
    ana.says(WORDS)
    place, answers = ana.place, ana.progress.runs[-1].answers
    taken_up(ana)
    assert (ana.place, ana.progress.runs[-1].answers) == (place, answers)
    assert notes(ana) == [early]
    assert len(ana.arrives()) == 1
    assert ana.says(reply(ana, DAY_ONE))
    assert ana.place != place


def test_the_same_words_said_again_meanwhile_are_said_once(ana: OnTelegram) -> None:
    fails(ana, WORDS)
    fails(ana, WORDS)
    assert "Taken up: 2 events." in taken_up(ana)
    assert WORDS in [answer.fact.value for answer in ana.progress.runs[-1].answers]
    assert notes(ana) == []


def test_words_are_no_answer_to_a_question_that_time_has_brought(ana: OnTelegram) -> None:
    walk(ana, DAY_ONE)
    fails(ana, "6", HOME)
    while ana.place is None:
        due = triggers.next_wake(ana.script, ana.progress)
        assert due is not None
        ana.wakes(due)
    assert ana.arrives(), "the look-in asks something"
    place = ana.place
    taken_up(ana)
    assert (ana.place, ana.progress.runs[-1].answers) == (place, ())
    assert notes(ana) == ["6"]


def test_in_the_terminal_words_that_were_overtaken_are_kept_and_are_no_answer(app: App) -> None:
    printed: list[str] = []
    console = Console(app, "bea", printed.append, START)
    bea = Client(app)
    bea.address = "terminal:bea"
    console.open()
    while bea.place != "#".join(keeps(bea.script, "wish", WELCOME)):
        console.say(reply(bea, DAY_ONE))
    early = next_label(bea)
    for there, words in ((broken(app), early), (app, WORDS)):
        console._app = there
        console.say(words)
    place = bea.place
    bea.now = START + timedelta(hours=1)
    assert "Taken up: 1 event." in taken_up(bea)
    assert bea.place == place
    assert notes(bea) == [early]


def test_in_the_terminal_an_answer_that_failed_is_taken_up_as_an_answer(app: App) -> None:
    console = Console(app, "bea", lambda _: None, START)
    bea = Client(app)
    bea.address = "terminal:bea"
    console.open()
    console._app = broken(app)
    place = bea.place
    console.say(reply(bea, DAY_ONE))
    bea.now = START + timedelta(hours=1)
    assert bea.place == place
    taken_up(bea)
    assert bea.place != place


def test_a_wake_up_that_failed_is_taken_up_after_the_fix_and_says_what_it_was_to_say(ana: OnTelegram) -> None:
    walk(ana, DAY_ONE)
    ana.arrives()
    due = triggers.next_wake(ana.script, ana.progress)
    assert due is not None
    opens = step(ana.app.machines, ana.progress, Woke(due)).progress.runs[-1].dialogue
    assert broken(ana.app, opens).conversation.wake(ana.chat.client, due, due)
    assert re.fullmatch(rf"{WHEN}  wake-up  \w+  {FAULT}", next(listed(ana.app.settings)))
    ana.now = due
    told = taken_up(ana, broken(ana.app, opens))
    assert told[0].endswith(f"set aside: {FAULT}")
    assert (ana.arrives(), parked(ana.app)) == ([], [FAULT])
    told = taken_up(ana)
    assert told[0].endswith("taken up")
    assert told[1] == "Taken up: 1 wake-up."
    assert ana.arrives()
    assert parked(ana.app) == []
    assert taken_up(ana) == [NOTHING]


def test_a_client_whose_row_can_not_be_read_is_listed_and_woken_when_it_is_mended(ana: OnTelegram) -> None:
    walk(ana, DAY_ONE)
    due = triggers.next_wake(ana.script, ana.progress)
    assert due is not None
    data, client = ana.app.settings.data_dir / "companion.sqlite", ana.chat.client
    ((whole,),) = rows(data, "SELECT progress FROM chats")
    change(data, "UPDATE chats SET progress = x'01'")
    assert not ana.app.conversation.wake(client, due, due)
    assert re.fullmatch(rf"{WHEN}  wake-up  {client}  Unreadable", next(listed(ana.app.settings)))
    ana.now = due
    assert taken_up(ana)[0].endswith("set aside: Unreadable")
    change(data, "UPDATE chats SET progress = ?", whole)
    assert taken_up(ana)[1] == "Taken up: 1 wake-up."
    assert ana.arrives()
    assert ana.chat.wake_at is not None


def test_a_disk_that_fails_while_it_is_taken_up_changes_nothing_of_what_is_set_aside(ana: OnTelegram) -> None:
    fails(ana, WORDS)
    with ana.app.store.begin(immediate=False) as work:
        work.connection.exec_driver_sql("PRAGMA query_only=1")
    with pytest.raises(DatabaseFault, match=r"^The disk is read-only"):
        list(_events(ana.app, lambda: ana.now))
    with ana.app.store.begin(immediate=False) as work:
        work.connection.exec_driver_sql("PRAGMA query_only=0")
    assert parked(ana.app) == [FAULT]
    assert "Taken up: 1 event." in taken_up(ana)


def test_an_event_that_can_not_be_opened_any_more_is_said_and_cleared(ana: OnTelegram) -> None:
    heard = fails(ana, WORDS)
    before = ana.progress
    change(
        ana.app.settings.data_dir / "companion.sqlite", "UPDATE inbox SET payload = x'01' WHERE client IS NOT NULL"
    )
    told = taken_up(ana)
    assert told[0].endswith("cleared: what it was can't be opened any more")
    assert (ana.progress, parked(ana.app)) == (before, [])
    assert not ana.app.conversation.receive(heard), "its key is still taken"


def test_what_this_release_can_not_read_stays_for_one_that_can(ana: OnTelegram) -> None:
    heard = replace(ana.heard(WORDS), payload=b'{"something": "else"}')
    broken(ana.app).conversation.receive(heard)
    told = taken_up(ana)
    assert "Set aside: 1 event." in told
    assert parked(ana.app) != [FAULT]
    assert len(parked(ana.app)) == 1


def test_who_has_blocked_the_bot_is_left_alone_until_they_are_back(ana: OnTelegram) -> None:
    fails(ana, WORDS)
    ana.app.conversation.blocked("blocked", ana.address, ana.now)
    told = taken_up(ana)
    assert told[0].endswith("kept until they are back: the client blocked the bot")
    assert ana.chat.blocked
    assert parked(ana.app) == [FAULT]
    ana.says("I am back")
    taken_up(ana)
    assert WORDS in notes(ana)
    assert parked(ana.app) == []


def test_two_operators_at_once_take_it_up_once(ana: OnTelegram) -> None:
    fails(ana, WORDS)
    with ana.app.store.begin() as work:
        (event,) = work.inbox.failed()
    taken_up(ana)
    ana.arrives()
    after = ana.progress
    for conversation in (ana.app.conversation, broken(ana.app).conversation):
        with pytest.raises(AlreadyHandled):
            conversation.replay(event, read_again(event.key, event.payload, ana.now))
    assert (ana.progress, ana.arrives(), parked(ana.app)) == (after, [], [])


def test_what_is_erased_is_not_taken_up_any_more(ana: OnTelegram) -> None:
    fails(ana, WORDS)
    with ana.app.store.begin() as work:
        (event,) = work.inbox.failed()
    ana.says("/delete")
    ana.app.conversation.receive(ana.heard(label_to(ana, "delete")))
    assert list(listed(ana.app.settings)) == [NOTHING]
    with pytest.raises(AlreadyHandled):
        ana.app.conversation.replay(event, read_again(event.key, event.payload, ana.now))
    with ana.app.store.begin() as work:
        assert work.clients.count() == 0
