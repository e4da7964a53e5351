"""Dead letters: what an operator sees of them, and the replay of events after a fix. Real files, real updates."""

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
from bot.operator.dead_letters import NOTHING, REMEDY, _replay_events, list_dead_letters
from bot.telegram.payloads import read_again
from state_machine.engine import step
from state_machine.model.events import Woke
from state_machine.programme.tables import HOME, WELCOME
from state_machine.schedule import triggers
from storage import database
from storage.errors import DatabaseFault
from tests.dead_letters import (
    CHAT,
    FAULT,
    NAME,
    WHEN,
    WORDS,
    TelegramClient,
    client_at_wish,
    failure_reasons,
    next_label,
    notes,
    refused,
    replay_later,
    send_failing,
    with_broken_dialogue,
)
from tests.stores import change, read_only, rows
from tests.talking import DAY_ONE, START, Client, keeps, label_to, reply, walk


@pytest.fixture
def ana(app: App) -> TelegramClient:
    return client_at_wish(app)


# --- the list ------------------------------------------------------------------------


def test_dead_letters_are_listed_without_text_names_or_chat_ids(ana: TelegramClient) -> None:
    send_failing(ana, WORDS)
    ana.says("/help")
    ana.app.conversation.receive(ana.heard("/people"))
    refused(ana, -1)
    output = list(list_dead_letters(ana.app.settings))
    client = ana.chat.client
    assert re.fullmatch(rf"{WHEN}  event    {client}  {FAULT}", output[0])
    assert re.fullmatch(rf"{WHEN}  bubble   {client}  Rejected", output[1])
    assert output[2:] == ["Dead letters: 1 event, 1 bubble.", REMEDY]
    again = " ".join([*output, *replay_later(ana)])
    for mark in (*WORDS.split()[2:], *NAME.split(), str(CHAT), "/people"):
        assert mark not in again


