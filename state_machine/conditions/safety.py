"""Of what opened a safety talk, and of what rests after one."""

from __future__ import annotations

from datetime import timedelta

from state_machine.conditions.people import for_an_earlier_day
from state_machine.conditions.registry import condition
from state_machine.model.context import Context
from state_machine.programme.tables import LOW_WEEK, SOS
from state_machine.rules import mood_trends

HARMLESS = frozenset({"only_numbers", "misread", "no_thoughts", "low_all_the_same"})
"""Endings of the safety talk after which nothing has to rest."""
NOT_ASKED = frozenset({"only_numbers", "misread"})
"""Endings of the safety talk after which nothing is known that was not known before."""
HEAVY = frozenset({"hopeless", "trapped", "a_burden"})
"""Feelings of the named list that are asked about."""


@condition
def item_9_positive(context: Context) -> bool:
    """The last item of the PHQ-9 (better off dead, or hurting oneself) was answered above “Not at all”."""
    return context.code("phq9_9") in {"1", "2", "3"}


@condition
def ending_life_on_their_mind(context: Context) -> bool:
    """Asked about ending their life, the client said yes, was not sure, or tried in the last three months."""
    return context.code("ending_life") in {"now", "thoughts", "unsure", "tried"}


@condition
def opened_by_a_sign(context: Context) -> bool:
    """The talk in front was opened by item 9 or by a mood at the bottom, in the same instant."""
    return _opened_by(context, "phq9_9", {"1", "2", "3"}) or _opened_by(context, "mood", {"0", "1"})


@condition
def opened_by_a_sign_again(context: Context) -> bool:
    """The talk in front was opened by item 9 or a mood at the bottom, a day or less after they told of danger."""
    told = [(context.fact("danger"), {"done", "soon", "thoughts", "unsure", "pain"})]
    told.append((context.fact("ending_life"), {"now", "thoughts", "unsure", "tried"}))
    lately = any(
        fact is not None and fact.code in codes and context.now - fact.at <= timedelta(days=1) for fact, codes in told
    )
    return lately and opened_by_a_sign(context)


@condition
def opened_by_might_act(context: Context) -> bool:
    """The talk in front was opened by the answer that they might act soon, in the same instant."""
    return _opened_by(context, "ending_life", {"now"})


@condition
def opened_by_thoughts(context: Context) -> bool:
    """The talk in front was opened by the answer that there are thoughts, or perhaps, in the same instant."""
    return _opened_by(context, "ending_life", {"thoughts", "unsure"})


@condition
def opened_by_attempt(context: Context) -> bool:
    """The talk in front was opened by the answer that they tried to end their life, in the same instant."""
    return _opened_by(context, "ending_life", {"tried"})


def _opened_by(context: Context, memory: str, codes: set[str]) -> bool:
    fact = context.fact(memory)
    return fact is not None and fact.code in codes and context.run is not None and fact.at == context.run.opened


@condition
def signal_explicit(context: Context) -> bool:
    """The talk in front was opened by words that say it outright."""
    return context.run is not None and context.run.because in {"explicit", "taken"}


@condition
def signal_unsure(context: Context) -> bool:
    """The talk in front was opened by words that may mean it, or may not."""
    return context.run is not None and context.run.because == "unsure"


@condition
def mood_is_bottom(context: Context) -> bool:
    """The mood just given is 0, or is 1 on the first day or twice running; not asked about in the last 3 days."""
    fact = context.of_run("mood")
    code = fact.code or fact.value if fact else None
    if code not in {"0", "1"} or _asked_in_the_last_days(context):
        return False
    before = context.progress.facts.get("mood")
    return code == "0" or before is None or (before.code or before.value) in {"0", "1"}


@condition
def heavy_feeling(context: Context) -> bool:
    """Hopeless, trapped or a burden was among the feelings just picked; not asked about in the last 3 days."""
    picked = [fact for memory in ("felt", "day_feelings") if (fact := context.of_run(memory)) is not None]
    codes = {code for fact in picked for code in (fact.code or "").split(",")}
    return bool(codes & HEAVY) and not _asked_in_the_last_days(context)


@condition
def week_is_low(context: Context) -> bool:
    """With the check-in in front, seven days lie well under their usual; not asked about in the last 14 days."""
    if context.run is None or for_an_earlier_day(context) or _asked_in_the_last_days(context, 14):
        return False
    return mood_trends.is_low_week(
        mood_trends.noted(context.progress.check_ins, context.run, context.day()), context.today()
    )


@condition
def signal_low_week(context: Context) -> bool:
    """The talk in front was opened by a week of check-ins well under the client's usual."""
    return context.run is not None and context.run.because == LOW_WEEK


def _asked_in_the_last_days(context: Context, days: int = 3) -> bool:
    asked = context.progress.done.get(SOS)
    return asked is not None and asked.outcome not in NOT_ASKED and context.now - asked.last < timedelta(days=days)


@condition
def after_danger(context: Context) -> bool:
    """A safety talk in which danger was told of ended within three days: exercises wait until asked for."""
    told = context.progress.done.get(SOS)
    return told is not None and told.outcome not in HARMLESS and context.now - told.last < timedelta(hours=72)
