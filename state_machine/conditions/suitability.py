"""Of *Is it for me*: who goes on, who goes on beside a doctor, who waits."""

from __future__ import annotations

from state_machine.conditions.registry import condition
from state_machine.model.context import Context


@condition
def waiting_for_somebody(context: Context) -> bool:
    """The answer was “not now”: somebody has to look first, and the client is asked again."""
    return context.progress.phase == "not_now"


@condition
def somebody_must_look_first(context: Context) -> bool:
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
    return any(context.code(memory) in codes for memory, codes in urgent.items())


@condition
def better_with_a_doctor(context: Context) -> bool:
    """Something was named that goes well together with this only if a doctor or therapist knows of it."""
    beside = {
        "ending_life": {"thoughts", "unsure"},
        "voices": {"known"},
        "racing": {"known"},
        "dependence": {"known"},
        "eating": {"yes", "known"},
        "new_baby": {"known"},
    }
    return any(context.code(memory) in codes for memory, codes in beside.items())
