"""The courier over the real store and the real Bot, with Telegram's side played by the test."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import pytest
from telegram.error import TimedOut

from bot.delivery.backoff import delay_after
from bot.delivery.rate_limiter import RateLimiter
from state_machine.model.outgoing import Edit, ExportFile, Message, Priority, TapAnswer
from tests.post_office import ANA, BEN, Post, carrying
from tests.telegram.stub import bad


async def test_what_waits_is_sent_in_order_and_marked(post: Post) -> None:
    ana = await post.client()
    async with carrying(post.courier):
        await post.put(ana, Message("one"), Message("two"))
        await post.put(ana, Message("three"))
        await post.until_nothing_waits(ana)
    assert post.texts() == ["one", "two", "three"]
    chat = await post.database.do(lambda work: work.chats.get(ana))
    assert chat is not None
    assert chat.last_message_id == 3
    assert post.courier.counts.sent == 3


async def test_a_long_row_of_messages_is_sent_to_its_end(post: Post) -> None:
    ana = await post.client()
    async with carrying(post.courier):
        await post.put(ana, *(Message(str(number)) for number in range(50)))
        await post.until_nothing_waits(ana)
    assert post.texts() == [str(number) for number in range(50)]


async def test_chats_do_not_wait_for_one_another(post: Post) -> None:
    """One chat whose call hangs does not keep another from its answer."""
    ana, ben = await post.client(ANA), await post.client(BEN)
    await post.put(ana, Message("to Ana"))
    gate = post.request.gates["5"] = asyncio.Event()
    async with carrying(post.courier):
        await post.put(ben, Message("to Ben"))
        await post.until_nothing_waits(ben)
        assert post.texts() == ["to Ben"]
        gate.set()
        await post.until_nothing_waits(ana)


async def test_safety_overtakes_what_still_waits_for_the_rate_limiter(post: Post) -> None:
    ana, ben = await post.client(ANA), await post.client(BEN)
    post.courier = post.new_courier(RateLimiter(a_second=2, burst=2, refill=2))
    async with carrying(post.courier):
        await post.put(ben, *(Message(f"b{n}") for n in range(3)))
        await post.until_called(2)
        await post.put(ana, Message("numbers"), priority=Priority.SAFETY)
        await post.until_nothing_waits(ana, ben)
    assert [fields["text"] for method, fields in post.request.calls if method == "sendMessage"] == [
        "b0",
        "b1",
        "numbers",
        "b2",
    ]


async def test_a_bubble_that_has_to_wait_shows_that_we_are_writing(post: Post) -> None:
    ana = await post.client()
    post.courier = post.new_courier(RateLimiter(burst=1, refill=1.5))
    async with carrying(post.courier):
        await post.put(ana, Message("one"), Message("two"))
        await post.until_nothing_waits(ana)
    assert [method for method, _ in post.request.calls] == ["sendMessage", "sendChatAction", "sendMessage"]


async def test_too_many_requests_is_obeyed_and_the_chat_goes_on_where_it_stopped(post: Post) -> None:
    ana = await post.client()
    refused = iter([False, True])
    post.answer = lambda method, fields: (
        bad(429, "Too Many Requests: retry after 60", retry_after=60)
        if next(refused, False)
        else post.accept(method, fields)
    )
    async with carrying(post.courier):
        await post.put(ana, Message("one"), Message("two"), Message("three"))
        await post.until_called(2)
        async with asyncio.timeout(5):
            while post.courier.counts.held == 0:
                await asyncio.sleep(0.002)
        post.courier.nudge()
        assert await post.waiting(ana) == 2
        for seconds, comes in ((59, False), (60, True)):
            assert await post.comes(post.at + timedelta(seconds=seconds)) is comes
    post.at += timedelta(seconds=61)
    async with carrying(post.new_courier()):
        await post.until_nothing_waits(ana)
    assert post.texts() == ["one", "two", "two", "three"]


async def test_who_blocked_us_is_left_alone_until_they_write(post: Post) -> None:
    ana = await post.client()
    post.answer = lambda *_: bad(403, "Forbidden: bot was blocked by the user")
    async with carrying(post.courier):
        await post.put(ana, Message("one"), Message("two"))
        await post.until_nothing_waits(ana)
    chat = await post.database.do(lambda work: work.chats.get(ana))
    assert chat is not None
    assert chat.blocked
    assert len(post.request.calls) == 1
    assert post.courier.counts.blocked == 1


async def test_what_is_rejected_is_a_dead_letter_and_the_rest_goes_on(post: Post) -> None:
    ana = await post.client()
    post.answer = lambda method, fields: (
        bad(400, "Bad Request: message is too long") if fields.get("text") == "long" else post.accept(method, fields)
    )
    async with carrying(post.courier):
        await post.put(ana, Message("one"), Message("long"), Message("three"))
        await post.until_nothing_waits(ana)
    assert post.texts() == ["one", "long", "three"]
    assert post.courier.counts.rejected == 1


async def test_what_can_no_longer_be_changed_or_answered_is_let_go(post: Post) -> None:
    ana = await post.client()
    post.answer = lambda *_: bad(400, "Bad Request: message to edit not found")
    async with carrying(post.courier):
        await post.put(ana, TapAnswer("old"), Edit(3, "gone"))
        await post.until_nothing_waits(ana)
    assert post.courier.counts.rejected == 0


async def test_of_several_edits_of_one_message_that_wait_only_the_last_is_sent(post: Post) -> None:
    ana = await post.client()
    for edit in (Edit(3, "a"), Edit(4, "x"), Edit(3, "b"), Edit(3, "c")):
        await post.put(ana, edit)
    async with carrying(post.courier):
        await post.until_nothing_waits(ana)
    edits = [fields["text"] for method, fields in post.request.calls if method == "editMessageText"]
    assert edits == ["a", "x", "c"]  # the first may be on its way already


async def test_a_lost_answer_is_tried_again_after_a_pause(post: Post) -> None:
    ana = await post.client()
    lost = iter([True, True])
    post.answer = lambda method, fields: TimedOut() if next(lost, False) else post.accept(method, fields)
    async with carrying(post.courier):
        await post.put(ana, Message("one"))
        for tries, pause in ((1, 1), (2, 2)):
            async with asyncio.timeout(5):
                while post.courier.counts.retried < tries or await post.comes(post.at):
                    await asyncio.sleep(0.002)
            post.at += timedelta(seconds=pause)
            post.courier.nudge()
        await post.until_nothing_waits(ana)
    assert post.texts() == ["one", "one", "one"]
    assert (post.courier.counts.unclear, post.courier.counts.sent) == (2, 1)


def test_delays_grow_and_end_at_five_minutes() -> None:
    assert [delay_after(tries) for tries in (1, 2, 3, 9, 10, 1000)] == [1, 2, 4, 256, 300, 300]


async def test_what_was_not_marked_when_the_process_died_is_sent_by_the_next(post: Post) -> None:
    ana = await post.client()
    await post.put(ana, Message("one"))
    async with carrying(post.new_courier()):
        await post.until_nothing_waits(ana)
    await post.put(ana, Message("two"))
    async with carrying(post.new_courier()):
        await post.until_nothing_waits(ana)
    assert post.texts() == ["one", "two"]


async def test_a_file_is_made_when_it_is_sent(post: Post) -> None:
    ana = await post.client()
    async with carrying(post.courier):
        await post.put(ana, ExportFile("All of it."))
        await post.until_nothing_waits(ana)
    method, fields = post.request.calls[0]
    assert (method, fields["caption"]) == ("sendDocument", "All of it.")


async def test_after_an_erasure_a_notice_is_sent_and_messages_are_deleted(post: Post) -> None:
    ana = await post.client()
    async with carrying(post.courier):
        await post.put(ana, Message("one"), Message("two"))
        await post.until_nothing_waits(ana)
        await post.database.do(lambda work: work.clients.erase(ana, [Message("All gone.")], post.at))
        post.courier.nudge()
        async with asyncio.timeout(5):
            while await post.database.do(lambda work: work.erasure_notices.due("telegram:7", post.at)):
                await asyncio.sleep(0.002)
    assert [method for method, _ in post.request.calls[2:]] == ["sendMessage", "deleteMessages"]
    assert post.texts()[-1] == "All gone."
    assert post.request.calls[-1][1]["message_ids"] == "[1, 2]"


async def test_an_erasure_stops_what_is_still_being_said(post: Post) -> None:
    ana = await post.client()
    post.courier = post.new_courier(RateLimiter(burst=1, refill=2))
    async with carrying(post.courier):
        await post.put(ana, Message("one"), Message("two"), Message("three"))
        await post.until_called(1)
        await post.database.do(lambda work: work.clients.erase(ana, [Message("All gone.")], post.at))
        post.courier.nudge()
        async with asyncio.timeout(5):
            while await post.database.do(lambda work: work.erasure_notices.due("telegram:7", post.at)):
                await asyncio.sleep(0.002)
    assert post.texts() == ["one", "All gone."]


async def test_a_quick_answer_waits_until_what_is_being_sent_is_marked(post: Post) -> None:
    ana = await post.client()
    async with carrying(post.courier):
        await post.put(ana, Message("one"))
        await post.until_called(1)
        await post.courier.settled(ANA)
        assert await post.waiting(ana) == 0


async def test_one_clients_broken_message_is_theirs_alone(post: Post) -> None:
    ana, ben = await post.client(ANA), await post.client(BEN)
    async with carrying(post.courier):
        await post.put(ana, Edit(-1, None), Message("one"))
        await post.put(ben, Message("two"))
        await post.until_nothing_waits(ana, ben)
    assert sorted(post.texts()) == ["one", "two"]


async def test_log_lines_name_the_client_by_number_and_nothing_else(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ana = await post.client()
    async with carrying(post.courier):
        await post.put(ana, Message("my secret"))
        await post.until_nothing_waits(ana)
    assert ana in caplog.text
    assert "secret" not in caplog.text
    assert "7:5" not in caplog.text
