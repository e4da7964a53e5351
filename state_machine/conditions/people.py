"""Of the people in the client's life, the phone, and the check-in in front."""

from __future__ import annotations

from state_machine.conditions.registry import condition
from state_machine.model.context import Context
from state_machine.rules import person_gates


@condition
def has_people(context: Context) -> bool:
    """Somebody who is alive and may be offered stands on the people map."""
    return bool(person_gates.offered(context))


@condition
def has_three_people(context: Context) -> bool:
    """Three or more people who are alive stand on the people map."""
    return sum(not person.died for person in context.progress.people) >= 3


@condition
def quiet_notices(context: Context) -> bool:
    """The client said that somebody else may read along on this phone, or is not sure."""
    return context.code("phone") in {"shared", "unsure"}


@condition
def low_mood(context: Context) -> bool:
    """The mood given in the talk in front is 2 or less."""
    fact = context.of_run("mood")
    return fact is not None and (fact.code or fact.value) in {"0", "1", "2"}


@condition
def added_to_check_in(context: Context) -> bool:
    """Feelings, people or a line of their own were added to the check-in in front."""
    return any(context.of_run(memory) for memory in ("day_feelings", "day_people", "day_note"))


@condition
def for_an_earlier_day(context: Context) -> bool:
    """The talk in front is about a day before the one it was opened on."""
    run = context.run
    return run is not None and run.day is not None and run.day < context.local(run.opened).date()
