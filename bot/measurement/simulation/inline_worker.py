"""The database thread of virtual time: each function runs at once, so that nothing depends on threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from bot.worker_thread import WorkerThread

P = ParamSpec("P")
T = TypeVar("T")


class InlineWorker(WorkerThread):
    """Runs functions in the caller's task. Once `dead`, it runs nothing, and its callers wait forever.

    `dies_after`: it dies after so many more functions. The last one is done, but its caller never gets the result.
    `on_death` is called then.
    """

    def __init__(self, on_death: Callable[[], None]) -> None:
        self.dead = False
        self.dies_after: int | None = None
        self._on_death = on_death

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the function; return or raise what it does."""
        if self.dead:
            await asyncio.Event().wait()
        try:
            return function(*args, **kwargs)
        finally:
            await self._pause()

    async def run_first(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same: there is no queue here."""
        return await self.run(function, *args, **kwargs)

    def close(self) -> None:
        """Run nothing more."""
        self.dead = True

    async def _pause(self) -> None:
        """Let other tasks run, as a change of threads would; or die here."""
        if self.dies_after is not None:
            self.dies_after -= 1
            if self.dies_after <= 0:
                self.dies_after = None
                self.dead = True
                self._on_death()
                await asyncio.Event().wait()
        await asyncio.sleep(0)
