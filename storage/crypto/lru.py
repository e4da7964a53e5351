"""A small memory of what was used last, shared by threads."""

from __future__ import annotations

import threading
from collections.abc import Collection
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class LruCache(Generic[K, V]):
    """At most `room` values by key; the one longest unused goes first."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._values: dict[K, V] = {}
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """The value, now the latest used, or None."""
        with self._lock:
            value = self._values.pop(key, None)
            if value is not None:
                self._values[key] = value
            return value

    def put(self, key: K, value: V) -> None:
        """Remember a value."""
        with self._lock:
            self._values.pop(key, None)
            self._values[key] = value
            if len(self._values) > self._room:
                del self._values[next(iter(self._values))]

    def forget(self, key: K) -> None:
        """Forget one value."""
        with self._lock:
            self._values.pop(key, None)

    def forget_values(self, values: Collection[V]) -> None:
        """Forget every key that leads to one of these values."""
        with self._lock:
            for key in [key for key, value in self._values.items() if value in values]:
                del self._values[key]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()
