"""An event is processed once, and stored for a retry if its turn failed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from state_machine.model.outgoing import Message, Priority
from storage import FailedEvent, Store
from storage.repositories.outbox import Sent
from tests.stores import DAY, MINUTE, NOW, rows


@pytest.fixture
def client(store: Store) -> str:
    with store.begin() as work:
        return work.chats.create("telegram:1", NOW).client


def test_an_event_can_be_claimed_once_also_after_a_restart(store: Store, tmp_path: Path) -> None:
    with store.begin() as work:
        assert work.inbox.claim("telegram:1:7", NOW)
        assert not work.inbox.claim("telegram:1:7", NOW)
        assert work.inbox.claim("telegram:1:8", NOW)
    store.close()
    again = Store.open(tmp_path)
    with again.begin() as work:
        assert not work.inbox.claim("telegram:1:7", NOW + MINUTE)
    again.close()


def test_event_keys_are_deleted_after_two_days_and_not_before(store: Store) -> None:
    with store.begin() as work:
        work.inbox.claim("telegram:1:7", NOW)
        work.inbox.delete_expired(NOW + 2 * DAY)
        assert not work.inbox.claim("telegram:1:7", NOW)
        work.delete_expired(NOW + 2 * DAY + timedelta(seconds=1))
        assert work.inbox.claim("telegram:1:7", NOW)


def test_expired_rows_are_deleted_in_batches(store: Store, client: str, tmp_path: Path) -> None:
    with store.begin() as work:
        for number in range(25):
            work.inbox.claim(f"telegram:1:{number}", NOW)
        work.outbox.put(client, Priority.ANSWER, [Message(str(number)) for number in range(12)], NOW)
        while (message := work.outbox.next_for(client)) is not None:
            work.outbox.mark_sent(Sent(client, message.id, None, NOW))
    portions = 0
    more = True
    while more:
        with store.begin() as work:
            more = work.delete_expired(NOW + 3 * DAY, most=10)
            portions += 1
    assert portions == 3
    with store.begin() as work:
        assert all(work.inbox.claim(f"telegram:1:{number}", NOW) for number in range(25))
    assert rows(tmp_path / "companion.sqlite", "SELECT id FROM outbox") == []


def test_event_keys_are_stored_as_hashes_only(store: Store, tmp_path: Path) -> None:
    with store.begin() as work:
        work.inbox.claim("wake:somebody:2026-01-05", NOW)
    ((key, seen),) = rows(tmp_path / "companion.sqlite", "SELECT key, seen FROM inbox")
    assert isinstance(key, bytes)
    assert len(key) == 32
    assert b"wake" not in key
    assert isinstance(seen, int)


def test_a_failed_event_is_stored_until_it_is_resolved(store: Store, client: str) -> None:
    with store.begin() as work:
        work.inbox.claim("telegram:1:7", NOW)
        work.inbox.record_failure("telegram:1:7", client, b'{"update": 1}', "TemplateError")
        work.inbox.record_failure("telegram:1:6", client, b"never taken", "Stale")
    with store.begin() as work:
        work.delete_expired(NOW + 9 * DAY)
        failed = work.inbox.all_failed()
        assert [event.key for event in failed] == ["telegram:1:6", "telegram:1:7"]
        assert failed[1] == FailedEvent("telegram:1:7", client, b'{"update": 1}', "TemplateError", NOW)
        assert not work.inbox.claim("telegram:1:7", NOW)
        assert work.inbox.resolve(failed[1])
        assert not work.inbox.resolve(failed[1])
        assert not work.inbox.record_retry_failure(failed[1], "KeyError")
        assert work.inbox.record_retry_failure(failed[0], "KeyError")
        assert [event.reason for event in work.inbox.all_failed()] == ["KeyError"]
        assert [event.key for event in work.inbox.all_failed()] == ["telegram:1:6"]
        assert not work.inbox.claim("telegram:1:7", NOW)
        work.delete_expired(NOW + 9 * DAY)
        assert work.inbox.claim("telegram:1:7", NOW)


def test_a_reason_is_the_name_of_an_exception_never_text(store: Store, client: str) -> None:
    with pytest.raises(ValueError, match="name of an exception"), store.begin() as work:
        work.inbox.record_failure("telegram:1:7", client, b"", "no template for what she wrote")
