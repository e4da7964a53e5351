"""Scales are summed as their authors say, and what follows from a sum is the same for everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state_machine.model.context import Context
from state_machine.model.progress import Answer, Fact, Progress, Run
from state_machine.model.script import Script
from state_machine.rules import scales
from state_machine.rules.scales import GAD_7, PHQ_9, Scale, Score

NOW = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)


def filled(scale: Scale, items: Sequence[int | None], difficulty: int | None = None) -> tuple[Answer, ...]:
    """The answers of one filling; None for an item that was skipped."""
    codes = {f"{scale.prefix}_{at}": item for at, item in enumerate(items, 1)}
    codes[f"{scale.prefix}_difficulty"] = difficulty
    return tuple(
        Answer(memory, Fact("in words", NOW, str(code)), memory) for memory, code in codes.items() if code is not None
    )


def summing_to(points: int, scale: Scale = PHQ_9) -> list[int]:
    """Items that sum to `points`."""
    return [min(3, max(0, points - 3 * at)) for at in range(scale.items)]


def kept(earlier: Mapping[str, int]) -> dict[str, Fact]:
    return {name: Fact(str(value), NOW, str(value)) for name, value in earlier.items()}


@pytest.mark.parametrize(
    ("points", "band"),
    [
        (0, "minimal"),
        (4, "minimal"),
        (5, "mild"),
        (9, "mild"),
        (10, "moderate"),
        (14, "moderate"),
        (15, "moderately_severe"),
        (19, "moderately_severe"),
        (20, "severe"),
        (27, "severe"),
    ],
)
def test_every_phq9_band_begins_and_ends_where_its_authors_put_it(points: int, band: str) -> None:
    assert scales.total(PHQ_9, summing_to(points)) == points
    assert scales.band(PHQ_9, points) == band


@pytest.mark.parametrize(
    ("points", "band"),
    [(0, "minimal"), (4, "minimal"), (5, "mild"), (9, "mild"), (10, "moderate"), (14, "moderate"), (15, "severe")],
)
def test_every_gad7_band_begins_and_ends_where_its_authors_put_it(points: int, band: str) -> None:
    assert scales.band(GAD_7, points) == band
    assert scales.band(GAD_7, GAD_7.highest) == "severe"


@pytest.mark.parametrize("points", [-1, 28])
def test_a_sum_that_cannot_be_is_refused(points: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        scales.band(PHQ_9, points)


@given(st.sampled_from([PHQ_9, GAD_7]), st.data())
def test_somebody_who_answers_everything_gets_the_plain_sum(scale: Scale, data: st.DataObject) -> None:
    items = data.draw(st.lists(st.integers(0, 3), min_size=scale.items, max_size=scale.items))
    assert scales.total(scale, items) == sum(items)


@given(st.sampled_from([PHQ_9, GAD_7]), st.data())
def test_one_item_left_out_counts_as_the_mean_of_the_others(scale: Scale, data: st.DataObject) -> None:
    items: list[int | None] = list(data.draw(st.lists(st.integers(0, 3), min_size=scale.items, max_size=scale.items)))
    items[data.draw(st.integers(0, scale.items - 1))] = None
    given_items = [item for item in items if item is not None]
    points = scales.total(scale, items)
    assert points is not None
    assert 0 <= points <= scale.highest
    assert abs(points - sum(given_items) * scale.items / len(given_items)) <= 0.5


@given(st.sampled_from([PHQ_9, GAD_7]), st.data())
def test_two_items_left_out_leave_no_score(scale: Scale, data: st.DataObject) -> None:
    missing = data.draw(st.sets(st.integers(0, scale.items - 1), min_size=2))
    items = [None if at in missing else 3 for at in range(scale.items)]
    assert scales.total(scale, items) is None


def test_the_first_two_items_make_the_short_form() -> None:
    assert scales.short_total([2, 1, 3, 3, 3, 3, 3, 3, 3]) == scales.POSITIVE_SHORT
    assert scales.short_total([None, 1, 0, 0, 0, 0, 0]) is None


@pytest.mark.parametrize(("scale", "change"), [(PHQ_9, 6), (PHQ_9, -6), (GAD_7, 4), (GAD_7, -4)])
def test_a_change_counts_from_the_published_number_on_in_both_directions(scale: Scale, change: int) -> None:
    nearer_to_zero = change - 1 if change > 0 else change + 1
    assert scales.is_reliable(scale, change)
    assert not scales.is_reliable(scale, nearer_to_zero)


def test_a_change_is_told_against_the_first_filling_and_not_the_last() -> None:
    earlier = kept({"phq9_first": 18, "phq9_lowest": 8, "phq9_total": 10})
    score = scales.score(PHQ_9, filled(PHQ_9, summing_to(11)), earlier)
    assert (score.total, score.first, score.last, score.change, score.reliable) == (11, 18, 10, -7, True)


def test_the_first_filling_has_nothing_to_be_compared_with() -> None:
    score = scales.score(PHQ_9, filled(PHQ_9, summing_to(3)), {})
    assert (score.first, score.change, score.reliable) == (None, None, False)


@pytest.mark.parametrize(
    ("points", "difficulty", "earlier", "advice"),
    [
        (20, 0, {}, "firm"),
        (19, 2, {}, "soft"),
        (15, None, {}, "soft"),
        (14, 2, {}, "none"),
        (4, 3, {}, "firm"),
        (12, None, {"phq9_first": 7}, "firm"),
        (11, None, {"phq9_first": 7}, "none"),
        (13, None, {"phq9_first": 20, "phq9_lowest": 8}, "firm"),
    ],
)
def test_a_clinician_is_recommended_when_it_is_high_rising_or_stops_everything(
    points: int, difficulty: int | None, earlier: dict[str, int], advice: str
) -> None:
    score = scales.score(PHQ_9, filled(PHQ_9, summing_to(points), difficulty), kept(earlier))
    assert scales.advice(score) == advice


def test_extremely_difficult_is_heard_even_where_there_is_no_sum() -> None:
    answers = filled(PHQ_9, [3, None, None, 0, 0, 0, 0, 0, 0], difficulty=3)
    assert scales.advice(scales.score(PHQ_9, answers, {})) == "firm"


def test_totals_keep_the_first_the_lowest_and_the_latest() -> None:
    facts: dict[str, Fact] = {}
    for points in (14, 9, 16):
        facts |= scales.totals(PHQ_9.dialogue, filled(PHQ_9, summing_to(points)), facts, NOW)
    assert {name: fact.value for name, fact in facts.items()} == {
        "phq9_first": "14",
        "phq9_lowest": "9",
        "phq9_total": "16",
        "phq9_advice": "firm",
    }


def test_a_filling_without_a_score_leaves_the_totals_and_takes_back_the_advice() -> None:
    facts = scales.totals(PHQ_9.dialogue, filled(PHQ_9, summing_to(21)), {}, NOW)
    facts |= scales.totals(PHQ_9.dialogue, filled(PHQ_9, [1] + [None] * 8), facts, NOW)
    assert facts["phq9_total"].value == "21"
    assert facts["phq9_advice"].code == "none"


def test_a_gad7_keeps_its_own_totals_and_gives_no_advice() -> None:
    facts = scales.totals(GAD_7.dialogue, filled(GAD_7, summing_to(12, GAD_7)), {}, NOW)
    assert sorted(facts) == ["gad7_first", "gad7_lowest", "gad7_total"]


def test_what_is_no_scale_keeps_no_totals_and_has_no_score() -> None:
    assert scales.totals("always/check_in", filled(PHQ_9, summing_to(9)), {}, NOW) == {}
    assert scales.score_of(_view("always/check_in", (), {})) is None
    assert scales.score_of(Context(Script({}), Progress(), None, NOW)) is None


def test_a_half_filled_scale_counts_what_is_still_missing() -> None:
    score = scales.score_of(
        _view(PHQ_9.dialogue, filled(PHQ_9, [1, 2, None, None, None, None, None, None, None]), {})
    )
    assert score is not None
    assert (score.total, score.missing) == (None, 7)


def test_the_recommendation_speaks_of_the_last_sum_that_was_kept() -> None:
    facts = scales.totals(PHQ_9.dialogue, filled(PHQ_9, summing_to(21)), {}, NOW)
    score = scales.score_of(_view(scales.RECOMMENDATION, (), facts))
    assert score == Score(21, "severe", 0, 27, first=21, lowest=21, last=21)
    assert scales.score_of(_view(scales.RECOMMENDATION, (), {})) is None


def _view(dialogue: str, answers: tuple[Answer, ...], facts: Mapping[str, Fact]) -> Context:
    run = Run(1, dialogue, "sum", NOW, NOW, answers)
    return Context(Script({}), Progress(runs=(run,), facts=facts), run, NOW)
