"""The conditions that the gates, the plan and the export ask."""

from __future__ import annotations

from state_machine import gates
from state_machine.conditions.registry import condition
from state_machine.gates import Gate
from state_machine.view import View


@condition
def gate_open(view: View) -> bool:
    """The gate of the person the talk in front is about is open, and was asked in the last 60 days."""
    return gates.of_run(view) is Gate.OPEN


@condition
def gate_closed(view: View) -> bool:
    """The gate of the person the talk in front is about is closed."""
    return gates.of_run(view) is Gate.CLOSED


@condition
def someone_frightens_them(view: View) -> bool:
    """The client said of somebody on the map that they are afraid of them, or controlled, hurt or forced by them."""
    return any(gates.kept_out(person) for person in view.progress.people)


@condition
def eating_is_a_trouble(view: View) -> bool:
    """The client said that eating is a trouble for them."""
    return view.code("eating") in {"yes", "known", "danger"}


@condition
def nothing_is_kept_yet(view: View) -> bool:
    """The client has not consented, so nothing may be kept."""
    return view.progress.consent is None


@condition
def given_by_itself(view: View) -> bool:
    """The answer in front was asked for by itself, outside the talk it belongs to."""
    return view.run is not None and view.run.amends
