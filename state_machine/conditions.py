"""The names that content and tables may ask. One pure predicate each; its docstring is the sentence.

A condition sees progress as it is at that moment, and the run in front.
There is no expression language: a rule that needs *and* gets a name of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from state_machine import gates, measures
from state_machine.programme import BACK_AGAIN, CLOCK_CHECK, SOS
from state_machine.view import View

Condition = Callable[[View], bool]
CONDITIONS: dict[str, Condition] = {}


def condition(predicate: Condition) -> Condition:
    """Enter a predicate under its own name."""
    CONDITIONS[predicate.__name__] = predicate
    return predicate


@condition
def has_several_zones(view: View) -> bool:
    """The client's country has more than one time zone."""
    country = view.code("country")
    return country is not None and len(view.script.gazetteer.zones.get(country, ())) > 1


@condition
def has_people(view: View) -> bool:
    """Somebody who is alive and may be offered stands on the people map."""
    return bool(gates.offered(view))


@condition
def has_three_people(view: View) -> bool:
    """Three or more people who are alive stand on the people map."""
    return sum(not person.died for person in view.progress.people) >= 3


@condition
def quiet_notices(view: View) -> bool:
    """The client said that somebody else may read along on this phone, or is not sure."""
    return view.code("phone") in {"shared", "unsure"}


# --- Measures ---------------------------------------------------------------------


@condition
def phq9_any_problem(view: View) -> bool:
    """At least one item of the PHQ-9 in front was answered above “Not at all”."""
    answers = view.run.answers if view.run else ()
    return any(measures.items_of(measures.PHQ_9, answers))


@condition
def scale_not_scored(view: View) -> bool:
    """Too many items of the scale in front were left out for a score."""
    score = measures.score_of(view)
    return score is None or score.total is None


@condition
def scale_low_at_first(view: View) -> bool:
    """The scale in front is filled for the first time, and lies in its lowest band."""
    score = measures.score_of(view)
    return score is not None and score.band == "minimal" and score.first is None


@condition
def scale_minimal(view: View) -> bool:
    """The scale in front lies in its lowest band."""
    return _band(view) == "minimal"


@condition
def scale_mild(view: View) -> bool:
    """The scale in front lies in the mild band."""
    return _band(view) == "mild"


@condition
def scale_moderate(view: View) -> bool:
    """The scale in front lies in the moderate band."""
    return _band(view) == "moderate"


@condition
def scale_moderately_severe(view: View) -> bool:
    """The scale in front lies in the moderately severe band."""
    return _band(view) == "moderately_severe"


def _band(view: View) -> str | None:
    score = measures.score_of(view)
    return score.band if score else None


@condition
def scale_without_comparison(view: View) -> bool:
    """There is no earlier total that the scale in front could be compared with."""
    score = measures.score_of(view)
    return score is None or score.change is None


@condition
def scale_clearly_lower(view: View) -> bool:
    """The scale in front lies below the first one by more than ordinary variation."""
    score = measures.score_of(view)
    return score is not None and score.reliable and (score.change or 0) < 0


@condition
def scale_clearly_higher(view: View) -> bool:
    """The scale in front lies above the first one by more than ordinary variation."""
    score = measures.score_of(view)
    return score is not None and score.reliable and (score.change or 0) > 0


@condition
def clinician_recommended_firmly(view: View) -> bool:
    """The last PHQ-9 lies at 20 or more, rose by 5, or everything was extremely difficult."""
    return view.code("phq9_advice") == "firm"


@condition
def clinician_due(view: View) -> bool:
    """The last PHQ-9 calls for a clinician, firmly or softly. The talk finds other words if it was said lately."""
    return view.code("phq9_advice") in {"firm", "soft"}


@condition
def clinician_recommended_lately(view: View) -> bool:
    """A clinician was recommended in the last two weeks."""
    done = view.progress.done.get(measures.RECOMMENDATION)
    return done is not None and view.now - done.last < timedelta(days=14)


@condition
def saw_a_clinician(view: View) -> bool:
    """The client said that they have spoken with a doctor or therapist since it was recommended."""
    return view.code("clinician") == "went"


# --- Danger -----------------------------------------------------------------------


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
    return view.run is not None and view.run.because == "explicit"


@condition
def signal_unsure(view: View) -> bool:
    """The talk in front was opened by words that may mean it, or may not."""
    return view.run is not None and view.run.because == "unsure"


# --- Is it for me -----------------------------------------------------------------


@condition
def waiting_for_somebody(view: View) -> bool:
    """The answer was “not now”: somebody has to look first, and the client is asked again."""
    return view.progress.phase == "not_now"


@condition
def somebody_must_look_first(view: View) -> bool:
    """Something was named that a person must look at before a program works along: a plan or an attempt
    lately, voices, mania, dependence, medical danger, or an urgent sign after a birth."""
    urgent = {
        "ending_life": {"now", "tried"},
        "voices": {"yes"},
        "racing": {"yes"},
        "dependence": {"yes"},
        "eating": {"danger"},
        "new_baby": {"urgent"},
    }
    return any(view.code(memory) in codes for memory, codes in urgent.items())


