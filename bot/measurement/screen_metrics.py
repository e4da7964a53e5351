"""Recall and false alarms of the screen: the numbers in `docs/safety.md`.

`screen_lines` reads one message per line; `measure` reads files of labelled or ordinary messages. Neither stores,
logs or prints the text of messages.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, TextIO

from state_machine.safety import DangerKind, Screen, Tier

Z_95 = 1.959964
"""The number of standard deviations of a 95 % interval."""
TIERS = ("explicit", "possible", "none")
ORDINARY = "ordinary"
ABOUT_FIFTEEN_WORDS = range(13, 18)
"""Number of words of the messages whose time is reported separately."""


class InvalidMessageFile(ValueError):
    """A file can't be read as messages; the text has the line, the fault and the remedy."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A proportion, `hits` of `n`, with its 95 % score interval (Wilson 1927)."""

    hits: int
    n: int

    @property
    def share(self) -> float:
        """Between 0 and 1; 0 if `n` is 0."""
        return self.hits / self.n if self.n else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper bound of the share, between 0 and 1; (0, 1) if `n` is 0."""
        if not self.n:
            return 0.0, 1.0
        middle = self.share + Z_95**2 / (2 * self.n)
        spread = Z_95 * math.sqrt(self.share * (1 - self.share) / self.n + Z_95**2 / (4 * self.n**2))
        whole = 1 + Z_95**2 / self.n
        return max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole)


@dataclass(frozen=True, slots=True)
class LabelledMessage:
    """One message. `before`: the messages before it, oldest first. `kind`: the kind of danger, if labelled.

    `label`: explicit, possible or none for labelled messages, ordinary for plain lines.
    """

    text: str
    label: str
    before: tuple[str, ...] = ()
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class ScreenReport:
    """The counts of one measurement.

    `found`: by label and tier; `kinds`: by labelled and found kind; times: median milliseconds per message.
    """

    found: Counter[tuple[str, Tier]]
    kinds: Counter[tuple[str, str]]
    milliseconds: float
    milliseconds_fifteen: float | None

    def rate(self, label: str, *tiers: Tier) -> Rate:
        """The share of the messages with this label that were read as one of these tiers."""
        n = sum(count for (of, _), count in self.found.items() if of == label)
        return Rate(sum(self.found[label, tier] for tier in tiers), n)

    def rates(self) -> Iterator[tuple[str, Rate]]:
        """Yield every rate with its name: recall for danger, false alarms for the rest."""
        for label in (*TIERS, ORDINARY):
            if self.rate(label).n:
                yield f"{label}: tier 1", self.rate(label, Tier.EXPLICIT)
                yield f"{label}: tier 1 or 2", self.rate(label, Tier.EXPLICIT, Tier.ASK)
                yield f"{label}: tier 3", self.rate(label, Tier.SOMEONE_ELSE)
        if self.kinds:
            right = sum(count for (kind, read), count in self.kinds.items() if kind == read)
            yield "kind as labelled", Rate(right, sum(self.kinds.values()))

    def as_text(self) -> str:
        """Format as a table: shares in percent, those of ordinary messages also per 1,000."""
        lines = [f"{'':<28}{'n':>6}{'found':>7}   share   95 % interval"]
        for name, rate in self.rates():
            low, high = rate.interval
            line = f"{name:<28}{rate.n:>6}{rate.hits:>7}{rate.share:>8.1%}   {low:.1%} to {high:.1%}"
            if name.startswith(ORDINARY):
                line += f"   ({1000 * rate.share:.1f} per 1,000)"
            lines.append(line)
        lines.append(f"{self.milliseconds:.3f} ms per message (median)")
        if self.milliseconds_fifteen is not None:
            lines.append(f"{self.milliseconds_fifteen:.3f} ms per message of 13 to 17 words (median)")
        return "\n".join(lines)

    def as_json(self) -> str:
        """Format as one JSON object."""
        figures = {
            name: {"n": rate.n, "found": rate.hits, "share": rate.share, "interval": rate.interval}
            for name, rate in self.rates()
        }
        times = {"milliseconds": self.milliseconds, "milliseconds_fifteen_words": self.milliseconds_fifteen}
        return json.dumps({"rates": figures, **times}, indent=2)


def screen_lines(screen: Screen, lines: Iterable[str], out: TextIO) -> None:
    """Write for each line the tier (1, 2, 3 or 0), a tab, and the kind. Every line is a separate message."""
    for line in lines:
        reading = screen.read(line.rstrip("\r\n"))
        out.write(f"{int(reading.tier)}\t{reading.alarm}\n")


def measure(screen: Screen, files: Sequence[Path]) -> ScreenReport:
    """Screen every message of the files and count the results.

    Raises `InvalidMessageFile`, `UnicodeDecodeError` or `OSError` if a file can't be read.
    """
    messages = [message for file in files for message in _messages(file)]
    for message in messages:
        # Patterns are compiled when first used, which must not be counted in the time per message.
        screen.read(message.text, message.before)
    found: Counter[tuple[str, Tier]] = Counter()
    kinds: Counter[tuple[str, str]] = Counter()
    times: list[float] = []
    fifteen: list[float] = []
    for message in messages:
        began = perf_counter()
        reading = screen.read(message.text, message.before)
        took = 1000 * (perf_counter() - began)
        times.append(took)
        if len(message.text.split()) in ABOUT_FIFTEEN_WORDS:
            fifteen.append(took)
        found[message.label, reading.tier] += 1
        if message.kind is not None:
            kinds[message.kind, str(reading.kind)] += 1
    return ScreenReport(found, kinds, median(times) if times else 0.0, median(fifteen) if fifteen else None)


def _messages(file: Path) -> Iterator[LabelledMessage]:
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        if not line.lstrip().startswith("{"):
            yield LabelledMessage(line, ORDINARY)
            continue
        try:
            yield _labelled(json.loads(line))
        except (ValueError, KeyError, TypeError):
            raise InvalidMessageFile(
                f"{file}:{number}: a labelled message is a JSON object with “text”, and “tier” as one of "
                f"{', '.join(TIERS)}; correct this line, or write plain text."
            ) from None


def _labelled(row: dict[str, Any]) -> LabelledMessage:
    text, tier, before, kind = row["text"], row["tier"], row.get("before", []), row.get("kind")
    if not isinstance(text, str) or tier not in TIERS:
        raise ValueError(tier)
    if kind is not None and kind not in set(DangerKind):
        raise ValueError(kind)
    return LabelledMessage(text, tier, tuple(str(message) for message in before), kind)
