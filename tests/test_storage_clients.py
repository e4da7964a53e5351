"""Chats are found by address, saved at every turn, and never mixed up."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from state_machine.model.outgoing import Message, Priority
from state_machine.model.progress import Fact, Progress
from storage import Chat, Stale, Store, UnitOfWork, Unreadable
from storage.database import from_micros, to_micros
from storage.repositories.outbox import Sent
from tests.stores import DAY, HOUR, MINUTE, NOW, Marks, change, full_life, rows

ANA, BEN = "telegram:1001", "telegram:1002"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "data")
    yield opened
    opened.close()


def test_no_client_is_found_at_an_address_that_never_wrote(store: Store) -> None:
    with store.begin() as work:
        assert work.chats.find(ANA) is None
        assert work.chats.get("nobody") is None
        assert work.clients.count() == 0


def test_a_saved_chat_is_read_again_unchanged(store: Store, tmp_path: Path) -> None:
    chat = full_life(store, Marks(ANA))
    store.close()
    again = Store.open(tmp_path / "data")
    with again.begin() as work:
        assert work.chats.find(ANA) == chat
        assert work.chats.get(chat.client) == chat
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
        work.chats.save(ana, Progress(phase="treatment"), None)
        work.entries.delete_answers(ana.client, run=1)
        for number in range(10):
            work.outbox.mark_sent(Sent(ana.client, number, 99, NOW))
    with store.begin() as work:
        assert work.chats.find(BEN) == ben
        assert len(work.entries.all(ben.client)) == 2
        assert work.outbox.count_waiting(ben.client) == 1
        assert work.outbox.message_ids(ben.client, NOW - DAY) == [71, 72]


def test_saving_a_chat_that_was_saved_meanwhile_is_refused(store: Store) -> None:
    with store.begin() as work:
        chat = work.chats.create(ANA, NOW)
    with store.begin() as work:
        saved = work.chats.save(chat, Progress(phase="assessment"), None)
        assert saved == replace(chat, progress=Progress(phase="assessment"), version=2)
    with pytest.raises(Stale), store.begin() as work:
        work.chats.save(chat, Progress(phase="aftercare"), None)
    with store.begin() as work:
        assert work.chats.find(ANA) == saved


def test_two_workers_never_lose_a_turn_of_the_other(tmp_path: Path) -> None:
    stores = [Store.open(tmp_path), Store.open(tmp_path)]
    with stores[0].begin() as work:
        work.chats.create(ANA, NOW)

    def turns(store: Store) -> None:
        for _ in range(40):
            with store.begin() as work:
                chat = work.chats.find(ANA)
                assert chat is not None
                work.chats.save(chat, replace(chat.progress, next_run=chat.progress.next_run + 1), None)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(turns, stores))
    with stores[0].begin(read_only=True) as work:
        chat = work.chats.find(ANA)
        assert chat is not None
        assert (chat.progress.next_run, chat.version) == (81, 81)
    for store in stores:
        store.close()


def test_clients_are_due_at_their_wake_up_time_the_earliest_first(store: Store) -> None:
    with store.begin() as work:
        chats = [work.chats.create(f"telegram:{number}", NOW) for number in range(4)]
        for chat, wake_at in zip(chats, (NOW + HOUR, NOW, NOW + MINUTE, None), strict=True):
            work.chats.save(chat, chat.progress, wake_at)
    ids = [chat.client for chat in chats]
    with store.begin() as work:
        assert work.clients.next_wake_at("telegram") == NOW
        assert work.clients.due("telegram", NOW - MINUTE, 10) == []
        assert work.clients.due("telegram", NOW + DAY, 10) == [
            (ids[1], NOW),
            (ids[2], NOW + MINUTE),
            (ids[0], NOW + HOUR),
        ]
        assert work.clients.due("telegram", NOW + DAY, 1) == [(ids[1], NOW)]
        assert work.clients.due("telegram", NOW, 10) == [(ids[1], NOW)]
        work.clients.set_wake_at(ids[1], None)
        assert work.clients.next_wake_at("telegram") == NOW + MINUTE


def test_a_client_who_blocked_the_bot_is_neither_woken_nor_sent_anything_until_unblocked(store: Store) -> None:
    chat = full_life(store, Marks(ANA))
    with store.begin() as work:
        work.clients.block(chat.client, NOW)
    with store.begin() as work:
        blocked = work.chats.find(ANA)
        assert blocked is not None
        assert blocked.blocked
        assert blocked.waiting == 0
        assert work.clients.due("telegram", NOW + DAY, 10) == []
        assert work.clients.next_wake_at("telegram") is None
        work.outbox.put(chat.client, Priority.ANSWER, [Message("unheard")], NOW)
        assert work.outbox.ready("telegram", NOW, 1) == []
        work.clients.unblock(chat.client)
        assert work.clients.due("telegram", NOW + DAY, 10) == [(chat.client, NOW + HOUR)]
        assert work.outbox.ready("telegram", NOW, 1) != []


def test_one_broken_row_does_not_affect_other_clients(store: Store, tmp_path: Path) -> None:
    ana, ben = full_life(store, Marks(ANA)), full_life(store, Marks(BEN))
    change(tmp_path / "data/companion.sqlite", "UPDATE chats SET progress = x'00' WHERE client = ?", ana.client)
    with store.begin() as work:
        with pytest.raises(Unreadable) as fault:
            work.chats.find(ANA)
        assert fault.value.client == ana.client
        work.inbox.record_failure("telegram:1:3", ana.client, b"what they wrote", "Unreadable")
        work.outbox.put(ana.client, Priority.ANSWER, [Message("A kind word.")], NOW)
        work.clients.set_wake_at(ana.client, NOW + DAY)
        assert work.chats.find(BEN) == ben
    with store.begin() as work:
        assert b"what they wrote" in [failed.payload for failed in work.inbox.all_failed()]
        assert [message.client for message in work.outbox.ready("telegram", NOW, 5)] == [ana.client, ben.client]


def test_a_client_whose_key_is_lost_is_unreadable_and_can_still_be_erased(store: Store, tmp_path: Path) -> None:
    chat = full_life(store, Marks(ANA))
    store.close()
    change(tmp_path / "data/keys.sqlite", "UPDATE keys SET wrapped = x'01' WHERE owner = ?", chat.client)
    again = Store.open(tmp_path / "data")
    with again.begin() as work:
        with pytest.raises(Unreadable):
            work.chats.find(ANA)
        work.inbox.record_failure("telegram:1:4", chat.client, b"lost", "Unreadable")
        work.clients.erase(chat.client, [Message("bye")], NOW)
    with again.begin() as work:
        assert work.chats.find(ANA) is None
        assert work.erasure_notices.due("telegram", NOW + HOUR) == []
        work.chats.create(ANA, NOW)
    again.close()


def test_an_exception_rolls_back_the_whole_transaction(store: Store) -> None:
    def turn() -> None:
        with store.begin() as work:
            work.chats.create(ANA, NOW)
            work.inbox.claim("telegram:1:1", NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        turn()
    with store.begin() as work:
        assert work.chats.find(ANA) is None
        assert work.inbox.claim("telegram:1:1", NOW)
        assert work.chats.create(ANA, NOW).progress == Progress()


def test_an_exception_in_a_savepoint_rolls_back_only_that_part(store: Store) -> None:
    def part(work: UnitOfWork, chat: Chat) -> None:
        with work.savepoint():
            work.chats.save(chat, Progress(phase="treatment"), None)
            work.clients.erase(chat.client, [], NOW)
            raise RuntimeError

    with store.begin() as work:
        chat = work.chats.create(ANA, NOW)
        with pytest.raises(RuntimeError):
            part(work, chat)
        work.chats.save(chat, Progress(phase="assessment"), None)
    with store.begin() as work:
        found = work.chats.find(ANA)
        assert found is not None
        assert found.progress.phase == "assessment"
        assert work.erasure_notices.due("telegram", NOW) == []


def test_the_store_works_on_another_thread_than_it_was_opened_on(store: Store) -> None:
    with ThreadPoolExecutor(1) as thread:
        chat = thread.submit(full_life, store, Marks(ANA)).result()
    with store.begin() as work:
        assert work.chats.find(ANA) == chat


def test_only_the_day_of_creation_is_stored_unencrypted(store: Store, tmp_path: Path) -> None:
    full_life(store, Marks(ANA))
    assert rows(tmp_path / "data/companion.sqlite", "SELECT created_on FROM chats") == [("2026-01-05",)]


def test_an_instant_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(TypeError), store.begin() as work:
        work.inbox.claim("telegram:1:1", NOW.replace(tzinfo=None))


def test_instants_keep_their_microseconds() -> None:
    precise = NOW + MINUTE / 7
    assert from_micros(to_micros(precise)) == precise


def test_facts_may_hold_any_text(store: Store) -> None:
    progress = Progress(facts={"wish": Fact("🙂 \0 \u202e \n «naïve»", NOW)})
    with store.begin() as work:
        work.chats.save(work.chats.create(ANA, NOW), progress, None)
    with store.begin() as work:
        chat = work.chats.find(ANA)
        assert chat is not None
        assert chat.progress == progress
