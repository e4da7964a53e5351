"""The conditions that only the talks about danger ask."""

from __future__ import annotations

from datetime import timedelta

from state_machine.conditions.registry import condition
from state_machine.model.context import Context

TOLD_FOR = timedelta(days=1)
"""How long what was told of danger is not asked again, only whether it is nearer."""
DANGER = {"done", "soon", "thoughts", "unsure", "pain"}
PLAN = ("signs", "alone", "distract", "ask", "professionals", "safer", "live_for")
"""The parts of the plan for hard moments."""


@condition
def told_of_danger_lately(context: Context) -> bool:
    """They told of danger in answer to a question, a day ago or less."""
    told = [(context.fact("danger"), DANGER), (context.fact("own_thoughts"), DANGER)]
    told.append((context.fact("ending_life"), {"now", "thoughts", "unsure", "tried"}))
    return any(fact is not None and fact.code in codes and context.now - fact.at <= TOLD_FOR for fact, codes in told)


@condition
def told_done_elsewhere(context: Context) -> bool:
    """Another talk about danger ended, in the same instant, with the answer that something was done already."""
    return _told_elsewhere(context, {"done"})


@condition
def told_might_act_elsewhere(context: Context) -> bool:
    """Another talk about danger ended, in the same instant, with the answer that they might act soon."""
    return _told_elsewhere(context, {"soon"})


@condition
def told_thoughts_elsewhere(context: Context) -> bool:
    """Another talk about danger ended, in the same instant, with the answer that they have thoughts, or perhaps."""
    return _told_elsewhere(context, {"thoughts", "unsure"})


def _told_elsewhere(context: Context, codes: set[str]) -> bool:
    fact = context.fact("own_thoughts")
    return fact is not None and fact.code in codes and context.run is not None and fact.at == context.run.opened


@condition
def item_9_as_before_with_a_plan(context: Context) -> bool:
    """Item 9 opened the talk in front, lies no higher than the last time, and there is a plan for hard moments."""
    fact, before = context.fact("phq9_9"), context.progress.facts.get("phq9_9")
    if fact is None or before is None or fact is before or context.run is None or fact.at != context.run.opened:
        return False
    return has_a_plan(context) and (before.code or "") in {"1", "2", "3"} and (fact.code or "") <= (before.code or "")


@condition
def something_was_taken(context: Context) -> bool:
    """The words that opened the talk in front, or an answer in it, tell of something taken or swallowed."""
    answer = context.of_run("body_sign")
    said = answer is not None and answer.code == "taken"
    return said or (context.run is not None and context.run.because == "taken")


@condition
def has_a_plan(context: Context) -> bool:
    """Something stands in the plan for hard moments."""
    return any(context.fact(f"plan_{part}") for part in PLAN)


@condition
def country_unknown(context: Context) -> bool:
    """The client has not said which country they are in."""
    return context.code("country") is None


@condition
def said_to_be_under_age(context: Context) -> bool:
    """The client said that they are under 18."""
    return context.code("age") == "under"
