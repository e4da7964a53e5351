"""How dialogues open, move, interrupt one another, end, and go on where they stood.

Which dialogue follows which is read from the tables of `programme.py`; nothing is decided here that is not there.
"""

from __future__ import annotations

from datetime import timedelta

from state_machine.conditions import CONDITIONS
from state_machine.model.answer_kinds import AnswerKind
from state_machine.model.effects import DeleteEntries, Erase, ShowChoice
from state_machine.model.progress import MOST_OPEN, Done, Person, Run, with_facts, with_fields
from state_machine.programme.rows import SimpleAction
from state_machine.programme.tables import DOORS, GO_ON, INTERRUPTS, ONE_PAGE, PERSON_GATE, STILL_TO_COME
from state_machine.rules import person_gates, scales
from state_machine.rules.person_gates import Gate
from state_machine.rules.person_release import Why
from state_machine.schedule import agenda
from state_machine.turn import actions, fact_questions, options
from state_machine.turn.answers import Accepted
from state_machine.turn.builder import TurnBuilder

OFFER_TO_GO_ON_AFTER = timedelta(hours=12)
"""An interrupted question older than this is offered again rather than simply asked."""
FILLED = "filled"
"""The outcome of a scale that was gone through to its end."""
MOST_SILENT_STEPS = 20
"""Silent steps passed in one move; the check proves that no book has a circle of them."""


