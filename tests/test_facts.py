"""Facts are changed without copying all of them, and the mapping from before a change stays unchanged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from state_machine.model.progress import Fact, Progress, with_facts, without_facts
from tests.stores import NOW


def fact(words: str) -> Fact:
    return Fact(words, NOW)


class Fetched(Mapping[str, Fact]):
    """Facts that record which of them were read."""

    def __init__(self, known: dict[str, Fact]) -> None:
        self.known = known
        self.asked: list[str] = []
        self.read_whole = False

    def __getitem__(self, memory: str) -> Fact:
        self.asked.append(memory)
        return self.known[memory]

    def __iter__(self) -> Iterator[str]:
        self.read_whole = True
        return iter(self.known)

    def __len__(self) -> int:
        return len(self.known)


def test_a_changed_fact_replaces_the_earlier_one_and_the_earlier_mapping_stays_unchanged() -> None:
    before = {"mood": fact("4"), "wish": fact("rest")}
    after = with_facts(before, {"mood": fact("6"), "zone": fact("Europe/Dublin")})
    assert dict(after) == {"wish": fact("rest"), "mood": fact("6"), "zone": fact("Europe/Dublin")}
    assert before == {"mood": fact("4"), "wish": fact("rest")}
    again = with_facts(after, {"mood": fact("7")})
    assert again["mood"] == fact("7")
    assert after["mood"] == fact("6")


def test_a_removed_fact_is_missing_until_it_is_set_again() -> None:
    facts = without_facts({"mood": fact("4"), "wish": fact("rest")}, ["wish", "never_known"])
    assert dict(facts) == {"mood": fact("4")}
    assert "wish" not in facts
    assert facts.get("wish") is None
    assert len(facts) == 1
    assert with_facts(facts, {"wish": fact("sleep")})["wish"] == fact("sleep")


def test_facts_with_the_same_values_are_equal_however_they_were_made() -> None:
    made = without_facts(with_facts({}, {"mood": fact("4"), "wish": fact("rest")}), ["wish"])
    assert made == {"mood": fact("4")}
    assert Progress(facts=made) == Progress(facts={"mood": fact("4")})
    assert made != {"mood": fact("5")}


def test_a_change_reads_no_facts() -> None:
    known = Fetched({str(number): fact(str(number)) for number in range(1000)})
    facts = without_facts(with_facts(known, {"7": fact("seven")}), ["8"])
    assert (facts["7"], facts["9"], facts.get("8")) == (fact("seven"), fact("9"), None)
    assert known.asked == ["9"]
    assert not known.read_whole
    assert facts.changes == {"7": fact("seven"), "8": None}
    assert len(facts) == 999
