"""Stories in which something is asked again by itself: what a dialogue needs, and what the settings change."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from state_machine.programme.tables import CHECK_IN
from state_machine.turn.machine import Machines
from tests.talking import Story, keeps, label_to


def test_what_a_dialogue_needs_and_nobody_knows_is_asked_first(machines: Machines, ana: Story) -> None:
    needy = replace(machines.script.dialogues[CHECK_IN], needs=("small_thing", "name"))
    script = replace(machines.script, dialogues={**machines.script.dialogues, CHECK_IN: needy})
    facts = {name: fact for name, fact in ana.progress.facts.items() if name not in needy.needs}
    ana.machines, ana.progress = replace(machines, script=script), replace(ana.progress, facts=facts)
    ana.says("/checkin")
    assert ana.place == "#".join(keeps(script, "small_thing"))
    ana.says(next(offer.label for offer in ana.offers))
    assert ana.place == "#".join(keeps(script, "name"))
    ana.says("Ana")
    assert ana.front.dialogue == CHECK_IN
    assert {"small_thing", "name"} <= ana.progress.facts.keys()


@pytest.mark.parametrize(
    ("target", "memory", "answer", "value"),
    [
        ("change_name", "name", "Anna", "Anna"),
        ("change_look_in", "look_in", "20:30", "20:30"),
        ("change_look_in", "look_in", "quarter to nowhere", None),
        ("change_country", "country", "Germany", "Germany"),
    ],
)
def test_settings_change_one_memory_by_asking_its_one_step(
    target: str, memory: str, answer: str, value: str | None, ana: Story
) -> None:
    before = ana.progress.facts
    ana.says("/settings")
    ana.says(label_to(ana, target))
    assert ana.place == "#".join(keeps(ana.script, memory))
    ana.says(answer)
    if value is None:
        assert ana.place == "#".join(keeps(ana.script, memory)), "it is asked again"
        return
    assert ana.progress.facts[memory].value == value
    assert "kept" in ana.remarks
    assert ana.progress.runs == ()
    changed = {name for name, fact in ana.progress.facts.items() if before.get(name) != fact}
    assert changed <= {memory, "zone"}


def test_changing_the_country_to_one_with_several_zones_asks_for_the_clock(ana: Story) -> None:
    ana.says("/settings")
    ana.says(label_to(ana, "change_country")).says("Australia")
    assert ana.place == "#".join(keeps(ana.script, "zone"))
    perth = ana.now.astimezone(ZoneInfo("Australia/Perth"))
    ana.says(f"{perth:%H:%M}")
    assert ana.progress.facts["zone"].value == "Australia/Perth"
    assert ana.progress.runs == ()


def test_changing_to_a_country_with_one_zone_changes_the_clock_without_a_question(ana: Story) -> None:
    ana.says("/settings")
    ana.says(label_to(ana, "change_country")).says("Japan")
    assert ana.progress.facts["zone"].value == "Asia/Tokyo"
    assert ana.progress.runs == ()
