"""Instants as whole microseconds since 1970 (UTC): exact, sortable, and the same in every database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(at: datetime) -> int:
    """Microseconds from 1970 to `at`. Raises TypeError for a time without a zone."""
    return (at - EPOCH) // _MICROSECOND


def from_micros(count: int) -> datetime:
    """The instant `count` microseconds after 1970, aware, in UTC."""
    return EPOCH + count * _MICROSECOND
