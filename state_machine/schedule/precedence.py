"""Which of the things that could be said unasked is said: one a day, and always what was announced.

A slot that has come is kept or passed over by `is_kept`. `next_talk` and `next_check_in` ask the same rule about the
slots to come, so that what a client is told of them is what comes, if they do nothing until then.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from state_machine.model import local_time
from state_machine.model.context import Context
from state_machine.model.progress import Done, Progress, Unasked
from state_machine.model.script import Script
from state_machine.programme.tables import HEALTH_FIRST
from state_machine.rules.predicates import CONDITIONS
from state_machine.schedule import agenda
from state_machine.schedule.triggers import Trigger, TriggerReason, check_in_due, gentle_word_due, talk_due

LATE = timedelta(hours=4)
"""How late a slot may be kept; a later one is skipped, never sent after its time."""
HERE = timedelta(minutes=45)
"""Whoever wrote so lately is here, and is not reminded."""
NIGHT_LATE = timedelta(minutes=15)
"""How late in the quiet hours: an hour that was chosen is kept, what comes after it waits for no night."""
MOST_SLOTS = 60
"""How many slots that will be passed over are looked past for the next that is kept."""


def is_kept(script: Script, progress: Progress, trigger: Trigger, now: datetime) -> bool:
    """Whether an occasion is still right when its time has come, or is to be passed over without a word."""
    if trigger.reason in (TriggerReason.SILENCE, TriggerReason.RETENTION):
        return True
    zone = agenda.zone_of(progress)
    late = now - trigger.due > (NIGHT_LATE if local_time.out_of_quiet(now, zone) != now else LATE)
    paused = progress.paused_until is not None and now < progress.paused_until
    if late or paused or (_is_here(progress, now) and trigger.reason is not TriggerReason.SNOOZE):
        return False
    match trigger.reason:
        case TriggerReason.TALK:
            return not progress.suspended and _talk_is_kept(script, progress, now)
        case TriggerReason.CHECK_IN | TriggerReason.SNOOZE:
            return not progress.suspended and _check_in_is_kept(script, progress, trigger.reason, now)
        case _:
            return True


def _is_here(progress: Progress, now: datetime) -> bool:
    return progress.heard is not None and now - progress.heard < HERE


def _talk_is_kept(script: Script, progress: Progress, now: datetime) -> bool:
    day = now.astimezone(agenda.zone_of(progress)).date()
    if _said_on(progress, day) or _is_on(gentle_word_due(script, progress), day, progress, now):
        return False
    return not CONDITIONS["after_danger"](Context(script, progress, None, now)) or _is_about_health(
        script, progress, now, day
    )


def _is_about_health(script: Script, progress: Progress, now: datetime, day: date) -> bool:
    part = agenda.written_about(Context(script, progress, None, now), day)
    return part is not None and part.dialogue in HEALTH_FIRST


def _check_in_is_kept(script: Script, progress: Progress, reason: TriggerReason, now: datetime) -> bool:
    """A check-in that was done or put off is not asked for; nor on a day that belongs to something else.

    One that was put off for an hour over midnight is still the earlier day's.
    """
    day = now.astimezone(agenda.zone_of(progress)).date()
    if reason is TriggerReason.SNOOZE:
        return not agenda.is_checked_in(progress, progress.snoozed_for or day)
    if agenda.is_checked_in(progress, day) or _said_on(progress, day):
        return False
    others = (gentle_word_due(script, progress), next_talk(script, progress))
    return not any(_is_on(due, day, progress, now) for due in others)


def _said_on(progress: Progress, day: date) -> bool:
    """Whether something was said unasked on the client's date `day`."""
    unasked = progress.unasked
    if unasked is None:
        return False
    snoozed_for = progress.snoozed_for if unasked.reason == TriggerReason.SNOOZE else None
    return (snoozed_for or unasked.at.astimezone(agenda.zone_of(progress)).date()) == day


def _is_on(due: datetime | None, day: date, progress: Progress, now: datetime) -> bool:
    """Whether `due` is still to come, on the client's date `day`."""
    return due is not None and due >= now and due.astimezone(agenda.zone_of(progress)).date() == day


# --- what will come --------------------------------------------------------------------


def next_talk(script: Script, progress: Progress) -> datetime | None:
    """When the next part of the programme will be written about, if the client does nothing until then."""
    for _ in range(MOST_SLOTS):
        due = talk_due(script, progress)
        if due is None or is_kept(script, progress, Trigger(TriggerReason.TALK, due), due):
            return due
        progress = _dealt_with(progress, TriggerReason.TALK, due)
    return None


def next_check_in(script: Script, progress: Progress) -> datetime | None:
    """When the next check-in will be asked for, if all parts that are written about until then are done."""
    for _ in range(MOST_SLOTS):
        due = check_in_due(progress)
        if due is None:
            return None
        progress = _talks_done(script, progress, due)
        if is_kept(script, progress, Trigger(TriggerReason.CHECK_IN, due), due):
            return due
        progress = _dealt_with(progress, TriggerReason.CHECK_IN, due)
    return None


def _talks_done(script: Script, progress: Progress, until: datetime) -> Progress:
    """`progress` as it will be when the parts that are written about until then have come, and are done."""
    for _ in range(MOST_SLOTS):
        due = next_talk(script, progress)
        if due is None or due > until:
            break
        day = due.astimezone(agenda.zone_of(progress)).date()
        part = agenda.written_about(Context(script, progress, None, due), day)
        if part is not None:
            name = part.dialogue or agenda.planned_key(part)
            times = progress.done[name].times if name in progress.done else 0
            done = Done(times + 1, due, "", 0, day=day)
            progress = replace(
                progress, done={**progress.done, name: done}, unasked=Unasked(TriggerReason.TALK, due, due)
            )
        progress = _dealt_with(progress, TriggerReason.TALK, due)
    return progress


def _dealt_with(progress: Progress, reason: TriggerReason, due: datetime) -> Progress:
    return replace(progress, slots={**progress.slots, reason.value: due})
