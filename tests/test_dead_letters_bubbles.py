"""Replay of bubbles that could not be sent: which are queued again, and which are dropped."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from telegram import Bot

from bot.app import App
from bot.db_worker import DatabaseWorker
from bot.delivery.courier import Courier
from bot.operator.dead_letters import NOTHING, list_dead_letters, replay
from bot.telegram.sender import Sender
from bot.worker_thread import WorkerThread
from state_machine.model.outgoing import Priority
from tests.dead_letters import (
    WORDS,
    TelegramClient,
    client_at_wish,
    dead_bubbles,
    notes,
    queue,
    refused,
    replay_later,
    with_broken_dialogue,
)
from tests.stores import change
from tests.talking import app_on
from tests.telegram.stub import StubRequest, good, message


@pytest.fixture
def ana(app: App) -> TelegramClient:
    return client_at_wish(app)


def test_bubbles_that_were_the_last_words_are_sent_after_all_in_order(ana: TelegramClient) -> None:
    queue(ana, "one", "two")
    refused(ana, 0)
    assert not ana.arrives()
    first = [bubble for bubble in dead_bubbles(ana.app) if not bubble.superseded]
    assert first == [], "the second was sent without the first"
    queue(ana, "one", "two")
    refused(ana, 1)
    assert [(bubble.superseded, bubble.created == ana.now) for bubble in dead_bubbles(ana.app)] == [
        (True, True),
        (False, True),
    ]
    output = replay_later(ana)
    assert [line.split("  ")[-1] for line in output[:2]] == [
        "dropped: a later message was sent",
        "queued again",
    ]
    assert output[2] == "Queued again: 1 bubble. Dropped: 1 bubble."
    assert ana.arrives() == ["two"]
    assert dead_bubbles(ana.app) == []
    assert replay_later(ana) == [NOTHING]


def test_a_whole_batch_that_was_rejected_is_sent_in_order(ana: TelegramClient) -> None:
    queue(ana, "one", "two", "three")
    refused(ana, 0, 1, 2)
    assert "Queued again: 3 bubbles." in replay_later(ana)
    assert ana.arrives() == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("priority", "hours", "happens", "why"),
    [
        (Priority.ANSWER, 25, None, "it is more than a day old"),
        (Priority.REMINDER, 1, None, "it is a reminder whose time has passed"),
        (
            Priority.ANSWER,
            1,
            "UPDATE outbox SET body = x'01' WHERE dead_letter IS NOT NULL",
            "it can no longer be decrypted",
        ),
        (Priority.ANSWER, 1, "UPDATE chats SET blocked_at = 1", "the client blocked the bot"),
        (Priority.ANSWER, 1, "UPDATE outbox SET created_at = NULL", "it is more than a day old"),
    ],
)
def test_a_bubble_that_would_only_confuse_is_dropped(
    ana: TelegramClient, priority: Priority, hours: int, happens: str | None, why: str
) -> None:
    queue(ana, "words", priority=priority)
    refused(ana, 0)
    if happens is not None:
        change(ana.app.settings.data_dir / "companion.sqlite", happens)
    assert len(list(list_dead_letters(ana.app.settings))) == 3
    ana.now += timedelta(hours=hours)
    output = replay_later(ana)
    assert output[0].endswith(f"dropped: {why}")
    assert output[1:] == ["Dropped: 1 bubble."]
    assert not ana.arrives()
    assert dead_bubbles(ana.app) == []


def test_a_rejected_question_is_asked_before_the_reply_to_it_is_replayed(ana: TelegramClient) -> None:
    queue(ana, "How was it?", asks="1:x")
    refused(ana, 0)
    with_broken_dialogue(ana.app).conversation.receive(ana.heard(WORDS))
    place = ana.place
    refused(ana, 0)
    replay_later(ana)
    assert ana.place == place
    arrived = ana.arrives()
    assert arrived[:2] == ["How was it?", ana.app.prompts.refrain("fault")]
    assert notes(ana) == [WORDS]


async def test_a_courier_in_another_process_finds_queued_bubbles(
    ana: TelegramClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second store on the same files acts as the other process, so the courier is not notified."""
    monkeypatch.setattr("bot.delivery.courier.SLOW_POLL", 0.01)
    queue(ana, "the last words")
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
        assert "Queued again: 1 bubble." in list(replay(other, lambda: ana.now))
        async with asyncio.timeout(5):
            while courier.counts.sent == 0:
                await asyncio.sleep(0.01)
    finally:
        other.store.close()
        courier.stop()
        await running
        worker.close()
    assert [fields["text"] for method, fields in request.calls if method == "sendMessage"] == ["the last words"]
