"""The last that is carried to a client who was erased: the farewell, and the deletion of what had been said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from bot.db_worker import DatabaseWorker
from bot.messenger import Messenger, NotCarried, NotNow, Unclear
from bot.pauses import LONGEST, pause_after
from state_machine.model.outgoing import Message
from storage.repositories.erasure_notices import Parting


class Farewells:
    """Carries partings. Remembers what of each was said, so that a second try does not say it twice."""

    def __init__(self, database: DatabaseWorker, messenger: Messenger) -> None:
        self._database = database
        self._messenger = messenger
        self._said: set[tuple[int, int]] = set()
        self._tries: dict[str, int] = {}

    async def carry(self, parting: Parting, turn: Callable[[Message], Awaitable[bool]]) -> float | None:
        """Say goodbye, delete what can be deleted, and forget the address.

        `turn` waits for the turn of one send; where it is False, the parting is left as it stands.
        Returns the seconds after which it is due again; None where nothing was put off.
        Whatever else fails is raised, with the parting put off so that others get their turn.
        """
        try:
            return await self._carry(parting, turn)
        except Exception:
            await self._put_off(parting, Unclear())
            raise

    async def _carry(self, parting: Parting, turn: Callable[[Message], Awaitable[bool]]) -> float | None:
        try:
            for place, words in enumerate(parting.farewell):
                if (parting.id, place) in self._said:
                    continue
                if not await turn(words):
                    return None
                await self._messenger.carry(parting.address, words, None)
                self._said.add((parting.id, place))
            if parting.delete:
                await self._messenger.delete(parting.address, parting.delete)
        except (NotNow, Unclear) as failure:
            return await self._put_off(parting, failure)
        except NotCarried:
            pass  # blocked or refused: there is nobody left to say it to
        await self._database.do(lambda work: work.partings.done(parting.id))
        self._said = {said for said in self._said if said[0] != parting.id}
        self._tries.pop(parting.address, None)
        return None

    async def _put_off(self, parting: Parting, failure: NotNow | Unclear) -> float:
        tries = self._tries[parting.address] = self._tries.get(parting.address, 0) + 1
        seconds = failure.retry_after if isinstance(failure, NotNow) else pause_after(tries)
        until = self._database.now() + timedelta(seconds=min(seconds, LONGEST))
        await self._database.do(lambda work: work.partings.later(parting.id, until))
        return seconds
