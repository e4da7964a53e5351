"""Which part of the programme is due, and what is open.

Pure functions of progress: nothing is scheduled, so nothing scheduled can be lost or doubled.
Days count on the client's own calendar, from the day of consent, which is day 1.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from state_machine.conditions import CONDITIONS
from state_machine.model import local_time
from state_machine.model.context import Context
from state_machine.model.progress import Progress, Run
from state_machine.model.script import Part, Script, Step
from state_machine.programme.tables import ASKED_AGAIN, DEPARTURES, PLAN, PLAN_MAKING, REPEATED

USUAL_LOOK_IN = "18:00"
"""When to look in as long as the client has not said when, on their own clock."""
NEVER = "never"
"""The code of the answer that they will come by themselves."""
PLAN_PAGES = frozenset({PLAN, PLAN_MAKING})
"""Safe ground, but no talk that has something left to say: nothing waits for them where they are covered."""


def zone_of(progress: Progress) -> ZoneInfo:
    """The client's time zone; UTC as long as it is not known."""
    fact = progress.facts.get("zone")
    for run in progress.runs:
        fact = next((answer.fact for answer in run.answers if answer.memory == "zone"), fact)
    return local_time.zone_named(fact.code if fact else None)


def hour_of(progress: Progress, memory: str, usual: str | None) -> time | None:
    """The hour kept under `memory`; `usual` if none was, or none that can be read; None if the client wants none."""
    fact = progress.facts.get(memory)
    for said in ((fact.code or fact.value) if fact else usual, usual):
        if said is None or said == NEVER:
            return None
        with suppress(ValueError):
            return time.fromisoformat(said)
    return None


def due(context: Context, on: date) -> Part | None:
    """The first part of the present phase that has come by the client's date `on` and is not done.

    A planned part, not yet written, is due once, and only one of them until it is written.
    """
    progress = context.progress
    if progress.begun is None:
        return None
    if (again := repeated(context, on)) is not None:
        return again
    if progress.phase in ASKED_AGAIN:
        return asked_again(context, on)
    seen: dict[str, int] = {}
    waiting_for_words = False
    for part in context.script.contents:
        name = part.dialogue or planned_key(part)
        seen[name] = seen.get(name, 0) + 1
        done = progress.done.get(name)
        if part.phase != progress.phase or on < day_of(part, progress.begun) or progress.put_off.get(name) == on:
            continue
        if part.dialogue is None:
            if done is None and not waiting_for_words:
                return part
            waiting_for_words = True
            continue
        is_done = done is not None and done.times >= seen[name]
        if not is_done and (part.when is None or CONDITIONS[part.when](context)):
            return part
    return None


def next_part(context: Context, on: date) -> Part | None:
    """The part that comes next after `on`, on its own day; None if none does as things stand."""
    day = first_day_due(context, on)
    return due(context, day) if day is not None else None


def repeated(context: Context, on: date) -> Part | None:
    """What comes round again in every phase, by the table: the first that is due by the client's date `on`."""
    for dialogue, days, only_if in REPEATED:
        due_on = repeats_on(context.progress, dialogue, days)
        wanted = dialogue in context.script.dialogues and context.progress.put_off.get(dialogue) != on
        if wanted and due_on is not None and due_on <= on and CONDITIONS[only_if](context):
            return Part(context.progress.phase, 1, dialogue, dialogue)
    return None


def repeats_on(progress: Progress, dialogue: str, days: int) -> date | None:
    """The client's date on which what comes round every so many days comes next; None before day 1."""
    done = progress.done.get(dialogue)
    last = done.last.astimezone(zone_of(progress)).date() if done is not None else progress.begun
    return None if last is None else last + timedelta(days)


def asked_again(context: Context, on: date) -> Part | None:
    """What the present phase asks again so many days after it was last asked, or after what led to the phase."""
    dialogue, days = ASKED_AGAIN[context.progress.phase]
    done = context.progress.done
    led_here = {(row.dialogue, row.outcome) for row in DEPARTURES if row.to == context.progress.phase}
    since = [past.last for name, past in done.items() if name == dialogue or (name, past.outcome) in led_here]
    if not since or on < max(since).astimezone(zone_of(context.progress)).date() + timedelta(days):
        return None
    return Part(context.progress.phase, 1, dialogue, dialogue)


def planned_key(part: Part) -> str:
    """The name under which it is kept that a planned part has been spoken of."""
    return f"planned:{part.planned or part.title}"


def day_of(part: Part, begun: date) -> date:
    """The client's date on which a part comes."""
    return begun + timedelta(days=part.day - 1)


def open_step(script: Script, run: Run | None) -> Step | None:
    """The step a run stands at, if both still exist."""
    dialogue = script.dialogues.get(run.dialogue) if run else None
    return dialogue.steps.get(run.step) if dialogue and run else None


def open_safety_talk(script: Script, progress: Progress) -> Run | None:
    """The talk about danger that is open, in front or below what was opened over it. The plan's pages are none."""
    safety = {name for name, dialogue in script.dialogues.items() if dialogue.safety} - PLAN_PAGES
    return next((run for run in reversed(progress.runs) if run.dialogue in safety and not run.amends), None)


def first_day_due(context: Context, on: date) -> date | None:
    """The first of the client's dates, from `on`, on which a part is due; None if none ever is as things stand."""
    progress = context.progress
    if progress.begun is None:
        return None
    if progress.phase in ASKED_AGAIN:
        days = [on + timedelta(later) for later in range(ASKED_AGAIN[progress.phase][1] + 1)]
    else:
        later = {day_of(part, progress.begun) for part in context.script.contents if part.phase == progress.phase}
        later |= {day for dialogue, every, _ in REPEATED if (day := repeats_on(progress, dialogue, every))}
        days = [on, on + timedelta(days=1), *sorted(day for day in later if day > on)]
    return next((day for day in days if due(context, day) is not None), None)
