"""Data written by an earlier release are read, and become those of this one as clients go on.

`earlier_data/revision_0003.tar.gz` holds the folder of a release that kept all facts in the progress: two clients
at telegram:1001 and telegram:1002, with 150 and 3 facts, each with an entry and a message that waits.
"""

from __future__ import annotations

import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from state_machine.model.outgoing import Message
from state_machine.model.progress import Fact, with_facts
from storage import Store, StoreRefused, migrations
from storage.sqlite.engines import DATA_PRAGMAS, sqlite_engine
from tests.stores import NOW, rows

EARLIER = Path(__file__).parent / "earlier_data" / "revision_0003.tar.gz"
MANY, FEW = "telegram:1001", "telegram:1002"


def facts(number: int) -> dict[str, Fact]:
    return {f"fact_{place}": Fact(f"the words of {place}", NOW, "code") for place in range(number)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with tarfile.open(EARLIER) as earlier:
        for member in earlier.getmembers():
            content = earlier.extractfile(member)
            if content is not None:
                (tmp_path / member.name).write_bytes(content.read())
    assert rows(tmp_path / "companion.sqlite", "SELECT version_num FROM alembic_version") == [("0003",)]
    return tmp_path


def a_turn(store: Store, address: str) -> None:
    with store.begin() as work:
        chat = work.chats.find(address)
        assert chat is not None
        told = with_facts(chat.progress.facts, {"fact_1": Fact("told anew", NOW)})
        work.chats.save(chat, replace(chat.progress, facts=told), NOW)


def where(folder: Path) -> list[tuple[object, ...]]:
    """Of each client, in the order of creation: whether facts are in rows, how many, and the size of the progress."""
    return rows(
        folder / "companion.sqlite",
        "SELECT facts_apart, (SELECT count(*) FROM facts WHERE client = chats.client), length(progress) < 6000 "
        "FROM chats ORDER BY rowid",
    )


def test_all_data_are_there_before_and_after_the_next_turn(folder: Path) -> None:
    store = Store.open(folder)
    for address, number in ((MANY, 150), (FEW, 3)):
        with store.begin(read_only=True) as work:
            chat = work.chats.find(address)
            assert chat is not None
            assert dict(chat.progress.facts.items()) == facts(number)
        a_turn(store, address)
        with store.begin(read_only=True) as work:
            chat = work.chats.find(address)
            assert chat is not None
            assert chat.progress.phase == "assessment"
            assert chat.progress.people[0].facts["how"] == Fact("near", NOW)
            assert dict(chat.progress.facts.items()) == facts(number) | {"fact_1": Fact("told anew", NOW)}
            assert [entry.dialogue for entry in work.entries.all(chat.client)] == ["weekly/check_in"]
            message = work.outbox.next_for(chat.client)
            assert message is not None
            assert message.content == Message("still waiting")
            assert work.outbox.ready("telegram", NOW, 9), "its channel is not known"
    store.close()


def test_many_facts_move_to_rows_at_the_next_turn_of_their_client_and_few_stay(folder: Path) -> None:
    store = Store.open(folder)
    assert where(folder) == [(0, 0, 0), (0, 0, 1)]
    a_turn(store, FEW)
    assert where(folder) == [(0, 0, 0), (0, 0, 1)]
    a_turn(store, MANY)
    assert where(folder) == [(1, 86, 1), (0, 0, 1)]
    store.close()


def test_a_turn_interrupted_while_facts_are_moved_loses_none(folder: Path) -> None:
    store = Store.open(folder)

    def cut_off() -> None:
        with store.begin() as work:
            chat = work.chats.find(MANY)
            assert chat is not None
            work.chats.save(chat, chat.progress, NOW)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_off()
    assert where(folder) == [(0, 0, 0), (0, 0, 1)]
    a_turn(store, MANY)
    store.close()
    assert where(folder) == [(1, 86, 1), (0, 0, 1)]


def test_the_schema_can_be_downgraded_only_until_facts_are_moved(folder: Path) -> None:
    store = Store.open(folder)
    engine = sqlite_engine(folder / "companion.sqlite", DATA_PRAGMAS)
    with engine.begin() as connection:
        migrations.migrate(connection, "0003")
        migrations.migrate(connection, migrations.HEAD)
    a_turn(store, MANY)
    with pytest.raises(StoreRefused, match="earlier releases do not read"), engine.begin() as connection:
        migrations.migrate(connection, "0003")
    engine.dispose()
    store.close()
    assert where(folder) == [(1, 86, 1), (0, 0, 1)]
