"""The names that content and tables may ask. One pure predicate each; its docstring is the sentence.

A condition sees progress as it is at that moment, and the run in front.
There is no expression language: a rule that needs *and* gets a name of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from state_machine.progress import Fact, Progress, Run
from state_machine.script import Script


@dataclass(frozen=True, slots=True)
class View:
    """What a condition may look at: the book, the client's progress, the run in front, the present instant."""

    script: Script
    progress: Progress
    run: Run | None
    now: datetime

    def fact(self, memory: str) -> Fact | None:
        """The latest value of a memory: this run's own first, then of open dialogues, then what is known."""
        for run in reversed(self.progress.runs):
            for answer in reversed(run.answers):
                if answer.memory == memory and answer.person is None:
                    return answer.fact
        return self.progress.facts.get(memory)

    def of_run(self, memory: str) -> Fact | None:
        """The value of a memory as given in the run in front, and only there."""
        if self.run is None:
            return None
        return next((a.fact for a in reversed(self.run.answers) if a.memory == memory), None)

    def code(self, memory: str) -> str | None:
        """The code of a memory, or its words where it has no code."""
        fact = self.fact(memory)
        return None if fact is None else fact.code or fact.value


Condition = Callable[[View], bool]
CONDITIONS: dict[str, Condition] = {}


def condition(predicate: Condition) -> Condition:
    """Enter a predicate under its own name."""
    CONDITIONS[predicate.__name__] = predicate
    return predicate


@condition
def has_several_zones(view: View) -> bool:
    """The client's country has more than one time zone."""
    country = view.code("country")
    return country is not None and len(view.script.gazetteer.zones.get(country, ())) > 1


@condition
def has_people(view: View) -> bool:
    """Somebody who is alive stands on the people map."""
    return any(not person.died for person in view.progress.people)


@condition
def has_three_people(view: View) -> bool:
    """Three or more people who are alive stand on the people map."""
    return sum(not person.died for person in view.progress.people) >= 3


@condition
def quiet_notices(view: View) -> bool:
    """The client said that somebody else may read along on this phone, or is not sure."""
    return view.code("phone") in {"shared", "unsure"}
