"""How dialogues open, move, interrupt one another, end, and go on where they stood.

Which dialogue follows which is read from the tables of `programme.py`; nothing is decided here that is not there.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from state_machine import agenda, offers
from state_machine.answers import Taken
from state_machine.chart import Charts
from state_machine.conditions import CONDITIONS
from state_machine.effects import Erase, Export, Settle, Strike
from state_machine.messages import Lane
from state_machine.programme import (
    CONSENT_VERSION,
    DOORS,
    GO_ON,
    INTERRUPTS,
    STILL_TO_COME,
    Act,
    Action,
    Ask,
    OfLast,
    Open,
    Pause,
)
from state_machine.progress import MOST_OPEN, Done, Progress, Run
from state_machine.script import Numbers
from state_machine.turn import Turning

OFFER_TO_GO_ON_AFTER = timedelta(hours=12)
"""An interrupted question older than this is offered again rather than simply asked."""
UNTIL_THEY_WRITE = datetime.max.replace(tzinfo=UTC)
"""A pause without an end of its own."""
MOST_SILENT_STEPS = 20
"""Silent steps passed in one move; the check proves that no book has a circle of them."""


class Flow(Turning):
    """A turn in the making that knows how dialogues follow one another."""

    # --- opening -----------------------------------------------------------------

    def open(self, name: str, *, person: int | None = None, part: str | None = None, like: Run | None = None) -> None:
        """Open a dialogue in front, where it was put aside if it was; one that is open already comes to the front.

        `like` gives its run's id and day, for an entry that is changed or filled in for another day.
        """
        if name not in self.script.dialogues:
            self.remark("passed_over", again=True)
            return
        resumed = next((run for run in (*self.progress.runs, *self.progress.aside) if run.dialogue == name), None)
        if resumed is not None and like is None:
            self.drop(resumed)
            self.change(aside=tuple(run for run in self.progress.aside if run.id != resumed.id))
            self.put(resumed)
            self.arrive(resumed)
            return
        if self.front is not None and self.front.dialogue in DOORS:
            self.drop(self.front)
        if len(self.progress.runs) >= MOST_OPEN:
            self.close_as_left(self.progress.runs[0])
        first = self.script.dialogues[name].first
        number = like.id if like else self.new_run_id()
        day = like.day if like else None
        run = Run(number, name, first, self.now, self.now, person=person, part=part, day=day)
        self.put(run)
        self.arrive(run)

    def ask(self, memory: str) -> bool:
        """Open the one step that keeps `memory`, keep its answer and close again. False if no step keeps it."""
        for dialogue in self.script.dialogues.values():
            for step in dialogue.steps.values():
                if any(way.memory == memory for way in step.ways):
                    run = Run(self.new_run_id(), dialogue.name, step.name, self.now, self.now, amends=True)
                    self.say(self.put(run))
                    return True
        return False

    def missing(self, run: Run) -> str | None:
        """The first fact that the dialogue of `run` needs and that nobody knows."""
        if run.amends:
            return None
        return next((need for need in self.dialogue(run).needs if self.view(run).fact(need) is None), None)

    # --- moving ------------------------------------------------------------------

    def arrive(self, run: Run) -> None:
        """Pass silent steps by their conditions, then ask what is missing, or say the step; an ending closes."""
        run = self.settled(run)
        need = self.missing(run)
        if need is not None and self.ask(need):
            return
        self.say(run)
        if self.step(run).is_ending:
            self.close(run, run.step)

    def settled(self, run: Run) -> Run:
        """`run` at the first step that speaks."""
        for _ in range(MOST_SILENT_STEPS):
            if not self.step(run).is_silent:
                break
            target = self.charts.silently(self.view(run), run.dialogue, run.step)
            run = self.put(replace(run, step=target))
        return run

    def take(self, taken: Taken) -> None:
        """Keep an answer of the run in front, and go where it leads."""
        run = self.front
        if run is None:
            return
        run = self.keep(run, taken)
        self.change(just_settled=taken.value)
        if offers.is_inline(self.dialogue(run), self.step(run)) or isinstance(taken.way.takes, Numbers):
            self.effects.append(Settle(taken.value))
        if run.amends:
            self.remember(run.answers)
            self.drop(run)
            self.enter(run, "amended")
            if not self.interrupted(run, taken):
                self.after_amending()
            return
        target = self.charts.way(run.dialogue, run.step, taken.index)
        run = self.settled(self.moved(run, target))
        if not self.interrupted(run, taken):
            self.arrive(run)

    def interrupted(self, run: Run, taken: Taken) -> bool:
        """Whether a table opens something because of this answer. What needs no word is done on the way."""
        memory = taken.way.memory
        for row in INTERRUPTS:
            if row.memory != memory or not (row.only_if is None or CONDITIONS[row.only_if](self.view(run))):
                continue
            before = self.front
            self.act(row.do, run)
            if self.front is not None and self.front != before:
                return True
        return False

    def after_amending(self) -> None:
        """Go on with what the amended answer was needed for, or say that it is kept."""
        if self.front is None:
            self.remark("kept")
        else:
            self.arrive(self.front)

    # --- ending ------------------------------------------------------------------

    def close(self, run: Run, outcome: str) -> None:
        """End a run: its answers become facts and an entry, and the programme hears the outcome."""
        view = self.view(run)
        phase, departure = self.charts.depart(view, run.dialogue, outcome)
        self._closed(run, outcome)
        self.change(phase=phase)
        front = self.front
        said = len(self.effects)
        for action in departure.do if departure else ():
            self.act(action, run)
        nothing_opened = self.front == front and not self.spoke_since(said)
        if front is not None and nothing_opened and not self.erased:
            self.resume(after=run)

    def spoke_since(self, effects: int) -> bool:
        """Whether something was asked since; a departure that only did something without words leaves this False."""
        return any(not isinstance(effect, Strike) for effect in self.effects[effects:])

    def _closed(self, run: Run, outcome: str) -> None:
        key = run.part or run.dialogue
        times = self.progress.done[key].times if key in self.progress.done else 0
        self.remember(run.answers)
        self.drop(run)
        self.change(
            done={
                **self.progress.done,
                key: Done(times + 1, self.now, outcome, run.id, bool(run.answers), run.day or self.today()),
            }
        )
        self.enter(run, outcome)

    def close_as_left(self, run: Run) -> None:
        """Close a run before its end. A part of the programme keeps its place; of others the answers stay."""
        self.drop(run)
        self.remember(run.answers)
        if run.amends:
            return
        if any(part.dialogue == run.dialogue for part in self.script.contents):
            self.change(aside=(*self.progress.aside, run))
        else:
            self.enter(run, "left")

    def resume(self, after: Run | None = None) -> None:
        """Go on with what lies in front: offered after a safety talk or a long while, else simply asked again.

        What ended by silence ends in silence: the question below waits until the client writes.
        """
        run = self.front
        if run is None or self.lane is Lane.REMINDER:
            return
        if run.dialogue == GO_ON:
            self.drop(run)
            self.resume(after)
            return
        long_ago = self.now - run.asked > OFFER_TO_GO_ON_AFTER
        after_safety = after is not None and self.dialogue(after).safety
        if (long_ago or after_safety) and GO_ON in self.script.dialogues:
            self.open(GO_ON)
            return
        self.remark("back_to")
        self.arrive(run)

    def back(self) -> None:
        """One step back in the run in front."""
        run = self.front
        if run is None:
            self.remark("nothing_open")
        elif not run.trail:
            self.remark("nothing_before", again=True)
        else:
            self.say(self.gone_back(run))

    def put_aside(self) -> None:
        """Leave what is in front for now."""
        run = self.front
        if run is None:
            self.remark("nothing_open")
            return
        self.close_as_left(run)
        self.remark("left")
        self.resume(after=run)

    # --- acting ------------------------------------------------------------------

    @property
    def erased(self) -> bool:
        return any(isinstance(effect, Erase) for effect in self.effects)

    def act(self, action: Action, run: Run) -> None:
        """Do what a table says, about `run`."""
        match action:
            case Open(dialogue, same_person):
                self.open(dialogue, person=run.person if same_person else None)
            case Ask(memory):
                self.ask(memory)
            case Pause(days):
                self.change(paused_until=self.now + timedelta(days) if days else UNTIL_THEY_WRITE)
            case OfLast(what, dialogue):
                self._of_last(what, dialogue)
            case Act():
                self._simply(action, run)

    def _simply(self, action: Act, run: Run) -> None:
        match action:
            case Act.NEXT:
                if not self.open_due():
                    self.remark("nothing_due")
            case Act.BEGIN:
                self.change(begun=self.today(), consent=f"{CONSENT_VERSION} {self.today()}")
            case Act.ERASE | Act.FORGET:
                self.change(**{name: getattr(Progress(), name) for name in ("runs", "aside", "facts", "people")})
                self.effects.append(Erase("erased" if action is Act.ERASE else None))
            case Act.EXPORT:
                self.effects.append(Export())
            case Act.REMOVE_PERSON:
                self.change(people=tuple(p for p in self.progress.people if p.id != run.person))
                self.effects.append(Strike(person=run.person))
            case Act.PERSON_DIED | Act.RENAME_PERSON:
                self._change_person(action, run)
            case Act.UNPAUSE:
                self.change(paused_until=None)
            case Act.GO_ON:
                if self.front is not None:
                    self.arrive(self.front)
            case Act.POSTPONE:
                done = {name: past for name, past in self.progress.done.items() if name != run.dialogue}
                self.change(done=done, put_off={**self.progress.put_off, run.dialogue: self.today()})
            case Act.PUT_ASIDE:
                if self.front is not None:
                    self.close_as_left(self.front)
                    self.resume()

    def _change_person(self, action: Act, run: Run) -> None:
        new_name = next((a.fact.value for a in run.answers if a.memory == "new_name"), None)
        changed = [
            replace(p, died=True) if action is Act.PERSON_DIED else replace(p, name=new_name or p.name)
            for p in self.progress.people
            if p.id == run.person
        ]
        self.change(people=tuple(changed[0] if p.id == run.person else p for p in self.progress.people))

    def _of_last(self, what: str, dialogue: str) -> None:
        done = self.progress.done.get(dialogue)
        if dialogue not in self.script.dialogues or (done is None and what != "for_yesterday"):
            self.remark("nothing_open")
            return
        if done is not None and what == "strike":
            gone = self.script.dialogues[dialogue].memories
            self.effects.append(Strike(run=done.run))
            self.change(
                facts={name: fact for name, fact in self.progress.facts.items() if name not in gone},
                done={name: past for name, past in self.progress.done.items() if name != dialogue},
            )
            return
        if done is not None and what == "change":
            like = Run(done.run, dialogue, "", self.now, self.now, day=None if done.day == self.today() else done.day)
        else:
            yesterday = self.today() - timedelta(days=1)
            like = Run(self.new_run_id(), dialogue, "", self.now, self.now, day=yesterday)
        self.open(dialogue, like=like)

    def open_due(self) -> bool:
        """Open the part of the programme that is due, if one is."""
        part = agenda.due(self.view(), self.today())
        if part is None:
            return False
        if part.dialogue is not None:
            self.open(part.dialogue)
        else:
            self.open(STILL_TO_COME, part=agenda.planned_key(part))
        return True


def start(charts: Charts, progress: Progress, now: datetime) -> Flow:
    """A turn about to be decided."""
    return Flow(charts, progress, now)