class Flow(TurnBuilder):
    """A turn in the making that knows how dialogues follow one another."""

    # --- opening -----------------------------------------------------------------

    def open(self, name: str, *, person: int | None = None, part: str | None = None, because: str = "") -> None:
        """Open a dialogue in front, where it was put aside if it was; one that is open already comes to the front.

        A safety talk always begins anew, with the numbers.
        """
        if name not in self.script.dialogues:
            self.remark("passed_over", again=True)
            return
        half_done = [run for run in (*self.progress.runs, *self.progress.aside) if run.dialogue == name]
        left = next((run for run in half_done if person in {None, run.person}), None)
        if left is not None:
            self.drop(left)
            self.change(aside=tuple(run for run in self.progress.aside if run.id != left.id))
            if not self.script.dialogues[name].safety:
                self.arrive(self.put(left))
                return
            self.remember(left.answers)
            self.enter(left, "begun anew")
        first = self.script.dialogues[name].first
        run = Run(self.new_run_id(), name, first, self.now, self.now, person=person, part=part, because=because)
        self.begin(run)

    def begin(self, run: Run) -> None:
        """Put a new run in front and say its first step."""
        if self.front is not None and self.front.dialogue in DOORS:
            self.drop(self.front)
        if len(self.progress.runs) >= MOST_OPEN:
            runs = self.progress.runs
            self.close_as_left(next((old for old in runs if not self.dialogue(old).safety), runs[0]))
        self.arrive(self.put(run))

    def ask(self, memory: str) -> bool:
        """Open the one step that keeps `memory`, keep its answer and close again. False if no step keeps it."""
        found = fact_questions.keeper(self.script, memory, before=self.front.dialogue if self.front else None)
        if found is None:
            return False
        run = Run(self.new_run_id(), *found, self.now, self.now, amends=True)
        self.say(self.put(run))
        return True

    def missing(self, run: Run) -> str | None:
        """The first fact that the dialogue of `run` needs and that nobody knows."""
        if run.amends:
            return None
        needs = self.dialogue(run).needs
        context = self.context(run)
        return next((need for need in needs if context.fact(need) is None), None)

    # --- moving ------------------------------------------------------------------

    def arrive(self, run: Run) -> None:
        """Pass silent steps, then ask a gate, or what is missing, or say the step; an ending closes."""
        run = self.settled(run)
        if self.barred(run):
            return
        need = self.missing(run)
        if need is not None and self.ask(need):
            return
        self.say(run)
        if self.step(run).is_ending:
            self.close(run, run.step)

    def barred(self, run: Run) -> bool:
        """Whether `run` is aimed at somebody whose gate is not open. It is asked first; a closed one ends the run."""
        if not self.is_shut(run) or self.step(run).is_ending:
            return False
        if person_gates.of_run(self.context(run)) is Gate.CLOSED or PERSON_GATE not in self.script.dialogues:
            self.turn_away(run)
        else:
            self.open(PERSON_GATE, person=run.person)
        return True

    def is_shut(self, run: Run) -> bool:
        """Whether `run` is aimed at a person whose gate is not open."""
        aimed = self.dialogue(run).aimed and not run.amends
        return aimed and person_gates.of_run(self.context(run)) not in {None, Gate.OPEN}

    def turn_away(self, run: Run) -> None:
        """Close what is aimed at a person whose gate is not open, in words that don't say why."""
        self.close_as_left(run)
        if not self.woken:
            self.remark("gate_closed")
        self.resume(after=run)

    def settled(self, run: Run) -> Run:
        """`run` at the first step that speaks."""
        for _ in range(MOST_SILENT_STEPS):
            if not self.step(run).is_silent:
                break
            target = self.machines.silently(self.context(run), run.dialogue, run.step)
            run = self.put(with_fields(run, step=target))
        return run

    def release(self, person: Person, why: Why, but: int | None = None) -> None:
        """Let go of what would ask about `person`. What goes on without them stands at a step that speaks."""
        super().release(person, why, but)
        for run in self.progress.runs:
            if run.id != but:
                self.settled(run)

    def take(self, taken: Accepted) -> None:
        """Keep an answer of the run in front, and go where it leads."""
        run = self.front
        if run is None:
            return
        before = person_gates.person_of(self.progress, run)
        run = self.keep(run, taken)
        about = person_gates.person_of(self.progress, run)
        if (
            before
            and about
            and before.id == about.id
            and person_gates.kept_out(about) > person_gates.kept_out(before)
        ):
            self.release(about, Why.CLOSED, but=run.id)
        self.change(just_settled=taken.value)
        if options.is_inline(self.dialogue(run), self.step(run)) and not self.dialogue(run).taken_out:
            self.effects.append(ShowChoice(taken.value))
        if run.amends:
            self.remember(run.answers)
            self.drop(run)
            self.enter(run, "amended")
            if not self.interrupted(run, taken):
                self.after_amending(kept=bool(run.answers))
            return
        target = self.machines.way(run.dialogue, run.step, taken.index)
        run = self.settled(self.moved(run, target))
        if not self.interrupted(run, taken):
            self.arrive(run)

    def interrupted(self, run: Run, taken: Accepted) -> bool:
        """Whether a table opens something because of this answer. What needs no word is done on the way."""
        memory = taken.way.memory
        for row in INTERRUPTS:
            if row.memory != memory or not (row.only_if is None or CONDITIONS[row.only_if](self.context(run))):
                continue
            before = self.front
            actions.perform(self, row.do, run)
            if self.front is not None and self.front != before:
                return True
        return False

    def after_amending(self, *, kept: bool) -> None:
        """Go on with what the amended answer was needed for, or say that it is kept, or was skipped."""
        if self.front is None:
            self.remark("kept" if kept else "left")
        else:
            self.arrive(self.front)

    # --- ending ------------------------------------------------------------------

    def close(self, run: Run, outcome: str) -> None:
        """End a run: its answers become facts and an entry, and the programme hears the outcome."""
        if outcome == FILLED:
            totals = scales.totals(run.dialogue, run.answers, self.progress.facts, self.now)
            self.change(facts=with_facts(self.progress.facts, totals))
        phase, departure = self.machines.depart(self.context(run), run.dialogue, outcome)
        self._closed(run, outcome, counts=departure is None or SimpleAction.POSTPONE not in departure.do)
        self.change(phase=phase)
        before = {run.id for run in self.progress.runs}
        said = len(self.effects)
        for action in departure.do if departure else ():
            actions.perform(self, action, run)
        nothing_opened = before.issuperset(run.id for run in self.progress.runs) and not self.spoke_since(said)
        if nothing_opened and not self.erased:
            self.resume(after=run)

    def spoke_since(self, effects: int) -> bool:
        """Whether something was asked since; a departure that only did something without words leaves this False."""
        return any(not isinstance(effect, DeleteEntries) for effect in self.effects[effects:])

    def _closed(self, run: Run, outcome: str, *, counts: bool) -> None:
        """Close a run at its end. What was only put off does not count as done."""
        key = run.part or run.dialogue
        times = self.progress.done[key].times if key in self.progress.done else 0
        self.remember(run.answers)
        self.drop(run)
        if counts:
            done = Done(times + 1, self.now, outcome, run.id, bool(run.answers), self.context(run).day())
            self.change(
                done={**self.progress.done, key: done},
                offered={name: offered for name, offered in self.progress.offered.items() if name != key},
            )
        self.enter(run, outcome)

    def close_as_left(self, run: Run) -> None:
        """Close a run before its end. A part of the programme keeps its place; of others the answers stay."""
        self.drop(run)
        self.remember(run.answers)
        if run.amends:
            return
        if run.dialogue in self.script.placed:
            self.change(aside=(*self.progress.aside, run))
        else:
            self.enter(run, "left")

    def resume(self, after: Run | None = None) -> None:
        """Go on with what lies in front: offered after a safety talk or a long while, else simply asked again.

        What ended by silence ends in silence: the question below waits until the client writes.
        """
        run = self.front
        gate_asked = after is not None and after.dialogue == PERSON_GATE
        if run is not None and gate_asked and self.is_shut(run):
            self.turn_away(run)
            return
        if run is None or self.woken:
            return
        if run.dialogue == GO_ON:
            self.drop(run)
            self.resume(after)
            return
        if self.dialogue(run).safety:
            self.take_up(run)
            return
        long_ago = self.now - run.asked > OFFER_TO_GO_ON_AFTER
        after_safety = after is not None and self.dialogue(after).safety
        if (long_ago or after_safety) and GO_ON in self.script.dialogues:
            self.open(GO_ON)
            return
        self.remark("back_to")
        self.arrive(run)

    def take_up(self, run: Run) -> None:
        """Ask again what lay below a talk. Words that opened the talk are no part of the plan, and that is said."""
        alarmed = self.progress.alarmed
        asked_for_words = any(way.takes is AnswerKind.OWN_WORDS for way in self.step(run).ways)
        if run.dialogue in ONE_PAGE and asked_for_words and alarmed is not None and alarmed.at >= run.asked:
            misread = alarmed == self.progress.misread
            self.remark("not_in_the_plan_yet" if misread else "not_in_the_plan")
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
        if run.dialogue == GO_ON:  # the offer to go on is no page of its own: what it offers is put aside
            self.drop(run)
            self.put_aside()
            return
        self.close_as_left(run)
        self.remark("left")
        self.resume(after=run)

    # --- what is due -------------------------------------------------------------

    @property
    def erased(self) -> bool:
        return any(isinstance(effect, Erase) for effect in self.effects)

    def open_due(self, *, asked_for: bool = False) -> bool:
        """Open the part of the programme that is due, if one is; `asked_for`: also one that was put off."""
        choose = agenda.written_about if self.woken else agenda.to_start if asked_for else agenda.due
        part = choose(self.context(), self.today())
        if part is None:
            return False
        if part.dialogue is not None:
            self.count_offer(part.dialogue)
            self.open(part.dialogue)
        else:
            self.open(STILL_TO_COME, part=agenda.planned_key(part))
        return True

    def count_offer(self, dialogue: str) -> None:
        """Keep that a part was offered today, once for each of the client's dates."""
        offered = agenda.offered_today(self.progress, dialogue, self.today())
        self.change(offered={**self.progress.offered, dialogue: offered})
