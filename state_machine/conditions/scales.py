"""Of the PHQ-9 and the GAD-7, and of what was recommended after them."""

from __future__ import annotations

from datetime import timedelta

from state_machine import measures
from state_machine.conditions.registry import condition
from state_machine.view import View


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
