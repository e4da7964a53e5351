"""Of the PHQ-9 and the GAD-7, and of what was recommended after them."""

from __future__ import annotations

from datetime import timedelta

from state_machine.conditions.registry import condition
from state_machine.model.context import Context
from state_machine.rules import scales as rules_scales


@condition
def phq9_any_problem(context: Context) -> bool:
    """At least one item of the PHQ-9 in front was answered above “Not at all”."""
    answers = context.run.answers if context.run else ()
    return any(rules_scales.items_of(rules_scales.PHQ_9, answers))


@condition
def scale_not_scored(context: Context) -> bool:
    """Too many items of the scale in front were left out for a score."""
    score = rules_scales.score_of(context)
    return score is None or score.total is None


@condition
def scale_low_at_first(context: Context) -> bool:
    """The scale in front is filled for the first time, and lies in its lowest band."""
    score = rules_scales.score_of(context)
    return score is not None and score.band == "minimal" and score.first is None


@condition
def scale_minimal(context: Context) -> bool:
    """The scale in front lies in its lowest band."""
    return _band(context) == "minimal"


@condition
def scale_mild(context: Context) -> bool:
    """The scale in front lies in the mild band."""
    return _band(context) == "mild"


@condition
def scale_moderate(context: Context) -> bool:
    """The scale in front lies in the moderate band."""
    return _band(context) == "moderate"


@condition
def scale_moderately_severe(context: Context) -> bool:
    """The scale in front lies in the moderately severe band."""
    return _band(context) == "moderately_severe"


def _band(context: Context) -> str | None:
    score = rules_scales.score_of(context)
    return score.band if score else None


@condition
def scale_without_comparison(context: Context) -> bool:
    """There is no earlier total that the scale in front could be compared with."""
    score = rules_scales.score_of(context)
    return score is None or score.change is None


@condition
def scale_clearly_lower(context: Context) -> bool:
    """The scale in front lies below the first one by more than ordinary variation."""
    score = rules_scales.score_of(context)
    return score is not None and score.reliable and (score.change or 0) < 0


@condition
def scale_clearly_higher(context: Context) -> bool:
    """The scale in front lies above the first one by more than ordinary variation."""
    score = rules_scales.score_of(context)
    return score is not None and score.reliable and (score.change or 0) > 0


@condition
def scales_go_on(context: Context) -> bool:
    """The programme is not over yet: until then the scales come round again."""
    return context.progress.phase != "aftercare"


@condition
def clinician_recommended_firmly(context: Context) -> bool:
    """The last PHQ-9 lies at 20 or more, rose by 5, or everything was extremely difficult."""
    return context.code("phq9_advice") == "firm"


@condition
def clinician_due(context: Context) -> bool:
    """The last PHQ-9 calls for a clinician, firmly or softly. The talk finds other words if it was said lately."""
    return context.code("phq9_advice") in {"firm", "soft"}


@condition
def clinician_recommended_lately(context: Context) -> bool:
    """A clinician was recommended in the last two weeks."""
    done = context.progress.done.get(rules_scales.RECOMMENDATION)
    return done is not None and context.now - done.last < timedelta(days=14)


@condition
def saw_a_clinician(context: Context) -> bool:
    """The client said that they have spoken with a doctor or therapist since it was recommended."""
    return context.code("clinician") == "went"
