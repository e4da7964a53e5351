"""Clients are found by their address alone, kept turn by turn, and never mixed up."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from state_machine.model.outgoing import Message, Priority
from state_machine.model.progress import Fact, Progress
from storage import Chat, Stale, Store, UnitOfWork, Unreadable
from storage.send_log import Sent
from storage.timestamps import from_micros, to_micros
from tests.storing import DAY, HOUR, MINUTE, NOW, Marks, change, full_life, rows

ANA, BEN = "telegram:1001", "telegram:1002"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "data")
    yield opened
    opened.close()


def test_nobody_is_at_an_address_that_never_wrote(store: Store) -> None:
    with store.begin() as work:
        assert work.clients.at(ANA) is None
        assert work.clients.get("nobody") is None
        assert work.clients.count() == 0


def test_a_client_is_found_again_where_they_left_it(store: Store, tmp_path: Path) -> None:
    chat = full_life(store, Marks(ANA))
    store.close()
    again = Store.open(tmp_path / "data")
    with again.begin() as work:
        assert work.clients.at(ANA) == chat
        assert work.clients.get(chat.client) == chat
        assert work.clients.count() == 1
    assert chat.address == ANA
    assert chat.progress.people[0].name == "Bertalein-Schnuffel"
    assert chat.last_message_id == 72
    assert chat.waiting == 1
    assert not chat.blocked
    again.close()


def test_two_chats_do_not_mix(store: Store) -> None:
    ana, ben = full_life(store, Marks(ANA)), full_life(store, Marks(BEN, words="Ben's own", nickname="Cy"))
    assert ana.client != ben.client
    with store.begin() as work:
        work.clients.keep(ana, Progress(phase="treatment"), None, NOW)
        work.entries.strike(ana.client, run=1)
        for number in range(10):
            work.outbox.sent(Sent(ana.client, number, 99, NOW))
    with store.begin() as work:
        assert work.clients.at(BEN) == ben
        assert len(work.entries.all(ben.client)) == 2
        assert work.outbox.waiting(ben.client) == 1
        assert work.outbox.message_ids(ben.client, NOW - DAY) == [71, 72]


def test_keeping_a_chat_that_somebody_else_kept_meanwhile_is_refused(store: Store) -> None:
    with store.begin() as work:
        chat = work.clients.open(ANA, NOW)
    with store.begin() as work:
        kept = work.clients.keep(chat, Progress(phase="assessment"), None, NOW)
        assert kept == replace(chat, progress=Progress(phase="assessment"), version=2)
    with pytest.raises(Stale), store.begin() as work:
        work.clients.keep(chat, Progress(phase="aftercare"), None, NOW)
    with store.begin() as work:
        assert work.clients.at(ANA) == kept


def test_two_workers_never_lose_a_turn_of_the_other(tmp_path: Path) -> None:
    stores = [Store.open(tmp_path), Store.open(tmp_path)]
    with stores[0].begin() as work:
        work.clients.open(ANA, NOW)

    def turns(store: Store) -> None:
        for _ in range(40):
            with store.begin() as work:
                chat = work.clients.at(ANA)
                assert chat is not None
                work.clients.keep(chat, replace(chat.progress, next_run=chat.progress.next_run + 1), None, NOW)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(turns, stores))
    with stores[0].begin(immediate=False) as work:
        chat = work.clients.at(ANA)
        assert chat is not None
        assert (chat.progress.next_run, chat.version) == (81, 81)
    for store in stores:
        store.close()


def test_those_who_are_due_come_oldest_first_and_not_before_their_time(store: Store) -> None:
    with store.begin() as work:
        chats = [work.clients.open(f"telegram:{number}", NOW) for number in range(4)]
        for chat, wake_at in zip(chats, (NOW + HOUR, NOW, NOW + MINUTE, None), strict=True):
            work.clients.keep(chat, chat.progress, wake_at, NOW)
    ids = [chat.client for chat in chats]
    with store.begin() as work:
        assert work.clients.next_wake("telegram") == NOW
        assert work.clients.due("telegram", NOW - MINUTE, 10) == []
        assert work.clients.due("telegram", NOW + DAY, 10) == [
            (ids[1], NOW),
            (ids[2], NOW + MINUTE),
            (ids[0], NOW + HOUR),
        ]
        assert work.clients.due("telegram", NOW + DAY, 1) == [(ids[1], NOW)]
        assert work.clients.due("telegram", NOW, 10) == [(ids[1], NOW)]
        work.clients.wake(ids[1], None)
        assert work.clients.next_wake("telegram") == NOW + MINUTE


def test_a_client_who_blocked_us_is_neither_woken_nor_written_to_until_they_are_back(store: Store) -> None:
    chat = full_life(store, Marks(ANA))
    with store.begin() as work:
        work.clients.block(chat.client, NOW)
    with store.begin() as work:
        blocked = work.clients.at(ANA)
        assert blocked is not None
        assert blocked.blocked
        assert blocked.waiting == 0
        assert work.clients.due("telegram", NOW + DAY, 10) == []
        assert work.clients.next_wake("telegram") is None
        work.outbox.put(chat.client, Priority.ANSWER, [Message("unheard")], NOW)
        assert work.outbox.ready("telegram", NOW, 1) == []
        work.clients.unblock(chat.client)
        assert work.clients.due("telegram", NOW + DAY, 10) == [(chat.client, NOW + HOUR)]
        assert work.outbox.ready("telegram", NOW, 1) != []


def test_one_broken_row_is_that_clients_alone(store: Store, tmp_path: Path) -> None:
    ana, ben = full_life(store, Marks(ANA)), full_life(store, Marks(BEN))
    change(tmp_path / "data/companion.sqlite", "UPDATE chats SET progress = x'00' WHERE client = ?", ana.client)
    with store.begin() as work:
        with pytest.raises(Unreadable) as fault:
            work.clients.at(ANA)
        assert fault.value.client == ana.client
        work.inbox.record_failure("telegram:1:3", ana.client, b"what they wrote", "Unreadable")
        work.outbox.put(ana.client, Priority.ANSWER, [Message("A kind word.")], NOW)
        work.clients.wake(ana.client, NOW + DAY)
        assert work.clients.at(BEN) == ben
    with store.begin() as work:
        assert b"what they wrote" in [parked.payload for parked in work.inbox.failed()]
        assert [message.client for message in work.outbox.ready("telegram", NOW, 5)] == [ana.client, ben.client]


def test_a_client_whose_key_is_lost_is_unreadable_and_can_still_be_erased(store: Store, tmp_path: Path) -> None:
    chat = full_life(store, Marks(ANA))
    store.close()
    change(tmp_path / "data/keys.sqlite", "UPDATE keys SET wrapped = x'01' WHERE owner = ?", chat.client)
    again = Store.open(tmp_path / "data")
    with again.begin() as work:
        with pytest.raises(Unreadable):
            work.clients.at(ANA)
        work.inbox.record_failure("telegram:1:4", chat.client, b"lost", "Unreadable")
        work.clients.erase(chat.client, [Message("bye")], NOW)
    with again.begin() as work:
        assert work.clients.at(ANA) is None
        assert work.erasure_notices.due("telegram", NOW + HOUR) == []
        work.clients.open(ANA, NOW)
    again.close()


def test_an_exception_undoes_all_of_a_transaction(store: Store) -> None:
    def turn() -> None:
        with store.begin() as work:
            work.clients.open(ANA, NOW)
            work.inbox.is_new("telegram:1:1", NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        turn()
    with store.begin() as work:
        assert work.clients.at(ANA) is None
        assert work.inbox.is_new("telegram:1:1", NOW)
        assert work.clients.open(ANA, NOW).progress == Progress()


def test_an_exception_in_a_savepoint_undoes_only_what_was_done_in_it(store: Store) -> None:
    def part(work: UnitOfWork, chat: Chat) -> None:
        with work.savepoint():
            work.clients.keep(chat, Progress(phase="treatment"), None, NOW)
            work.clients.erase(chat.client, [], NOW)
            raise RuntimeError

    with store.begin() as work:
        chat = work.clients.open(ANA, NOW)
        with pytest.raises(RuntimeError):
            part(work, chat)
        work.clients.keep(chat, Progress(phase="assessment"), None, NOW)
    with store.begin() as work:
        found = work.clients.at(ANA)
        assert found is not None
        assert found.progress.phase == "assessment"
        assert work.erasure_notices.due("telegram", NOW) == []


def test_the_store_works_on_another_thread_than_it_was_opened_on(store: Store) -> None:
    with ThreadPoolExecutor(1) as thread:
        chat = thread.submit(full_life, store, Marks(ANA)).result()
    with store.begin() as work:
        assert work.clients.at(ANA) == chat


def test_only_the_day_of_coming_stands_in_the_clear(store: Store, tmp_path: Path) -> None:
    full_life(store, Marks(ANA))
    assert rows(tmp_path / "data/companion.sqlite", "SELECT created_on FROM chats") == [("2026-01-05",)]


def test_an_instant_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(TypeError), store.begin() as work:
        work.inbox.is_new("telegram:1:1", NOW.replace(tzinfo=None))


def test_instants_keep_their_microseconds() -> None:
    precise = NOW + MINUTE / 7
    assert from_micros(to_micros(precise)) == precise


def test_facts_may_hold_any_text(store: Store) -> None:
    progress = Progress(facts={"wish": Fact("🙂 \0 \u202e \n «naïve»", NOW)})
    with store.begin() as work:
        work.clients.keep(work.clients.open(ANA, NOW), progress, None, NOW)
    with store.begin() as work:
        chat = work.clients.at(ANA)
        assert chat is not None
        assert chat.progress == progress