@condition
def better_with_a_doctor(view: View) -> bool:
    """Something was named that goes well together with this only if a doctor or therapist knows of it."""
    beside = {
        "ending_life": {"thoughts", "unsure"},
        "voices": {"known"},
        "racing": {"known"},
        "dependence": {"known"},
        "eating": {"yes", "known"},
        "new_baby": {"known"},
    }
    return any(view.code(memory) in codes for memory, codes in beside.items())


# --- Check-in ---------------------------------------------------------------------


@condition
def low_mood(view: View) -> bool:
    """The mood given in the talk in front is 2 or less."""
    fact = view.of_run("mood")
    return fact is not None and (fact.code or fact.value) in {"0", "1", "2"}


@condition
def added_to_check_in(view: View) -> bool:
    """Feelings, people or a line of their own were added to the check-in in front."""
    return any(view.of_run(memory) for memory in ("day_feelings", "day_people", "day_note"))


@condition
def for_an_earlier_day(view: View) -> bool:
    """The talk in front is about a day before the one it was opened on."""
    return view.run is not None and view.run.day is not None


HARMLESS = frozenset({"only_numbers", "misread", "no_thoughts"})
"""Endings of the safety talk after which nothing has to rest."""
NOT_ASKED = frozenset({"only_numbers", "misread"})
"""Endings of the safety talk after which nothing is known that was not known before."""


@condition
def mood_is_bottom(view: View) -> bool:
    """The mood just given is 0, or is 1 on the first day or twice running; not asked about in the last 3 days."""
    fact = view.of_run("mood")
    code = fact.code or fact.value if fact else None
    if code not in {"0", "1"} or _asked_in_the_last_days(view):
        return False
    before = view.progress.facts.get("mood")
    return code == "0" or before is None or (before.code or before.value) in {"0", "1"}


HEAVY = frozenset({"hopeless", "trapped", "a_burden"})
"""Feelings of the named list that are asked about."""


@condition
def heavy_feeling(view: View) -> bool:
    """Hopeless, trapped or a burden was among the feelings just picked; not asked about in the last 3 days."""
    picked = [fact for memory in ("felt", "day_feelings") if (fact := view.of_run(memory)) is not None]
    codes = {code for fact in picked for code in (fact.code or "").split(",")}
    return bool(codes & HEAVY) and not _asked_in_the_last_days(view)


def _asked_in_the_last_days(view: View) -> bool:
    asked = view.progress.done.get(SOS)
    return asked is not None and asked.outcome not in NOT_ASKED and view.now - asked.last < timedelta(days=3)


@condition
def country_changed_to_several_zones(view: View) -> bool:
    """A country with several time zones was given on its own, outside the first talk, so the clock must be asked."""
    alone = view.run is not None and view.run.amends
    return alone and has_several_zones(view)


# --- Time -------------------------------------------------------------------------


@condition
def hour_not_chosen(view: View) -> bool:
    """The client has not yet said how often a check-in is asked for."""
    return view.fact("remind_days") is None


@condition
def wrote_for_a_talk(view: View) -> bool:
    """The last thing said unasked was for the next part of the programme."""
    return _wrote_for(view) == "talk"


@condition
def wrote_for_a_check_in(view: View) -> bool:
    """The last thing said unasked was for a check-in, at its hour or an hour later as asked."""
    return _wrote_for(view) in {"check_in", "snooze"}


@condition
def wrote_after_silence(view: View) -> bool:
    """The last thing said unasked was the word after silent days."""
    return _wrote_for(view) in {"gentle_word", "retention"}


def _wrote_for(view: View) -> str | None:
    unasked = view.progress.unasked
    return unasked.reason if unasked else None


from state_machine import conditions_of_gates, conditions_of_safety  # noqa: E402, F401 - they enter themselves, beside these


@condition
def something_waits(view: View) -> bool:
    """Below what is in front, something else is still open."""
    return any(view.run is None or run.id != view.run.id for run in view.progress.runs)


@condition
def is_back_after_long(view: View) -> bool:
    """After ten silent days or more the client writes again, and was not asked about our writing first for a day."""
    asked = view.progress.done.get(BACK_AGAIN)
    lately = asked is not None and view.now - asked.last < timedelta(days=1)
    return view.progress.suspended and not lately


NIGHTS = 3
"""So many nights of writing in the small hours, within ten days, and the clock is asked about."""


@condition
def clock_may_be_wrong(view: View) -> bool:
    """The client wrote in the small hours of several nights, and was not asked about their clock for a month."""
    asked = view.progress.done.get(CLOCK_CHECK)
    lately = asked is not None and view.now - asked.last < timedelta(days=30)
    return len(view.progress.nights) >= NIGHTS and not lately


@condition
def after_danger(view: View) -> bool:
    """A safety talk in which danger was told of ended within three days: exercises wait until asked for."""
    told = view.progress.done.get(SOS)
    return told is not None and told.outcome not in HARMLESS and view.now - told.last < timedelta(hours=72)