def test_the_commands_list_and_replay_dead_letters_while_the_bot_is_running(
    ana: TelegramClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = send_failing(ana, WORDS)
    place = ana.place
    monkeypatch.setenv("DATA_DIR", str(ana.app.settings.data_dir))
    result = CliRunner().invoke(cli, ["dead-letters"])
    assert (result.exit_code, result.stdout.splitlines()) == (0, list(list_dead_letters(ana.app.settings)))
    result = CliRunner().invoke(cli, ["replay"])
    assert result.exit_code == 0, result.output
    assert "Replayed: 1 event." in result.stdout
    assert ana.place != place
    assert ana.arrives()
    assert not ana.app.conversation.receive(event)
    assert CliRunner().invoke(cli, ["dead-letters"]).stdout == f"{NOTHING}\n"


@pytest.mark.parametrize("words", [["dead-letters"], ["replay"], ["rotate-key"]])
def test_the_commands_create_nothing_where_there_is_no_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    folder = tmp_path / "nothing here"
    monkeypatch.setenv("DATA_DIR", str(folder))
    result = CliRunner().invoke(cli, words)
    assert (result.exit_code, result.stdout) == (0, f"There is no data in {folder} yet.\n")
    assert not folder.exists()


def test_without_dead_letters_a_sentence_says_so(ana: TelegramClient) -> None:
    assert list(list_dead_letters(ana.app.settings)) == [NOTHING]
    assert replay_later(ana) == [NOTHING]


# --- events --------------------------------------------------------------------------


def test_after_the_fix_the_answer_takes_effect_once_and_a_second_delivery_changes_nothing(
    ana: TelegramClient,
) -> None:
    event = send_failing(ana, WORDS)
    output = replay_later(ana)
    assert re.fullmatch(rf"{WHEN}  event    {ana.chat.client}  replayed", output[0])
    assert output[1] == "Replayed: 1 event."
    assert WORDS in [answer.fact.value for answer in ana.progress.runs[-1].answers]
    assert ana.arrives(), "the next question"
    assert notes(ana) == []
    after = ana.progress
    assert not ana.app.conversation.receive(event)
    assert not ana.arrives()
    assert replay_later(ana) == [NOTHING]
    assert ana.progress == after
    assert rows(ana.app.settings.data_dir / "companion.sqlite", "SELECT 1 FROM inbox WHERE payload IS NOT NULL") == []


def test_an_event_that_fails_again_keeps_its_new_reason_and_the_client_gets_no_message(
    ana: TelegramClient,
) -> None:
    data = ana.app.settings.data_dir / "companion.sqlite"
    send_failing(ana, WORDS)
    before, place = ana.progress, ana.place
    assert f"failed again: {FAULT}" in replay_later(ana, with_broken_dialogue(ana.app))[0]
    assert ana.progress == before
    ((whole,),) = rows(data, "SELECT progress FROM chats")
    change(data, "UPDATE chats SET progress = x'01'")
    output = replay_later(ana)
    assert output[0].endswith("failed again: Unreadable")
    assert output[1:] == ["Failed again: 1 event.", REMEDY]
    assert failure_reasons(ana.app) == ["Unreadable"]
    change(data, "UPDATE chats SET progress = ?", whole)
    assert not ana.arrives()
    replay_later(ana)
    assert ana.place != place
    assert failure_reasons(ana.app) == []


def test_one_clients_second_failure_does_not_stop_the_replay_of_another(ana: TelegramClient) -> None:
    ben = TelegramClient(ana.app, CHAT + 1)
    ben.updates = 1000
    ben.says("/start")
    send_failing(ana, WORDS)
    send_failing(ben, reply(ben, DAY_ONE))
    place = ben.place
    data = ana.app.settings.data_dir / "companion.sqlite"
    change(data, "UPDATE chats SET progress = x'01' WHERE client = ?", ana.chat.client)
    assert "Replayed: 1 event. Failed again: 1 event." in replay_later(ben)
    assert ben.place != place


def test_words_whose_question_is_no_longer_open_are_kept_and_answered_kindly_but_are_no_answer(
    ana: TelegramClient,
) -> None:
    early = next_label(ana)
    send_failing(ana, early)
    ana.says(WORDS)
    place, answers = ana.place, ana.progress.runs[-1].answers
    replay_later(ana)
    assert (ana.place, ana.progress.runs[-1].answers) == (place, answers)
    assert notes(ana) == [early]
    assert len(ana.arrives()) == 1
    assert ana.says(reply(ana, DAY_ONE))
    assert ana.place != place


def test_the_same_words_sent_twice_are_answered_once(ana: TelegramClient) -> None:
    send_failing(ana, WORDS)
    send_failing(ana, WORDS)
    assert "Replayed: 2 events." in replay_later(ana)
    assert WORDS in [answer.fact.value for answer in ana.progress.runs[-1].answers]
    assert notes(ana) == []


def test_words_are_no_answer_to_a_question_asked_meanwhile_by_the_schedule(ana: TelegramClient) -> None:
    walk(ana, DAY_ONE)
    send_failing(ana, "6", HOME)
    while ana.place is None:
        due = triggers.next_wake(ana.script, ana.progress)
        assert due is not None
        ana.wakes(due)
    assert ana.arrives(), "the look-in asks something"
    place = ana.place
    replay_later(ana)
    assert (ana.place, ana.progress.runs[-1].answers) == (place, ())
    assert notes(ana) == ["6"]


def test_in_the_terminal_words_said_before_the_open_question_are_kept_and_are_no_answer(app: App) -> None:
    printed: list[str] = []
    console = Console(app, "bea", printed.append, START)
    bea = Client(app)
    bea.address = "terminal:bea"
    console.open()
    while bea.place != "#".join(keeps(bea.script, "wish", WELCOME)):
        console.say(reply(bea, DAY_ONE))
    early = next_label(bea)
    for there, words in ((with_broken_dialogue(app), early), (app, WORDS)):
        console._app = there
        console.say(words)
    place = bea.place
    bea.now = START + timedelta(hours=1)
    assert "Replayed: 1 event." in replay_later(bea)
    assert bea.place == place
    assert notes(bea) == [early]


def test_in_the_terminal_an_answer_that_failed_is_replayed_as_an_answer(app: App) -> None:
    console = Console(app, "bea", lambda _: None, START)
    bea = Client(app)
    bea.address = "terminal:bea"
    console.open()
    console._app = with_broken_dialogue(app)
    place = bea.place
    console.say(reply(bea, DAY_ONE))
    bea.now = START + timedelta(hours=1)
    assert bea.place == place
    replay_later(bea)
    assert bea.place != place


def test_a_wake_up_that_failed_is_replayed_after_the_fix_and_says_what_it_was_to_say(ana: TelegramClient) -> None:
    walk(ana, DAY_ONE)
    ana.arrives()
    due = triggers.next_wake(ana.script, ana.progress)
    assert due is not None
    opens = step(ana.app.machines, ana.progress, Woke(due)).progress.runs[-1].dialogue
    assert with_broken_dialogue(ana.app, opens).conversation.wake(ana.chat.client, due, due)
    assert re.fullmatch(rf"{WHEN}  wake-up  \w+  {FAULT}", next(list_dead_letters(ana.app.settings)))
    ana.now = due
    told = replay_later(ana, with_broken_dialogue(ana.app, opens))
    assert told[0].endswith(f"failed again: {FAULT}")
    assert (ana.arrives(), failure_reasons(ana.app)) == ([], [FAULT])
    told = replay_later(ana)
    assert told[0].endswith("replayed")
    assert told[1] == "Replayed: 1 wake-up."
    assert ana.arrives()
    assert failure_reasons(ana.app) == []
    assert replay_later(ana) == [NOTHING]


def test_a_client_whose_row_can_not_be_read_is_listed_and_woken_when_it_is_mended(ana: TelegramClient) -> None:
    walk(ana, DAY_ONE)
    due = triggers.next_wake(ana.script, ana.progress)
    assert due is not None
    data, client = ana.app.settings.data_dir / "companion.sqlite", ana.chat.client
    ((whole,),) = rows(data, "SELECT progress FROM chats")
    change(data, "UPDATE chats SET progress = x'01'")
    assert not ana.app.conversation.wake(client, due, due)
    assert re.fullmatch(rf"{WHEN}  wake-up  {client}  Unreadable", next(list_dead_letters(ana.app.settings)))
    ana.now = due
    assert replay_later(ana)[0].endswith("failed again: Unreadable")
    change(data, "UPDATE chats SET progress = ?", whole)
    assert replay_later(ana)[1] == "Replayed: 1 wake-up."
    assert ana.arrives()
    assert ana.chat.wake_at is not None


def test_a_disk_that_fails_during_a_replay_changes_no_dead_letter(
    ana: TelegramClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_failing(ana, WORDS)
    monkeypatch.setattr(database, "_set_pragma", read_only)
    with pytest.raises(DatabaseFault, match=r"^The disk is read-only"):
        list(_replay_events(ana.app, lambda: ana.now))
    monkeypatch.undo()
    assert failure_reasons(ana.app) == [FAULT]
    assert "Replayed: 1 event." in replay_later(ana)


def test_an_event_that_can_no_longer_be_decrypted_is_cleared(ana: TelegramClient) -> None:
    event = send_failing(ana, WORDS)
    before = ana.progress
    change(
        ana.app.settings.data_dir / "companion.sqlite", "UPDATE inbox SET payload = x'01' WHERE client IS NOT NULL"
    )
    output = replay_later(ana)
    assert output[0].endswith("cleared: it can no longer be decrypted")
    assert (ana.progress, failure_reasons(ana.app)) == (before, [])
    assert not ana.app.conversation.receive(event), "its key is still taken"


def test_an_event_that_this_release_cannot_read_is_kept(ana: TelegramClient) -> None:
    event = replace(ana.heard(WORDS), payload=b'{"something": "else"}')
    with_broken_dialogue(ana.app).conversation.receive(event)
    output = replay_later(ana)
    assert "Failed again: 1 event." in output
    assert failure_reasons(ana.app) != [FAULT]
    assert len(failure_reasons(ana.app)) == 1


def test_an_event_of_a_client_who_blocked_the_bot_is_kept_until_they_are_back(ana: TelegramClient) -> None:
    send_failing(ana, WORDS)
    ana.app.conversation.blocked("blocked", ana.address, ana.now)
    output = replay_later(ana)
    assert output[0].endswith("kept: the client blocked the bot")
    assert ana.chat.blocked
    assert failure_reasons(ana.app) == [FAULT]
    ana.says("I am back")
    replay_later(ana)
    assert WORDS in notes(ana)
    assert failure_reasons(ana.app) == []


def test_two_replays_at_once_take_effect_once(ana: TelegramClient) -> None:
    send_failing(ana, WORDS)
    with ana.app.store.begin() as work:
        (event,) = work.inbox.all_failed()
    replay_later(ana)
    ana.arrives()
    after = ana.progress
    for conversation in (ana.app.conversation, with_broken_dialogue(ana.app).conversation):
        with pytest.raises(AlreadyHandled):
            conversation.replay(event, read_again(event.key, event.payload, ana.now))
    assert (ana.progress, ana.arrives(), failure_reasons(ana.app)) == (after, [], [])


def test_an_erased_event_is_not_replayed(ana: TelegramClient) -> None:
    send_failing(ana, WORDS)
    with ana.app.store.begin() as work:
        (event,) = work.inbox.all_failed()
    ana.says("/delete")
    ana.app.conversation.receive(ana.heard(label_to(ana, "delete")))
    assert list(list_dead_letters(ana.app.settings)) == [NOTHING]
    with pytest.raises(AlreadyHandled):
        ana.app.conversation.replay(event, read_again(event.key, event.payload, ana.now))
    with ana.app.store.begin() as work:
        assert work.clients.count() == 0
