"""Measurements of the screen: the counts are right, and reports have no text of messages."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from bot.measurement.screen_metrics import InvalidMessageFile, Rate, measure, screen_lines
from dialogues.reading import signals
from state_machine.safety import Tier


def test_the_interval_is_that_of_wilson() -> None:
    low, high = Rate(8, 10).interval
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)
    assert Rate(0, 0).interval == (0.0, 1.0)


def test_each_line_gets_its_tier_and_its_kind() -> None:
    out = io.StringIO()
    lines = [
        "I want to die\n",
        "I feel hopeless\r\n",
        "my friend is suicidal\n",
        "my mother died this morning\n",
        "\n",
    ]
    screen_lines(signals.screen(), lines, out)
    assert out.getvalue().splitlines() == ["1\tself", "2\tself", "3\tsomeone_else", "0\tnone", "0\tnone"]


def test_labelled_and_plain_messages_are_counted_apart(tmp_path: Path) -> None:
    labelled, plain = tmp_path / "a.jsonl", tmp_path / "b.txt"
    rows = [
        {"text": "I want to die", "tier": "explicit", "kind": "self"},
        {"text": "the sky is grey", "tier": "explicit", "kind": "self"},
        {"text": "die", "tier": "explicit", "before": ["I want", "to"]},
        {"text": "what a day", "tier": "none"},
    ]
    labelled.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    plain.write_text("We had soup.\n\nI feel hopeless\n", encoding="utf-8")
    report = measure(signals.screen(), [labelled, plain])
    assert report.rate("explicit", Tier.EXPLICIT) == Rate(2, 3)
    assert report.rate("none", Tier.EXPLICIT, Tier.ASK) == Rate(0, 1)
    assert report.rate("ordinary", Tier.EXPLICIT, Tier.ASK) == Rate(1, 2)
    assert dict(report.rates())["kind as labelled"] == Rate(1, 2)
    assert json.loads(report.as_json())["rates"]["explicit: tier 1"]["found"] == 2
    for output in (report.as_text(), report.as_json()):
        assert "500.0 per 1,000" in output or "rates" in output
        assert "grey" not in output
        assert "soup" not in output


@pytest.mark.parametrize("line", ['{"text": "x"}', '{"text": 1, "tier": "none"}', '{"text": "x", "tier": "?"}', "{"])
def test_a_line_that_is_no_message_is_refused_with_its_place(tmp_path: Path, line: str) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(f'{{"text": "x", "tier": "none"}}\n{line}\n', encoding="utf-8")
    with pytest.raises(InvalidMessageFile, match=r"a\.jsonl:2: "):
        measure(signals.screen(), [file])
