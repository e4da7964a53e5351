"""Which part of the programme is due, and what is open.

Pure functions of progress: nothing is scheduled, so nothing scheduled can be lost or doubled.
Days count on the client's own calendar, from the day of consent, which is day 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from state_machine.conditions.predicates import CONDITIONS
from state_machine.model import local_time
from state_machine.model.context import Context
from state_machine.model.progress import Offered, Progress, Run
from state_machine.model.script import Part, Script, Step
from state_machine.programme.tables import (
    ASKED_AGAIN,
    CHECK_IN,
    DEPARTURES,
    HEALTH_FIRST,
    NEXT_TURN,
    OFFERED_AGAIN,
    PLAN,
    PLAN_MAKING,
    REPEATED,
)

USUAL_LOOK_IN = "18:00"
"""When to look in as long as the client has not said when, on their own clock."""
NEVER = "never"
"""The code of the answer that they will come by themselves."""
WEEKDAYS = {
    "daily": frozenset(range(7)),
    "three": frozenset({0, 2, 4}),
    "weekdays": frozenset(range(5)),
    "weekends": frozenset({5, 6}),
}
"""The days on which a check-in is asked for, by the code of the answer."""
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
    """The first part that has come by the client's date `on`, is not done, and does not rest."""
    return next((part for part in come(context, on) if not rests(context.progress, part, on)), None)


def written_about(context: Context, on: date) -> Part | None:
    """The part that is written about unasked on `on`.

    On a day for which a check-in was chosen, no part that was offered before takes its place.
    """
    progress = context.progress
    for part in come(context, on):
        again = was_offered(progress, part, on) and part.dialogue not in HEALTH_FIRST
        if not rests(progress, part, on) and not (again and on.weekday() in check_in_days(progress)):
            return part
    return None


def to_start(context: Context, on: date) -> Part | None:
    """The part that comes when the client asks for it on `on`: the one that is due, else one that rests."""
    return due(context, on) or next(come(context, on), None)


def next_part(context: Context, on: date) -> Part | None:
    """The part that comes next after `on`, on its own day; None if none does as things stand."""
    day = first_day_due(context, on)
    return written_about(context, day) if day is not None else None


def come(context: Context, on: date) -> Iterator[Part]:
    """Whatever of the present phase has come by the client's date `on` and is not done, the first one first."""
    progress = context.progress
    if progress.begun is None:
        return
    rounds = tuple(repeated(context, on))
    yield from (part for part in rounds if part.dialogue in HEALTH_FIRST)
    if progress.phase in ASKED_AGAIN and (again := asked_again(context, on)) is not None:
        yield again
    yield from (part for part in rounds if part.dialogue not in HEALTH_FIRST)
    if progress.phase not in ASKED_AGAIN:
        yield from _of_contents(context, progress.begun, on)


def _of_contents(context: Context, begun: date, on: date) -> Iterator[Part]:
    """The parts of the contents that have come. A planned one, not yet written, comes once, and only one of them."""
    progress = context.progress
    seen: dict[str, int] = {}
    waiting_for_words = False
    for part in context.script.contents:
        name = part.dialogue or planned_key(part)
        seen[name] = seen.get(name, 0) + 1
        done = progress.done.get(name)
        if part.phase != progress.phase or on < day_of(part, begun):
            continue
        if part.dialogue is None:
            if done is None and not waiting_for_words:
                yield part
            waiting_for_words = True
            continue
        is_done = done is not None and done.times >= seen[name]
        if not is_done and (part.when is None or CONDITIONS[part.when](context)):
            yield part


# --- what was offered, and put off -----------------------------------------------------


def rests(progress: Progress, part: Part, on: date) -> bool:
    """Whether a part is left alone on `on`: it was put off on that date, or offered often enough for this turn."""
    name = part.dialogue or planned_key(part)
    if progress.put_off.get(name) == on:
        return True
    offered = progress.offered.get(name)
    if offered is None or offered.times <= OFFERED_AGAIN:
        return False
    return offered.last < on < next_turn(name, offered)


def was_offered(progress: Progress, part: Part, on: date) -> bool:
    """Whether a part was offered in this turn of it already, on a date before `on`."""
    name = part.dialogue or planned_key(part)
    offered = progress.offered.get(name)
    return offered is not None and offered.first < on < next_turn(name, offered)


