"""The courier: sends what waits in the outbox, message by message.

One priority queue holds the first message of each chat; one rate limiter says when each may go; one backoff says when
a failed one is tried again. The next message of a chat is ready only when the one before it is marked as sent, so a
crash leaves at most one message of a chat in doubt. That one is sent again: at least once, as with Telegram itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.db_worker import DatabaseWorker
from bot.delivery.acknowledgements import Acknowledgements
from bot.delivery.backoff import LONGEST, Backoff, delay_after
from bot.delivery.erasure_notices import ErasureNoticeSender
from bot.delivery.messenger import ChatBlocked, Messenger, NoAnswer, Rejected, SendFailed, TooManyRequests
from bot.delivery.rate_limiter import RateLimiter
from bot.delivery.ready import Ready, ReadyQueue
from state_machine.model.outgoing import Deletion, Edit, ExportFile, Message, Outgoing, Priority, TapAnswer
from storage.errors import DatabaseFault
from storage.repositories.erasure_notices import ErasureNotice
from storage.repositories.outbox import OutboxMessage
from storage.store import UnitOfWork

log = logging.getLogger(__name__)

MOST_READY = 100
"""Chats read from the outbox at once, beside those to which something is being sent."""
SLOW_POLL = 5.0
"""Seconds after which the outbox is read again without a nudge: for what an earlier process had put off."""
SETTLED_WITHIN = 2.0
"""Seconds an incoming message waits at most for the answer to what is being sent to its chat."""
TYPING_FROM = 0.5
"""Seconds a message has to wait for the rate limiter before the chat shows that the bot is writing."""
LONGEST_FAULT_DELAY = 30.0


@dataclass
class DeliveryCounts:
    """What became of what was sent. Numbers only."""

    sent: int = 0
    retried: int = 0
    unclear: int = 0
    held: int = 0
    rejected: int = 0
    blocked: int = 0
    faults: int = 0


class Courier:
    """The one sender of a bot.

    `export` makes the file of an `ExportFile` (name, content) when it is sent, on a thread of its own.
    """

    def __init__(
        self,
        database: DatabaseWorker,
        messenger: Messenger,
        export: Callable[[UnitOfWork, str], tuple[str, bytes]],
        limiter: RateLimiter | None = None,
    ) -> None:
        self.counts = DeliveryCounts()
        self.channel = messenger.channel
        self._database = database
        self._messenger = messenger
        self._export = export
        self._queue = ReadyQueue(limiter or RateLimiter())
        self._backoff = Backoff()
        self._acknowledgements = Acknowledgements(database)
        self._notices = ErasureNoticeSender(database, messenger)
        self._wake = asyncio.Event()
        self._look_due = True
        self._more = False
        self._stopping = False
        self._settled: dict[str, asyncio.Event] = {}

    def nudge(self) -> None:
        """Something new waits, or may."""
        self._look_due = True
        self._wake.set()

    def is_settled(self, address: str) -> bool:
        """Whether nothing is being sent to this chat: its answer is known and written down."""
        return address not in self._queue.sending

    async def settled(self, address: str) -> None:
        """Return once nothing is being sent to this chat, after two seconds at most."""
        if not self.is_settled(address):
            event = self._settled.setdefault(address, asyncio.Event())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(event.wait(), SETTLED_WITHIN)

    async def say(self, address: str, message: Message) -> None:
        """Send something that is stored nowhere, once, within the limits. Raises a `SendFailed`."""
        result: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def send(_: Ready) -> None:
            try:
                await self._messenger.send(address, message, None)
                outcome: Exception | None = None
            except Exception as failure:
                outcome = failure
            if not result.done():
                result.set_result(None) if outcome is None else result.set_exception(outcome)

        self._queue.add(Ready(Priority.ANSWER, (-1, 0), address, message, send))
        self._wake.set()
        await result

    async def run(self) -> None:
        """Send until `stop`. What is being sent then still arrives and is marked; the rest stays in the outbox."""
        failures = 0
        async with asyncio.TaskGroup() as sends:
            self._acknowledgements.tasks = sends
            while not self._stopping:
                self._wake.clear()
                delay = self._slow_poll()
                try:
                    if self._look_due:
                        await self._look()
                    failures = 0
                except Exception as fault:  # the database may be out of reach for a while; the outbox waits
                    failures += 1
                    self.counts.faults += 1
                    delay = min(delay_after(failures), LONGEST_FAULT_DELAY)
                    self._database.store_failed(fault)
                self._send_what_may_go(sends)
                await self._sleep(delay)

    def stop(self) -> None:
        """Begin to stop: start no further send."""
        self._stopping = self._acknowledgements.closing = True
        self._wake.set()

    # --- the queue -------------------------------------------------------------------

    def _slow_poll(self) -> float:
        """Seconds to sleep if nothing happens."""
        return SLOW_POLL

    async def _sleep(self, longest: float) -> None:
        """Sleep until something happens, the limiter lets something go, or the time is over: then look again."""
        now = asyncio.get_running_loop().time()
        next_at = self._queue.next_at(now)
        seconds = longest if next_at is None or next_at <= now else min(longest, next_at - now)
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            self._look_due = self._look_due or seconds == longest

    async def _look(self) -> None:
        """Read from the database what can be sent now."""
        self._look_due = False
        self._queue.begin_look()
        most = MOST_READY + len(self._queue.sending)
        try:
            messages, notices = await self._database.do(lambda work: self._read(work, most))
        except Exception:
            self._look_due = True
            raise
        self._more = len(messages) == most
        found = [*map(self._ready, messages), *map(self._notices.ready, notices)]
        self._queue.replace(found)

    def _read(self, work: UnitOfWork, most: int) -> tuple[list[OutboxMessage], list[ErasureNotice]]:
        now = self._database.now()
        return work.outbox.ready(self.channel, now, most), work.erasure_notices.due(self.channel, now, most)

    def _ready(self, message: OutboxMessage) -> Ready:
        async def send(ready: Ready) -> Ready | None:
            return await self._send(ready, message)

        return Ready(message.priority, (1, message.id), message.address, message.content, send)

    def _send_what_may_go(self, sends: asyncio.TaskGroup) -> None:
        at = asyncio.get_running_loop().time()
        while not self._stopping and (ready := self._queue.take(at)) is not None:
            sends.create_task(self._run(ready))
        for ready in self._queue.kept_waiting(at, TYPING_FROM):
            if self._queue.limiter.is_idle(at):
                self._queue.limiter.take(None, ready.priority, at)
                sends.create_task(self._show_typing(ready.address))

    async def _run(self, ready: Ready) -> None:
        following: Ready | None = None
        try:
            following = await ready.send(ready)
        except asyncio.CancelledError:
            raise
        except Exception as fault:  # whatever it is, it stays this chat's own
            self.counts.faults += 1
            log.error("sending failed (%s)", type(fault).__name__)
            delay = self._backoff.failed(ready.address, ready.priority)
            self._queue.limiter.block(ready.address, asyncio.get_running_loop().time() + delay)
            self._nudge_in(delay)
        finally:
            self._look_due |= self._queue.done(ready) or self._more
            if (event := self._settled.pop(ready.address, None)) is not None:
                event.set()
        if following is not None:
            self._queue.add(following)
        self._wake.set()

    # --- one message -----------------------------------------------------------------

    async def _show_typing(self, address: str) -> None:
        with contextlib.suppress(SendFailed):
            await self._messenger.typing(address)

    async def _send(self, ready: Ready, message: OutboxMessage) -> Ready | None:
        """Send one message of the outbox. Returns the next one of the same chat, if it may follow."""
        try:
            file = None
            if isinstance(message.content, ExportFile):
                file = await self._database.read(lambda work: self._export(work, message.client))
            content = await self._with_ids(message)
            message_id = None
            if content != Deletion():
                message_id = await self._messenger.send(message.address, content, file)
        except SendFailed as failure:
            return await self._failed(ready, message, failure)
        except DatabaseFault:
            raise  # the file could not be made just now: it is tried again
        except Exception as fault:  # a fault of ours in this one message must not hold up what comes after it
            self.counts.faults += 1
            return await self._failed(ready, message, Rejected("a fault of ours", type(fault).__name__))
        self.counts.sent += 1
        self._backoff.succeeded(message.address)
        log.info("client %s: message %d sent", message.client, message.id)
        return await self._acknowledge(message, message_id)

    async def _with_ids(self, message: OutboxMessage) -> Outgoing:
        """What to send. Which messages belong to a run that is to be deleted is known only now."""
        content = message.content
        if not isinstance(content, Deletion) or content.run is None:
            return content
        run = content.run
        return Deletion(
            await self._database.do(lambda work: work.outbox.take_ids_of_run(message.client, run, message.id))
        )

    async def _acknowledge(self, message: OutboxMessage, message_id: int | None) -> Ready | None:
        following = await self._acknowledgements.write(message.client, message.id, message_id)
        return None if following is None else self._ready(following)

    async def _failed(self, ready: Ready, message: OutboxMessage, failure: SendFailed) -> Ready | None:
        """Do what the failure means. Returns the next message of the chat, if it may follow."""
        passing = isinstance(message.content, TapAnswer)
        match failure:
            case ChatBlocked():
                self.counts.blocked += 1
                await self._database.do(lambda work: work.clients.block(message.client, self._database.now()))
            case TooManyRequests(retry_after=seconds, for_all=for_all):
                self.counts.held += 1
                until = asyncio.get_running_loop().time() + seconds
                self._queue.limiter.block(None if for_all else ready.address, until)
                await self._hold(message, seconds, for_all=for_all)
            case Rejected() if passing or isinstance(message.content, Edit | Deletion):
                return await self._acknowledge(message, None)  # a message that is gone can't be changed any more
            case Rejected():
                self.counts.rejected += 1
                log.error("client %s: rejected for good: %s", message.client, failure.reason)
                following = await self._database.do(lambda work: work.outbox.reject(message, failure.kind))
                return None if following is None else self._ready(following)
            case NoAnswer() if passing:
                self.counts.unclear += 1
                return await self._acknowledge(message, None)  # a tap waits a few seconds only; a late answer is none
            case _:
                self.counts.unclear += 1
                self.counts.retried += 1
                await self._hold(message, self._backoff.failed(ready.address, ready.priority))
        return None

    async def _hold(self, message: OutboxMessage, seconds: float, *, for_all: bool = False) -> None:
        """Send nothing to this client, or `for_all` to nobody, for so long; not if something more urgent waits."""
        until = self._database.now() + timedelta(seconds=min(seconds, LONGEST))

        def hold(work: UnitOfWork) -> bool:
            if for_all:
                work.outbox.hold_channel(self.channel, until)
                return True
            return work.outbox.hold(message, until)

        held = await self._database.do(hold)
        self._nudge_in(seconds if held else 0.0)

    def _nudge_in(self, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds + 0.01, self.nudge)
