"""Whatever takes long to read holds up nobody who writes."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

import pytest

from state_machine.model.outgoing import Message, Priority
from state_machine.model.progress import Entry
from storage import UnitOfWork
from storage.errors import DatabaseFault
from tests.post_office import Post

PATIENCE = 20.0
"""Seconds after which a test gives up waiting for what should come at once."""


def put_entry(work: UnitOfWork, client: str, entry: Entry) -> None:
    work.entries.put(client, entry)


async def test_turns_are_kept_while_something_long_is_being_read_and_it_sees_none_of_them(post: Post) -> None:
    ana = await post.client()
    await post.database.do(lambda work: work.entries.put(ana, Entry(1, "weekly/check_in", post.at, "done")))
    begun, may_end = threading.Event(), threading.Event()

    def a_long_read(work: UnitOfWork) -> list[int]:
        entries = work.entries.iterate(ana)
        found = [next(entries).run]
        begun.set()
        assert may_end.wait(PATIENCE)
        return found + [entry.run for entry in entries]

    reading = asyncio.create_task(post.database.read(a_long_read))
    assert await asyncio.to_thread(begun.wait, PATIENCE)
    for run in (2, 3):
        put = partial(put_entry, client=ana, entry=Entry(run, "weekly/check_in", post.at, "done"))
        await asyncio.wait_for(post.database.do(put), PATIENCE)
    assert not reading.done()
    may_end.set()
    assert await reading == [1]
    assert await post.database.read(lambda work: [entry.run for entry in work.entries.all(ana)]) == [1, 2, 3]


async def test_nothing_can_be_written_where_only_reading_was_asked_for(post: Post) -> None:
    ana = await post.client()
    with pytest.raises(DatabaseFault):
        await post.database.read(lambda work: work.outbox.put(ana, Priority.ANSWER, [Message("unheard")], post.at))
    assert await post.waiting(ana) == 0
    await post.database.do(lambda work: work.outbox.put(ana, Priority.ANSWER, [Message("heard")], post.at))
    assert await post.waiting(ana) == 1
