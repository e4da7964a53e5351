"""One event, one turn, one transaction: once, in order, and gone when erased. Real app, real files."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.app import App
from state_machine.model.events import Said, Shared, Tapped
from state_machine.model.outgoing import Message
from state_machine.programme.tables import WELCOME
from state_machine.schedule import triggers
from storage.tables import METADATA
from tests.dead_letters import notes, refused
from tests.stores import rows_of_each, waiting
from tests.talking import DAY_ONE, Client, app_on, keeps, label_to, reply, walk

# --- once ----------------------------------------------------------------------------


def test_the_same_update_twice_has_one_effect(newcomer: Client, app: App) -> None:
    heard = newcomer.heard(reply(newcomer, DAY_ONE))
    assert app.conversation.receive(heard)
    assert newcomer.arrives()
    after, rows = newcomer.progress, rows_of_each(app.store)
    assert not app.conversation.receive(heard)
    assert not newcomer.arrives()
    assert (newcomer.progress, rows_of_each(app.store)) == (after, rows)


def test_the_same_update_comes_again_after_a_restart_and_has_no_effect(newcomer: Client, app: App) -> None:
    heard = newcomer.heard(reply(newcomer, DAY_ONE))
    app.conversation.receive(heard)
    afresh = app_on(app.settings.data_dir, app.book, app.machines, app.prompts)
    assert not afresh.conversation.receive(heard)
    afresh.store.close()


def test_a_double_tap_never_fills_two_items(newcomer: Client, app: App) -> None:
    walk(newcomer, DAY_ONE, until="#".join(keeps(app.machines.script, "mood", WELCOME)))
    tap = newcomer.tap("4")
    app.conversation.receive(tap)
    newcomer.carried()
    once = newcomer.progress
    app.conversation.receive(replace(tap, key="a second finger"))
    assert not newcomer.arrives()
    assert replace(newcomer.progress, heard=once.heard) == once


def test_a_wake_up_happens_once(newcomer: Client, app: App) -> None:
    walk(newcomer, DAY_ONE)
    due = triggers.next_wake(app.machines.script, newcomer.progress)
    assert due is not None
    assert newcomer.wakes(due)
    assert newcomer.arrives()
    after = newcomer.progress
    assert not newcomer.wakes(due)
    assert not newcomer.arrives()
    assert newcomer.progress == after


def test_what_is_due_is_kept_beside_the_progress_so_that_a_restart_finds_it(newcomer: Client, app: App) -> None:
    walk(newcomer, DAY_ONE)
    due = triggers.next_wake(app.machines.script, newcomer.progress)
    assert due is not None
    client = newcomer.chat.client
    with app.store.begin() as work:
        assert work.clients.due("telegram:7", due - timedelta(microseconds=1), 9) == []
        assert work.clients.due("telegram:7", due, 9) == [(client, due)]


# --- early words -----------------------------------------------------------------------


def test_words_sent_before_the_question_was_carried_are_kept_and_never_answers(newcomer: Client, app: App) -> None:
    _with_consent(newcomer)
    place = newcomer.place
    newcomer.app.conversation.receive(newcomer.heard("/help"))
    here = newcomer.place
    assert here != place
    app.conversation.receive(newcomer.heard("numbers please, I mean the answer to before"))
    assert newcomer.place == here
    assert "numbers please, I mean the answer to before" in notes(newcomer)
    newcomer.arrives()
    assert newcomer.says(reply(newcomer, {}))
    assert newcomer.place != here


def test_words_with_a_lower_number_than_our_last_message_are_early(newcomer: Client, app: App) -> None:
    _with_consent(newcomer)
    place = newcomer.place
    ours = newcomer.chat.last_message_id
    assert ours is not None
    early = newcomer.heard(reply(newcomer, DAY_ONE), message_id=ours - 1)
    app.conversation.receive(early)
    assert newcomer.arrives()
    assert newcomer.place == place
    assert newcomer.says(reply(newcomer, DAY_ONE))
    assert newcomer.place != place


def test_a_command_sent_early_works_all_the_same(newcomer: Client, app: App) -> None:
    _with_consent(newcomer)
    app.conversation.receive(newcomer.heard("/help", message_id=1))
    assert (newcomer.place or "").startswith("always/help#")


# --- blocked, erased -------------------------------------------------------------------


def test_a_blocked_client_hears_nothing_and_is_asked_again_when_they_return(newcomer: Client, app: App) -> None:
    _with_consent(newcomer)
    app.conversation.receive(newcomer.heard("/help"))
    app.conversation.blocked("blocked", newcomer.address, newcomer.now)
    assert newcomer.chat.blocked
    assert not newcomer.arrives()
    with app.store.begin() as work:
        assert work.clients.due("telegram:7", newcomer.now + timedelta(days=400), 9) == []
    here = newcomer.place
    said = newcomer.says("I am back, what did I miss")
    assert not newcomer.chat.blocked
    assert newcomer.place == here
    assert len(said) >= 2, "the words are answered, and the open question is asked once more"
    assert "I am back, what did I miss" in notes(newcomer)


@pytest.mark.parametrize("how", ["a sticker", "an emoji", "an old button"])
def test_a_question_that_was_dropped_is_asked_again_before_words_answer_it(
    newcomer: Client, app: App, how: str
) -> None:
    lost = _loses_a_question(newcomer)
    app.conversation.blocked("blocked", newcomer.address, newcomer.now)
    heard = newcomer.heard("👋")
    event: Said | Shared | Tapped = Said(newcomer.now, "👋")
    if how == "a sticker":
        event = Shared(newcomer.now, "sticker")
    elif how == "an old button":
        event = Tapped(newcomer.now, "1:mood:n4")
    app.conversation.receive(replace(heard, event=event, tap_id="tap"))
    if lost not in newcomer.arrives():
        assert lost in newcomer.says("sorry I was away")
        assert "sorry I was away" in notes(newcomer)
    place = newcomer.place
    newcomer.says("my sister")
    assert newcomer.place != place, "now they have seen the question, and answer it"


def test_words_are_no_answer_to_a_question_that_telegram_refused(newcomer: Client) -> None:
    lost = _loses_a_question(newcomer)
    refused(newcomer, -1)
    place = newcomer.place
    assert lost in newcomer.says("hm, are you there?")
    assert newcomer.place == place
    assert notes(newcomer) == ["hm, are you there?"]
    newcomer.says("my sister")
    assert newcomer.place != place


def test_a_block_that_comes_again_after_a_restart_takes_nothing_from_who_is_back(newcomer: Client, app: App) -> None:
    app.conversation.blocked("telegram:7:1", newcomer.address, newcomer.now)
    app.conversation.receive(newcomer.heard("I want to kill myself"))
    app.conversation.blocked("telegram:7:1", newcomer.address, newcomer.now)
    assert not newcomer.chat.blocked
    assert newcomer.arrives()
    app.conversation.blocked("telegram:7:2", newcomer.address, newcomer.now)
    assert newcomer.chat.blocked


def test_erasing_leaves_no_row_in_any_table_and_a_second_start_begins_anew(newcomer: Client, app: App) -> None:
    walk(newcomer, DAY_ONE)
    newcomer.says("/checkin")
    walk(newcomer, {"mood": "6"})
    first = newcomer.chat.client
    newcomer.says("/delete")
    app.conversation.receive(newcomer.heard(label_to(newcomer, "delete")))
    with app.store.begin() as work:
        assert work.chats.find(newcomer.address) is None
        parting = next(iter(work.erasure_notices.due("telegram:7", newcomer.now)), None)
        assert parting is not None
        assert [words.text for words in parting.messages] == [app.prompts.refrain("erased")]
        assert parting.delete
        work.erasure_notices.delete(parting.id)
    with app.store.begin() as work:
        for table in METADATA.sorted_tables:
            if "client" in table.c:
                about = work.connection.execute(select(table).where(table.c.client.is_not(None))).all()
                assert about == [], table.name
    assert newcomer.says("/start")
    assert newcomer.chat.client != first
    assert newcomer.progress.facts == {}
    assert newcomer.place == f"{WELCOME}#{app.machines.script.dialogues[WELCOME].first}"


def test_saying_no_to_consent_leaves_nothing(newcomer: Client, app: App) -> None:
    walk(newcomer, DAY_ONE, until=f"{WELCOME}#{keeps(app.machines.script, 'consent')[1]}")
    app.conversation.receive(newcomer.heard(label_to(newcomer, "declined")))
    with app.store.begin() as work:
        assert work.clients.count() == 0
        parting = next(iter(work.erasure_notices.due("telegram:7", newcomer.now)), None)
        assert parting is not None
        assert parting.messages
        work.erasure_notices.delete(parting.id)
    assert {name for name, rows in rows_of_each(app.store).items() if rows} <= {"inbox", "pairing"}


# --- killed ----------------------------------------------------------------------------


def _loses_a_question(client: Client) -> str:
    """Go on until who it was is asked, and leave the question on its way. Its words."""
    walk(client, DAY_ONE, until="#".join(keeps(client.script, "moment", WELCOME)))
    client.app.conversation.receive(client.heard(reply(client, DAY_ONE)))
    number = client.chat.client
    with client.app.store.begin() as work:
        question = waiting(work, number)[-1].content
    assert isinstance(question, Message)
    return question.text


def _with_consent(client: Client) -> None:
    """Go on until consent is given."""
    walk(client, DAY_ONE, until="#".join(keeps(client.script, "country", WELCOME)))
