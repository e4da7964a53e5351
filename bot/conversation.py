"""One event -> one turn -> one transaction. Then, and only then, is anything sent.

Synchronous, and on one thread: the writer's. Events of one chat are taken one at a time and in order.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dialogues.rendering.prompts import Prompts, Tap
from state_machine.engine import step
from state_machine.model.effects import DeleteEntries, Erase, IncrementCounter, SaveEntry
from state_machine.model.events import Edited, Event, Said, Shared, Tapped, Woke
from state_machine.model.outgoing import Message, Outgoing, Priority
from state_machine.model.progress import Progress
from state_machine.model.text import normalise
from state_machine.safety import Tier
from state_machine.schedule import triggers
from state_machine.turn.builder import Turn
from state_machine.turn.machine import Machines
from storage.errors import DatabaseFault, Stale, Unreadable
from storage.repositories.clients import Chat
from storage.repositories.inbox import FailedEvent
from storage.store import Store
from storage.unit_of_work import UnitOfWork

log = logging.getLogger("ipt.conversation")

TRY_AGAIN_AFTER = timedelta(hours=1)
"""When a wake-up that broke is tried once more."""
NEXT_AFTER = timedelta(minutes=1)
"""How long what is due still after a wake-up waits for the next, so that nothing can speak again and again."""


@dataclass(frozen=True, slots=True)
class InboundEvent:
    """Something a client did, as an edge heard it.

    `key` makes it take effect once; `payload` is what is kept, sealed, if the turn fails;
    `shown` is the text of the message whose button was tapped.
    """

    key: str
    address: str
    event: Said | Tapped | Shared | Edited
    message_id: int | None = None
    tap_id: str | None = None
    payload: bytes = b""
    shown: str | None = None


class ClientBlocked(Exception):
    """The client blocked us since, so there is nobody to answer."""


class AlreadyHandled(Exception):
    """The event is not parked any more: somebody else took it up, or its client is erased."""


class Conversation:
    """The one way from an event to what is kept and what waits to be carried."""

    def __init__(self, store: Store, machines: Machines, prompts: Prompts) -> None:
        self._store = store
        self._machines = machines
        self._prompts = prompts
        self.faults = 0

    def receive(self, heard: InboundEvent) -> bool:
        """Take one event. False if it was taken before. What it leads to is committed when this returns."""
        now = heard.event.at
        with self._store.begin() as work:
            if not work.inbox.is_new(heard.key, now):
                return False
            try:
                chat = work.clients.at(heard.address)
            except Unreadable as fault:
                self._apologise(work, fault.client, heard, fault)
                return True
            if chat is None:
                chat = work.clients.open(heard.address, now)
            event = _as_early(chat, heard)
            chat = _unblocked(work, chat)
            broke = self._turn(work, chat, event, _origin(heard, event, chat.last_message_id))
            if broke is not None:
                self._apologise(work, chat.client, heard, broke, chat.progress)
        return True

    def replay(self, parked: FailedEvent, heard: InboundEvent) -> str | None:
        """Take an event once more whose turn had failed. What it leads to is committed when this returns.

        None if it took effect: its payload is gone, and its key stays taken. Otherwise the name of the fault with
        which it stays parked; the client, who had a kind word then, hears nothing. Raises `ClientBlocked` and
        `AlreadyHandled`.
        """
        with self._store.begin() as work:
            try:
                chat = work.clients.get(parked.client)
            except Unreadable as fault:
                return self._stays(work, parked, fault)
            if chat is None:
                raise AlreadyHandled
            if chat.blocked:
                raise ClientBlocked
            event = _as_early(chat, heard, parked.seen)
            broke = self._turn(work, chat, event, _origin(heard, event, chat.last_message_id), parked)
            return None if broke is None else self._stays(work, parked, broke)

    def wake(self, client: str, due: datetime, now: datetime) -> bool:
        """Let the time that was waited for have come. False if it has been dealt with before.

        The instant on the chat is what is waited for: a turn sets the next one, so each comes once.
        """
        with self._store.begin() as work:
            try:
                chat = work.clients.get(client)
            except Unreadable as fault:
                self._count(client, fault)
                work.clients.wake(client, None)
                return False
            if chat is None or chat.wake_at != due:
                return False
            asked = () if chat.question_id is None else (chat.question_id,)
            broke = self._turn(work, chat, Woke(now), Tap(deletes=asked))
            if broke is not None:
                self._count(client, broke)
                work.inbox.record_failure(f"wake:{client}:{due.isoformat()}", client, b"", type(broke).__name__)
                work.clients.wake(client, now + TRY_AGAIN_AFTER)
        return True

    def blocked(self, key: str, address: str, now: datetime) -> None:
        """The client does not want to hear from us any more. They are asked nothing until they write.

        `key` makes it take effect once.
        """
        with self._store.begin() as work:
            chat = work.clients.at(address) if work.inbox.is_new(key, now) else None
            if chat is not None:
                work.clients.block(chat.client, now)

    def in_group(self) -> str:
        """What is said in a group chat: that this is for two."""
        return self._prompts.refrain("in_groups")

    # --- inside one transaction -----------------------------------------------------

    def _turn(
        self, work: UnitOfWork, chat: Chat, event: Event, tap: Tap, parked: FailedEvent | None = None
    ) -> Exception | None:
        """Decide a turn and keep it, and let `parked` go if that is what it takes up. What broke, if anything did.

        Then nothing of it is kept. A fault of the database goes on upwards: all of it is to be tried again.
        """
        try:
            turn = step(self._machines, chat.progress, event)
            outgoing = self._prompts.outgoing(turn.effects, event.at, tap)
            with work.savepoint():
                if parked is not None and not work.inbox.resolve(parked):
                    raise AlreadyHandled
                self._keep(work, chat, event, turn, outgoing)
        except (DatabaseFault, AlreadyHandled, Stale):
            raise
        except Exception as fault:
            return fault
        return None

    def _keep(self, work: UnitOfWork, chat: Chat, event: Event, turn: Turn, outgoing: list[Outgoing]) -> None:
        """Keep a turn, and put what it says into the outbox. What is due still after a wake-up waits a little."""
        now = event.at
        if any(isinstance(effect, Erase) for effect in turn.effects):
            farewell = [message for message in outgoing if isinstance(message, Message)]
            work.clients.erase(chat.client, farewell, now)
            return
        for effect in turn.effects:
            match effect:
                case SaveEntry(entry):
                    work.entries.put(chat.client, entry)
                case IncrementCounter(name):
                    work.counters.add(now.date(), name)
                case DeleteEntries(run, person):
                    work.entries.strike(chat.client, run=run, person=person)
                case _:
                    pass
        wake_at = triggers.next_wake(self._machines.script, turn.progress)
        if isinstance(event, Woke) and wake_at is not None and wake_at <= now:
            wake_at = now + NEXT_AFTER
        work.clients.keep(chat, turn.progress, wake_at, now)
        if outgoing:
            work.outbox.put(chat.client, turn.priority, outgoing, now, others_wait=chat.waiting > 0)

    def _apologise(
        self, work: UnitOfWork, client: str, heard: InboundEvent, fault: Exception, progress: Progress | None = None
    ) -> None:
        """One client's fault is theirs alone: a kind word, a parked event, a counted error."""
        self._count(client, fault)
        work.inbox.record_failure(heard.key, client, heard.payload, type(fault).__name__)
        danger = self._is_about_danger(_text_of(heard.event), progress)
        words = Message(self._prompts.plain_refrain("help_if_all_fails" if danger else "fault"), keeps_keyboard=True)
        work.outbox.put(client, Priority.SAFETY if danger else Priority.ANSWER, [words], heard.event.at)

    def _stays(self, work: UnitOfWork, parked: FailedEvent, fault: Exception) -> str:
        name = type(fault).__name__
        if not work.inbox.failed_again(parked, name):
            raise AlreadyHandled
        self._count(parked.client, fault)
        return name

    def _is_about_danger(self, text: str, progress: Progress | None) -> bool:
        """Whether an answer with numbers is due even where nothing else can be said any more."""
        script = self._machines.script
        safety = {dialogue.name for dialogue in script.dialogues.values() if dialogue.safety}
        asked_for = {f"/{word}": name for word, name in script.commands.items()} | script.plain_words
        front = progress.runs[-1].dialogue if progress is not None and progress.runs else None
        named = asked_for.get(text.strip()) or asked_for.get(normalise(text))
        return front in safety or named in safety or self._machines.screen.read(text).tier is not Tier.NONE

    def _count(self, client: str, fault: Exception) -> None:
        self.faults += 1
        where = fault.__traceback__
        while where is not None and where.tb_next is not None:
            where = where.tb_next
        place = f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}" if where else "?"
        log.error("turn failed client=%s fault=%s at=%s", client, type(fault).__name__, place)


