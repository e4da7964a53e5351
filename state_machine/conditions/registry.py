"""Where every condition enters itself under its own name."""

from __future__ import annotations

from state_machine.rules.predicates import CONDITIONS, Condition

__all__ = ["CONDITIONS", "Condition", "condition"]


def condition(predicate: Condition) -> Condition:
    """Enter a predicate under its own name."""
    CONDITIONS[predicate.__name__] = predicate
    return predicate
