"""Of what opened a safety talk, and of what rests after one."""

from __future__ import annotations

from datetime import timedelta

from state_machine import looking_back
from state_machine.conditions.registry import condition
from state_machine.programme import LOW_WEEK, SOS
from state_machine.view import View

HARMLESS = frozenset({"only_numbers", "misread", "no_thoughts", "low_all_the_same"})
"""Endings of the safety talk after which nothing has to rest."""
NOT_ASKED = frozenset({"only_numbers", "misread"})
"""Endings of the safety talk after which nothing is known that was not known before."""
HEAVY = frozenset({"hopeless", "trapped", "a_burden"})
"""Feelings of the named list that are asked about."""


@condition
def item_9_positive(view: View) -> bool:
    """The last item of the PHQ-9 (better off dead, or hurting oneself) was answered above “Not at all”."""
    return view.code("phq9_9") in {"1", "2", "3"}


@condition
def ending_life_on_their_mind(view: View) -> bool:
    """Asked about ending their life, the client said yes, was not sure, or tried in the last three months."""
    return view.code("ending_life") in {"now", "thoughts", "unsure", "tried"}


@condition
def opened_by_a_sign(view: View) -> bool:
    """The talk in front was opened by item 9 or by a mood at the bottom, in the same instant."""
    return _opened_by(view, "phq9_9", {"1", "2", "3"}) or _opened_by(view, "mood", {"0", "1"})


@condition
def opened_by_a_sign_again(view: View) -> bool:
    """The talk in front was opened by item 9 or a mood at the bottom, a day or less after they told of danger."""
    told = [(view.fact("danger"), {"done", "soon", "thoughts", "unsure", "pain"})]
    told.append((view.fact("ending_life"), {"now", "thoughts", "unsure", "tried"}))
    lately = any(
        fact is not None and fact.code in codes and view.now - fact.at <= timedelta(days=1) for fact, codes in told
    )
    return lately and opened_by_a_sign(view)


@condition
def opened_by_might_act(view: View) -> bool:
    """The talk in front was opened by the answer that they might act soon, in the same instant."""
    return _opened_by(view, "ending_life", {"now"})


@condition
def opened_by_thoughts(view: View) -> bool:
    """The talk in front was opened by the answer that there are thoughts, or perhaps, in the same instant."""
    return _opened_by(view, "ending_life", {"thoughts", "unsure"})


@condition
def opened_by_attempt(view: View) -> bool:
    """The talk in front was opened by the answer that they tried to end their life, in the same instant."""
    return _opened_by(view, "ending_life", {"tried"})


def _opened_by(view: View, memory: str, codes: set[str]) -> bool:
    fact = view.fact(memory)
    return fact is not None and fact.code in codes and view.run is not None and fact.at == view.run.opened


@condition
def signal_explicit(view: View) -> bool:
    """The talk in front was opened by words that say it outright."""
    return view.run is not None and view.run.because in {"explicit", "taken"}


@condition
def signal_unsure(view: View) -> bool:
    """The talk in front was opened by words that may mean it, or may not."""
    return view.run is not None and view.run.because == "unsure"


@condition
def mood_is_bottom(view: View) -> bool:
    """The mood just given is 0, or is 1 on the first day or twice running; not asked about in the last 3 days."""
    fact = view.of_run("mood")
    code = fact.code or fact.value if fact else None
    if code not in {"0", "1"} or _asked_in_the_last_days(view):
        return False
    before = view.progress.facts.get("mood")
    return code == "0" or before is None or (before.code or before.value) in {"0", "1"}


@condition
def heavy_feeling(view: View) -> bool:
    """Hopeless, trapped or a burden was among the feelings just picked; not asked about in the last 3 days."""
    picked = [fact for memory in ("felt", "day_feelings") if (fact := view.of_run(memory)) is not None]
    codes = {code for fact in picked for code in (fact.code or "").split(",")}
    return bool(codes & HEAVY) and not _asked_in_the_last_days(view)


@condition
def week_is_low(view: View) -> bool:
    """With the check-in in front, seven days lie well under their usual; not asked about in the last 14 days."""
    if view.run is None or view.run.day is not None or _asked_in_the_last_days(view, 14):
        return False
    return looking_back.is_low_week(looking_back.noted(view.progress.check_ins, view.run, view.today()), view.today())


@condition
def signal_low_week(view: View) -> bool:
    """The talk in front was opened by a week of check-ins well under the client's usual."""
    return view.run is not None and view.run.because == LOW_WEEK


def _asked_in_the_last_days(view: View, days: int = 3) -> bool:
    asked = view.progress.done.get(SOS)
    return asked is not None and asked.outcome not in NOT_ASKED and view.now - asked.last < timedelta(days=days)


@condition
def after_danger(view: View) -> bool:
    """A safety talk in which danger was told of ended within three days: exercises wait until asked for."""
    told = view.progress.done.get(SOS)
    return told is not None and told.outcome not in HARMLESS and view.now - told.last < timedelta(hours=72)