def _as_early(chat: Chat, heard: InboundEvent, since: datetime | None = None) -> Event:
    """The event, marked where it was sent before the open question had reached the client, or where it never did.

    `since`: when words were sent that are taken up only now; if the client or the talk has gone on meanwhile,
    they are no answer to what is open today.
    """
    event = _writable(heard.event)
    if not isinstance(event, Said | Shared):
        return event
    unseen = _is_unseen(chat, heard.message_id)
    if isinstance(event, Shared):
        return replace(event, unseen=unseen)
    late = since is not None and _has_gone_on(chat.progress, since)
    early = event.early or late or unseen or _is_early(chat, heard.message_id)
    return replace(event, early=early, unseen=unseen)


def _is_unseen(chat: Chat, message_id: int | None) -> bool:
    """Whether the open question was lost on its way: with a block, or because the messenger refused it."""
    if message_id is None:
        return False
    lost = bool(chat.progress.runs) and chat.question_id is None and chat.asking == 0
    return chat.blocked or lost


def _is_early(chat: Chat, message_id: int | None) -> bool:
    if message_id is None:
        return False
    return chat.asking > 0 or (chat.question_id is not None and message_id < chat.question_id)


def _has_gone_on(progress: Progress, since: datetime) -> bool:
    asked = progress.runs[-1].asked if progress.runs else None
    return any(at is not None and at > since for at in (progress.heard, asked))


