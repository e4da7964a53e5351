"""After a year of silence one notice comes and a month later all is erased, whatever stood open."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from telegram import Bot

from bot.app import App
from bot.db_worker import DatabaseWorker
from bot.delivery.courier import Courier
from bot.scheduler import Scheduler
from bot.telegram.sender import Sender
from bot.worker_thread import WorkerThread
from state_machine.model.effects import Erase
from state_machine.model.events import Woke
from state_machine.programme.tables import GO_ON, RETENTION, SUITABILITY
from state_machine.schedule import triggers
from tests.talking import DAY_ONE, NOTHING_WRONG, Client, Story, label_to
from tests.telegram.stub import StubRequest, good

YEAR = timedelta(days=365)
MONTH = timedelta(days=30)


def lives(story: Story, **time: float) -> Iterator[tuple[datetime, str]]:
    """Let time pass; when something was said, and at which place they stood then."""
    until = story.now + timedelta(**time)
    for _ in range(2000):
        due = triggers.next_wake(story.script, story.progress)
        if due is None or due > until:
            story.now = until
            return
        story._happens(Woke(max(due, story.now + timedelta(minutes=1))))
        if story.turn is not None and any(isinstance(effect, Erase) for effect in story.turn.effects):
            yield story.now, "erased"
            return
        if story.bubbles:
            yield story.now, story.front.dialogue
    raise AssertionError("woken again and again")


def told_and_erased(story: Story) -> tuple[datetime, datetime]:
    """When the one notice came, and when all was erased."""
    silent_since = story.now
    late = [(at, what) for at, what in lives(story, days=500) if at - silent_since > timedelta(days=300)]
    assert [what for _, what in late] == [RETENTION, "erased"]
    (told, _), (erased, _) = late
    assert YEAR <= told - silent_since < YEAR + timedelta(days=1)
    assert MONTH <= erased - told < MONTH + timedelta(days=1)
    return told, erased


def test_of_somebody_who_simply_stopped(ana: Story) -> None:
    told_and_erased(ana)


def test_of_somebody_who_paused_until_they_write(ana: Story) -> None:
    ana.says("/pause").says(label_to(ana, "until_i_write"))
    told_and_erased(ana)


def test_of_somebody_who_left_the_offer_to_go_on_open(stranger: Story) -> None:
    stranger.answers({**DAY_ONE, "look_in": "never"})
    stranger.passes(days=1)
    stranger.says("hello")
    stranger.passes(hours=13)
    stranger.says("hello")
    assert stranger.front.dialogue == GO_ON
    told_and_erased(stranger)


def test_of_somebody_who_was_to_be_asked_again_every_two_weeks(ana: Story) -> None:
    ana.passes(days=1)
    assert ana.front.dialogue == SUITABILITY
    ana.answers({**NOTHING_WRONG, "voices": "yes"})
    assert ana.progress.phase == "not_now"
    told_and_erased(ana)


def test_whoever_lets_it_stay_is_told_again_after_another_year(ana: Story) -> None:
    list(lives(ana, days=366))
    ana.says(label_to(ana, "stay"))
    told_and_erased(ana)


def test_whoever_writes_within_the_month_and_answers_something_else_is_not_erased_at_its_end(ana: Story) -> None:
    list(lives(ana, days=366))
    list(lives(ana, days=25))
    ana.says("/checkin")
    assert all(what != "erased" for _, what in lives(ana, days=29))


# --- whoever blocked the bot -----------------------------------------------------------------


@pytest.fixture
def gone(app: App) -> Client:
    """Somebody who told of something, and blocked the bot."""
    client = Client(app).day_one()
    client.says("nobody knows what my sister did to me")
    assert client.progress.recent
    app.conversation.blocked("gone", client.address, client.now)
    return client


async def lives_on(client: Client, until: datetime) -> None:
    """The bot runs on, and looks about every six hours."""
    worker = WorkerThread()
    database = DatabaseWorker(client.app.store, worker, lambda: client.now)
    bot = Bot("7:token", request=(silence := StubRequest(lambda *_: good(True))), get_updates_request=silence)
    heard_all = asyncio.Event()
    heard_all.set()
    scheduler = Scheduler(
        database, client.app.conversation, Courier(database, Sender(bot), client.app.export), heard_all
    )
    while client.now < until:
        client.now += timedelta(hours=6)
        await scheduler.tick()
        assert not client.carried(), "something is to be said to somebody who blocked us"
    worker.close()


async def test_of_whoever_blocked_the_bot_the_last_words_are_kept_for_a_day_and_no_longer(gone: Client) -> None:
    blocked, answers = gone.now, gone.progress.facts
    await lives_on(gone, blocked + timedelta(hours=18))
    assert gone.progress.recent
    await lives_on(gone, blocked + timedelta(hours=24))
    assert gone.progress.recent == ()
    await lives_on(gone, blocked + timedelta(days=30))
    assert gone.progress.facts == answers
    assert gone.progress.unasked is None


async def test_whoever_blocked_the_bot_is_erased_a_year_and_a_month_later_without_a_word(gone: Client) -> None:
    blocked = gone.now
    await lives_on(gone, blocked + YEAR + MONTH - timedelta(days=1))
    assert gone.progress.facts
    await lives_on(gone, blocked + YEAR + MONTH + timedelta(days=1))
    with gone.app.store.begin() as work:
        assert work.chats.find(gone.address) is None
        assert work.clients.count() == 0
        parting = next(iter(work.erasure_notices.due("telegram:7", gone.now)), None)
    assert parting is None or not parting.messages


async def test_all_who_blocked_the_bot_are_looked_after_also_where_they_are_more_than_one_portion(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.scheduler.AT_ONCE", 2)
    everybody = [Client(app, f"client {number}") for number in range(5)]
    for client in everybody:
        client.says("nobody knows what my sister did to me")
        app.conversation.blocked(f"gone {client.address}", client.address, client.now)
        assert client.progress.recent
    await lives_on(everybody[0], everybody[-1].now + timedelta(days=2))
    assert [client.progress.recent for client in everybody] == [()] * 5


async def test_whoever_comes_back_after_months_finds_all_of_it_and_is_written_to_again(gone: Client) -> None:
    answers = gone.progress.facts
    await lives_on(gone, gone.now + timedelta(days=200))
    assert gone.says("/today")
    assert gone.progress.facts == answers
    assert gone.chat.wake_at is not None
    assert gone.chat.wake_at < gone.now + timedelta(days=2)
