"""Entries are stored by run, found by dialogue, and deleted by run or person."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from state_machine.model.progress import Answer, Entry, Fact
from storage import Store, Unreadable
from tests.stores import DAY, NOW, change, rows


@pytest.fixture
def client(store: Store) -> str:
    with store.begin() as work:
        return work.chats.create("telegram:1", NOW).client


def entry(run: int, dialogue: str = "weekly/check_in", person: int | None = None, *answers: Answer) -> Entry:
    return Entry(run, dialogue, NOW + run * DAY, "done", answers, (NOW + run * DAY).date(), person)


def answer(memory: str, person: int | None = None, made: int | None = None) -> Answer:
    return Answer(memory, Fact("words", NOW, "code"), "step", person, made)


def test_entries_are_read_in_the_order_of_their_runs(store: Store, client: str) -> None:
    stored = [entry(3), entry(1, "measures/phq9"), entry(2, "weekly/check_in", None, answer("mood"))]
    with store.begin() as work:
        for each in stored:
            work.entries.put(client, each)
    with store.begin() as work:
        assert work.entries.all(client) == sorted(stored, key=lambda each: each.run)
        assert work.entries.all("nobody") == []


def test_an_entry_replaces_an_earlier_one_of_the_same_run(store: Store, client: str) -> None:
    with store.begin() as work:
        work.entries.put(client, entry(1))
        changed = replace(entry(1), outcome="changed", dialogue="weekly/evening")
        work.entries.put(client, changed)
        assert work.entries.all(client) == [changed]
        assert work.entries.latest(client, "weekly/check_in", 5) == []
        assert work.entries.latest(client, "weekly/evening", 5) == [changed]


def test_the_latest_entries_of_one_dialogue_end_with_the_latest(store: Store, client: str) -> None:
    with store.begin() as work:
        for run in range(1, 8):
            work.entries.put(client, entry(run, "measures/phq9" if run % 2 else "weekly/check_in"))
        assert [each.run for each in work.entries.latest(client, "measures/phq9", 2)] == [5, 7]
        assert [each.run for each in work.entries.latest(client, "measures/phq9", 9)] == [1, 3, 5, 7]
        assert work.entries.latest(client, "measures/gad7", 9) == []


def test_deleting_a_run_deletes_only_its_entry(store: Store, client: str) -> None:
    with store.begin() as work:
        work.entries.put(client, entry(1))
        work.entries.put(client, entry(2))
        assert work.entries.delete_answers(client, run=1) == 1
        assert work.entries.delete_answers(client, run=1) == 0
        assert [each.run for each in work.entries.all(client)] == [2]


def test_deleting_a_person_deletes_answers_about_them_in_every_entry(store: Store, client: str) -> None:
    with store.begin() as work:
        work.entries.put(client, entry(1, "people/person", 7))
        mixed = entry(2, "weekly/check_in", None, answer("mood"), answer("who", person=7), answer("new", made=7))
        work.entries.put(client, mixed)
        work.entries.put(client, entry(3, "people/person", 8, answer("how", person=8)))
        assert work.entries.delete_answers(client, person=7) == 2
        left = work.entries.all(client)
        assert [each.run for each in left] == [2, 3]
        assert [each.memory for each in left[0].answers] == ["mood"]
        assert work.entries.latest(client, "weekly/check_in", 1) == [left[0]]
        assert work.entries.delete_answers(client, person=7) == 0
        assert work.entries.delete_answers(client) == 0


def test_the_dialogue_of_an_entry_can_not_be_read_or_compared_between_clients(
    store: Store, client: str, tmp_path: Path
) -> None:
    with store.begin() as work:
        other = work.chats.create("telegram:2", NOW).client
        for each in (client, other):
            work.entries.put(each, entry(1, "grief/first_talk"))
    kinds = rows(tmp_path / "companion.sqlite", "SELECT DISTINCT kind FROM entries")
    assert len(kinds) == 2


def test_a_broken_entry_does_not_affect_other_clients(store: Store, client: str, tmp_path: Path) -> None:
    with store.begin() as work:
        other = work.chats.create("telegram:2", NOW).client
        for each in (client, other):
            work.entries.put(each, entry(1))
    change(tmp_path / "companion.sqlite", "UPDATE entries SET body = x'00' WHERE client = ?", client)
    with store.begin() as work:
        with pytest.raises(Unreadable):
            work.entries.all(client)
        assert work.entries.all(other) == [entry(1)]
