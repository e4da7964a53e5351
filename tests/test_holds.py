"""What failed is tried again later; words of safety never wait for that, and no clock makes anybody wait for long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from telegram.error import NetworkError

from bot.app import App
from bot.delivery.backoff import delay_after
from state_machine.model.outgoing import Message, Priority
from tests.post_office import ANA, BEN, Post, carrying
from tests.talking import Client
from tests.telegram.stub import bad

NUMBERS = Message("I take this seriously. Emergency: 112")
SECONDS = timedelta(seconds=1)


async def so_far(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not done():
            await asyncio.sleep(0.002)


async def out_of_reach(post: Post, client: str, tries: int, priority: Priority = Priority.REMINDER) -> None:
    """Let Telegram be out of reach until one message was tried so often, and come back then."""
    post.answer = lambda *_: NetworkError("gone")
    await post.put(client, Message("One thing is still open."), priority=priority)
    for number in range(1, tries + 1):
        await so_far(lambda: post.courier.counts.retried >= number)  # noqa: B023 - asked within this round
        await asyncio.sleep(0.02)
        if number < tries:
            post.at += timedelta(seconds=delay_after(number))
            post.courier.nudge()
    post.answer = post.accept
    post.request.calls.clear()


async def test_words_of_safety_do_not_wait_behind_the_retry_of_a_reminder(post: Post) -> None:
    ana = await post.client()
    async with carrying(post.courier):
        await out_of_reach(post, ana, tries=10)
        assert not await post.comes(post.at + 299 * SECONDS)
        await post.put(ana, NUMBERS, priority=Priority.SAFETY)
        await post.until_nothing_waits(ana)
    assert post.texts() == [NUMBERS.text, "One thing is still open."]


async def test_a_reminder_that_fails_while_words_of_safety_come_holds_nothing(post: Post) -> None:
    ana = await post.client()
    async with carrying(post.courier):
        await out_of_reach(post, ana, tries=9)
        gate = post.request.gates["5"] = asyncio.Event()
        lost = iter([True])
        post.answer = lambda method, fields: (
            NetworkError("gone") if next(lost, False) else post.accept(method, fields)
        )
        post.at += timedelta(seconds=delay_after(9))
        post.courier.nudge()
        await asyncio.sleep(0.1)
        await post.put(ana, NUMBERS, priority=Priority.SAFETY)
        gate.set()
        await post.until_nothing_waits(ana)
    assert post.texts()[1] == NUMBERS.text  # the next thing that is sent after the try under way


async def test_words_of_safety_that_met_a_broken_line_are_tried_again_within_half_a_minute(post: Post) -> None:
    ana = await post.client()
    async with carrying(post.courier):
        await out_of_reach(post, ana, tries=10, priority=Priority.SAFETY)
        assert await post.comes(post.at + 30 * SECONDS)


def test_who_writes_is_answered_at_once_and_not_when_a_retry_is_due(app: App) -> None:
    ana = Client(app).day_one()
    client = ana.chat.client
    with app.store.begin() as work:
        work.outbox.put(client, Priority.REMINDER, [Message("One thing is still open.")], ana.now)
        held = work.outbox.next_for(client)
        assert held is not None
        assert work.outbox.hold(held, ana.now + 290 * SECONDS)
    app.conversation.receive(ana.heard("/help"))
    with app.store.begin() as work:
        assert work.outbox.ready("telegram:7", ana.now, 1)


async def test_a_reminder_alone_waits_for_its_next_try(post: Post) -> None:
    ana = await post.client()
    await post.put(ana, Message("Shall we?"), priority=Priority.REMINDER)
    [held] = await post.database.do(lambda work: work.outbox.ready("telegram:7", post.at, 1))
    assert await post.database.do(lambda work: work.outbox.hold(held, post.at + 290 * SECONDS))
    await post.put(ana, Message("And then?"), priority=Priority.REMINDER)
    assert not await post.comes(post.at + 289 * SECONDS)


async def test_when_telegram_says_wait_words_of_safety_wait_too(post: Post) -> None:
    ana = await post.client()
    answers = iter([bad(429, "Too Many Requests: retry after 1", retry_after=1)])
    post.answer = lambda method, fields: next(answers, None) or post.accept(method, fields)
    async with carrying(post.courier):
        await post.put(ana, Message("Shall we?"), priority=Priority.REMINDER)
        await so_far(lambda: post.courier.counts.held == 1)
        told = asyncio.get_running_loop().time()
        await post.put(ana, NUMBERS, priority=Priority.SAFETY)
        await post.until_nothing_waits(ana)
    assert asyncio.get_running_loop().time() - told >= 0.95
    assert len(post.request.calls) == 3


@pytest.mark.parametrize("chats", [1, 2])
async def test_a_clock_that_was_a_day_fast_holds_nobody_once_it_is_right(post: Post, chats: int) -> None:
    ana, *others = [await post.client(address) for address in (ANA, BEN)[:chats]]
    post.answer = lambda *_: bad(429, "Too Many Requests: retry after 3", retry_after=3)
    post.at += timedelta(days=1)
    async with carrying(post.courier):
        for client in (ana, *others):
            await post.put(client, Message("one"))
        await so_far(lambda: post.courier.counts.held == chats)
    post.at -= timedelta(days=1)
    post.answer = post.accept
    post.request.calls.clear()
    post.courier = post.new_courier()
    async with carrying(post.courier):
        await post.put(ana, NUMBERS, priority=Priority.SAFETY)
        await post.until_nothing_waits(ana, *others)
    assert post.texts(5)[0] == NUMBERS.text