def _origin(heard: InboundEvent, event: Event, last_of_ours: int | None) -> Tap:
    """Where an answer came from. A tap is on our own message; a typed answer stands below the question."""
    if isinstance(event, Tapped):
        deletes = (heard.message_id,) if heard.message_id is not None else ()
        return Tap(heard.tap_id, heard.message_id, heard.shown, deletes)
    both = (last_of_ours, heard.message_id)
    return Tap(deletes=tuple(number for number in both if number is not None))


def _text_of(event: Event) -> str:
    match event:
        case Said(text=text) | Edited(text=text) | Shared(caption=text):
            return text
        case _:
            return ""


def _writable(event: Said | Tapped | Shared | Edited) -> Said | Tapped | Shared | Edited:
    """The event without halves of signs (a lone surrogate out of broken JSON), which nothing could write down."""
    match event:
        case Said(text=text) | Edited(text=text):
            return replace(event, text=text.encode("utf-8", "ignore").decode())
        case Shared(caption=caption):
            return replace(event, caption=caption.encode("utf-8", "ignore").decode())
        case Tapped(button=button):
            return replace(event, button=button.encode("utf-8", "ignore").decode())


def _unblocked(work: UnitOfWork, chat: Chat) -> Chat:
    if chat.blocked:
        work.clients.unblock(chat.client)
        return replace(chat, blocked=False)
    return chat
