"""A turn that breaks, a row that can't be read: one client's fault is theirs alone, and they are told kindly."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from telegram import Bot

from bot.app import App
from bot.conversation import Conversation
from bot.db_worker import DatabaseWorker
from bot.delivery.courier import Courier
from bot.scheduler import Scheduler
from bot.telegram.sender import Sender
from bot.worker_thread import WorkerThread
from dialogues.helplines.tables import HelpLines
from dialogues.rendering.prompts import Prompts
from state_machine.engine import step
from state_machine.model.events import Event, Said, Woke
from state_machine.model.progress import Fact, Progress
from state_machine.model.script import Bubble
from state_machine.programme.tables import SOS, WELCOME
from state_machine.schedule import triggers
from tests.dead_letters import failure_reasons, with_broken_dialogue
from tests.stores import change
from tests.talking import DAY_ONE, Client, label_to, reply, walk
from tests.telegram.stub import StubRequest, good

FAULT = "fault"


def _with_a_broken_step(app: App, place: str) -> App:
    """The same app, with a book in which one step can't be said."""
    dialogue, _, name = place.partition("#")
    whole = app.book.script.dialogues[dialogue]
    here = replace(whole.steps[name], bubbles=(Bubble(("{{ nobody_knows_this }}",)),))
    broken = replace(whole, steps={**whole.steps, name: here})
    script = replace(app.book.script, dialogues={**app.book.script.dialogues, dialogue: broken})
    book = replace(app.book, script=script)
    machines, prompts = replace(app.machines, script=script), Prompts(book, HelpLines.read(), "Robin")
    return replace(
        app, book=book, machines=machines, prompts=prompts, conversation=Conversation(app.store, machines, prompts)
    )


