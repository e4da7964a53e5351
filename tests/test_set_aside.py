"""What an operator sees of what was set aside, and what comes of it after a fix. Real files, real updates."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from telegram import Bot, Update
from typer.testing import CliRunner

from bot.app import App
from bot.cli import cli
from bot.console import Console
from bot.conversation import Conversation, DealtWith, Heard
from bot.courier import Courier
from bot.desk import Desk
from bot.set_aside import NOTHING, REMEDY, listed, replayed
from bot.telegram.inbound import Reader
from bot.telegram.kept import read_again, written
from bot.telegram.sender import Sender
from bot.writer import Writer
from dialogues.book import Book
from dialogues.lines import Lines
from dialogues.prompts import Prompts
from state_machine import occasions
from state_machine.chart import Charts
from state_machine.engine import step
from state_machine.events import Woke
from state_machine.messages import Lane, Message
from state_machine.programme import HOME, NOTE, WELCOME
from state_machine.script import Label
from storage.outbox import ParkedParcel
from tests.cut_off import with_broken
from tests.storing import change, rows
from tests.talking import BETWEEN, DAY_ONE, START, Client, app_on, keeps, label_to, reply, walk
from tests.telegram.stub import StubRequest, good, message

NAME = "Marigold Quastenflosser"
CHAT = 778_899_001_133
WORDS = "that she calls twice, Zwölfender"
FAULT = "UndefinedError"
WHEN = r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"


class OnTelegram(Client):
    """A client whose messages are updates as Telegram sends them, so that what is kept of them is, too."""

    def __init__(self, app: App, chat: int = CHAT) -> None:
        super().__init__(app, str(chat))
        self.number = chat
        self.updates = 0

    def heard(self, text: str, *, key: str | None = None, message_id: int | None = None) -> Heard:
        assert key is None
        self.now += BETWEEN
        self.last_message += 1
        self.updates += 1
        who = {"first_name": NAME, "last_name": NAME, "username": NAME}
        raw = {
            "update_id": self.updates,
            "message": {
                "message_id": message_id or self.last_message,
                "date": 1,
                "chat": {"id": self.number, "type": "private", **who},
                "from": {"id": self.number, "is_bot": False, **who},
                "text": text,
            },
        }
        heard = Reader(7, "CompanionBot").read(Update.de_json(raw, None), self.now, written(raw))
        assert isinstance(heard, Heard)
        return heard


@pytest.fixture
def app(tmp_path: Path, book: Book, charts: Charts, prompts: Prompts) -> Iterator[App]:
    """Everything, on real files in a folder of its own."""
    made = app_on(tmp_path / "data", book, charts, prompts)
    yield made
    made.store.close()


@pytest.fixture
def ana(app: App) -> OnTelegram:
    """Somebody who is asked for a wish."""
    client = OnTelegram(app)
    client.says("/start")
    walk(client, DAY_ONE, until="#".join(keeps(client.script, "wish", WELCOME)))
    return client


def broken(app: App, dialogue: str = WELCOME) -> App:
    """The same app on a day on which nothing of one dialogue can be said."""
    book = with_broken(app.book, [dialogue])
    charts, prompts = replace(app.charts, script=book.script), Prompts(book, Lines.read(), "Robin")
    return replace(
        app, book=book, charts=charts, prompts=prompts, conversation=Conversation(app.store, charts, prompts)
    )


def fails(client: OnTelegram, words: str, dialogue: str = WELCOME) -> Heard:
    """Say something whose turn breaks. What was heard; the kind word has arrived."""
    heard = client.heard(words)
    broken(client.app, dialogue).conversation.hear(heard)
    assert client.arrives() == [client.app.prompts.refrain("fault")]
    return heard


def taken_up(client: Client, app: App | None = None) -> list[str]:
    """What `parked --replay` prints a little later."""
    client.now += timedelta(minutes=10)
    return list(replayed(app or client.app, lambda: client.now))


def next_label(client: Client) -> str:
    """A button of the question that comes after the wish: as words, it answers both."""
    dialogue, place = keeps(client.script, "first_line", WELCOME)
    ways = client.script.dialogues[dialogue].steps[place].ways
    return next(way.takes.text for way in ways if isinstance(way.takes, Label) and way.memory == "first_line")


def parked(app: App) -> list[str]:
    """The reasons of what is parked."""
    with app.store.begin() as work:
        return [event.reason for event in work.inbox.parked()]


def parked_bubbles(app: App) -> list[ParkedParcel]:
    with app.store.begin() as work:
        return work.outbox.parked()


def notes(client: Client) -> list[str]:
    """What was kept beside the answers."""
    number = client.chat.client
    with client.app.store.begin() as work:
        return [e.answers[0].fact.value for e in work.entries.all(number) if e.dialogue == NOTE]


def said_to(client: Client, *texts: str, lane: Lane = Lane.ANSWER, asks: str | None = None) -> None:
    """Let words wait for a client."""
    number = client.chat.client
    with client.app.store.begin() as work:
        work.outbox.put(number, lane, [Message(text, asks=asks) for text in texts], client.now)


def refused(client: Client, *places: int) -> None:
    """Let Telegram refuse waiting bubbles, by their places; the others arrive."""
    number = client.chat.client
    with client.app.store.begin() as work:
        burst = work.outbox.burst_of(number)
        assert burst is not None
        for place in places:
            work.outbox.park(burst.parcels[place].id, "Refused")
    client.carried()


# --- the list ------------------------------------------------------------------------


def test_what_was_set_aside_is_listed_without_a_word_a_name_or_a_chat(ana: OnTelegram) -> None:
    fails(ana, WORDS)
    ana.says("/help")
    ana.app.conversation.hear(ana.heard("/people"))
    refused(ana, -1)
    told = list(listed(ana.app.settings))
    client = ana.chat.client
    assert re.fullmatch(rf"{WHEN}  event    {client}  {FAULT}", told[0])
    assert re.fullmatch(rf"{WHEN}  bubble   {client}  Refused", told[1])
    assert told[2:] == ["Set aside: 1 event, 1 bubble.", REMEDY]
    again = " ".join([*told, *taken_up(ana)])
    for mark in (*WORDS.split()[2:], *NAME.split(), str(CHAT), "/people"):
        assert mark not in again


def test_the_command_prints_the_list_beside_a_bot_that_runs_and_takes_all_up(
    ana: OnTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = fails(ana, WORDS)
    place = ana.place
    monkeypatch.setenv("DATA_DIR", str(ana.app.settings.data_dir))
    ended = CliRunner().invoke(cli, ["parked"])
    assert (ended.exit_code, ended.stdout.splitlines()) == (0, list(listed(ana.app.settings)))
    ended = CliRunner().invoke(cli, ["parked", "--replay"])
    assert ended.exit_code == 0, ended.output
    assert "Taken up: 1 event." in ended.stdout
    assert ana.place != place
    assert ana.arrives()
    assert not ana.app.conversation.hear(heard)
    assert CliRunner().invoke(cli, ["parked"]).stdout == f"{NOTHING}\n"


@pytest.mark.parametrize("words", [["parked"], ["parked", "--replay"], ["rotate"]])
def test_where_nothing_has_been_kept_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    folder = tmp_path / "nothing here"
    monkeypatch.setenv("DATA_DIR", str(folder))
    ended = CliRunner().invoke(cli, words)
    assert (ended.exit_code, ended.stdout) == (0, f"Nothing has been kept in {folder} yet.\n")
    assert not folder.exists()


def test_where_nothing_is_set_aside_a_sentence_says_so(ana: OnTelegram) -> None:
    assert list(listed(ana.app.settings)) == [NOTHING]
    assert taken_up(ana) == [NOTHING]


# --- events --------------------------------------------------------------------------


def test_after_the_fix_the_answer_takes_effect_once_and_telegram_s_second_delivery_changes_nothing(
    ana: OnTelegram,
) -> None:
    heard = fails(ana, WORDS)
    told = taken_up(ana)
    assert re.fullmatch(rf"{WHEN}  event    {ana.chat.client}  taken up", told[0])
    assert told[1] == "Taken up: 1 event."
    assert WORDS in [answer.fact.value for answer in ana.progress.runs[-1].answers]
    assert ana.arrives(), "the next question"
    assert notes(ana) == []
    after = ana.progress
    assert not ana.app.conversation.hear(heard)
    assert not ana.arrives()
    assert taken_up(ana) == [NOTHING]
    assert ana.progress == after
    assert rows(ana.app.settings.data_dir / "companion.sqlite", "SELECT 1 FROM inbox WHERE payload IS NOT NULL") == []


def test_what_fails_again_stays_with_its_new_reason_and_the_client_is_not_disturbed(ana: OnTelegram) -> None:
    data = ana.app.settings.data_dir / "companion.sqlite"
    fails(ana, WORDS)
    before, place = ana.progress, ana.place
    assert f"set aside: {FAULT}" in taken_up(ana, broken(ana.app))[0]
    assert ana.progress == before
    ((whole,),) = rows(data, "SELECT progress FROM chats")
    change(data, "UPDATE chats SET progress = x'01'")
    told = taken_up(ana)
    assert told[0].endswith("set aside: Unreadable")
    assert told[1:] == ["Set aside: 1 event.", REMEDY]
    assert parked(ana.app) == ["Unreadable"]
    change(data, "UPDATE chats SET progress = ?", whole)
    assert not ana.arrives()
    taken_up(ana)
    assert ana.place != place
    assert parked(ana.app) == []


def test_one_client_s_second_fault_does_not_keep_another_waiting(ana: OnTelegram) -> None:
    ben = OnTelegram(ana.app, CHAT + 1)
    ben.updates = 1000
    ben.says("/start")
    fails(ana, WORDS)
    fails(ben, reply(ben, DAY_ONE))
    place = ben.place
    data = ana.app.settings.data_dir / "companion.sqlite"
    change(data, "UPDATE chats SET progress = x'01' WHERE client = ?", ana.chat.client)
    assert "Taken up: 1 event. Set aside: 1 event." in taken_up(ben)
    assert ben.place != place


def test_words_whose_question_is_no_longer_open_are_kept_and_answered_kindly_but_are_no_answer(
    ana: OnTelegram,
) -> None:
    early = next_label(ana)
    fails(ana, early)
    ana.says(WORDS)
    place, answers = ana.place, ana.progress.runs[-1].answers
    taken_up(ana)
    assert (ana.place, ana.progress.runs[-1].answers) == (place, answers)
    assert notes(ana) == [early]
    assert len(ana.arrives()) == 1
    assert ana.says(reply(ana, DAY_ONE))
    assert ana.place != place


def test_the_same_words_said_again_meanwhile_are_said_once(ana: OnTelegram) -> None:
    fails(ana, WORDS)
    fails(ana, WORDS)
    assert "Taken up: 2 events." in taken_up(ana)
    assert WORDS in [answer.fact.value for answer in ana.progress.runs[-1].answers]
    assert notes(ana) == []


def test_words_are_no_answer_to_a_question_that_time_has_brought(ana: OnTelegram) -> None:
    walk(ana, DAY_ONE)
    fails(ana, "6", HOME)
    while ana.place is None:
        due = occasions.next_wake(ana.script, ana.progress)
        assert due is not None
        ana.wakes(due)
    assert ana.arrives(), "the look-in asks something"
    place = ana.place
    taken_up(ana)
    assert (ana.place, ana.progress.runs[-1].answers) == (place, ())
    assert notes(ana) == ["6"]


def test_in_the_terminal_words_that_were_overtaken_are_kept_and_are_no_answer(app: App) -> None:
    printed: list[str] = []
    console = Console(app, "bea", printed.append, START)
    bea = Client(app)
    bea.address = "terminal:bea"
    console.open()
    while bea.place != "#".join(keeps(bea.script, "wish", WELCOME)):
        console.say(reply(bea, DAY_ONE))
    early = next_label(bea)
    for there, words in ((broken(app), early), (app, WORDS)):
        console._app = there
        console.say(words)
    place = bea.place
    bea.now = START + timedelta(hours=1)
    assert "Taken up: 1 event." in taken_up(bea)
    assert bea.place == place
    assert notes(bea) == [early]


def test_in_the_terminal_an_answer_that_failed_is_taken_up_as_an_answer(app: App) -> None:
    console = Console(app, "bea", lambda _: None, START)
    bea = Client(app)
    bea.address = "terminal:bea"
    console.open()
    console._app = broken(app)
    place = bea.place
    console.say(reply(bea, DAY_ONE))
    bea.now = START + timedelta(hours=1)
    assert bea.place == place
    taken_up(bea)
    assert bea.place != place


def test_a_wake_up_is_cleared_for_it_was_tried_again_an_hour_later(ana: OnTelegram) -> None:
    walk(ana, DAY_ONE)
    due = occasions.next_wake(ana.script, ana.progress)
    assert due is not None
    opens = step(ana.app.charts, ana.progress, Woke(due)).progress.runs[-1].dialogue
    assert broken(ana.app, opens).conversation.wake(ana.chat.client, due, due)
    assert re.fullmatch(rf"{WHEN}  wake-up  \w+  {FAULT}", next(listed(ana.app.settings)))
    before = ana.progress
    told = taken_up(ana)
    assert told[0].endswith("cleared: it was tried again an hour later")
    assert told[1:] == ["Cleared: 1 wake-up."]
    assert (ana.progress, ana.arrives(), parked(ana.app)) == (before, [], [])


def test_an_event_that_can_not_be_opened_any_more_is_said_and_cleared(ana: OnTelegram) -> None:
    heard = fails(ana, WORDS)
    before = ana.progress
    change(
        ana.app.settings.data_dir / "companion.sqlite", "UPDATE inbox SET payload = x'01' WHERE client IS NOT NULL"
    )
    told = taken_up(ana)
    assert told[0].endswith("cleared: what it was can't be opened any more")
    assert (ana.progress, parked(ana.app)) == (before, [])
    assert not ana.app.conversation.hear(heard), "its key is still taken"


def test_what_this_release_can_not_read_stays_for_one_that_can(ana: OnTelegram) -> None:
    heard = replace(ana.heard(WORDS), payload=b'{"something": "else"}')
    broken(ana.app).conversation.hear(heard)
    told = taken_up(ana)
    assert "Set aside: 1 event." in told
    assert parked(ana.app) != [FAULT]
    assert len(parked(ana.app)) == 1


def test_who_has_blocked_the_bot_is_left_alone_until_they_are_back(ana: OnTelegram) -> None:
    fails(ana, WORDS)
    ana.app.conversation.blocked(ana.address, ana.now)
    told = taken_up(ana)
    assert told[0].endswith("kept until they are back: the client blocked the bot")
    assert ana.chat.blocked
    assert parked(ana.app) == [FAULT]
    ana.says("I am back")
    taken_up(ana)
    assert WORDS in notes(ana)
    assert parked(ana.app) == []


def test_two_operators_at_once_take_it_up_once(ana: OnTelegram) -> None:
    fails(ana, WORDS)
    with ana.app.store.begin() as work:
        (event,) = work.inbox.parked()
    taken_up(ana)
    ana.arrives()
    after = ana.progress
    for conversation in (ana.app.conversation, broken(ana.app).conversation):
        with pytest.raises(DealtWith):
            conversation.hear_again(event, read_again(event.key, event.payload, ana.now))
    assert (ana.progress, ana.arrives(), parked(ana.app)) == (after, [], [])


def test_what_is_erased_is_not_taken_up_any_more(ana: OnTelegram) -> None:
    fails(ana, WORDS)
    with ana.app.store.begin() as work:
        (event,) = work.inbox.parked()
    ana.says("/delete")
    ana.app.conversation.hear(ana.heard(label_to(ana, "delete")))
    assert list(listed(ana.app.settings)) == [NOTHING]
    with pytest.raises(DealtWith):
        ana.app.conversation.hear_again(event, read_again(event.key, event.payload, ana.now))
    with ana.app.store.begin() as work:
        assert work.clients.count() == 0


# --- bubbles -------------------------------------------------------------------------


def test_bubbles_that_were_the_last_words_are_carried_after_all_in_their_order(ana: OnTelegram) -> None:
    said_to(ana, "one", "two")
    refused(ana, 0)
    assert not ana.arrives()
    first = [bubble for bubble in parked_bubbles(ana.app) if not bubble.overtaken]
    assert first == [], "the second went on without the first"
    said_to(ana, "one", "two")
    refused(ana, 1)
    assert [(bubble.overtaken, bubble.said == ana.now) for bubble in parked_bubbles(ana.app)] == [
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
    ("lane", "hours", "happens", "why"),
    [
        (Lane.ANSWER, 25, None, "it is more than a day old"),
        (Lane.REMINDER, 1, None, "it would have come unasked, and its hour is over"),
        (Lane.ANSWER, 1, "UPDATE outbox SET body = x'01' WHERE parked IS NOT NULL", "it can't be opened any more"),
        (Lane.ANSWER, 1, "UPDATE chats SET blocked_at = 1", "the client blocked the bot"),
        (Lane.ANSWER, 1, "UPDATE outbox SET said_at = NULL", "it is more than a day old"),
    ],
)
def test_a_bubble_that_would_only_confuse_is_dropped(
    ana: OnTelegram, lane: Lane, hours: int, happens: str | None, why: str
) -> None:
    said_to(ana, "words", lane=lane)
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
    broken(ana.app).conversation.hear(ana.heard(WORDS))
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
    monkeypatch.setattr("bot.courier.SLOW_POLL", 0.01)
    said_to(ana, "the last words")
    refused(ana, 0)
    request = StubRequest(lambda *_: good(message(99)))
    writer = Writer()
    courier = Courier(
        Desk(ana.app.store, writer, lambda: ana.now),
        Sender(Bot("7:token", request=request, get_updates_request=request)),
        lambda *_: ("", b""),
    )
    running = asyncio.create_task(courier.run())
    other = app_on(ana.app.settings.data_dir, ana.app.book, ana.app.charts, ana.app.prompts)
    try:
        assert "Waiting again: 1 bubble." in list(replayed(other, lambda: ana.now))
        async with asyncio.timeout(5):
            while courier.counts.sent == 0:
                await asyncio.sleep(0.01)
    finally:
        other.store.close()
        await courier.stop()
        await running
        writer.close()
    assert [fields["text"] for method, fields in request.calls if method == "sendMessage"] == ["the last words"]
