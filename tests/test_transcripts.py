"""Every transcript is performed twice: in memory, and through conversation and database between all turns.

`REWRITE=1 pytest tests/test_transcripts.py` writes the files anew; the diff is the review.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.app import App
from bot.conversation import InboundEvent
from dialogues.rendering.prompts import Prompts
from state_machine.model.events import Event, Tapped, Woke
from state_machine.model.outgoing import Outgoing
from state_machine.model.progress import Progress
from state_machine.schedule import triggers
from state_machine.turn.machine import Machines
from storage.tables import channel_of
from tests.performing import InMemory, Performance, chat_files
from tests.talking import sent_now

ADDRESS = "telegram:chat"
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class ThroughTheStore:
    """The real conversation on a real file; progress is written and read back between all turns."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._turns = 0

    def begin(self, progress: Progress) -> None:
        if progress == Progress():
            return
        with self._app.store.begin() as work:
            chat = work.chats.create(ADDRESS, progress.heard or _EPOCH)
            wake_at = triggers.next_wake(self._app.machines.script, progress)
            work.chats.save(chat, progress, wake_at)

    def happens(self, event: Event) -> list[Outgoing]:
        self._turns += 1
        if isinstance(event, Woke):
            with self._app.store.begin() as work:
                chat = work.chats.find(ADDRESS)
            assert chat is not None
            assert chat.wake_at is not None
            assert self._app.conversation.wake(chat.client, chat.wake_at, event.at)
        else:
            tapped = isinstance(event, Tapped)
            heard = InboundEvent(
                f"test:{self._turns}", ADDRESS, event, 1 if tapped else None, "tap" if tapped else None
            )
            self._app.conversation.receive(heard)
        return self._carried(event)

    def _carried(self, event: Event) -> list[Outgoing]:
        with self._app.store.begin() as work:
            chat = work.chats.find(ADDRESS)
            if chat is None:
                [notice] = work.erasure_notices.due(channel_of(ADDRESS), event.at)
                work.erasure_notices.delete(notice.id)
                return list(notice.messages)
            return sent_now(work, chat.client, event.at)

    def wake_at(self) -> datetime | None:
        with self._app.store.begin() as work:
            chat = work.chats.find(ADDRESS)
            return chat.wake_at if chat else None

    def progress(self) -> Progress:
        with self._app.store.begin() as work:
            chat = work.chats.find(ADDRESS)
            return chat.progress if chat else Progress()


def _chats() -> list[object]:
    return [pytest.param(path, id=path.stem) for path in chat_files()]


@pytest.mark.parametrize("path", _chats())
def test_the_chat_comes_out_as_it_is_written(path: Path, machines: Machines, prompts: Prompts) -> None:
    written = path.read_text(encoding="utf-8")
    performed = Performance(machines, prompts, InMemory(machines, prompts)).perform(written)
    if os.environ.get("REWRITE"):
        path.write_text(performed, encoding="utf-8")
        return
    assert performed == written


@pytest.mark.parametrize("path", _chats())
def test_the_chat_comes_out_the_same_with_progress_written_and_read_back_between_all_turns(
    path: Path, machines: Machines, prompts: Prompts, app: App
) -> None:
    written = path.read_text(encoding="utf-8")
    assert Performance(machines, prompts, ThroughTheStore(app)).perform(written) == written
