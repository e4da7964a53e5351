"""The last things sent to a client who was erased: the notice, and the deletion of what had been said."""

from __future__ import annotations

from datetime import timedelta

from bot.db_worker import DatabaseWorker
from bot.delivery.backoff import LONGEST, delay_after
from bot.delivery.messenger import Messenger, NoAnswer, SendFailed, TooManyRequests
from bot.delivery.ready import Ready
from state_machine.model.outgoing import Priority
from storage.repositories.erasure_notices import ErasureNotice


class ErasureNoticeSender:
    """Sends erasure notices. Remembers what of each was said, so that a second try does not say it twice."""

    def __init__(self, database: DatabaseWorker, messenger: Messenger) -> None:
        self._database = database
        self._messenger = messenger
        self._said: dict[int, int] = {}
        self._tries: dict[int, int] = {}

    def ready(self, notice: ErasureNotice) -> Ready:
        """What is to be sent next of a notice: one of its messages, or in the end the deletion."""
        place = self._said.get(notice.id, 0)
        message = notice.messages[place] if place < len(notice.messages) else None

        async def send(_: Ready) -> Ready | None:
            return await self._send(notice, place)

        return Ready(Priority.ANSWER, (0, notice.id), notice.address, message, send)

    async def _send(self, notice: ErasureNotice, place: int) -> Ready | None:
        try:
            if place < len(notice.messages):
                await self._messenger.send(notice.address, notice.messages[place], None)
                self._said[notice.id] = place + 1
                return self.ready(notice)
            if notice.delete:
                await self._messenger.delete(notice.address, notice.delete)
        except (TooManyRequests, NoAnswer) as failure:
            await self._put_off(notice, failure)
            return None
        except SendFailed:
            pass  # blocked or rejected: there is nobody left to say it to
        except Exception:
            await self._put_off(notice, NoAnswer())
            raise
        await self._database.do(lambda work: work.erasure_notices.delete(notice.id))
        self._said.pop(notice.id, None)
        self._tries.pop(notice.id, None)
        return None

    async def _put_off(self, notice: ErasureNotice, failure: SendFailed) -> None:
        tries = self._tries[notice.id] = self._tries.get(notice.id, 0) + 1
        seconds = failure.retry_after if isinstance(failure, TooManyRequests) else delay_after(tries)
        until = self._database.now() + timedelta(seconds=min(seconds, LONGEST))
        await self._database.do(lambda work: work.erasure_notices.postpone(notice.id, until))
