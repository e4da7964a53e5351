"""A small memory of what was used last."""

from __future__ import annotations

from collections.abc import Collection
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class LruCache(Generic[K, V]):
    """At most `room` values by key; the one longest unused goes first."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._values: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """The value, now the latest used, or None."""
        value = self._values.pop(key, None)
        if value is not None:
            self._values[key] = value
        return value

    def put(self, key: K, value: V) -> None:
        """Remember a value."""
        self._values.pop(key, None)
        self._values[key] = value
        if len(self._values) > self._room:
            self._values.pop(next(iter(self._values)), None)

    def forget(self, key: K) -> None:
        """Forget one value."""
        self._values.pop(key, None)

    def forget_values(self, values: Collection[V]) -> None:
        """Forget every key that leads to one of these values."""
        for key in [key for key, value in self._values.items() if value in values]:
            del self._values[key]

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()
