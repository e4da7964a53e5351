"""Bubbles that could not be carried: which of them wait again after a fix, and which would only confuse."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from telegram import Bot

from bot.app import App
from bot.db_worker import DatabaseWorker
from bot.delivery.courier import Courier
from bot.operator.dead_letters import NOTHING, listed, replayed
from bot.telegram.sender import Sender
from bot.worker_thread import WorkerThread
from state_machine.model.outgoing import Priority
from tests.setting_aside import (
    WORDS,
    OnTelegram,
    asked_for_a_wish,
    broken,
    notes,
    parked_bubbles,
    refused,
    said_to,
    taken_up,
)
from tests.storing import change
from tests.talking import app_on
from tests.telegram.stub import StubRequest, good, message


@pytest.fixture
def ana(app: App) -> OnTelegram:
    return asked_for_a_wish(app)


def test_bubbles_that_were_the_last_words_are_carried_after_all_in_their_order(ana: OnTelegram) -> None:
    said_to(ana, "one", "two")
    refused(ana, 0)
    assert not ana.arrives()
    first = [bubble for bubble in parked_bubbles(ana.app) if not bubble.superseded]
    assert first == [], "the second went on without the first"
    said_to(ana, "one", "two")
    refused(ana, 1)
    assert [(bubble.superseded, bubble.created == ana.now) for bubble in parked_bubbles(ana.app)] == [
        (True, True),
        (False, True),
    ]
    told = taken_up(ana)
    assert [line.split("  ")[-1] for line in told[:2]] == [
        "dropped: other words were said to them after it",
        "waiting again",
    ]
    assert told[2] == "Waiting again: 1 bubble. Dropped: 1 bubble."
    assert ana.arrives() == ["two"]
    assert parked_bubbles(ana.app) == []
    assert taken_up(ana) == [NOTHING]


def test_a_whole_burst_that_was_refused_comes_in_its_order(ana: OnTelegram) -> None:
    said_to(ana, "one", "two", "three")
    refused(ana, 0, 1, 2)
    assert "Waiting again: 3 bubbles." in taken_up(ana)
    assert ana.arrives() == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("priority", "hours", "happens", "why"),
    [
        (Priority.ANSWER, 25, None, "it is more than a day old"),
        (Priority.REMINDER, 1, None, "it would have come unasked, and its hour is over"),
        (
            Priority.ANSWER,
            1,
            "UPDATE outbox SET body = x'01' WHERE dead_letter IS NOT NULL",
            "it can't be opened any more",
        ),
        (Priority.ANSWER, 1, "UPDATE chats SET blocked_at = 1", "the client blocked the bot"),
        (Priority.ANSWER, 1, "UPDATE outbox SET created_at = NULL", "it is more than a day old"),
    ],
)
def test_a_bubble_that_would_only_confuse_is_dropped(
    ana: OnTelegram, priority: Priority, hours: int, happens: str | None, why: str
) -> None:
    said_to(ana, "words", priority=priority)
    refused(ana, 0)
    if happens is not None:
        change(ana.app.settings.data_dir / "companion.sqlite", happens)
    assert len(list(listed(ana.app.settings))) == 3
    ana.now += timedelta(hours=hours)
    told = taken_up(ana)
    assert told[0].endswith(f"dropped: {why}")
    assert told[1:] == ["Dropped: 1 bubble."]
    assert not ana.arrives()
    assert parked_bubbles(ana.app) == []


def test_a_question_that_was_refused_is_asked_before_what_was_said_to_it_is_taken_up(ana: OnTelegram) -> None:
    said_to(ana, "How was it?", asks="1:x")
    refused(ana, 0)
    broken(ana.app).conversation.receive(ana.heard(WORDS))
    place = ana.place
    refused(ana, 0)
    taken_up(ana)
    assert ana.place == place
    arrived = ana.arrives()
    assert arrived[:2] == ["How was it?", ana.app.prompts.refrain("fault")]
    assert notes(ana) == [WORDS]


async def test_a_courier_that_runs_in_another_process_finds_what_waits_again(
    ana: OnTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another store on the same files stands for the other process: nobody nudges the courier."""
    monkeypatch.setattr("bot.delivery.courier.SLOW_POLL", 0.01)
    said_to(ana, "the last words")
    refused(ana, 0)
    request = StubRequest(lambda *_: good(message(99)))
    worker = WorkerThread()
    courier = Courier(
        DatabaseWorker(ana.app.store, worker, lambda: ana.now),
        Sender(Bot("7:token", request=request, get_updates_request=request)),
        lambda *_: ("", b""),
    )
    running = asyncio.create_task(courier.run())
    other = app_on(ana.app.settings.data_dir, ana.app.book, ana.app.machines, ana.app.prompts)
    try:
        assert "Waiting again: 1 bubble." in list(replayed(other, lambda: ana.now))
        async with asyncio.timeout(5):
            while courier.counts.sent == 0:
                await asyncio.sleep(0.01)
    finally:
        other.store.close()
        courier.stop()
        await running
        worker.close()
    assert [fields["text"] for method, fields in request.calls if method == "sendMessage"] == ["the last words"]
