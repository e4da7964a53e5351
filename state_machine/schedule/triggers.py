"""What happens by itself, and when: silence, the hour chosen for a talk or a check-in, a word after silent days.

Pure functions of progress. Nothing is scheduled, so nothing scheduled can be lost, doubled or sent again because
the content changed: each kind of occasion remembers the last of its slots that was dealt with, and the next one
is the first by its rule after that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from state_machine.model import local_time
from state_machine.model.context import Context
from state_machine.model.progress import Progress, RecentText, Run
from state_machine.model.script import Script, Silence
from state_machine.programme.tables import ASKED_AGAIN, GENTLE_WORD, RETENTION
from state_machine.schedule import agenda
from state_machine.turn.actions import UNTIL_THEY_WRITE

GENTLE_AFTER = (timedelta(days=3), timedelta(days=10))
"""Silent days after which one gentle word is said. After the last of them nothing, until the client writes."""
RETENTION_AFTER = timedelta(days=365)
"""Silence after which the client is told that all that is kept will be erased."""
WORDS_KEPT = timedelta(hours=24)
"""How long the last words are kept for being read together with the next."""


class TriggerReason(StrEnum):
    """Why something is said unasked. The value is the name its last slot is kept under."""

    SILENCE = "silence"
    SNOOZE = "snooze"
    TALK = "talk"
    CHECK_IN = "check_in"
    GENTLE_WORD = "gentle_word"
    RETENTION = "retention"
    FORGETTING = "forgetting"


FIRST = (
    TriggerReason.FORGETTING,
    TriggerReason.SILENCE,
    TriggerReason.RETENTION,
    TriggerReason.GENTLE_WORD,
    TriggerReason.TALK,
    TriggerReason.SNOOZE,
    TriggerReason.CHECK_IN,
)
"""Which goes first where several come in the same instant; the others are passed over."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """One thing that happens by itself at `due` (UTC)."""

    reason: TriggerReason
    due: datetime


def next_wake(script: Script, progress: Progress) -> datetime | None:
    """The next instant (UTC) at which something happens by itself; `None` if nothing does."""
    return min((trigger.due for trigger in triggers(script, progress)), default=None)


def triggers(script: Script, progress: Progress) -> list[Trigger]:
    """The next occasion of each kind, the earliest first."""
    found = [
        Trigger(reason, due)
        for reason, due in (
            (TriggerReason.SILENCE, silence_due(script, progress)),
            (TriggerReason.SNOOZE, progress.snoozed_until),
            (TriggerReason.TALK, talk_due(script, progress)),
            (TriggerReason.CHECK_IN, check_in_due(progress)),
            (TriggerReason.GENTLE_WORD, gentle_word_due(script, progress)),
            (TriggerReason.RETENTION, retention_due(script, progress)),
            (TriggerReason.FORGETTING, forgetting_due(progress)),
        )
        if due is not None
    ]
    return sorted(found, key=lambda trigger: (trigger.due, FIRST.index(trigger.reason)))


def silence_due(script: Script, progress: Progress) -> datetime | None:
    """When a silence has lasted as long as an open step waits, outside the quiet hours.

    The safety talk keeps its own time, by night as well.
    """
    found = next_silence(script, progress)
    return None if found is None else found[0]


def next_silence(script: Script, progress: Progress) -> tuple[datetime, Run] | None:
    """Whose silence ends first, and when: that of the run in front, or of a talk about danger that it covers."""
    front = progress.runs[-1] if progress.runs else None
    talk = agenda.open_safety_talk(script, progress)
    found = []
    if talk is not None and talk is not front:
        found.append((_silent_until(script, progress, talk, covered=True), talk))
    if front is not None:
        found.append((_silent_until(script, progress, front), front))
    return min(((due, run) for due, run in found if due is not None), key=lambda each: each[0], default=None)


def _silent_until(script: Script, progress: Progress, run: Run, *, covered: bool = False) -> datetime | None:
    """When the silence at the open step of `run` is over.

    Whoever writes in what covers it is not silent, nor is anybody who writes after the notice of the erasure.
    """
    step = agenda.open_step(script, run)
    takes = step.silence.takes if step is not None and step.silence is not None else None
    if not isinstance(takes, Silence):
        return None
    zone = agenda.zone_of(progress)
    if takes.morning:
        return local_time.next_morning(run.asked + takes.after, zone)
    until = max(run.asked, progress.heard or run.asked) if covered or run.dialogue == RETENTION else run.asked
    until += takes.after
    return until if script.dialogues[run.dialogue].safety else local_time.out_of_quiet(until, zone)


def talk_due(script: Script, progress: Progress) -> datetime | None:
    """When to look in for the next part: the hour the client chose, on the first day on which a part is due."""
    at = agenda.hour_of(progress, "look_in", agenda.USUAL_LOOK_IN)
    if progress.begun is None or progress.heard is None or at is None:
        return None
    zone = agenda.zone_of(progress)
    after = _after(progress, TriggerReason.TALK, zone)
    if after is None:
        return None
    day = after.astimezone(zone).date()
    context = Context(script, progress, None, progress.heard)
    starts = local_time.first_after(after, at, zone).astimezone(zone).date()
    first = agenda.first_day_due(context, max(day, starts))
    return None if first is None else _unless_given_up(progress, _on(first, at, zone, after))


def check_in_due(progress: Progress) -> datetime | None:
    """When to ask for a check-in: at the hour and on the days the client chose."""
    at = agenda.hour_of(progress, "remind_at", None)
    fact, weekdays = progress.facts.get("remind_days"), agenda.check_in_days(progress)
    if at is None or not weekdays or fact is None or progress.begun is None:
        return None
    zone = agenda.zone_of(progress)
    after = _after(progress, TriggerReason.CHECK_IN, zone)
    if after is None:
        return None
    return _unless_given_up(progress, local_time.first_after(max(after, fact.at), at, zone, weekdays))


def gentle_word_due(script: Script, progress: Progress) -> datetime | None:
    """When one gentle word is said after three and after ten silent days, at the client's own hour."""
    at = agenda.hour_of(progress, "look_in", agenda.USUAL_LOOK_IN)
    if progress.begun is None or progress.heard is None or at is None or GENTLE_WORD not in script.dialogues:
        return None
    if progress.suspended or progress.phase in ASKED_AGAIN:
        return None
    zone = agenda.zone_of(progress)
    said = progress.slots.get(TriggerReason.GENTLE_WORD)
    for silent in GENTLE_AFTER:
        due = local_time.first_after(progress.heard + silent - timedelta(hours=12), at, zone)
        paused = progress.paused_until is not None and due < progress.paused_until
        if (said is None or said < due) and not paused:
            return due
    return None


