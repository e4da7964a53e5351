"""Writes the tables of measurements in `docs/safety.md` from a report."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from bot.measurement.screen_metrics import ORDINARY, TIERS, Rate, ScreenReport
from state_machine.safety import DangerKind, Tier

BEGIN, END = "<!-- measured -->", "<!-- end -->"
_BLOCK = re.compile(rf"{BEGIN}\n.*?{END}", re.DOTALL)
_READ_AS = (
    ("tier 1", (Tier.EXPLICIT,)),
    ("tier 1 or 2", (Tier.EXPLICIT, Tier.ASK)),
    ("tier 3", (Tier.SOMEONE_ELSE,)),
)


def block(report: ScreenReport) -> str:
    """Return the tables with the marks around them. Times are left out, because they depend on the machine."""
    return "\n".join([BEGIN, "", *_by_tier(report), "", *_by_kind(report), "", END])


def write(report: ScreenReport, document: Path) -> None:
    """Replace the tables between the marks of a document. Raises `ValueError` if the marks are missing."""
    text = document.read_text(encoding="utf-8")
    if not _BLOCK.search(text):
        raise ValueError(f"{document} has no lines {BEGIN} and {END}; add them where the tables belong.")
    document.write_text(_BLOCK.sub(lambda _: block(report), text), encoding="utf-8")


def _by_tier(report: ScreenReport) -> Iterator[str]:
    yield "| messages that are | read as | messages | found | share | 95 % interval |"
    yield "|---|---|---|---|---|---|"
    for label in (*TIERS, ORDINARY):
        for named, tiers in _READ_AS:
            rate = report.rate(label, *tiers)
            if rate.n:
                yield f"| {label} | {named} | {_figures(rate)} |"


def _by_kind(report: ScreenReport) -> Iterator[str]:
    yield "| messages about | read as | messages | found | share | 95 % interval |"
    yield "|---|---|---|---|---|---|"
    for kind in DangerKind:
        n = sum(count for (labelled, _), count in report.kinds.items() if labelled == kind)
        if n:
            yield f"| {kind.replace('_', ' ')} | just that | {_figures(Rate(report.kinds[kind, kind], n))} |"


def _figures(rate: Rate) -> str:
    low, high = rate.interval
    return f"{rate.n} | {rate.hits} | {rate.share:.1%} | {low:.1%} to {high:.1%} |".replace("%", " %").removesuffix(
        " |"
    )
