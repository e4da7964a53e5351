"""Of what a client told us, a turn reads and writes what it asks for; nothing is lost, doubled or kept too long."""

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
from storage.repositories.facts import LETTERS_AT_HAND, MOST_AT_HAND
from storage.statements import TransactionOver
from tests.storing import NOW, change, rows

ANA = "telegram:1001"


def fact(words: object) -> Fact:
    return Fact(f"the words of {words}", NOW, "code")


def many(number: int) -> dict[str, Fact]:
    return {f"fact_{place}": fact(place) for place in range(number)}


def told(store: Store, facts: dict[str, Fact], address: str = ANA) -> Chat:
    """A client who told us all that."""
    with store.begin() as work:
        return work.clients.keep(work.clients.open(address, NOW), Progress(facts=facts), None, NOW)


def turn(store: Store, decide: Callable[[Progress], Progress], address: str = ANA) -> None:
    """One turn: the progress is read, and what is decided is kept."""
    with store.begin() as work:
        chat = work.clients.at(address)
        assert chat is not None
        work.clients.keep(chat, decide(chat.progress), None, NOW)


def telling(memory: str, value: Fact, asks: str | None = None) -> Callable[[Progress], Progress]:
    """A turn in which one thing is told, and perhaps one is asked for."""

    def decide(progress: Progress) -> Progress:
        assert asks is None or asks in progress.facts
        return replace(progress, facts=with_facts(progress.facts, {memory: value}))

    return decide


def known(store: Store, address: str = ANA) -> dict[str, Fact]:
    """All facts, as an export reads them."""
    with store.begin(immediate=False) as work:
        chat = work.clients.at(address)
        assert chat is not None
        return dict(chat.progress.facts.items())


def in_rows(folder: Path) -> int:
    return len(rows(folder / "companion.sqlite", "SELECT memory FROM facts"))


def an_ordinary_turn(progress: Progress) -> Progress:
    """What most turns do with facts: they ask for a few, and now and then change one."""
    for memory in ("fact_3", "fact_4", "fact_5", "never_told"):
        progress.facts.get(memory)
    return replace(progress, facts=with_facts(progress.facts, {"fact_5": fact("another day")}))


@pytest.mark.parametrize("number", [0, 1, MOST_AT_HAND, MOST_AT_HAND + 1, 300])
def test_everything_told_is_known_however_much_it_is(store: Store, number: int) -> None:
    told(store, many(number))
    assert known(store) == many(number)
    turn(store, an_ordinary_turn)
    assert known(store) == many(number) | {"fact_5": fact("another day")}


def test_what_was_told_little_by_little_is_known_as_if_told_at_once(store: Store) -> None:
    told(store, {})
    for memory, value in many(200).items():
        turn(store, telling(memory, value))
    assert known(store) == many(200)


def work_of_a_turn(folder: Path, facts: int) -> tuple[int, int]:
    """How many statements an ordinary turn sends, and how large the progress is that it writes."""
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


def test_a_fact_that_was_changed_leaves_no_earlier_words_in_any_row(store: Store, tmp_path: Path) -> None:
    told(store, many(300))
    before = in_rows(tmp_path)
    turn(store, lambda progress: replace(progress, facts=with_facts(progress.facts, {"fact_0": fact("now")})))
    kept = known(store)
    assert kept["fact_0"] == fact("now")
    assert len(kept) == 300
    assert in_rows(tmp_path) == before  # its old row went, and another fact took a row


def test_a_fact_that_was_removed_is_gone_from_the_rows_and_from_what_is_at_hand(store: Store, tmp_path: Path) -> None:
    told(store, many(300))
    before = in_rows(tmp_path)
    gone = ("fact_0", "fact_1", "fact_299")
    turn(store, lambda progress: replace(progress, facts=without_facts(progress.facts, gone)))
    assert known(store) == {memory: value for memory, value in many(300).items() if memory not in gone}
    assert in_rows(tmp_path) == before - 2
    turn(store, an_ordinary_turn)
    assert not known(store).keys() & set(gone)


def test_facts_taken_away_all_together_leave_no_row(store: Store, tmp_path: Path) -> None:
    told(store, many(300))
    turn(store, lambda progress: replace(progress, facts={"name": fact("Ana")}))
    assert known(store) == {"name": fact("Ana")}
    assert in_rows(tmp_path) == 0


