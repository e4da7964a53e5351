"""What happens by itself for a client who blocked us: nothing is said, and what is kept ends all the same."""

from __future__ import annotations

from datetime import datetime, timedelta

from state_machine.model.progress import Progress
from state_machine.schedule.triggers import RETENTION_AFTER, forgetting_due, without_old_words

ERASED_AFTER = RETENTION_AFTER + timedelta(days=30)
"""Silence after which all is erased: as long as for those who hear the notice and do not answer it."""


def next_look(progress: Progress) -> datetime | None:
    """The next instant (UTC) at which something is to be forgotten or erased; None if nothing is."""
    return min((at for at in (forgetting_due(progress), _erased_at(progress)) if at is not None), default=None)


def looked_after(progress: Progress, now: datetime) -> Progress | None:
    """What of `progress` may be kept on at `now`; None if nothing of it may."""
    erased_at = _erased_at(progress)
    return None if erased_at is not None and erased_at <= now else without_old_words(progress, now)


def _erased_at(progress: Progress) -> datetime | None:
    """Nothing that was told is kept before consent, so nobody is erased for their silence then."""
    return None if progress.begun is None or progress.heard is None else progress.heard + ERASED_AFTER
