"""No words, name or address of a client is in any file, in any encoding."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from state_machine.model.outgoing import Message
from storage import Store
from storage.crypto.vault import Vault
from tests.stores import NOW, Marks, backup, disguises, full_life

MARKS = Marks("telegram:7358218804")


def traces(folder: Path) -> list[tuple[str, str]]:
    """The marks found in each file."""
    return [
        (path.name, mark)
        for path in sorted(folder.iterdir())
        for mark in MARKS.all()
        if any(disguise in path.read_bytes() for disguise in disguises(mark))
    ]


def test_marked_words_are_in_no_file_while_the_store_is_open_in_no_backup_and_not_after(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    store = Store.open(folder)
    chat = full_life(store, MARKS)
    with store.begin() as work:
        gone = work.chats.create(MARKS.address + "1", NOW)
        work.clients.erase(gone.client, [Message(MARKS.words)], NOW)
    names = {path.name for path in folder.iterdir()}
    assert names >= {"companion.sqlite", "companion.sqlite-wal", "companion.sqlite-shm", "keys.sqlite"}
    assert chat.client.encode() in (folder / "companion.sqlite-wal").read_bytes()
    assert traces(folder) == []
    backup(folder / "companion.sqlite", folder / "backup.sqlite")
    backup(folder / "keys.sqlite", folder / "keys-backup.sqlite")
    assert chat.client.encode() in (folder / "backup.sqlite").read_bytes()
    assert traces(folder) == []
    store.close()
    assert chat.client.encode() in (folder / "companion.sqlite").read_bytes()
    assert traces(folder) == []


def test_the_search_finds_every_disguise(tmp_path: Path) -> None:
    for mark in MARKS.all():
        for number, disguise in enumerate(disguises(mark)):
            file = tmp_path / f"{number}"
            file.write_bytes(b"\x07" * 11 + disguise + b"\x07" * 5)
            assert (file.name, mark) in traces(tmp_path)
            file.unlink()


def test_words_encrypted_in_a_turn_that_was_rolled_back_leave_no_trace(tmp_path: Path) -> None:
    store = Store.open(tmp_path)

    def turn() -> None:
        full_life(store, MARKS)
        with store.begin() as work:
            chat = work.chats.find(MARKS.address)
            assert chat is not None
            work.inbox.record_failure("telegram:1:9", chat.client, MARKS.words.encode(), "Fault")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        turn()
    assert traces(tmp_path) == []
    store.close()
    assert traces(tmp_path) == []


def test_errors_and_logs_do_not_quote_stored_data(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(tmp_path)
    chat = full_life(store, MARKS)

    def fail(_: Vault, *__: str) -> None:
        raise OSError(" ".join(MARKS.all()))

    with caplog.at_level(logging.DEBUG):
        with pytest.raises(IntegrityError) as fault, store.begin() as work:
            work.chats.create(MARKS.address, NOW)
        monkeypatch.setattr(Vault, "destroy_keys", fail)
        with store.begin() as work:
            work.clients.erase(chat.client, [Message(MARKS.words)], NOW)
    assert "OSError" in caplog.text
    said = f"{fault.value!s} {fault.value!r} {caplog.text}"
    for mark in (*MARKS.all(), chat.client):
        assert not [disguise for disguise in disguises(mark) if disguise in said.encode()]
    store.close()
