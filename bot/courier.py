"""Carries what waits in the outbox to the messenger, in order per chat and within the limits.

A burst is all that waits for one chat. Bursts of different chats travel side by side, each a `Flight`.
What was answered is marked at once, not when its burst ends: what is marked is not sent again after a crash.
After a crash, what had not been marked is sent again: at least once, as the messenger itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection
from datetime import timedelta
from functools import partial

from bot.db_worker import DatabaseWorker
from bot.farewell import Farewells
from bot.flight import Counts, Flight, overtaken_edits
from bot.marks import Marks
from bot.messenger import Blocked, Messenger, NotCarried, NotNow, Refused, Unclear
from bot.outlook import MOST_PARCELS, Wanted, look
from bot.pace import Pace
from bot.pauses import LONGEST, pause_after
from bot.rests import Rests
from bot.slots import free, room
from bot.turnstile import Turnstile
from state_machine.model.outgoing import Deletion, Edit, ExportFile, Message, Outgoing, Priority, TapAnswer
from storage.errors import DatabaseFault
from storage.repositories.erasure_notices import Parting
from storage.repositories.outbox import Burst, Parcel
from storage.unit_of_work import UnitOfWork

log = logging.getLogger(__name__)

SLOW_POLL = 5.0
"""Seconds after which the outbox is looked at, nudged or not: for what an earlier process had put off."""
SETTLE_AT_MOST = 2.0
"""Seconds an incoming message waits for what is on the wire to its chat."""
SHOW_TYPING_FROM = 0.5
"""Seconds a bubble has to wait before we show that we are writing."""
MOST_ELSEWHERE = 1000
"""So many clients of another bot or of a terminal are remembered; they are not woken by us."""
FAULT_PAUSE = 1.0
"""Seconds a chat rests after a fault of ours."""


class Courier:
    """The one paced sender of a bot.

    `export` makes the file of an `ExportFile` (name, content) at the moment it is carried, on the writer thread.
    """

    def __init__(
        self,
        database: DatabaseWorker,
        messenger: Messenger,
        export: Callable[[UnitOfWork, str], tuple[str, bytes]],
        pace: Pace | None = None,
    ) -> None:
        self.counts = Counts()
        self.elsewhere: set[str] = set()
        """Clients whose words waited here, but are for another bot or a terminal on the same data to carry."""
        self._database = database
        self._messenger = messenger
        self._export = export
        self._turnstile = Turnstile(pace or Pace())
        self._flights: dict[str, Flight] = {}
        self._rests = Rests()
        self._marks = Marks(database)
        self._farewells = Farewells(database, messenger)
        self._nudged = asyncio.Event()
        self._left_over = False
        self._stopping = False

    def nudge(self) -> None:
        """Something new waits, or may."""
        self._nudged.set()

    async def settled(self, address: str) -> None:
        """Return once nothing to this chat is on the wire or unmarked, after two seconds at most."""
        flight = self._flights.get(address)
        if flight is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(flight.settled.wait(), SETTLE_AT_MOST)

    async def say(self, address: str, message: Message) -> None:
        """Carry something that is kept nowhere, once, at the pace of all. Raises a `NotCarried`."""
        await self._turnstile.passed(self._turnstile.join(address, Priority.ANSWER))
        await self._messenger.carry(address, message, None)

    async def run(self) -> None:
        """Carry until `stop`."""
        faults = 0
        while not self._stopping:
            self._nudged.clear()
            try:
                await self._look()
                faults, pause = 0, self._slow_poll()
            except Exception as fault:  # the store may be out of reach for a while; the outbox waits
                faults += 1
                self.counts.faults += 1
                pause = min(pause_after(faults), 30.0)
                log.error("the outbox can't be read (%s); trying again in %.0f s", type(fault).__name__, pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._nudged.wait(), pause)

    def _slow_poll(self) -> float:
        """Seconds to sleep if nobody nudges."""
        return SLOW_POLL

    async def stop(self) -> None:
        """Let what is on the wire arrive and be marked; the rest stays in the outbox."""
        self._stopping = self._marks.closing = True
        self._nudged.set()
        flights = list(self._flights.values())
        for flight in flights:
            self._give_way(flight)
        await asyncio.gather(*(flight.task for flight in flights if flight.task), return_exceptions=True)

    async def _look(self) -> None:
        """Start what can be started, and have flights give way to what is more urgent."""
        last, chats = room(self._taken())
        flights = list(self._flights.values())
        for flight in flights:
            flight.passed_over = True
        wanted = Wanted(
            last,
            chats,
            [flight.client for flight in flights if flight.client is not None],
            self._rests.waiting(asyncio.get_running_loop().time()),
            {flight.address for flight in flights if flight.client is None},
        )
        found = await self._database.do(lambda work: look(work, self._database.now(), self._messenger.serves, wanted))
        if self._stopping:
            return
        self._left_over = found.more
        for flight in flights:
            if flight.client is not None and found.priorities.get(flight.client, flight.priority) < flight.priority:
                self._give_way(flight)
        for burst in found.bursts:
            if burst.priority is Priority.SAFETY:  # also before a goodbye at the same address
                self._consider(burst)
        if found.parting is not None:
            self._consider_parting(found.parting, found.waited_for)
        for burst in found.bursts:
            if burst.priority is not Priority.SAFETY:
                self._consider(burst)
        for client in found.strangers:
            self._pass_over(client)

    def _taken(self) -> list[Priority]:
        return [flight.priority for flight in self._flights.values()]

    def _consider(self, burst: Burst) -> None:
        if burst.address in self._flights or free(burst.priority, self._taken()) <= 0:
            self._left_over = True
            return
        if len(burst.parcels) == MOST_PARCELS:
            self._left_over = True
        self._start(Flight(burst.address, burst.priority, burst.client), burst)

    def _consider_parting(self, parting: Parting, waited_for: Collection[str]) -> None:
        self._left_over = True  # of partings, one is read at a time
        flight = self._flights.get(parting.address)
        if flight is None:
            self._start(Flight(parting.address, Priority.ANSWER, None), parting)
        elif flight.client not in waited_for or flight.priority is not Priority.SAFETY:
            self._give_way(flight)  # nothing waits for who was erased; whoever began anew may be in danger

    def _pass_over(self, client: str) -> None:
        self._nudged.set()  # it took the place of one of ours
        if client not in self.elsewhere and len(self.elsewhere) < MOST_ELSEWHERE:
            self.elsewhere.add(client)
            log.warning("client %s belongs to another bot, or to a terminal; passed over", client)

    def _start(self, flight: Flight, what: Burst | Parting) -> None:
        self._flights[flight.address] = flight
        flight.task = asyncio.create_task(self._fly(flight, what))

    def _give_way(self, flight: Flight) -> None:
        flight.gives_way = True
        if flight.ticket is not None:
            self._turnstile.leave(flight.ticket)

    async def _fly(self, flight: Flight, what: Burst | Parting) -> None:
        begun = asyncio.get_running_loop().time()
        try:
            if isinstance(what, Burst):
                await self._carry_all(flight, what)
                took = asyncio.get_running_loop().time() - begun
                log.info("client %s: %d carried in %.2f s", what.client, flight.sent, took)
            else:
                again_in = await self._farewells.carry(what, partial(self._turn, flight))
                if again_in is not None:
                    self._nudge_in(again_in)
        except Exception as fault:  # whatever it is, it stays this chat's own
            self.counts.faults += 1
            log.error("client %s: carrying failed (%s)", flight.client, type(fault).__name__)
            self._nudge_in(FAULT_PAUSE)
            if not self._stopping:
                await asyncio.sleep(FAULT_PAUSE)
        finally:
            with contextlib.suppress(Exception):
                await flight.marked()
            del self._flights[flight.address]
            if self._left_over or flight.passed_over or flight.gives_way:
                self._nudged.set()

    async def _carry_all(self, flight: Flight, burst: Burst) -> None:
        overtaken = overtaken_edits(burst.parcels)
        for parcel in burst.parcels:
            if parcel.id in overtaken:
                flight.mark(self._marks, parcel.id, None)
                continue
            await flight.marked()  # so that a crash leaves one message of a chat in doubt, never a whole burst
            if not await self._turn(flight, parcel.message):
                return
            try:
                carried = await self._carry_one(flight, burst.client, parcel.message)
            except NotCarried as failure:
                if not await self._failed(flight, burst.client, parcel, failure):
                    return
            except DatabaseFault:
                raise  # a file could not be made just now: it is tried again
            except Exception as fault:  # a fault of ours in this one parcel must not hold up what comes after it
                self.counts.faults += 1
                await self._failed(flight, burst.client, parcel, Refused("a fault of ours", type(fault).__name__))
            else:
                self.counts.sent += 1
                flight.sent += 1
                self._rests.carried(burst.client)
                flight.mark(self._marks, parcel.id, carried)

    async def _turn(self, flight: Flight, message: Outgoing) -> bool:
        """Wait for the turn of one send. False when the flight is to end here."""
        if flight.gives_way:
            return False
        chat = None if isinstance(message, TapAnswer) else flight.address
        flight.ticket = self._turnstile.join(chat, flight.priority)
        try:
            waits = self._turnstile.waits(flight.ticket)
            if waits >= SHOW_TYPING_FROM and isinstance(message, Message) and self._turnstile.spare(flight.priority):
                with contextlib.suppress(NotCarried):
                    await self._messenger.typing(flight.address)
            return await self._turnstile.passed(flight.ticket)
        finally:
            flight.ticket = None

    async def _carry_one(self, flight: Flight, client: str, message: Outgoing) -> int | None:
        file = None
        if isinstance(message, ExportFile):
            file = await self._database.do(lambda work: self._export(work, client))
        with flight.on_the_wire():
            return await self._messenger.carry(flight.address, message, file)

    async def _failed(self, flight: Flight, client: str, parcel: Parcel, failure: NotCarried) -> bool:
        """Do what the failure means. True: the rest of the burst may go on."""
        passing = isinstance(parcel.message, TapAnswer)
        if isinstance(failure, Blocked):
            self.counts.blocked += 1
            await self._database.do(lambda work: work.clients.block(client, self._database.now()))
        elif isinstance(failure, NotNow):
            self.counts.held += 1
            if failure.for_all:
                self._turnstile.shut(failure.retry_after)
            else:
                self._rests.told(client, asyncio.get_running_loop().time() + failure.retry_after)
            until = self._database.now() + timedelta(seconds=min(failure.retry_after, LONGEST))
            await self._database.do(lambda work: work.outbox.hold(None if failure.for_all else client, until))
            self._nudge_in(failure.retry_after)
        elif isinstance(failure, Refused):
            if passing or isinstance(parcel.message, Edit | Deletion):
                flight.mark(self._marks, parcel.id, None)  # a message that has gone can't be changed any more
            else:
                self.counts.parked += 1
                log.error("client %s: refused for good: %s", client, failure.reason)
                await self._database.do(lambda work: work.outbox.park(parcel.id, failure.kind))
            return True
        elif isinstance(failure, Unclear):
            self.counts.unclear += 1
            if passing:
                flight.mark(self._marks, parcel.id, None)  # a tap waits for a few seconds only; a late answer is none
                return True
            self.counts.retried += 1
            seconds = self._rests.in_vain(client, flight.priority)
            self._nudge_in(await self._database.do(lambda work: self._hold(work, client, flight.priority, seconds)))
        return False

    def _hold(self, work: UnitOfWork, client: str, priority: Priority, seconds: float) -> float:
        """Put a client's next try off. Returns the seconds; none if something more urgent came meanwhile."""
        if work.outbox.lanes_of([client]).get(client, priority) < priority:
            return 0.0
        work.outbox.hold(client, self._database.now() + timedelta(seconds=seconds))
        return seconds

    def _nudge_in(self, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds + 0.01, self._nudged.set)
