"""Somebody who talks: through the engine alone, or through the real app with a messenger that carries to them.

What is said is found through the book (the way that keeps a memory, the button with a code), not by its wording.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Protocol

from bot.app import App
from bot.conversation import Conversation, InboundEvent
from bot.settings import Settings
from dialogues.book import Book
from dialogues.rendering.prompts import Prompts, Tap
from state_machine.engine import step
from state_machine.model.context import Context
from state_machine.model.effects import Remark, SaveEntry, Say, Toast
from state_machine.model.events import Edited, Event, Said, Shared, Tapped, Woke
from state_machine.model.outgoing import Message, Outgoing
from state_machine.model.progress import Entry, Fact, Person, Progress, Run
from state_machine.model.script import Label, Script
from state_machine.schedule import triggers
from state_machine.turn.builder import Turn
from state_machine.turn.machine import Machines
from state_machine.turn.options import Offer, offers, token
from storage.repositories.chats import Chat
from storage.repositories.outbox import Sent
from storage.store import Store, UnitOfWork
from tests.standing import SAMPLES

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
"""A Monday, day 1."""
BETWEEN = timedelta(seconds=20)
DAY_ONE = {
    "consent": "given",
    "phone": "own",
    "country": "Ireland",
    "name": "Ana",
    "mood": "4",
    "moment": "hard",
    "moment_person": "my sister",
    "moment_kind": "quarrelled",
    "felt": "sad",
    "wish": "that she calls back",
    "first_line": "as_given",
    "small_thing": "rest",
    "look_in": "09:00",
}
NOTHING_WRONG = {"voices": "no", "ending_life": "no", "racing": "no", "dependence": "no", "eating": "no"}
SAD_WEEKS = {f"phq9_{item}": "1" for item in range(1, 9)} | {"phq9_9": "0", "phq9_difficulty": "1"}


class Somebody(Protocol):
    """Whoever stands somewhere in the book and can say something."""

    @property
    def script(self) -> Script: ...
    @property
    def progress(self) -> Progress: ...
    def says(self, text: str) -> object: ...


def reply(somebody: Somebody, answers: Mapping[str, str]) -> str:
    """What to say at the open step: the answer named for its memory, else the first button, else a sample."""
    run = somebody.progress.runs[-1]
    here = somebody.script.dialogues[run.dialogue].steps[run.step]
    for way in here.ways:
        if isinstance(way.takes, Label) and answers.get(way.memory or "") in {way.code or "", way.takes.text}:
            return way.takes.text
    for way in here.ways:
        if way.memory in answers and not isinstance(way.takes, Label):
            return answers[way.memory or ""]
    context = Context(somebody.script, somebody.progress, run, run.asked)
    first = next((way.takes.text for way in here.ways if isinstance(way.takes, Label)), None)
    found = [offer.label for offer in offers(here, context)]
    kinds = [SAMPLES[way.takes] for way in here.ways if way.takes in SAMPLES]
    return first or next(iter([*reversed(found), *kinds]))


def walk(somebody: Somebody, answers: Mapping[str, str], most: int = 60, *, until: str | None = None) -> int:
    """Answer until nothing is open, or `until` stands in front: a dialogue, or `dialogue#step`. How many answers."""
    for said in range(most):
        runs = somebody.progress.runs
        if not runs or until in {runs[-1].dialogue, f"{runs[-1].dialogue}#{runs[-1].step}"}:
            return said
        somebody.says(reply(somebody, answers))
    raise AssertionError(f"still at {somebody.progress.runs[-1].dialogue}#{somebody.progress.runs[-1].step}")


def keeps(script: Script, memory: str, dialogue: str | None = None) -> tuple[str, str]:
    """The dialogue and the step that keep a memory."""
    return next(
        (found.name, here.name)
        for found in script.dialogues.values()
        if dialogue in (None, found.name)
        for here in found.steps.values()
        if any(way.memory == memory for way in here.ways)
    )


def label_to(somebody: Somebody, target: str) -> str:
    """The button of the open step that leads to the step `target`."""
    run = somebody.progress.runs[-1]
    here = somebody.script.dialogues[run.dialogue].steps[run.step]
    return next(w.takes.text for w in here.ways if w.target == target and isinstance(w.takes, Label))


def app_on(folder: Path, book: Book, machines: Machines, prompts: Prompts) -> App:
    """A whole app on real files, with a book that was read before: reading it anew takes half a second."""
    settings = Settings(data_dir=folder, operator="Robin", _env_file=None)  # type: ignore[call-arg]
    store = Store.open(folder)
    return App(settings, book, machines, prompts, store, Conversation(store, machines, prompts))


def sent_now(
    work: UnitOfWork, client: str, now: datetime, message_id: Callable[[Outgoing], int | None] = lambda _: None
) -> list[Outgoing]:
    """Mark all that waits for a client as sent, in the order in which it goes. What it was."""
    found: list[Outgoing] = []
    while (message := work.outbox.next_for(client)) is not None:
        work.outbox.mark_sent(Sent(client, message.id, message_id(message.content), now))
        found.append(message.content)
    return found


@dataclass
class Story:
    """Somebody who talks with the engine alone; the words are rendered all the same, so that none can fail."""

    machines: Machines
    prompts: Prompts
    progress: Progress = field(default_factory=Progress)
    now: datetime = START
    turn: Turn | None = None
    outgoing: list[Outgoing] = field(default_factory=list)
    entries: dict[int, Entry] = field(default_factory=dict)

    @property
    def script(self) -> Script:
        return self.machines.script

    @property
    def front(self) -> Run:
        return self.progress.runs[-1]

    @property
    def place(self) -> str | None:
        """Where they stand: `dialogue#step`."""
        return f"{self.front.dialogue}#{self.front.step}" if self.progress.runs else None

    @property
    def offers(self) -> tuple[Offer, ...]:
        here = self.script.dialogues[self.front.dialogue].steps[self.front.step]
        return offers(here, Context(self.script, self.progress, self.front, self.now))

    @property
    def bubbles(self) -> list[str]:
        """What was said in the last turn."""
        return [message.text for message in self.outgoing if isinstance(message, Message)]

    @property
    def remarks(self) -> list[str]:
        """The refrains the engine said in the last turn, by name."""
        effects = self.turn.effects if self.turn else ()
        return [effect.refrain for effect in effects if isinstance(effect, Remark | Toast) and effect.refrain]

    @property
    def steps_said(self) -> list[str]:
        """The steps said in the last turn, as `dialogue#step`."""
        effects = self.turn.effects if self.turn else ()
        return [f"{effect.run.dialogue}#{effect.run.step}" for effect in effects if isinstance(effect, Say)]

    def says(self, text: str, *, early: bool = False, unseen: bool = False) -> Story:
        return self._happens(Said(self.now + BETWEEN, text, early, unseen))

    def taps(self, label: str) -> Story:
        key = next(offer.key for offer in self.offers if offer.label == label)
        return self._happens(Tapped(self.now + BETWEEN, token(self.front, key)))

    def taps_token(self, button: str) -> Story:
        return self._happens(Tapped(self.now + BETWEEN, button))

    def shares(self, what: str, caption: str = "") -> Story:
        return self._happens(Shared(self.now + BETWEEN, what, caption))

    def edits(self, text: str) -> Story:
        return self._happens(Edited(self.now + BETWEEN, text))

    def passes(self, **time: float) -> list[datetime]:
        """Let time pass; whatever is due happens at its own instant. Returns those at which something came of it."""
        until, woken = self.now + timedelta(**time), []
        while (due := triggers.next_wake(self.script, self.progress)) is not None and due <= until:
            before, said = self.progress.runs, self.outgoing
            self._happens(Woke(max(due, self.now)))
            self.outgoing = self.outgoing or said
            if self.outgoing is not said or self.progress.runs != before:
                woken.append(due)
            assert len(woken) < 20, "woken again and again"
        self.now = until
        return woken

    def answers(self, answers: Mapping[str, str], *, until: str | None = None) -> Story:
        """Answer whatever is asked until nothing is open, or `until` stands in front."""
        walk(self, answers, until=until)
        return self

    def fact(self, memory: str) -> Fact | None:
        return self.progress.facts.get(memory)

    def knows(self, *names: str) -> Story:
        """Put living people on the map."""
        for name in names:
            person = Person(self.progress.next_person, name)
            people = (*self.progress.people, person)
            self.progress = replace(self.progress, people=people, next_person=person.id + 1)
        return self

    def _happens(self, event: Event) -> Story:
        self.now = event.at
        self.turn = step(self.machines, self.progress, event)
        tap = Tap("tap", 1, "") if isinstance(event, Tapped) else None
        self.outgoing = self.prompts.outgoing(self.turn.effects, event.at, tap)
        self.progress = self.turn.progress
        for effect in self.turn.effects:
            if isinstance(effect, SaveEntry):
                self.entries[effect.entry.run] = effect.entry
        return self


class Client:
    """Somebody who talks through the real conversation and store; messages get numbers as Telegram gives them."""

    def __init__(self, app: App, name: str = "ana", now: datetime = START) -> None:
        self.app = app
        self.address = f"telegram:7:{name}"
        self.now = now
        self.last_message = 0
        self._keys = (f"{self.address}:{number}" for number in count(1))

    @property
    def script(self) -> Script:
        return self.app.machines.script

    @property
    def chat(self) -> Chat:
        with self.app.store.begin() as work:
            chat = work.chats.find(self.address)
        assert chat is not None
        return chat

    @property
    def progress(self) -> Progress:
        return self.chat.progress

    @property
    def place(self) -> str | None:
        run = self.progress.runs[-1] if self.progress.runs else None
        return f"{run.dialogue}#{run.step}" if run else None

    def heard(self, text: str, *, key: str | None = None, message_id: int | None = None) -> InboundEvent:
        """The next message of theirs, not yet told to anybody."""
        self.now += BETWEEN
        self.last_message += 1
        number = message_id or self.last_message
        return InboundEvent(
            key or next(self._keys), self.address, Said(self.now, text), number, payload=text.encode()
        )

    def tap(self, label: str) -> InboundEvent:
        """A tap on a button of the open question, not yet told to anybody."""
        self.now += BETWEEN
        run = self.progress.runs[-1]
        found = self.app.prompts.offers_of(run, self.progress, self.now)
        button = token(run, next(offer.key for offer in found if offer.label == label))
        return InboundEvent(
            next(self._keys), self.address, Tapped(self.now, button), self.last_message, "tap", b"tap", "?"
        )

    def says(self, text: str) -> list[str]:
        """Say it, and let all that is answered arrive. What arrives."""
        self.app.conversation.receive(self.heard(text))
        return self.arrives()

    def wakes(self, at: datetime) -> bool:
        """Let an instant that was waited for come."""
        self.now = max(at, self.now)
        return self.app.conversation.wake(self.chat.client, at, self.now)

    def arrives(self) -> list[str]:
        """Carry what waits for them. The texts of it."""
        return [message.text for message in self.carried() if isinstance(message, Message)]

    def carried(self) -> list[Outgoing]:
        """Carry what waits for them."""
        with self.app.store.begin() as work:
            client = work.vault.find_client(self.address)
            return sent_now(work, client, self.now, self._message_id) if client else []

    def _message_id(self, content: Outgoing) -> int | None:
        """The id that the messenger gives to a message."""
        self.last_message += isinstance(content, Message)
        return self.last_message if isinstance(content, Message) else None

    def day_one(self) -> Client:
        """Go through the first day to its end."""
        self.says("/start")
        walk(self, DAY_ONE)
        return self
