"""A client with more facts than are stored with the progress is served like any other."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.app import App
from bot.console import Console
from state_machine.model.progress import Fact, with_facts
from tests.stores import rows
from tests.talking import DAY_ONE, Client, walk

TOLD = {f"said_{number}": f"words {number}" for number in range(300)}


@pytest.fixture
def ana(app: App) -> Client:
    """Ana after her first day in a terminal, with three hundred more facts."""
    client = Client(app)
    client.address = "terminal:ana"
    client.day_one()
    with app.store.begin() as work:
        chat = work.chats.find(client.address)
        assert chat is not None
        told = {memory: Fact(words, client.now) for memory, words in TOLD.items()}
        work.chats.save(chat, replace(chat.progress, facts=with_facts(chat.progress.facts, told)), None)
    assert rows(app.settings.data_dir / "companion.sqlite", "SELECT facts_apart FROM chats") == [(1,)]
    return client


def facts_of(client: Client) -> dict[str, Fact]:
    with client.app.store.begin(read_only=True) as work:
        chat = work.chats.find(client.address)
        assert chat is not None
        return dict(chat.progress.facts.items())


def test_check_ins_continue_and_no_earlier_fact_is_lost(ana: Client) -> None:
    before = facts_of(ana)
    for _ in range(3):
        ana.now += timedelta(days=1)
        assert ana.says("/checkin")
        walk(ana, DAY_ONE)
    after = facts_of(ana)
    assert after.keys() >= before.keys()
    assert {memory: fact.value for memory, fact in after.items() if memory in TOLD} == TOLD
    assert after["zone"] == before["zone"]
    assert ana.app.conversation.faults == 0


def test_the_export_holds_every_one_of_them(ana: Client) -> None:
    with ana.app.store.begin(read_only=True) as work:
        _, file = ana.app.export(work, ana.chat.client)
    assert [words for words in TOLD.values() if f'"{words}"'.encode() not in file] == []


def test_a_terminal_takes_the_number_of_a_choice(ana: Client) -> None:
    shown: list[str] = []
    console = Console(ana.app, "ana", shown.append, (ana.now + timedelta(days=1)).replace(tzinfo=None))
    console.say("/checkin")
    asked = ana.place
    console.say("1")
    assert ana.place not in (None, asked)
    assert ana.app.conversation.faults == 0


def test_a_deletion_leaves_no_row_of_facts(ana: Client) -> None:
    client = ana.chat.client
    with ana.app.store.begin() as work:
        work.clients.erase(client, [], ana.now)
    assert rows(ana.app.settings.data_dir / "companion.sqlite", "SELECT count(*) FROM facts") == [(0,)]
