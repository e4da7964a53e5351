"""A turn reads and writes only the facts it asks for; no fact is lost, duplicated or kept too long."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from state_machine.model.progress import Fact, Progress, with_facts, without_facts
from storage import Chat, Store, Unreadable
from storage.database import TransactionEnded
from storage.repositories.chats import MAX_RECENT, MAX_RECENT_CHARACTERS
from tests.stores import NOW, change, rows

ANA = "telegram:1001"


def fact(words: object) -> Fact:
    return Fact(f"the words of {words}", NOW, "code")


def many(number: int) -> dict[str, Fact]:
    return {f"fact_{place}": fact(place) for place in range(number)}


def told(store: Store, facts: dict[str, Fact], address: str = ANA) -> Chat:
    """A new client with these facts."""
    with store.begin() as work:
        return work.chats.save(work.chats.create(address, NOW), Progress(facts=facts), None)


def turn(store: Store, decide: Callable[[Progress], Progress], address: str = ANA) -> None:
    """One turn: the progress is read, changed by `decide`, and saved."""
    with store.begin() as work:
        chat = work.chats.find(address)
        assert chat is not None
        work.chats.save(chat, decide(chat.progress), None)


def telling(memory: str, value: Fact, asks: str | None = None) -> Callable[[Progress], Progress]:
    """A turn that sets one fact, and may read one."""

    def decide(progress: Progress) -> Progress:
        assert asks is None or asks in progress.facts
        return replace(progress, facts=with_facts(progress.facts, {memory: value}))

    return decide


def known(store: Store, address: str = ANA) -> dict[str, Fact]:
    """All facts, as an export reads them."""
    with store.begin(read_only=True) as work:
        chat = work.chats.find(address)
        assert chat is not None
        return dict(chat.progress.facts.items())


def in_rows(folder: Path) -> int:
    return len(rows(folder / "companion.sqlite", "SELECT memory FROM facts"))


def an_ordinary_turn(progress: Progress) -> Progress:
    """What most turns do with facts: they read a few, and sometimes change one."""
    for memory in ("fact_3", "fact_4", "fact_5", "never_told"):
        progress.facts.get(memory)
    return replace(progress, facts=with_facts(progress.facts, {"fact_5": fact("another day")}))


@pytest.mark.parametrize("number", [0, 1, MAX_RECENT, MAX_RECENT + 1, 300])
def test_any_number_of_facts_is_stored_and_read(store: Store, number: int) -> None:
    told(store, many(number))
    assert known(store) == many(number)
    turn(store, an_ordinary_turn)
    assert known(store) == many(number) | {"fact_5": fact("another day")}


def test_facts_saved_one_by_one_are_read_like_facts_saved_at_once(store: Store) -> None:
    told(store, {})
    for memory, value in many(200).items():
        turn(store, telling(memory, value))
    assert known(store) == many(200)


def work_of_a_turn(folder: Path, facts: int) -> tuple[int, int]:
    """How many statements an ordinary turn runs, and how many bytes of progress it writes."""
    seen: list[str] = []

    def trace(connection: Any, _: object) -> None:
        connection.set_trace_callback(seen.append)

    event.listen(Engine, "connect", trace)
    try:
        store = Store.open(folder)
        told(store, many(facts))
        for _ in range(3):
            turn(store, an_ordinary_turn)
        seen.clear()
        turn(store, an_ordinary_turn)
        store.close()
    finally:
        event.remove(Engine, "connect", trace)
    ((size,),) = rows(folder / "companion.sqlite", "SELECT length(progress) FROM chats")
    assert isinstance(size, int)
    return len(seen), size


def test_a_turn_does_no_more_work_at_a_thousand_facts_than_at_a_hundred(tmp_path: Path) -> None:
    hundred, thousand = work_of_a_turn(tmp_path / "100", 100), work_of_a_turn(tmp_path / "1000", 1000)
    assert thousand[0] == hundred[0]
    assert abs(thousand[1] - hundred[1]) < 200
    assert thousand[0] <= work_of_a_turn(tmp_path / "few", 20)[0] + 2  # one look-up in vain, one old row deleted
    assert in_rows(tmp_path / "few") == 0


def test_a_changed_fact_leaves_no_earlier_words_in_any_row(store: Store, tmp_path: Path) -> None:
    told(store, many(300))
    before = in_rows(tmp_path)
    turn(store, lambda progress: replace(progress, facts=with_facts(progress.facts, {"fact_0": fact("now")})))
    stored = known(store)
    assert stored["fact_0"] == fact("now")
    assert len(stored) == 300
    assert in_rows(tmp_path) == before  # its old row was deleted, and another fact got a row


def test_a_removed_fact_is_deleted_from_the_rows_and_from_the_progress(store: Store, tmp_path: Path) -> None:
    told(store, many(300))
    before = in_rows(tmp_path)
    removed = ("fact_0", "fact_1", "fact_299")
    turn(store, lambda progress: replace(progress, facts=without_facts(progress.facts, removed)))
    assert known(store) == {memory: value for memory, value in many(300).items() if memory not in removed}
    assert in_rows(tmp_path) == before - 2
    turn(store, an_ordinary_turn)
    assert not known(store).keys() & set(removed)


def test_removing_all_facts_leaves_no_row(store: Store, tmp_path: Path) -> None:
    told(store, many(300))
    turn(store, lambda progress: replace(progress, facts={"name": fact("Ana")}))
    assert known(store) == {"name": fact("Ana")}
    assert in_rows(tmp_path) == 0


def test_what_is_asked_for_at_every_turn_is_read_from_the_progress(store: Store) -> None:
    told(store, {"zone": fact("a clock"), **many(300)})
    for place in range(200):
        turn(store, telling(f"new_{place}", fact(place), asks="zone"))
    with store.begin() as work:
        chat = work.chats.find(ANA)
        assert chat is not None
    assert chat.progress.facts["zone"] == fact("a clock")  # after its transaction, so from no row
    with pytest.raises(TransactionEnded):
        chat.progress.facts.get("fact_0")


def test_long_answers_are_stored_in_rows(store: Store, tmp_path: Path) -> None:
    told(store, {f"letter_{place}": Fact("word " * 800, NOW) for place in range(40)})
    turn(store, an_ordinary_turn)
    ((size,),) = rows(tmp_path / "companion.sqlite", "SELECT length(progress) FROM chats")
    assert isinstance(size, int)
    assert size < MAX_RECENT_CHARACTERS + 2000
    assert len(known(store)) == 41


def test_facts_changed_twice_in_one_transaction_have_the_last_value(store: Store) -> None:
    told(store, many(100))
    with store.begin() as work:
        chat = work.chats.find(ANA)
        assert chat is not None
        once = with_facts(chat.progress.facts, {f"more_{place}": fact(place) for place in range(80)})
        chat = work.chats.save(chat, replace(chat.progress, facts=once), None)
        twice = without_facts(chat.progress.facts, ["more_0", "fact_1"])
        work.chats.save(chat, replace(chat.progress, facts=twice), None)
    stored = known(store)
    assert len(stored) == 178
    assert not stored.keys() & {"more_0", "fact_1"}


def test_a_turn_that_is_rolled_back_does_not_change_facts(store: Store) -> None:
    told(store, many(300))

    def broken() -> None:
        with store.begin() as work:
            chat = work.chats.find(ANA)
            assert chat is not None
            with work.savepoint():
                work.chats.save(chat, replace(chat.progress, facts={}), None)
                raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert known(store) == many(300)


def test_a_row_moved_to_another_memory_or_client_is_refused(store: Store, tmp_path: Path) -> None:
    told(store, many(300))
    told(store, many(300), "telegram:1002")
    file = tmp_path / "companion.sqlite"
    two = rows(file, "SELECT client, memory, body FROM facts ORDER BY client, memory LIMIT 2")
    (client, memory, _), (_, _, other) = two
    change(file, "UPDATE facts SET body = ? WHERE client = ? AND memory = ?", other, client, memory)
    with store.begin(read_only=True) as work:
        chat = work.chats.get(str(client))
        assert chat is not None
        with pytest.raises(Unreadable):
            [chat.progress.facts.get(name) for name in many(300)]
        assert work.chats.find(ANA) is not None
    change(file, "UPDATE facts SET client = (SELECT max(client) FROM chats) WHERE memory = ?", memory)
    last = max(str(row[0]) for row in rows(file, "SELECT client FROM chats"))
    with store.begin(read_only=True) as work:
        chat = work.chats.get(last)
        assert chat is not None
        with pytest.raises(Unreadable):
            dict(chat.progress.facts.items())


def test_a_fact_written_during_a_reading_transaction_does_not_change_what_it_reads(store: Store) -> None:
    told(store, many(300))
    with store.begin(read_only=True) as reading:
        chat = reading.chats.find(ANA)
        assert chat is not None
        turn(store, lambda progress: replace(progress, facts=without_facts(progress.facts, ["fact_0"])))
        assert chat.progress.facts["fact_0"] == fact(0)
        assert dict(chat.progress.facts.items()) == many(300)
    assert "fact_0" not in known(store)


def test_no_name_of_a_memory_is_in_the_file(store: Store, tmp_path: Path) -> None:
    told(store, many(300))
    store.close()
    connection = sqlite3.connect(tmp_path / "companion.sqlite")
    found = connection.execute("SELECT memory, body FROM facts").fetchall()
    connection.close()
    assert len(found) > 200
    assert not any(b"fact_" in memory or b"fact_" in body for memory, body in found)