def offered_today(progress: Progress, name: str, today: date) -> Offered:
    """How often the part `name` was offered, with today."""
    before = progress.offered.get(name)
    if before is None or today >= next_turn(name, before):
        return Offered(1, today, today)
    return before if before.last == today else Offered(before.times + 1, before.first, today)


def next_turn(name: str, offered: Offered) -> date:
    """The client's date on which a part that was not done is offered anew, as if for the first time."""
    return offered.first + timedelta(_TURNS.get(name, NEXT_TURN))


_TURNS = {dialogue: days for dialogue, days, _ in REPEATED} | dict(ASKED_AGAIN.values())


def check_in_days(progress: Progress) -> frozenset[int]:
    """The weekdays (Monday is 0) on which the client chose to be asked for a check-in, at an hour they chose."""
    days = progress.facts.get("remind_days")
    if days is None or hour_of(progress, "remind_at", None) is None:
        return frozenset()
    return WEEKDAYS.get(days.code or "", frozenset())


def is_checked_in(progress: Progress, day: date) -> bool:
    """Whether the check-in of the client's date `day` was done, or put off for that day."""
    done = progress.done.get(CHECK_IN)
    return (done is not None and done.kept and done.day == day) or progress.put_off.get(CHECK_IN) == day


def is_instead_of_check_in(progress: Progress, day: date) -> bool:
    """Whether what is said unasked on the client's date `day` takes the place of a check-in that they chose."""
    return day.weekday() in check_in_days(progress) and not is_checked_in(progress, day)


# --- what comes round again ------------------------------------------------------------


def repeated(context: Context, on: date) -> Iterator[Part]:
    """What comes round again in every phase by the client's date `on`, by the table. One of them a day."""
    progress = context.progress
    placed = {part.dialogue for part in context.script.contents}
    if any((done := progress.done.get(name)) is not None and done.day == on for name, _, _ in REPEATED):
        return
    for dialogue, days, only_if in REPEATED:
        first_comes_by_contents = dialogue in placed and dialogue not in progress.done
        if first_comes_by_contents or dialogue not in context.script.dialogues:
            continue
        due_on = repeats_on(progress, dialogue, days)
        if due_on is not None and due_on <= on and CONDITIONS[only_if](context):
            yield Part(progress.phase, 1, context.script.dialogues[dialogue].title, dialogue)


def repeats_on(progress: Progress, dialogue: str, days: int) -> date | None:
    """The client's date on which what comes round every so many days comes next; None before day 1."""
    done = progress.done.get(dialogue)
    last = done.last.astimezone(zone_of(progress)).date() if done is not None else progress.begun
    return None if last is None else last + timedelta(days)


def asked_again(context: Context, on: date) -> Part | None:
    """What the present phase asks again by the client's date `on`."""
    dialogue, _ = ASKED_AGAIN[context.progress.phase]
    day = asked_again_on(context)
    if day is None or on < day:
        return None
    title = context.script.dialogues[dialogue].title if dialogue in context.script.dialogues else dialogue
    return Part(context.progress.phase, 1, title, dialogue)


def asked_again_on(context: Context) -> date | None:
    """The date of what the present phase asks again: so many days after it was last asked, or after what led here."""
    dialogue, days = ASKED_AGAIN[context.progress.phase]
    done = context.progress.done
    led_here = {(row.dialogue, row.outcome) for row in DEPARTURES if row.to == context.progress.phase}
    since = [past.last for name, past in done.items() if name == dialogue or (name, past.outcome) in led_here]
    return max(since).astimezone(zone_of(context.progress)).date() + timedelta(days) if since else None


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
    """The first of the client's dates, from `on`, on which a part is written about; None if none ever is."""
    days = sorted({on, on + timedelta(days=1), *_days_of_change(context, on)})
    return next((day for day in days if day >= on and written_about(context, day) is not None), None)


def _days_of_change(context: Context, on: date) -> Iterator[date]:
    """The dates on which something may come that has not come by the day before."""
    progress = context.progress
    if progress.begun is None:
        return
    if progress.phase in ASKED_AGAIN:
        yield from (day for day in (asked_again_on(context),) if day is not None)
    else:
        yield from (day_of(part, progress.begun) for part in context.script.contents if part.phase == progress.phase)
    yield from (day for dialogue, every, _ in REPEATED if (day := repeats_on(progress, dialogue, every)))
    if progress.offered:
        yield from (next_turn(name, offered) for name, offered in progress.offered.items())
        yield from (on + timedelta(later) for later in range(2, 8))  # the weekdays without a check-in
