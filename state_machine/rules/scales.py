"""Scoring of the PHQ-9 and the GAD-7: sums, bands, missing items, change, and what follows from them.

Sources: Kroenke, Spitzer & Williams 2001 (PHQ-9) and 2003 (PHQ-2); Spitzer, Kroenke, Williams & Löwe 2006
(GAD-7); Kroenke, Spitzer, Williams, Monahan & Löwe 2007 (GAD-2). Reliable change: the NHS talking
therapies manual (6 for the PHQ-9, 4 for the GAD-7). A score describes two weeks; it is no diagnosis.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from state_machine.model.progress import Answer, Fact

if TYPE_CHECKING:
    from state_machine.model.context import Context

HIGHEST_ITEM = 3
"""Every item is answered 0 (not at all) to 3 (nearly every day)."""
MOST_MISSING = 1
"""With more items missing than this there is no score."""
POSITIVE_SHORT = 3
"""The first two items alone (PHQ-2, GAD-2; 0 to 6) are positive from here on."""
WORSE_BY = 5
"""A PHQ-9 this much above the first or the lowest so far calls for a clinician."""
STRONG_FROM, SOFT_FROM = 20, 15
"""PHQ-9 totals from which a clinician is recommended: strongly, and more softly."""
EXTREMELY_DIFFICULT = 3
RECOMMENDATION = "measures/see_a_clinician"
"""The dialogue that speaks of the last PHQ-9 after it was filled."""


@dataclass(frozen=True, slots=True)
class Scale:
    """One questionnaire: its dialogue, the beginning of its memories, and how its sum is read.

    `bands` gives the lowest total of each band, in rising order.
    """

    dialogue: str
    prefix: str
    items: int
    bands: tuple[tuple[int, str], ...]
    reliable: int

    @property
    def highest(self) -> int:
        """The highest total there can be."""
        return self.items * HIGHEST_ITEM


PHQ_9 = Scale(
    "measures/phq_9",
    "phq9",
    9,
    ((0, "minimal"), (5, "mild"), (10, "moderate"), (15, "moderately_severe"), (20, "severe")),
    reliable=6,
)
GAD_7 = Scale(
    "measures/gad_7", "gad7", 7, ((0, "minimal"), (5, "mild"), (10, "moderate"), (15, "severe")), reliable=4
)
SCALES = {scale.dialogue: scale for scale in (PHQ_9, GAD_7)}


@dataclass(frozen=True, slots=True)
class Score:
    """What one filling says.

    `total` and `band` are None when too many items are `missing` (0 to all).
    `first`, `lowest` and `last` are the totals of earlier fillings, None if there is none.
    `change` is the total minus the first, below zero for fewer complaints; `reliable` whether it is more
    than ordinary variation. `difficulty` is 0 to 3, None if it was not asked or was skipped.
    """

    total: int | None
    band: str | None
    missing: int
    highest: int
    first: int | None = None
    lowest: int | None = None
    last: int | None = None
    change: int | None = None
    reliable: bool = False
    difficulty: int | None = None


def items_of(scale: Scale, answers: Iterable[Answer]) -> tuple[int | None, ...]:
    """The answers to the items in order, each 0 to 3, None where it was skipped."""
    codes = {answer.memory: answer.fact.code for answer in answers}
    return tuple(_number(codes.get(f"{scale.prefix}_{item}")) for item in range(1, scale.items + 1))


def total(scale: Scale, items: Sequence[int | None]) -> int | None:
    """The sum, from 0 to the scale's highest; None if more than one item is missing.

    One missing item counts as the mean of the others, and the sum is rounded (a half upwards).
    """
    given = [item for item in items if item is not None]
    if len(items) != scale.items or len(items) - len(given) > MOST_MISSING:
        return None
    return (2 * sum(given) * scale.items + len(given)) // (2 * len(given))


def band(scale: Scale, points: int) -> str:
    """The name of the band a total falls into. Raises `ValueError` outside 0 to the highest."""
    if not 0 <= points <= scale.highest:
        raise ValueError(f"{points} is outside 0 to {scale.highest}")
    return [name for lowest, name in scale.bands if points >= lowest][-1]


def short_total(items: Sequence[int | None]) -> int | None:
    """The sum of the first two items (PHQ-2 or GAD-2), 0 to 6; None if one is missing."""
    first, second = items[0], items[1]
    return None if first is None or second is None else first + second


def is_reliable(scale: Scale, change: int) -> bool:
    """Whether a change of the total is more than ordinary variation, in either direction."""
    return abs(change) >= scale.reliable


def score(scale: Scale, answers: Iterable[Answer], facts: Mapping[str, Fact]) -> Score:
    """Score one filling. `facts` hold the totals of earlier ones, as `totals` keeps them."""
    answers = tuple(answers)
    items = items_of(scale, answers)
    points = total(scale, items)
    first = _kept(facts, f"{scale.prefix}_first")
    change = points - first if points is not None and first is not None else None
    difficulty = next((a.fact.code for a in answers if a.memory == f"{scale.prefix}_difficulty"), None)
    return Score(
        total=points,
        band=None if points is None else band(scale, points),
        missing=sum(item is None for item in items),
        highest=scale.highest,
        first=first,
        lowest=_kept(facts, f"{scale.prefix}_lowest"),
        last=_kept(facts, f"{scale.prefix}_total"),
        change=change,
        reliable=change is not None and is_reliable(scale, change),
        difficulty=_number(difficulty),
    )


def score_of(context: Context) -> Score | None:
    """The score of the scale in front as far as it is filled; the last PHQ-9 where a clinician is recommended.

    None in every other dialogue, and before there is a total to speak of.
    """
    if context.run is None:
        return None
    if context.run.dialogue == RECOMMENDATION:
        return last_phq9(context.progress.facts)
    scale = SCALES.get(context.run.dialogue)
    return score(scale, context.run.answers, context.progress.facts) if scale else None


def last_phq9(facts: Mapping[str, Fact]) -> Score | None:
    """The last PHQ-9 by its kept totals."""
    points = _kept(facts, "phq9_total")
    if points is None:
        return None
    first, lowest = _kept(facts, "phq9_first"), _kept(facts, "phq9_lowest")
    return Score(points, band(PHQ_9, points), 0, PHQ_9.highest, first=first, lowest=lowest, last=points)


def advice(points: Score) -> str:
    """What a PHQ-9 says about a clinician: `firm`, `soft` or `none`.

    Firm: 20 or more, or 5 above the first or the lowest so far, or everything made extremely difficult.
    Soft: 15 to 19.
    """
    if points.difficulty == EXTREMELY_DIFFICULT:
        return "firm"
    if points.total is None:
        return "none"
    earlier = [one for one in (points.first, points.lowest) if one is not None]
    if points.total >= STRONG_FROM or any(points.total - one >= WORSE_BY for one in earlier):
        return "firm"
    return "soft" if points.total >= SOFT_FROM else "none"


def totals(dialogue: str, answers: Iterable[Answer], facts: Mapping[str, Fact], at: datetime) -> dict[str, Fact]:
    """The facts to keep when a scale has been filled at `at`; none for a dialogue that is no scale.

    `phq9_total` is the latest total, `phq9_first` and `phq9_lowest` those over all fillings (the same for
    `gad7_…`); a filling without a score leaves them as they are. `phq9_advice` is kept every time.
    """
    scale = SCALES.get(dialogue)
    if scale is None:
        return {}
    points = score(scale, answers, facts)
    kept: dict[str, int | str] = {}
    if points.total is not None:
        kept["total"] = points.total
        kept["lowest"] = points.total if points.lowest is None else min(points.lowest, points.total)
        if points.first is None:
            kept["first"] = points.total
    if scale is PHQ_9:
        kept["advice"] = advice(points)
    return {f"{scale.prefix}_{name}": Fact(str(value), at, str(value)) for name, value in kept.items()}


def _number(code: str | None) -> int | None:
    return int(code) if code is not None and code in {"0", "1", "2", "3"} else None


def _kept(facts: Mapping[str, Fact], name: str) -> int | None:
    fact = facts.get(name)
    return None if fact is None else int(fact.value)
