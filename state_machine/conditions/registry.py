"""Where every condition enters itself under its own name."""

from __future__ import annotations

from collections.abc import Callable

from state_machine.model.context import Context

Condition = Callable[[Context], bool]
CONDITIONS: dict[str, Condition] = {}


def condition(predicate: Condition) -> Condition:
    """Enter a predicate under its own name."""
    CONDITIONS[predicate.__name__] = predicate
    return predicate
