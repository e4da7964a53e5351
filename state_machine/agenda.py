"""Which part of the programme is due, and when to wake next.

Both are pure functions of progress: nothing is scheduled, so nothing scheduled can be lost or doubled.
Days count on the client's own calendar, from the day of consent, which is day 1.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from state_machine.conditions import CONDITIONS
from state_machine.programme import ASKED_AGAIN, REPEATED
from state_machine.progress import Progress, Run
from state_machine.script import Part, Script, Silence, Step
from state_machine.view import View

USUAL_LOOK_IN = "18:00"
"""When to look in as long as the client has not said when, on their own clock."""
MORNING = time(10)
"""When a look-in comes that was agreed on for the next morning."""
NEVER = "never"
"""The code of the answer that they will come by themselves."""


def zone_of(progress: Progress) -> ZoneInfo:
    """The client's time zone; UTC as long as it is not known."""
    fact = progress.facts.get("zone")
    for run in progress.runs:
        fact = next((answer.fact for answer in run.answers if answer.memory == "zone"), fact)
    return ZoneInfo((fact.code if fact else None) or "UTC")


def due(view: View, on: date) -> Part | None:
    """The first part of the present phase that has come by the client's date `on` and is not done.

    A planned part, not yet written, is due once, and only one of them until it is written.
    """
    progress = view.progress
    if progress.begun is None:
        return None
    if (again := repeated(view, on)) is not None:
        return again
    if progress.phase in ASKED_AGAIN:
        return asked_again(view, on)
    seen: dict[str, int] = {}
    waiting_for_words = False
    for part in view.script.contents:
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
        if not is_done and (part.when is None or CONDITIONS[part.when](view)):
            return part
    return None


def repeated(view: View, on: date) -> Part | None:
    """What comes round again in every phase, by the table: the first that is due by the client's date `on`."""
    for dialogue, days, only_if in REPEATED:
        due_on = repeats_on(view.progress, dialogue, days)
        wanted = dialogue in view.script.dialogues and view.progress.put_off.get(dialogue) != on
        if wanted and due_on is not None and due_on <= on and CONDITIONS[only_if](view):
            return Part(view.progress.phase, 1, dialogue, dialogue)
    return None


def repeats_on(progress: Progress, dialogue: str, days: int) -> date | None:
    """The client's date on which what comes round every so many days comes next; None before day 1."""
    done = progress.done.get(dialogue)
    last = done.last.astimezone(zone_of(progress)).date() if done is not None else progress.begun
    return None if last is None else last + timedelta(days)


def asked_again(view: View, on: date) -> Part | None:
    """What the present phase asks again after so many days."""
    dialogue, days = ASKED_AGAIN[view.progress.phase]
    done = view.progress.done.get(dialogue)
    if done is None or on < done.last.astimezone(zone_of(view.progress)).date() + timedelta(days):
        return None
    return Part(view.progress.phase, 1, dialogue, dialogue)


def planned_key(part: Part) -> str:
    """The name under which it is kept that a planned part has been spoken of."""
    return f"planned:{part.planned or part.title}"


def day_of(part: Part, begun: date) -> date:
    """The client's date on which a part comes."""
    return begun + timedelta(days=part.day - 1)


def next_wake(script: Script, progress: Progress) -> datetime | None:
    """The next instant (UTC) at which something happens by itself; `None` if nothing does."""
    instants = [silence_due(script, progress), look_in_due(script, progress)]
    return min((instant for instant in instants if instant is not None), default=None)


def silence_due(script: Script, progress: Progress) -> datetime | None:
    """When the silence at the open step has lasted as long as the step waits."""
    run = progress.runs[-1] if progress.runs else None
    step = open_step(script, run)
    if run is None or step is None or step.silence is None:
        return None
    takes = step.silence.takes
    if not isinstance(takes, Silence):
        return None
    until = run.asked + takes.after
    return next_morning(until, zone_of(progress)) if takes.morning else until


def next_morning(after: datetime, zone: ZoneInfo) -> datetime:
    """The first ten in the morning on the client's clock that is not before `after`."""
    local = after.astimezone(zone)
    day = local.date() if local.time() <= MORNING else local.date() + timedelta(days=1)
    return datetime.combine(day, MORNING, zone).astimezone(ZoneInfo("UTC"))


def open_step(script: Script, run: Run | None) -> Step | None:
    """The step a run stands at, if both still exist."""
    dialogue = script.dialogues.get(run.dialogue) if run else None
    return dialogue.steps.get(run.step) if dialogue and run else None


def look_in_due(script: Script, progress: Progress) -> datetime | None:
    """When to write first: at the hour the client chose, on the first day after they were last here
    on which a part is due.

    Nothing while something is open, while paused, or while the last time we wrote first is unanswered.
    """
    if progress.begun is None or progress.heard is None or progress.runs:
        return None
    if progress.looked_in is not None and progress.looked_in >= progress.heard:
        return None
    zone = zone_of(progress)
    fact = progress.facts.get("look_in")
    at = (fact.code or fact.value) if fact else USUAL_LOOK_IN
    if at == NEVER:
        return None
    day = progress.heard.astimezone(zone).date() + timedelta(days=1)
    if progress.paused_until is not None:
        day = max(day, progress.paused_until.astimezone(zone).date())
    view = View(script, progress, None, progress.heard)
    days = sorted({max(day, day_of(part, progress.begun)) for part in script.contents})
    if progress.phase in ASKED_AGAIN:
        days = [day + timedelta(later) for later in range(ASKED_AGAIN[progress.phase][1] + 1)]
    first = next((one for one in days if due(view, one)), None)
    if first is None:
        return None
    return datetime.combine(first, time.fromisoformat(at), zone).astimezone(ZoneInfo("UTC"))
