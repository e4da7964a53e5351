"""One event, one turn, one transaction: once, in order, and gone when erased. Real app, real files."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.app import App
from state_machine import occasions
from state_machine.programme import WELCOME
from storage.tables import METADATA
from tests.setting_aside import notes
from tests.storing import rows_of_each
from tests.talking import DAY_ONE, Client, app_on, keeps, label_to, reply, walk


@pytest.fixture
def ana(app: App) -> Client:
    """Somebody who has been asked their first question."""
    client = Client(app)
    client.says("/start")
    return client


# --- once ----------------------------------------------------------------------------


def test_the_same_update_twice_has_one_effect(ana: Client, app: App) -> None:
    heard = ana.heard(reply(ana, DAY_ONE))
    assert app.conversation.hear(heard)
    assert ana.arrives()
    after, rows = ana.progress, rows_of_each(app.store)
    assert not app.conversation.hear(heard)
    assert not ana.arrives()
    assert (ana.progress, rows_of_each(app.store)) == (after, rows)


def test_the_same_update_comes_again_after_a_restart_and_has_no_effect(ana: Client, app: App) -> None:
    heard = ana.heard(reply(ana, DAY_ONE))
    app.conversation.hear(heard)
    afresh = app_on(app.settings.data_dir, app.book, app.charts, app.prompts)
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


# --- early words -----------------------------------------------------------------------


def test_words_sent_before_the_question_was_carried_are_kept_and_never_answers(ana: Client, app: App) -> None:
    _with_consent(ana)
    place = ana.place
    ana.app.conversation.hear(ana.heard("/help"))
    here = ana.place
    assert here != place
    app.conversation.hear(ana.heard("numbers please, I mean the answer to before"))
    assert ana.place == here
    assert "numbers please, I mean the answer to before" in notes(ana)
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
    assert "I am back, what did I miss" in notes(ana)


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
    assert {name for name, rows in rows_of_each(app.store).items() if rows} <= {"inbox", "pairing"}


# --- killed ----------------------------------------------------------------------------


def _with_consent(client: Client) -> None:
    """Go on until consent is given."""
    walk(client, DAY_ONE, until="#".join(keeps(client.script, "country", WELCOME)))
