"""An erasure deletes every row of a client and the key, so that old backups can't be decrypted either."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, select

from state_machine.model.outgoing import Message, Priority
from state_machine.model.progress import Progress
from storage import DecryptionError, ErasureNotice, Store, Unreadable
from storage.crypto.vault import Vault
from storage.repositories.outbox import Sent
from storage.tables import METADATA
from tests.stores import DAY, HOUR, MINUTE, NOW, Marks, backup, full_life, rows, waiting

ANA, BEN = Marks("telegram:1001"), Marks("telegram:1002")
BYE = (Message("All of it is gone."), Message("Take care."))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    opened = Store.open(folder)
    yield opened
    opened.close()


def erase(store: Store, client: str) -> None:
    with store.begin() as work:
        work.clients.erase(client, BYE, NOW + MINUTE)


def key_of(folder: Path, client: str) -> list[tuple[object, ...]]:
    return [row for row in rows(folder / "keys.sqlite", "SELECT owner, wrapped FROM keys") if row[0] == client]


def where_found(store: Store, client: str) -> list[str]:
    """The tables in which any column of any row is, or holds, the client's id."""
    with store.begin() as work:
        return [
            table.name
            for table in METADATA.sorted_tables
            if any(_holds(value, client) for row in work.connection.execute(select(table)) for value in row)
        ]


def _holds(value: object, client: str) -> bool:
    return client.encode() in value if isinstance(value, bytes) else client in str(value)


def test_no_table_keeps_a_row_of_an_erased_client(store: Store, folder: Path) -> None:
    ana, ben = full_life(store, ANA), full_life(store, BEN)
    personal = {table.name for table in METADATA.sorted_tables if "client" in table.c} - {"erasure_notices"}
    assert set(where_found(store, ana.client)) == personal
    erase(store, ana.client)
    assert where_found(store, ana.client) == ["erasure_notices"]
    with store.begin() as work:
        parting = next(iter(work.erasure_notices.due("telegram", NOW + MINUTE)), None)
        assert parting is not None
        work.erasure_notices.delete(parting.id)
    assert where_found(store, ana.client) == []
    assert key_of(folder, ana.client) == []
    with store.begin() as work:
        assert work.chats.find(BEN.address) == ben
        assert work.clients.count() == 1
        assert len(work.entries.all(ben.client)) == 2


def test_every_encrypted_column_is_in_a_table_that_erasure_empties() -> None:
    for table in METADATA.sorted_tables:
        if any(isinstance(column.type, LargeBinary) and column.comment for column in table.c):
            assert "client" in table.c or table.name == "pairing"


def test_an_erasure_notice_holds_the_farewell_and_the_messages_of_two_days(store: Store) -> None:
    chat = full_life(store, ANA)
    with store.begin() as work:
        work.outbox.put(chat.client, Priority.ANSWER, [Message("two days ago")], NOW - 3 * DAY)
        last = waiting(work, chat.client)[-1]
        work.outbox.mark_sent(Sent(chat.client, last.id, 5, NOW - 3 * DAY))
    erase(store, chat.client)
    with store.begin() as work:
        assert work.erasure_notices.due("telegram", NOW) == []
        parting = next(iter(work.erasure_notices.due("telegram", NOW + MINUTE)), None)
        assert parting == ErasureNotice(1, ANA.address, BYE, (71, 72))
        work.erasure_notices.postpone(1, NOW + 3 * MINUTE)
        assert work.erasure_notices.due("telegram", NOW + MINUTE) == []
        assert work.erasure_notices.due("telegram", NOW + 3 * MINUTE) == [parting]
        work.erasure_notices.delete(1)
        work.erasure_notices.delete(1)
        assert work.erasure_notices.due("telegram", NOW + HOUR) == []


def test_an_erasure_notice_that_can_not_be_sent_is_deleted_after_a_day(store: Store) -> None:
    chat = full_life(store, ANA)
    erase(store, chat.client)
    with store.begin() as work:
        work.delete_expired(NOW + MINUTE + DAY)
        assert work.erasure_notices.due("telegram", NOW + 2 * DAY) != []
        work.delete_expired(NOW + 2 * MINUTE + DAY)
        assert work.erasure_notices.due("telegram", NOW + 2 * DAY) == []


def test_erasing_an_unknown_client_does_nothing(store: Store) -> None:
    with store.begin() as work:
        work.clients.erase("nobody", BYE, NOW)
        assert work.erasure_notices.due("telegram", NOW) == []


def test_a_client_who_returns_after_an_erasure_is_a_new_client(store: Store) -> None:
    before = full_life(store, ANA)
    erase(store, before.client)
    with store.begin() as work:
        assert work.chats.find(ANA.address) is None
        after = work.chats.create(ANA.address, NOW + HOUR)
    assert after.client != before.client
    assert after.progress == Progress()
    with store.begin() as work:
        assert work.chats.find(ANA.address) == after
        assert work.entries.all(after.client) == []


def test_marking_a_message_that_was_being_sent_at_the_erasure_does_nothing(store: Store) -> None:
    chat = full_life(store, ANA)
    with store.begin() as work:
        message = work.outbox.next_for(chat.client)
    erase(store, chat.client)
    with store.begin() as work:
        assert message is not None
        work.outbox.mark_sent(Sent(chat.client, message.id, 80, NOW))
        assert work.chats.get(chat.client) is None


