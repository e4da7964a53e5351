"""The conditions that the gates, the plan and the export ask."""

from __future__ import annotations

from state_machine.conditions.registry import condition
from state_machine.model.context import Context
from state_machine.rules import person_gates
from state_machine.rules.person_gates import Gate


@condition
def gate_open(context: Context) -> bool:
    """The gate of the person the talk in front is about is open, and was asked in the last 60 days."""
    return person_gates.of_run(context) is Gate.OPEN


@condition
def gate_closed(context: Context) -> bool:
    """The gate of the person the talk in front is about is closed."""
    return person_gates.of_run(context) is Gate.CLOSED


@condition
def someone_frightens_them(context: Context) -> bool:
    """The client said of somebody on the map that they are afraid of them, or controlled, hurt or forced by them."""
    return any(person_gates.kept_out(person) for person in context.progress.people)


@condition
def eating_is_a_trouble(context: Context) -> bool:
    """The client said that eating is a trouble for them."""
    return context.code("eating") in {"yes", "known", "danger"}


@condition
def nothing_is_kept_yet(context: Context) -> bool:
    """The client has not consented, so nothing may be kept."""
    return context.progress.consent is None


@condition
def given_by_itself(context: Context) -> bool:
    """The answer in front was asked for by itself, outside the talk it belongs to."""
    return context.run is not None and context.run.amends
