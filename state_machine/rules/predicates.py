"""The conditions by their names, for tables and contents to ask. `state_machine.conditions` enters them here.

They stand below everything that asks them, so that a condition may ask the agenda, and the agenda a condition.
"""

from __future__ import annotations

from collections.abc import Callable

from state_machine.model.context import Context

Condition = Callable[[Context], bool]
CONDITIONS: dict[str, Condition] = {}