def test_an_old_backup_of_the_data_can_not_be_read_after_an_erasure(
    store: Store, folder: Path, tmp_path: Path
) -> None:
    """Even with the operator's key and the current key store."""
    ana, ben = full_life(store, ANA), full_life(store, BEN)
    old = tmp_path / "old"
    old.mkdir()
    backup(folder / "companion.sqlite", old / "companion.sqlite")
    ((_, wrapped),) = key_of(folder, ana.client)
    erase(store, ana.client)
    store.close()
    assert isinstance(wrapped, bytes)
    assert not [path.name for path in folder.iterdir() if wrapped in path.read_bytes()]
    for name in ("keys.sqlite", "operator.key"):
        shutil.copy(folder / name, old / name)
    found = Store.open(old)
    with found.begin() as work:
        assert work.clients.count() == 2
        assert work.chats.find(ANA.address) is None
        with pytest.raises(Unreadable):
            work.chats.get(ana.client)
        with pytest.raises(Unreadable):
            work.entries.all(ana.client)
        assert [message.client for message in work.outbox.ready("telegram", NOW, 10)] == [ben.client]
        assert [event.payload for event in work.inbox.all_failed() if event.client == ana.client] == [b""]
        for table in METADATA.sorted_tables:
            for column in table.c:
                if not isinstance(column.type, LargeBinary) or "client" not in table.c:
                    continue
                encrypted = select(column).where(table.c.client == ana.client, column.is_not(None))
                for value in work.connection.scalars(encrypted):
                    with pytest.raises(DecryptionError):
                        work.vault.decrypt(ana.client, f"{table.name}.{column.name}", value)
        assert work.chats.find(BEN.address) == ben
        assert len(work.entries.all(ben.client)) == 2
    found.close()


def test_an_erasure_interrupted_before_the_key_was_destroyed_is_finished_at_the_next_start(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    chat = full_life(store, ANA)

    def fail(_: Vault, *clients: str) -> None:
        raise OSError(28, f"no space left, with {len(clients)} keys left")

    with monkeypatch.context() as broken, caplog.at_level(logging.WARNING):
        broken.setattr(Vault, "destroy_keys", fail)
        erase(store, chat.client)
    assert "OSError" in caplog.text
    assert key_of(folder, chat.client)
    store.close()
    again = Store.open(folder)
    assert key_of(folder, chat.client) == []
    with again.begin() as work:
        assert work.chats.find(ANA.address) is None
        assert work.erasure_notices.due("telegram", NOW + MINUTE) != []
    again.close()


@pytest.mark.parametrize("how", ["the notice was sent", "a day has passed", "the client came back"])
def test_an_interrupted_erasure_is_finished_before_its_notice_is_deleted(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    chat = full_life(store, ANA)

    def fail(_: Vault, *clients: str) -> None:
        raise OSError(28, f"no space left, with {len(clients)} keys left")

    with monkeypatch.context() as broken:
        broken.setattr(Vault, "destroy_keys", fail)
        erase(store, chat.client)
    with store.begin() as work:
        if how == "the notice was sent":
            work.erasure_notices.delete(1)
        elif how == "a day has passed":
            work.delete_expired(NOW + 2 * DAY)
        else:
            assert work.chats.find(ANA.address) is None
            assert work.chats.create(ANA.address, NOW).client != chat.client
    assert key_of(folder, chat.client) == []


def test_another_process_that_cached_the_client_does_not_restore_them(store: Store, folder: Path) -> None:
    chat = full_life(store, ANA)
    other = Store.open(folder)
    with other.begin() as work:
        assert work.chats.find(ANA.address) == chat
    erase(store, chat.client)
    with other.begin() as work:
        assert work.chats.find(ANA.address) is None
        new = work.chats.create(ANA.address, NOW)
        assert new.client != chat.client
    with store.begin() as work:
        work.clients.erase(new.client, BYE, NOW)
    with store.begin() as work:
        newest = work.chats.create(ANA.address, NOW)
    with other.begin() as work:
        assert work.chats.find(ANA.address) == newest
    other.close()


def test_another_process_that_cached_the_client_gives_a_new_one_a_new_key(store: Store, folder: Path) -> None:
    other = Store.open(folder)
    chat = full_life(other, ANA)
    erase(store, chat.client)
    with store.begin() as work:
        work.erasure_notices.delete(1)
    with other.begin() as work:
        new = work.chats.create(ANA.address, NOW)
    other.close()
    again = Store.open(folder)
    with again.begin() as work:
        assert work.chats.find(ANA.address) == new
    again.close()


def test_starting_with_an_old_backup_destroys_no_key(store: Store, folder: Path, tmp_path: Path) -> None:
    """A start destroys keys without rows, but only those whose rows are not known to be committed."""
    too_old, right = tmp_path / "too_old", tmp_path / "right"
    backup(folder / "companion.sqlite", too_old)
    ana = full_life(store, ANA)
    full_life(store, BEN)
    backup(folder / "companion.sqlite", right)
    place = tmp_path / "restored"
    place.mkdir()
    for name in ("keys.sqlite", "operator.key"):
        shutil.copy(folder / name, place / name)
    shutil.copy(too_old, place / "companion.sqlite")
    Store.open(place).close()
    for leftover in place.glob("companion.sqlite*"):
        leftover.unlink()
    shutil.copy(right, place / "companion.sqlite")
    again = Store.open(place)
    with again.begin() as work:
        assert work.chats.find(ANA.address) == ana
    again.close()
