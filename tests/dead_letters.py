"""Helpers for the tests of dead letters: a Telegram client, turns that fail, messages that are rejected."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from telegram import Update

from bot.app import App
from bot.conversation import Conversation, InboundEvent
from bot.operator.dead_letters import replay
from bot.telegram.payloads import written
from bot.telegram.updates import UpdateReader
from dialogues.helplines.tables import HelpLines
from dialogues.rendering.prompts import Prompts
from state_machine.model.outgoing import Message, Priority
from state_machine.model.script import Label
from state_machine.programme.tables import NOTE, WELCOME
from storage.repositories.dead_letters import DeadLetter, DeadLetters
from tests.cut_off import with_broken
from tests.stores import waiting
from tests.talking import BETWEEN, DAY_ONE, Client, keeps, walk

NAME = "Marigold Quastenflosser"
CHAT = 778_899_001_133
WORDS = "that she calls twice, Zwölfender"
FAULT = "UndefinedError"
WHEN = r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"


class TelegramClient(Client):
    """A client whose messages are Telegram updates, so that the stored payloads are, too."""

    def __init__(self, app: App, chat: int = CHAT) -> None:
        super().__init__(app, str(chat))
        self.number = chat
        self.updates = 0

    def heard(self, text: str, *, key: str | None = None, message_id: int | None = None) -> InboundEvent:
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
        event = UpdateReader(7, "CompanionBot").read(Update.de_json(raw, None), self.now, written(raw))
        assert isinstance(event, InboundEvent)
        return event


def client_at_wish(app: App) -> TelegramClient:
    """A client who has been asked for their wish on the first day."""
    client = TelegramClient(app)
    client.says("/start")
    walk(client, DAY_ONE, until="#".join(keeps(client.script, "wish", WELCOME)))
    return client


def with_broken_dialogue(app: App, *dialogues: str) -> App:
    """The same app with dialogues that can't be rendered: the first talk if none is named."""
    book = with_broken(app.book, list(dialogues) or [WELCOME])
    machines, prompts = replace(app.machines, script=book.script), Prompts(book, HelpLines.read(), "Robin")
    return replace(
        app, book=book, machines=machines, prompts=prompts, conversation=Conversation(app.store, machines, prompts)
    )


def send_failing(client: TelegramClient, words: str, dialogue: str = WELCOME) -> InboundEvent:
    """Send words whose turn fails, check that the client gets the apology, and return the event."""
    event = client.heard(words)
    with_broken_dialogue(client.app, dialogue).conversation.receive(event)
    assert client.arrives() == [client.app.prompts.refrain("fault")]
    return event


def replay_later(client: Client, app: App | None = None) -> list[str]:
    """Return what `replay` prints ten minutes later."""
    client.now += timedelta(minutes=10)
    return list(replay(app or client.app, lambda: client.now))


def next_label(client: Client) -> str:
    """The label of a button of the question after the wish; as text, it answers both questions."""
    dialogue, place = keeps(client.script, "first_line", WELCOME)
    ways = client.script.dialogues[dialogue].steps[place].ways
    return next(way.takes.text for way in ways if isinstance(way.takes, Label) and way.memory == "first_line")


def failure_reasons(app: App) -> list[str]:
    """The reasons of the failed events."""
    with app.store.begin() as work:
        return [event.reason for event in work.inbox.all_failed()]


def dead_bubbles(app: App) -> list[DeadLetter]:
    with app.store.begin() as work:
        return DeadLetters(work).all()


def notes(client: Client) -> list[str]:
    """The notes that were stored beside the answers."""
    number = client.chat.client
    with client.app.store.begin() as work:
        return [e.answers[0].fact.value for e in work.entries.all(number) if e.dialogue == NOTE]


def queue(client: Client, *texts: str, priority: Priority = Priority.ANSWER, asks: str | None = None) -> None:
    """Queue messages for a client."""
    number = client.chat.client
    with client.app.store.begin() as work:
        work.outbox.put(number, priority, [Message(text, asks=asks) for text in texts], client.now)


def refused(client: Client, *places: int) -> None:
    """Let Telegram reject the queued messages at these places, and deliver the others."""
    number = client.chat.client
    with client.app.store.begin() as work:
        messages = waiting(work, number)
        for place in places:
            work.outbox.reject(messages[place], "Rejected")
    client.carried()
