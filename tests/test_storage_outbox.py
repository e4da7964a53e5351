"""What was said waits in order, the most urgent chat goes first, and nothing is carried that must wait."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from state_machine.model.outgoing import Choice, Edit, ExportFile, Message, Outgoing, Priority, TapAnswer
from storage import Burst, Store
from tests.storing import DAY, MINUTE, NOW, change, rows


@pytest.fixture
def clients(store: Store) -> list[str]:
    with store.begin() as work:
        return [work.clients.open(f"telegram:{number}", NOW).client for number in range(4)]


def say(store: Store, client: str, text: str, priority: Priority = Priority.ANSWER) -> None:
    with store.begin() as work:
        work.outbox.put(client, priority, [Message(text)], NOW)


def texts(burst: Burst | None) -> list[str]:
    assert burst is not None
    return [parcel.message.text for parcel in burst.parcels if isinstance(parcel.message, Message)]


def test_a_burst_is_all_that_waits_for_one_chat_in_the_order_it_was_said(store: Store, clients: list[str]) -> None:
    said: list[Outgoing] = [
        TapAnswer("tap", "Kept."),
        Edit(5, text="Before", choices=((Choice("Yes", "1:a:0", picked=True),),), settled="Yes"),
        Message("And now?", ((Choice("Good"),), (Choice("Bad"),)), asks="1:a", placeholder="Or write"),
        ExportFile("All that is kept."),
    ]
    with store.begin() as work:
        work.outbox.put(clients[0], Priority.ANSWER, said, NOW)
        work.outbox.put(clients[0], Priority.ANSWER, [], NOW)
    with store.begin() as work:
        burst = work.outbox.next_burst(NOW)
        assert burst is not None
        assert [parcel.message for parcel in burst.parcels] == said
        assert (burst.client, burst.address, burst.priority) == (clients[0], "telegram:0", Priority.ANSWER)
        assert work.outbox.waiting(clients[0]) == 4
        assert work.outbox.next_burst(NOW, most=2) == Burst(
            burst.client, burst.address, burst.priority, burst.parcels[:2]
        )


def test_safety_goes_before_answers_and_answers_before_reminders(store: Store, clients: list[str]) -> None:
    say(store, clients[0], "reminder", Priority.REMINDER)
    say(store, clients[1], "answer", Priority.ANSWER)
    say(store, clients[2], "safety", Priority.SAFETY)
    say(store, clients[3], "later answer", Priority.ANSWER)
    with store.begin() as work:
        bursts = work.outbox.bursts(NOW, 10)
        assert [burst.client for burst in bursts] == [clients[2], clients[1], clients[3], clients[0]]
        assert work.outbox.next_burst(NOW) == bursts[0]
        assert work.outbox.bursts(NOW, 2) == bursts[:2]


def test_in_one_chat_what_was_said_first_goes_first_and_an_urgent_word_pulls_it_along(
    store: Store, clients: list[str]
) -> None:
    say(store, clients[0], "somebody's answer", Priority.ANSWER)
    say(store, clients[1], "reminder", Priority.REMINDER)
    say(store, clients[1], "numbers to call", Priority.SAFETY)
    with store.begin() as work:
        burst = work.outbox.next_burst(NOW)
        assert burst is not None
        assert burst.priority is Priority.SAFETY
        assert texts(burst) == ["reminder", "numbers to call"]


def test_one_chat_with_very_much_waiting_hides_no_other(store: Store, clients: list[str]) -> None:
    with store.begin() as work:
        work.outbox.put(clients[0], Priority.ANSWER, [Message(str(number)) for number in range(300)], NOW)
    for client in clients[1:]:
        say(store, client, "one", Priority.ANSWER)
    with store.begin() as work:
        bursts = work.outbox.bursts(NOW, 4)
        assert [(burst.client, len(burst.parcels)) for burst in bursts] == [
            (clients[0], 20),
            *((client, 1) for client in clients[1:]),
        ]


def test_what_was_carried_is_emptied_and_leaves_its_message_id_for_two_days(
    store: Store, clients: list[str], tmp_path: Path
) -> None:
    with store.begin() as work:
        work.outbox.put(clients[0], Priority.ANSWER, [Message("a"), TapAnswer("tap"), Message("b")], NOW)
    with store.begin() as work:
        burst = work.outbox.next_burst(NOW)
        assert burst is not None
        first, tap, second = (parcel.id for parcel in burst.parcels)
        work.outbox.carried(clients[0], {}, NOW)
        work.outbox.carried(clients[0], {second: 12, tap: None, first: 11}, NOW)
    with store.begin() as work:
        chat = work.clients.get(clients[0])
        assert chat is not None
        assert (chat.last_message_id, chat.waiting) == (12, 0)
        assert work.outbox.message_ids(clients[0], NOW) == [11, 12]
        assert work.outbox.message_ids(clients[0], NOW + MINUTE) == []
        assert work.outbox.next_burst(NOW) is None
        assert rows(tmp_path / "companion.sqlite", "SELECT DISTINCT body FROM outbox") == [(None,)]
        work.outbox.forget(NOW + 2 * DAY)
        assert work.outbox.message_ids(clients[0], NOW) == [11, 12]
        work.forget(NOW + 2 * DAY + MINUTE)
        assert work.outbox.message_ids(clients[0], NOW) == []


def test_an_older_message_id_does_not_take_the_place_of_a_newer(store: Store, clients: list[str]) -> None:
    for message in (40, 30):
        say(store, clients[0], "a")
        with store.begin() as work:
            burst = work.outbox.next_burst(NOW)
            assert burst is not None
            work.outbox.carried(clients[0], {burst.parcels[0].id: message}, NOW)
    with store.begin() as work:
        chat = work.clients.get(clients[0])
        assert chat is not None
        assert chat.last_message_id == 40


def test_marks_for_another_client_or_for_nobody_do_nothing(store: Store, clients: list[str]) -> None:
    say(store, clients[0], "a")
    with store.begin() as work:
        burst = work.outbox.next_burst(NOW)
        assert burst is not None
        work.outbox.carried(clients[1], {burst.parcels[0].id: 3}, NOW)
        work.outbox.carried("nobody", {burst.parcels[0].id: 3}, NOW)
        assert work.outbox.waiting(clients[0]) == 1


def test_a_held_chat_waits_and_the_others_do_not(store: Store, clients: list[str]) -> None:
    say(store, clients[0], "a", Priority.SAFETY)
    say(store, clients[1], "b")
    with store.begin() as work:
        work.outbox.hold(clients[0], NOW + 3 * MINUTE)
        assert [burst.client for burst in work.outbox.bursts(NOW, 5)] == [clients[1]]
        assert len(work.outbox.bursts(NOW + 3 * MINUTE, 5)) == 2


def test_when_all_are_held_nothing_is_carried_until_then(store: Store, clients: list[str]) -> None:
    say(store, clients[0], "a", Priority.SAFETY)
    with store.begin() as work:
        work.outbox.hold(None, NOW + 3 * MINUTE)
        work.outbox.hold(None, NOW + MINUTE)
        assert work.outbox.next_burst(NOW) is None
        assert work.outbox.next_burst(NOW + MINUTE) is not None
        work.outbox.hold(clients[0], NOW + 3 * MINUTE)
        assert work.outbox.next_burst(NOW + MINUTE) is None
        assert work.outbox.next_burst(NOW + 3 * MINUTE) is not None


def test_what_can_never_be_carried_is_parked_and_the_rest_goes_on(store: Store, clients: list[str]) -> None:
    say(store, clients[0], "impossible")
    say(store, clients[0], "possible")
    with store.begin() as work:
        burst = work.outbox.next_burst(NOW)
        assert burst is not None
        work.outbox.park(burst.parcels[0].id, "Refused")
        with pytest.raises(ValueError, match="name of a class"):
            work.outbox.park(burst.parcels[1].id, "Bad Request: what the client wrote")
        assert texts(work.outbox.next_burst(NOW)) == ["possible"]
        assert work.outbox.waiting(clients[0]) == 1


def test_a_parcel_that_does_not_open_is_parked_and_the_rest_goes_on(
    store: Store, clients: list[str], tmp_path: Path
) -> None:
    say(store, clients[0], "broken")
    say(store, clients[0], "whole")
    say(store, clients[1], "broken too")
    say(store, clients[2], "whole too")
    change(tmp_path / "companion.sqlite", "UPDATE outbox SET body = x'0102' WHERE id IN (1, 3)")
    with store.begin() as work:
        assert [texts(burst) for burst in work.outbox.bursts(NOW, 2)] == [["whole"], ["whole too"]]
    parked = rows(tmp_path / "companion.sqlite", "SELECT id, parked FROM outbox WHERE parked IS NOT NULL")
    assert parked == [(1, "DecryptionError"), (3, "DecryptionError")]


def test_numbers_are_never_given_twice(store: Store, clients: list[str]) -> None:
    say(store, clients[0], "a")
    with store.begin() as work:
        first = work.outbox.next_burst(NOW)
        work.clients.erase(clients[0], [], NOW)
    say(store, clients[1], "b")
    with store.begin() as work:
        second = work.outbox.next_burst(NOW)
        assert first is not None
        assert second is not None
        assert second.parcels[0].id > first.parcels[0].id


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(Priority)), max_size=40), most=st.integers(1, 5))
def test_however_it_was_said_each_chat_hears_it_in_order_and_all_of_it(
    store: Store, clients: list[str], said: list[tuple[int, Priority]], most: int
) -> None:
    for number, (who, priority) in enumerate(said):
        say(store, clients[who], str(number), priority)
    heard: dict[str, list[str]] = {client: [] for client in clients}
    while True:
        with store.begin() as work:
            bursts = work.outbox.bursts(NOW, 2, most)
            for burst in bursts:
                heard[burst.client] += texts(burst)
                work.outbox.carried(burst.client, {parcel.id: 1 for parcel in burst.parcels}, NOW)
        if not bursts:
            break
        assert [burst.priority for burst in bursts] == sorted(burst.priority for burst in bursts)
    for index, client in enumerate(clients):
        assert heard[client] == [str(number) for number, (who, _) in enumerate(said) if who == index]