def test_a_turn_that_breaks_leaves_progress_as_it_was_and_the_next_message_goes_on(
    newcomer: Client, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    words = reply(newcomer, DAY_ONE)
    before = newcomer.progress
    half = _with_a_broken_step(app, _next_place(newcomer, Said(newcomer.now, words)))
    with caplog.at_level(logging.DEBUG):
        assert half.conversation.receive(newcomer.heard(words))
    assert newcomer.progress == before
    assert newcomer.arrives() == [app.prompts.refrain(FAULT)]
    assert half.conversation.faults == 1
    with app.store.begin() as work:
        (event,) = work.inbox.all_failed()
    assert (event.client, event.payload) == (newcomer.chat.client, words.encode())
    assert words not in caplog.text
    newcomer.app = app
    assert newcomer.says(words)
    assert newcomer.progress != before


def test_the_same_broken_update_again_is_not_apologised_for_twice(newcomer: Client, app: App) -> None:
    words = reply(newcomer, DAY_ONE)
    half = _with_a_broken_step(app, _next_place(newcomer, Said(newcomer.now, words)))
    heard = newcomer.heard(words)
    half.conversation.receive(heard)
    assert len(newcomer.arrives()) == 1
    assert not half.conversation.receive(heard)
    assert not newcomer.arrives()


def test_a_wake_up_that_breaks_is_tried_again_later_and_nobody_is_disturbed(newcomer: Client, app: App) -> None:
    walk(newcomer, DAY_ONE)
    before = newcomer.progress
    due = triggers.next_wake(app.machines.script, before)
    assert due is not None
    half = _with_a_broken_step(app, _next_place(newcomer, Woke(due)))
    assert half.conversation.wake(newcomer.chat.client, due, due)
    assert newcomer.progress == before
    assert not newcomer.arrives()
    with app.store.begin() as work:
        assert work.clients.due("telegram:7", due, 9) == []
        ((client, again),) = work.clients.due("telegram:7", due + timedelta(days=1), 9)
    assert client == newcomer.chat.client
    assert again > due
    assert app.conversation.wake(client, again, again)
    assert newcomer.arrives()


def test_a_wake_up_that_keeps_failing_is_parked_once_and_tried_less_and_less_often_until_it_works(
    newcomer: Client, app: App
) -> None:
    newcomer.day_one()
    newcomer.says("I want to kill myself")
    newcomer.says("I might act soon")
    client, progress, due = newcomer.chat.client, newcomer.progress, newcomer.chat.wake_at
    assert due is not None
    others = [each.due for each in triggers.triggers(app.machines.script, progress)]
    mute = with_broken_dialogue(app, SOS)
    hours = []
    for tries in range(24):
        assert mute.conversation.wake(client, due, due)
        assert failure_reasons(app) == ["UndefinedError"]
        again = newcomer.chat.wake_at
        assert again is not None
        doubled = due + timedelta(hours=min(2**tries, 168))
        assert again == min([doubled, *(other for other in others if other > due)])
        hours.append((again - due) / timedelta(hours=1))
        due = again
    assert hours[-6:] == [168] * 6
    assert (newcomer.progress, newcomer.arrives()) == (progress, [])
    assert app.conversation.wake(client, due, due)
    assert newcomer.arrives()
    assert failure_reasons(app) == []


def test_after_it_worked_a_wake_up_that_fails_anew_is_tried_again_in_an_hour(newcomer: Client, app: App) -> None:
    newcomer.day_one()
    client = newcomer.chat.client
    mute = with_broken_dialogue(app, *app.book.script.dialogues)
    for _ in range(2):
        tried: datetime | None = None
        while not failure_reasons(app):
            tried = newcomer.chat.wake_at
            assert tried is not None
            assert mute.conversation.wake(client, tried, tried)
            newcomer.arrives()
        again = newcomer.chat.wake_at
        assert tried is not None
        assert again is not None
        assert again <= tried + timedelta(hours=1)
        assert app.conversation.wake(client, again, again)
        assert failure_reasons(app) == []
        newcomer.arrives()


def test_a_fault_of_many_clients_is_one_line_and_a_number(app: App, caplog: pytest.LogCaptureFixture) -> None:
    mute = with_broken_dialogue(app, WELCOME)
    for number in range(50):
        mute.conversation.receive(Client(app, str(number)).heard("hello"))
    assert mute.conversation.faults == 50
    assert len([line for line in caplog.messages if line.startswith("turn failed")]) == 1


def test_what_can_not_be_kept_in_a_column_is_set_aside_and_its_key_taken(newcomer: Client, app: App) -> None:
    """A fault that strikes outside the turn: it is parked with its client, and not tried for ever."""
    heard = newcomer.heard("hello")
    app.conversation.set_aside(heard.key, heard.address, heard.payload, "OverflowError", newcomer.now)
    app.conversation.set_aside("telegram:7:1", "telegram:7:nobody", b"{}", "OverflowError", newcomer.now)
    assert failure_reasons(app) == ["OverflowError"]
    assert not app.conversation.receive(heard)
    assert not app.conversation.receive(replace(heard, key="telegram:7:1"))


def test_what_breaks_while_a_turn_is_kept_is_answered_and_put_away_and_nothing_of_the_turn_stays(
    newcomer: Client, app: App
) -> None:
    walk(newcomer, DAY_ONE)
    newcomer.says("/people")
    for label in ("add", "Mum", "Right beside me", "Most days", "added"):
        newcomer.says(label_to(newcomer, label) if label.islower() else label)
    newcomer.says("/people")
    newcomer.says(label_to(newcomer, "who_goes"))
    newcomer.says("Mum")
    change(app.settings.data_dir / "companion.sqlite", "UPDATE entries SET body = x'00'")
    before = newcomer.progress
    assert newcomer.says(label_to(newcomer, "removed")) == [app.prompts.refrain(FAULT)]
    assert newcomer.progress == before
    assert failure_reasons(app) == ["Unreadable"]
    assert app.conversation.faults == 1


def test_danger_is_answered_with_numbers_also_where_the_next_hour_can_t_be_found(newcomer: Client, app: App) -> None:
    walk(newcomer, DAY_ONE)
    with app.store.begin() as work:
        chat = work.chats.find(newcomer.address)
        assert chat is not None
        never = datetime.max.replace(tzinfo=UTC)
        hour = {"remind_days": Fact("Every day", never, "daily"), "remind_at": Fact("18:00", never, "18:00")}
        facts = replace(chat.progress, facts={**chat.progress.facts, **hour})
        work.chats.save(chat, facts, None)
    assert newcomer.says("I want to kill myself") == [app.prompts.plain_refrain("help_if_all_fails")]
    assert failure_reasons(app) == ["OverflowError"]


def test_a_corrupt_row_is_that_client_s_fault_alone(newcomer: Client, app: App) -> None:
    ben = Client(app, "ben")
    ben.says("/start")
    change(
        app.settings.data_dir / "companion.sqlite",
        "UPDATE chats SET progress = x'01ff' WHERE client = ?",
        newcomer.chat.client,
    )
    app.conversation.receive(newcomer.heard("anything"))
    assert newcomer.arrives() == [app.prompts.refrain(FAULT)]
    assert app.conversation.faults == 1
    assert ben.says(reply(ben, DAY_ONE))
    with app.store.begin() as work:
        assert [event.payload for event in work.inbox.all_failed()] == [b"anything"]


def test_a_corrupt_row_that_is_due_is_not_due_for_ever(newcomer: Client, app: App) -> None:
    walk(newcomer, DAY_ONE)
    client = newcomer.chat.client
    due = triggers.next_wake(app.machines.script, newcomer.progress)
    assert due is not None
    change(app.settings.data_dir / "companion.sqlite", "UPDATE chats SET progress = x'01'")
    assert not app.conversation.wake(client, due, due)
    with app.store.begin() as work:
        assert work.clients.due("telegram:7", due + timedelta(days=400), 9) == []


async def test_the_hourly_forgetting_passes_by_a_client_who_can_not_be_read_and_says_it_once(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    ana, ben = Client(app, "ana").day_one(), Client(app, "ben").day_one()
    for client in (ana, ben):
        client.says("nobody knows what my sister did to me")
        app.conversation.blocked(f"blocked {client.address}", client.address, client.now)
    later, data = ben.now + timedelta(days=2), app.settings.data_dir / "companion.sqlite"
    change(data, "UPDATE chats SET progress = x'01' WHERE client = ?", ana.chat.client)
    worker, heard_all = WorkerThread(), asyncio.Event()
    heard_all.set()
    hours = iter(range(9))
    database = DatabaseWorker(app.store, worker, lambda: later + timedelta(hours=next(hours)))
    silent = StubRequest(lambda *_: good(True))
    sender = Sender(Bot("7:token", request=silent, get_updates_request=silent))
    scheduler = Scheduler(database, app.conversation, Courier(database, sender, app.export), heard_all)
    for _ in range(3):
        await scheduler.tick()
    worker.close()
    assert ben.progress.recent == ()
    assert failure_reasons(app) == ["Unreadable"]
    assert len([line for line in caplog.messages if "forgetting failed" in line]) == 1


def test_two_clients_turns_do_not_mix(app: App) -> None:
    newcomer, ben = Client(app, "newcomer"), Client(app, "ben")
    for client in (newcomer, ben):
        client.says("/start")
    for _ in range(5):
        newcomer.says(reply(newcomer, DAY_ONE))
        ben.says(reply(ben, {**DAY_ONE, "phone": "shared", "country": "Germany"}))
    assert newcomer.place == ben.place
    assert {a.fact.value for a in newcomer.progress.runs[0].answers} != {
        a.fact.value for a in ben.progress.runs[0].answers
    }
    with app.store.begin() as work:
        assert work.clients.count() == 2
    assert newcomer.chat.client != ben.chat.client
    alone = Client(app, "cy")
    alone.says("/start")
    for _ in range(5):
        alone.says(reply(alone, DAY_ONE))
    assert _said_and_done(alone.progress) == _said_and_done(newcomer.progress)


def _next_place(client: Client, event: Event) -> str:
    """Where the event would lead, found without anything being kept."""
    run = step(client.app.machines, client.progress, event).progress.runs[-1]
    return f"{run.dialogue}#{run.step}"


def _said_and_done(progress: Progress) -> list[tuple[str, str, list[tuple[str, str]]]]:
    return [(run.dialogue, run.step, [(a.memory, a.fact.value) for a in run.answers]) for run in progress.runs]