def retention_due(script: Script, progress: Progress) -> datetime | None:
    """When, after a year of silence, the client is told that all of it will be erased: after a talk about danger."""
    if progress.begun is None or progress.heard is None or RETENTION not in script.dialogues:
        return None
    if was_told_of_erasure(progress) or agenda.open_safety_talk(script, progress) is not None:
        return None
    zone = agenda.zone_of(progress)
    return local_time.first_after(progress.heard + RETENTION_AFTER, local_time.MORNING, zone)


def was_told_of_erasure(progress: Progress) -> bool:
    """Whether they were told that all will be erased, and have not written since."""
    said = progress.slots.get(TriggerReason.RETENTION)
    return said is not None and progress.heard is not None and said > progress.heard


def forgetting_due(progress: Progress) -> datetime | None:
    """When the oldest of the client's words that the screen still reads has been kept for a day."""
    heard = [*progress.recent, *(each for each in (progress.alarmed, progress.misread) if each)]
    return min(each.at for each in heard) + WORDS_KEPT if heard else None


def without_old_words(progress: Progress, now: datetime) -> Progress:
    """`progress` without those of the client's words that have been kept for the screen for a day."""

    def fresh(heard: RecentText | None) -> RecentText | None:
        return heard if heard is not None and now - heard.at < WORDS_KEPT else None

    return replace(
        progress,
        recent=tuple(heard for heard in progress.recent if fresh(heard)),
        alarmed=fresh(progress.alarmed),
        misread=fresh(progress.misread),
    )


def writes_first(progress: Progress) -> bool:
    """Whether there is any hour at which the client is written to first."""
    talks = progress.begun is not None and agenda.hour_of(progress, "look_in", agenda.USUAL_LOOK_IN) is not None
    return talks or bool(agenda.check_in_days(progress))


def _unless_given_up(progress: Progress, slot: datetime) -> datetime | None:
    """A slot, but for clients who for days have not answered what we wrote first."""
    if progress.phase in ASKED_AGAIN:
        return slot  # that question was promised
    since, gentle = progress.ignored_since, progress.slots.get(TriggerReason.GENTLE_WORD)
    if gentle is not None and progress.heard is not None and gentle > progress.heard:
        return None
    return None if since is not None and slot - since > GENTLE_AFTER[0] else slot


def _after(progress: Progress, reason: TriggerReason, zone: ZoneInfo) -> datetime | None:
    """The instant after which the next slot lies: the last one dealt with, the end of day 1 or of a pause.

    None while nothing may be said first at all.
    """
    if progress.suspended or progress.paused_until == UNTIL_THEY_WRITE:
        return None
    last = progress.slots.get(reason)
    begun = progress.begun or date.min
    day_1 = datetime.combine(begun + timedelta(days=1), time(0), zone).astimezone(UTC) - timedelta(seconds=1)
    return max(moment for moment in (day_1, last, progress.paused_until) if moment is not None)


def _on(day: date, at: time, zone: ZoneInfo, after: datetime) -> datetime:
    """The slot of `day`, or where that has passed or does not exist, the next one."""
    found = local_time.instant(day, at, zone)
    return found if found is not None and found > after else local_time.first_after(after, at, zone)
