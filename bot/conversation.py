"""One event -> one turn -> one transaction. Then, and only then, is anything sent.

Synchronous, and on one thread: the writer's. Events of one chat are taken one at a time and in order.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.delivery.messenger import traits_of
from bot.fault_log import FaultLog
from dialogues.rendering.prompts import Prompts, Tap
from state_machine.engine import step
from state_machine.model.effects import DeleteEntries, DeleteQuestion, Erase, IncrementCounter, SaveEntry
from state_machine.model.events import Edited, Event, Said, Shared, Tapped, Woke
from state_machine.model.outgoing import Deletion, Message, Outgoing, Priority
from state_machine.model.progress import Progress
from state_machine.model.text import normalise
from state_machine.safety import Tier
from state_machine.schedule import triggers
from state_machine.turn.builder import Turn
from state_machine.turn.chat_deletion import is_taken_out
from state_machine.turn.machine import Machines
from storage.errors import Stale, Unreadable, is_store_failure
from storage.repositories.chats import Chat
from storage.repositories.inbox import FailedEvent
from storage.store import Store, UnitOfWork

log = logging.getLogger("ipt.conversation")

TRY_AGAIN_AFTER = timedelta(hours=1)
"""When a wake-up that broke is tried once more; then after twice as long each time."""
TRY_AGAIN_AT_MOST = timedelta(days=7)
"""The longest time between two tries: what is promised for after a year of silence comes for everybody."""
NEXT_AFTER = timedelta(minutes=1)
"""How long what is due still after a wake-up waits for the next, so that nothing can speak again and again."""


@dataclass(frozen=True, slots=True)
class InboundEvent:
    """Something a client did, as an edge heard it.

    `key` makes it take effect once; `payload` is what is kept, sealed, if the turn fails;
    `shown` is the text of the message whose button was tapped; `further_keys` and `further_message_ids`
    are those of more messages that were joined with this one.
    """

    key: str
    address: str
    event: Said | Tapped | Shared | Edited
    message_id: int | None = None
    tap_id: str | None = None
    payload: bytes = b""
    shown: str | None = None
    further_keys: tuple[str, ...] = ()
    further_message_ids: tuple[int, ...] = ()


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
        self._fault_log = FaultLog(log)

    def receive(self, inbound: InboundEvent) -> bool:
        """Process one event. False if it was processed before. What it leads to is committed when this returns."""
        return self.receive_all([inbound]) == 1

    def receive_all(self, events: Sequence[InboundEvent]) -> int:
        """Process events of one chat in order, in one transaction. Returns how many were new."""
        with self._store.begin() as work:
            return sum(self._receive(work, inbound) for inbound in events)

    def _receive(self, work: UnitOfWork, heard: InboundEvent) -> bool:
        now = heard.event.at
        new = [work.inbox.claim(key, now) for key in (heard.key, *heard.further_keys)]
        if not all(new):
            return False
        try:
            chat = work.chats.find(heard.address)
        except Unreadable as fault:
            self._apologise(work, fault.client, heard, fault)
            return True
        if chat is None:
            chat = work.chats.create(heard.address, now)
        event = _as_early(chat, heard)
        chat = _unblocked(work, chat, now)
        self._note_what_is_deleted(work, chat, heard)
        broke = self._turn(work, chat, event, _origin(heard))
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
                chat = work.chats.get(parked.client)
            except Unreadable as fault:
                return self._stays(work, parked, fault)
            if chat is None:
                raise AlreadyHandled
            if chat.blocked:
                raise ClientBlocked
            event = _as_early(chat, heard, parked.seen)
            self._note_what_is_deleted(work, chat, heard)
            broke = self._turn(work, chat, event, _origin(heard), parked)
            return None if broke is None else self._stays(work, parked, broke)

    def set_aside(self, key: str, address: str, payload: bytes, reason: str, now: datetime) -> None:
        """Give up an event that could not even be answered: its key is taken, and it is parked if it has a client.

        `reason` is the name of an exception.
        """
        with self._store.begin() as work:
            work.inbox.claim(key, now)
            try:
                with work.savepoint():
                    client = _client_at(work, address)
                    if client is not None:
                        work.inbox.record_failure(key, client, payload, reason)
            except Exception as fault:
                if is_store_failure(fault):
                    raise

    def wake(self, client: str, due: datetime, now: datetime) -> bool:
        """Let the time that was waited for have come. False if it has been dealt with before.

        The instant on the chat is what is waited for: a turn sets the next one, so each comes once.
        """
        with self._store.begin() as work:
            try:
                chat = work.chats.get(client)
            except Unreadable as fault:
                self._park_wake_up(work, client, fault, now)
                return False
            if chat is None or chat.wake_at != due:
                return False
            broke = self._turn(work, chat, Woke(now), Tap())
            if broke is None:
                work.inbox.delete(wake_key(client))
            else:
                self._park_wake_up(work, client, broke, now, chat.progress)
        return True

    def wake_again(self, parked: FailedEvent, now: datetime) -> str | None:
        """Try a parked wake-up once more: whatever is due at `now` comes. What it leads to is committed.

        None if it took effect, and then it is not parked any more; otherwise the name of the fault with which it
        stays parked. Raises `ClientBlocked` and `AlreadyHandled`.
        """
        with self._store.begin() as work:
            try:
                chat = work.chats.get(parked.client)
            except Unreadable as fault:
                return self._stays(work, parked, fault)
            if chat is None:
                raise AlreadyHandled
            if chat.blocked:
                raise ClientBlocked
            broke = self._turn(work, chat, Woke(now), Tap(), parked)
            if broke is not None:
                return self._stays(work, parked, broke)
            work.inbox.delete(wake_key(parked.client))
            return None

    def put_off(self, client: str, fault: Exception, now: datetime) -> None:
        """A wake-up failed outside its turn: park it, and let it come again later."""
        with self._store.begin() as work:
            try:
                with work.savepoint():
                    self._park_wake_up(work, client, fault, now)
            except Exception as second:
                if is_store_failure(second):
                    raise
                work.clients.set_wake_at(client, now + TRY_AGAIN_AT_MOST)

    def blocked(self, key: str, address: str, now: datetime) -> None:
        """The client does not want to hear from us any more. They are asked nothing until they write.

        `key` makes it take effect once.
        """
        with self._store.begin() as work:
            chat = work.chats.find(address) if work.inbox.claim(key, now) else None
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

        Then nothing of it is kept. A fault of the store goes on upwards: all of it is to be tried again.
        """
        try:
            turn = step(self._machines, chat.progress, event)
            prompts = self._prompts.where(traits_of(chat.address))
            outgoing = prompts.outgoing(turn.effects, event.at, tap)
            with work.savepoint():
                if parked is not None and not work.inbox.resolve(parked):
                    raise AlreadyHandled
                self._keep(work, chat, event, turn, outgoing)
        except (AlreadyHandled, Stale):
            raise
        except Exception as fault:
            if is_store_failure(fault):
                raise
            return fault
        return None

    def _note_what_is_deleted(self, work: UnitOfWork, chat: Chat, heard: InboundEvent) -> None:
        """Note a message of the chat that is to be deleted from it with those of the run in front."""
        run = chat.progress.runs[-1] if chat.progress.runs else None
        if run is None or heard.message_id is None or not is_taken_out(self._machines.script, run):
            return
        known = run.dialogue in self._machines.script.dialogues or run.id in work.outbox.runs(chat.client)
        belongs = isinstance(heard.event, Said | Shared) or (
            isinstance(heard.event, Tapped) and heard.event.button.startswith(f"{run.id}:")
        )
        if known and belongs:
            for message_id in (heard.message_id, *heard.further_message_ids):
                work.outbox.record_received(chat.client, run.id, message_id, heard.event.at)

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
                    work.counters.increment(now.date(), name)
                case DeleteEntries(run, person, names, picked):
                    work.entries.delete_answers(chat.client, run, person, names, picked)
                case DeleteQuestion(run):
                    work.outbox.delete_dead_letters(chat.client, run)
                case _:
                    pass
        wake_at = triggers.next_wake(self._machines.script, turn.progress)
        if isinstance(event, Woke) and wake_at is not None and wake_at <= now:
            wake_at = now + NEXT_AFTER
        work.chats.save(chat, turn.progress, wake_at)
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

    def _park_wake_up(
        self, work: UnitOfWork, client: str, fault: Exception, now: datetime, progress: Progress | None = None
    ) -> None:
        """Park a wake-up that failed, one row for each client, and set when it is tried next.

        After 1, 2, 4 … hours; before that if something else of theirs is due. It is not tried by itself where the
        client's row can't be read.
        """
        self._count(client, fault)
        key = wake_key(client)
        work.inbox.claim(key, now)
        before = work.inbox.get_failed(key)
        tries = 1 + (int(before.payload or b"0") if before is not None else 0)
        work.inbox.record_failure(key, client, str(tries).encode(), type(fault).__name__)
        if isinstance(fault, Unreadable):
            work.clients.set_wake_at(client, None)
            return
        others = [] if progress is None else triggers.triggers(self._machines.script, progress)
        again = now + min(TRY_AGAIN_AFTER * 2 ** min(tries - 1, 10), TRY_AGAIN_AT_MOST)
        work.clients.set_wake_at(client, min([again, *(other.due for other in others if other.due > now)]))

    def _stays(self, work: UnitOfWork, parked: FailedEvent, fault: Exception) -> str:
        name = type(fault).__name__
        if not work.inbox.record_retry_failure(parked, name):
            raise AlreadyHandled
        self._count(parked.client, fault)
        return name

    def _is_about_danger(self, text: str, progress: Progress | None) -> bool:
        """Whether an answer with numbers is due even where nothing else can be said any more."""
        script = self._machines.script
        asked_for = {f"/{word}": name for word, name in script.commands.items()} | dict(script.plain_words)
        front = progress.runs[-1].dialogue if progress is not None and progress.runs else None
        named = asked_for.get(text.strip()) or asked_for.get(normalise(text))
        return (
            front in script.safety or named in script.safety or self._machines.screen.read(text).tier is not Tier.NONE
        )

    def _count(self, client: str, fault: Exception) -> None:
        self.faults += 1
        where = fault.__traceback__
        while where is not None and where.tb_next is not None:
            where = where.tb_next
        place = f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}" if where else "?"
        name = type(fault).__name__
        self._fault_log.say(f"{name} {place}", f"turn failed client={client} fault={name} at={place}")


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


def _origin(heard: InboundEvent) -> Tap:
    """Where an answer came from, if it was a tap on a message of ours."""
    return Tap(heard.tap_id, heard.message_id, heard.shown) if isinstance(heard.event, Tapped) else Tap()


def wake_key(client: str) -> str:
    """The key under which a client's wake-up is parked while it fails."""
    return f"wake:{client}"


def _client_at(work: UnitOfWork, address: str) -> str | None:
    try:
        chat = work.chats.find(address)
    except Unreadable as unreadable:
        return unreadable.client
    return None if chat is None else chat.client


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


def _unblocked(work: UnitOfWork, chat: Chat, now: datetime) -> Chat:
    """The chat of a client who is here. What was to be deleted while they had blocked us is deleted now."""
    if not chat.blocked:
        return chat
    work.clients.unblock(chat.client)
    front = {run.id for run in chat.progress.runs[-1:]}
    left = [Deletion(run=run) for run in sorted(work.outbox.runs(chat.client) - front)]
    work.outbox.put(chat.client, Priority.ANSWER, left, now)
    return replace(chat, blocked=False)
