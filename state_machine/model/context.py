"""What a condition, an offer or a bubble may look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from state_machine.model.local_time import zone_named
from state_machine.model.progress import Fact, Progress, Run
from state_machine.model.script import Script

SAME_EVENING = timedelta(hours=4)
"""A question of the late evening that is answered so soon after is of that evening, also after midnight."""


@dataclass(frozen=True, slots=True)
class Context:
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

    def local(self, instant: datetime) -> datetime:
        """`instant` on the client's own clock; in UTC as long as their zone is not known."""
        return instant.astimezone(zone_named(self.code("zone")))

    def today(self) -> date:
        """The client's own date."""
        return self.local(self.now).date()

    def day(self) -> date:
        """The client's date that the run in front is about: that of its first answer, or of its question so far."""
        run = self.run
        if run is None:
            return self.today()
        if run.day is not None or not run.answers:
            return run.day or self.day_asked()
        return self.local(min(answer.fact.at for answer in run.answers)).date()

    def day_asked(self) -> date:
        """The client's date to which an answer given now belongs: that of an evening's question, else today."""
        asked = (self.run.opened, self.run.asked) if self.run is not None else ()
        lately = next((moment for moment in asked if self.now - moment <= SAME_EVENING), self.now)
        return self.local(lately).date()