def test_what_is_asked_for_at_every_turn_is_read_from_the_progress(store: Store) -> None:
    told(store, {"zone": fact("a clock"), **many(300)})
    for place in range(200):
        turn(store, telling(f"new_{place}", fact(place), asks="zone"))
    with store.begin() as work:
        chat = work.clients.at(ANA)
        assert chat is not None
    assert chat.progress.facts["zone"] == fact("a clock")  # after its transaction, so from no row
    with pytest.raises(TransactionOver):
        chat.progress.facts.get("fact_0")


def test_long_answers_do_not_crowd_the_progress(store: Store, tmp_path: Path) -> None:
    told(store, {f"letter_{place}": Fact("word " * 800, NOW) for place in range(40)})
    turn(store, an_ordinary_turn)
    ((size,),) = rows(tmp_path / "companion.sqlite", "SELECT length(progress) FROM chats")
    assert isinstance(size, int)
    assert size < LETTERS_AT_HAND + 2000
    assert len(known(store)) == 41


def test_facts_changed_twice_in_one_transaction_are_kept_as_they_were_last(store: Store) -> None:
    told(store, many(100))
    with store.begin() as work:
        chat = work.clients.at(ANA)
        assert chat is not None
        once = with_facts(chat.progress.facts, {f"more_{place}": fact(place) for place in range(80)})
        chat = work.clients.keep(chat, replace(chat.progress, facts=once), None, NOW)
        twice = without_facts(chat.progress.facts, ["more_0", "fact_1"])
        work.clients.keep(chat, replace(chat.progress, facts=twice), None, NOW)
    kept = known(store)
    assert len(kept) == 178
    assert not kept.keys() & {"more_0", "fact_1"}


def test_a_turn_that_is_undone_leaves_the_facts_as_they_were(store: Store) -> None:
    told(store, many(300))

    def broken() -> None:
        with store.begin() as work:
            chat = work.clients.at(ANA)
            assert chat is not None
            with work.savepoint():
                work.clients.keep(chat, replace(chat.progress, facts={}), None, NOW)
                raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert known(store) == many(300)


def test_a_row_under_another_name_or_of_another_client_is_not_taken_for_theirs(store: Store, tmp_path: Path) -> None:
    told(store, many(300))
    told(store, many(300), "telegram:1002")
    file = tmp_path / "companion.sqlite"
    two = rows(file, "SELECT client, memory, body FROM facts ORDER BY client, memory LIMIT 2")
    (client, memory, _), (_, _, other) = two
    change(file, "UPDATE facts SET body = ? WHERE client = ? AND memory = ?", other, client, memory)
    with store.begin(immediate=False) as work:
        chat = work.clients.get(str(client))
        assert chat is not None
        with pytest.raises(Unreadable):
            [chat.progress.facts.get(name) for name in many(300)]
        assert work.clients.at(ANA) is not None
    change(file, "UPDATE facts SET client = (SELECT max(client) FROM chats) WHERE memory = ?", memory)
    last = max(str(row[0]) for row in rows(file, "SELECT client FROM chats"))
    with store.begin(immediate=False) as work:
        chat = work.clients.get(last)
        assert chat is not None
        with pytest.raises(Unreadable):
            dict(chat.progress.facts.items())


def test_a_fact_written_while_it_is_read_elsewhere_changes_nothing_there(store: Store) -> None:
    told(store, many(300))
    with store.begin(immediate=False) as reading:
        chat = reading.clients.at(ANA)
        assert chat is not None
        turn(store, lambda progress: replace(progress, facts=without_facts(progress.facts, ["fact_0"])))
        assert chat.progress.facts["fact_0"] == fact(0)
        assert dict(chat.progress.facts.items()) == many(300)
    assert "fact_0" not in known(store)


def test_no_name_of_a_memory_stands_in_the_file(store: Store, tmp_path: Path) -> None:
    told(store, many(300))
    store.close()
    connection = sqlite3.connect(tmp_path / "companion.sqlite")
    found = connection.execute("SELECT memory, body FROM facts").fetchall()
    connection.close()
    assert len(found) > 200
    assert not any(b"fact_" in memory or b"fact_" in body for memory, body in found)
