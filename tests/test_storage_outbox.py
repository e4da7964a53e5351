"""Messages are sent in order, the most urgent chat first and safety messages first in each; held chats wait."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from state_machine.model.outgoing import Choice, Edit, ExportFile, Message, Outgoing, Priority, TapAnswer
from storage import OutboxMessage, Store
from storage.repositories.outbox import Sent
from tests.stores import DAY, MINUTE, NOW, change, rows

CHANNEL = "telegram"


@pytest.fixture
def clients(store: Store) -> list[str]:
    with store.begin() as work:
        return [work.chats.create(f"telegram:{number}", NOW).client for number in range(4)]


def say(store: Store, client: str, text: str, priority: Priority = Priority.ANSWER) -> None:
    with store.begin() as work:
        work.outbox.put(client, priority, [Message(text)], NOW)


def texts(messages: list[OutboxMessage]) -> list[str]:
    return [message.content.text for message in messages if isinstance(message.content, Message)]


def send(store: Store, client: str, message_id: int | None = 1) -> Outgoing | None:
    """Mark the next message of a client as sent. Returns its text."""
    with store.begin() as work:
        message = work.outbox.next_for(client)
        if message is not None:
            work.outbox.mark_sent(Sent(client, message.id, message_id, NOW))
    return message.content if message is not None else None


def all_of(store: Store, client: str) -> list[Outgoing]:
    """The messages that wait for a client, in the order in which they will be sent."""
    found: list[Outgoing] = []
    while (content := send(store, client)) is not None:
        found.append(content)
    return found


def test_the_messages_of_one_chat_are_sent_in_the_order_they_were_put(store: Store, clients: list[str]) -> None:
    said: list[Outgoing] = [
        TapAnswer("tap", "Kept."),
        Edit(5, text="Before", choices=((Choice("Yes", "1:a:0", picked=True),),), settled="Yes"),
        Message("And now?", ((Choice("Good"),), (Choice("Bad"),)), asks="1:a", placeholder="Or write"),
        ExportFile("All that is kept."),
    ]
    with store.begin() as work:
        work.outbox.put(clients[0], Priority.ANSWER, said, NOW)
        work.outbox.put(clients[0], Priority.ANSWER, [], NOW)
        [first] = work.outbox.ready(CHANNEL, NOW, 10)
        assert (first.client, first.address, first.priority) == (clients[0], "telegram:0", Priority.ANSWER)
        assert first == work.outbox.next_for(clients[0])
        assert work.outbox.count_waiting(clients[0]) == 4
    assert all_of(store, clients[0]) == said


def test_safety_messages_are_sent_before_answers_and_answers_before_reminders(
    store: Store, clients: list[str]
) -> None:
    say(store, clients[0], "reminder", Priority.REMINDER)
    say(store, clients[1], "answer", Priority.ANSWER)
    say(store, clients[2], "safety", Priority.SAFETY)
    say(store, clients[3], "later answer", Priority.ANSWER)
    with store.begin() as work:
        ready = work.outbox.ready(CHANNEL, NOW, 10)
        assert [message.client for message in ready] == [clients[2], clients[1], clients[3], clients[0]]
        assert work.outbox.ready(CHANNEL, NOW, 2) == ready[:2]


def test_in_one_chat_safety_messages_are_sent_first(store: Store, clients: list[str]) -> None:
    say(store, clients[0], "somebody's answer", Priority.ANSWER)
    say(store, clients[1], "reminder", Priority.REMINDER)
    say(store, clients[1], "numbers to call", Priority.SAFETY)
    with store.begin() as work:
        assert texts(work.outbox.ready(CHANNEL, NOW, 10)) == ["numbers to call", "somebody's answer"]
    assert all_of(store, clients[1]) == [Message("numbers to call"), Message("reminder")]


def test_a_safety_message_deletes_waiting_texts_of_earlier_turns(store: Store, clients: list[str]) -> None:
    for text in ("being sent perhaps", "a question", "more"):
        say(store, clients[0], text)
    with store.begin() as work:
        work.outbox.put(clients[0], Priority.ANSWER, [ExportFile("All of it."), Edit(4, "x")], NOW)
        work.outbox.put(clients[0], Priority.SAFETY, [Message("numbers"), Message("What now?", asks="2:a")], NOW)
    left = all_of(store, clients[0])
    assert left[:2] == [Message("numbers"), Message("What now?", asks="2:a")]
    assert left[2:] == [Message("being sent perhaps"), ExportFile("All of it."), Edit(4, "x")]


def test_a_message_replaces_a_waiting_one_with_the_same_text(store: Store, clients: list[str]) -> None:
    for text in ("on its way", "kept", "kept", "other", "kept", "kept"):
        say(store, clients[0], text)
    say(store, clients[1], "kept")
    assert all_of(store, clients[0]) == [Message("on its way"), Message("other"), Message("kept")]
    assert all_of(store, clients[1]) == [Message("kept")]


def test_two_equal_messages_of_one_turn_are_both_sent(store: Store, clients: list[str]) -> None:
    with store.begin() as work:
        work.outbox.put(
            clients[0], Priority.ANSWER, [Message("one"), Message("…"), Message("two"), Message("…")], NOW
        )
    assert len(all_of(store, clients[0])) == 4


def test_a_chat_with_many_waiting_messages_does_not_hide_others(store: Store, clients: list[str]) -> None:
    with store.begin() as work:
        work.outbox.put(clients[0], Priority.ANSWER, [Message(str(number)) for number in range(300)], NOW)
    for client in clients[1:]:
        say(store, client, "one", Priority.ANSWER)
    with store.begin() as work:
        assert [message.client for message in work.outbox.ready(CHANNEL, NOW, 4)] == clients


def test_each_channel_is_sent_by_its_own_messenger(store: Store, clients: list[str]) -> None:
    with store.begin() as work:
        other = work.chats.create("terminal:me", NOW).client
    say(store, clients[0], "a")
    say(store, other, "b")
    with store.begin() as work:
        assert texts(work.outbox.ready("terminal", NOW, 10)) == ["b"]
        assert texts(work.outbox.ready(CHANNEL, NOW, 10)) == ["a"]
        assert work.outbox.ready("telegram:7", NOW, 10) == []


def test_a_sent_message_loses_its_body_and_keeps_its_id_for_two_days(
    store: Store, clients: list[str], tmp_path: Path
) -> None:
    with store.begin() as work:
        work.outbox.put(clients[0], Priority.ANSWER, [Message("a"), TapAnswer("tap"), Message("b")], NOW)
    for message_id in (11, None, 12):
        send(store, clients[0], message_id)
    with store.begin() as work:
        chat = work.chats.get(clients[0])
        assert chat is not None
        assert (chat.last_message_id, chat.waiting) == (12, 0)
        assert work.outbox.message_ids(clients[0], NOW) == [11, 12]
        assert work.outbox.message_ids(clients[0], NOW + MINUTE) == []
        assert work.outbox.ready(CHANNEL, NOW, 1) == []
        assert rows(tmp_path / "companion.sqlite", "SELECT DISTINCT body FROM outbox") == [(None,)]
        work.outbox.delete_expired(NOW + 2 * DAY)
        assert work.outbox.message_ids(clients[0], NOW) == [11, 12]
        work.delete_expired(NOW + 2 * DAY + MINUTE)
        assert work.outbox.message_ids(clients[0], NOW) == []


def test_an_older_message_id_does_not_replace_a_newer_one(store: Store, clients: list[str]) -> None:
    for message_id in (40, 30):
        say(store, clients[0], "a")
        send(store, clients[0], message_id)
    with store.begin() as work:
        chat = work.chats.get(clients[0])
        assert chat is not None
        assert chat.last_message_id == 40


def test_marking_a_message_of_another_or_unknown_client_does_nothing(store: Store, clients: list[str]) -> None:
    say(store, clients[0], "a")
    with store.begin() as work:
        message = work.outbox.next_for(clients[0])
        assert message is not None
        for client in (clients[1], "nobody"):
            work.outbox.mark_sent(Sent(client, message.id, 3, NOW))
        assert work.outbox.count_waiting(clients[0]) == 1


def test_a_held_chat_waits_and_the_others_do_not(store: Store, clients: list[str]) -> None:
    say(store, clients[0], "a", Priority.SAFETY)
    say(store, clients[1], "b")
    with store.begin() as work:
        message = work.outbox.next_for(clients[0])
        assert message is not None
        assert work.outbox.hold(message, NOW + 3 * MINUTE)
        assert [found.client for found in work.outbox.ready(CHANNEL, NOW, 5)] == [clients[1]]
        assert len(work.outbox.ready(CHANNEL, NOW + 3 * MINUTE, 5)) == 2


def test_a_chat_is_not_held_for_a_message_that_a_more_urgent_one_overtook(store: Store, clients: list[str]) -> None:
    say(store, clients[0], "reminder", Priority.REMINDER)
    with store.begin() as work:
        message = work.outbox.next_for(clients[0])
    say(store, clients[0], "numbers", Priority.SAFETY)
    with store.begin() as work:
        assert message is not None
        assert not work.outbox.hold(message, NOW + 3 * MINUTE)
        assert texts(work.outbox.ready(CHANNEL, NOW, 5)) == ["numbers"]


def test_when_a_channel_is_held_nothing_is_sent_there_until_then(store: Store, clients: list[str]) -> None:
    say(store, clients[0], "a", Priority.SAFETY)
    with store.begin() as work:
        work.outbox.hold_channel(CHANNEL, NOW + 3 * MINUTE)
        work.outbox.hold_channel(CHANNEL, NOW + MINUTE)
        work.outbox.hold_channel("telegram:8", NOW + 4 * MINUTE)
        assert work.outbox.ready(CHANNEL, NOW, 1) == []
        assert work.outbox.ready(CHANNEL, NOW + MINUTE, 1) != []


def test_a_message_that_can_never_be_sent_is_a_dead_letter_and_the_next_is_sent(
    store: Store, clients: list[str]
) -> None:
    say(store, clients[0], "impossible")
    say(store, clients[0], "possible")
    with store.begin() as work:
        message = work.outbox.next_for(clients[0])
        assert message is not None
        following = work.outbox.reject(message, "Rejected")
        assert following is not None
        assert following.content == Message("possible")
        with pytest.raises(ValueError, match="name of an exception"):
            work.outbox.reject(following, "Bad Request: what the client wrote")
        assert work.outbox.count_waiting(clients[0]) == 1


def test_a_message_that_can_not_be_decrypted_is_a_dead_letter_and_the_next_is_sent(
    store: Store, clients: list[str], tmp_path: Path
) -> None:
    say(store, clients[0], "broken")
    say(store, clients[0], "whole")
    say(store, clients[1], "broken too")
    say(store, clients[2], "whole too")
    change(tmp_path / "companion.sqlite", "UPDATE outbox SET body = x'0102' WHERE id IN (1, 3)")
    with store.begin() as work:
        assert texts(work.outbox.ready(CHANNEL, NOW, 5)) == ["whole", "whole too"]
    dead = rows(tmp_path / "companion.sqlite", "SELECT id, dead_letter FROM outbox WHERE dead_letter IS NOT NULL")
    assert dead == [(1, "DecryptionError"), (3, "DecryptionError")]


def test_row_numbers_are_never_reused(store: Store, clients: list[str]) -> None:
    say(store, clients[0], "a")
    with store.begin() as work:
        first = work.outbox.next_for(clients[0])
        work.clients.erase(clients[0], [], NOW)
    say(store, clients[1], "b")
    with store.begin() as work:
        second = work.outbox.next_for(clients[1])
        assert first is not None
        assert second is not None
        assert second.id > first.id


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(Priority)), max_size=40))
def test_in_any_sequence_each_chat_gets_the_messages_of_a_priority_in_order(
    store: Store, clients: list[str], said: list[tuple[int, Priority]]
) -> None:
    with store.begin() as work:
        for number, (who, priority) in enumerate(said):
            work.outbox.put(clients[who], priority, [Message(str(number))], NOW, others_wait=False)
    received: dict[str, list[str]] = {client: [] for client in clients}
    while True:
        with store.begin() as work:
            ready = work.outbox.ready(CHANNEL, NOW, 2)
        if not ready:
            break
        assert [message.priority for message in ready] == sorted(message.priority for message in ready)
        for message in ready:
            received[message.client] += texts([message])
            send(store, message.client)
    for index, client in enumerate(clients):
        own = [(priority, number) for number, (who, priority) in enumerate(said) if who == index]
        assert received[client] == [str(number) for _, number in sorted(own)]
