"""Whoever has died, was taken off the map, or is feared is asked about no more, nor named by anything unasked.

Each dialogue and step that is about a person or offers people, times where it is left, times the reason: then two
weeks of all that comes by itself, with a client who answers it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.export import export_file
from dialogues.rendering.prompts import Prompts
from state_machine.model.answer_kinds import AnswerKind
from state_machine.model.context import Context
from state_machine.model.effects import Remark, Say
from state_machine.model.events import Woke
from state_machine.model.outgoing import Message, Outgoing
from state_machine.model.progress import Answer, Done, Fact, Person, Progress, Run
from state_machine.model.script import Label
from state_machine.programme.tables import CHECK_IN, FIRST_PEOPLE, MAP, PERSON_DIED, PERSON_GATE
from state_machine.rules import person_gates
from state_machine.rules.person_gates import pick_key
from state_machine.rules.person_release import Why, released
from state_machine.schedule import triggers
from state_machine.turn.builder import Turn
from state_machine.turn.flow import Flow
from state_machine.turn.machine import Machines
from state_machine.turn.options import offers
from tests.gating import facts, tell
from tests.planning import said
from tests.standing import NOW, Standing, lives, standings
from tests.talking import Client, Story, label_to

BEN = "Ben"
ABOUT_THE_RELEASE = {MAP, PERSON_DIED, PERSON_GATE, "people/remove", "people/change"}
"""Dialogues that name the person because the client has just told of them."""
DAILY = {
    "phone": Fact("Only mine", NOW, "own"),
    "remind_at": Fact("19:00", NOW, "19:00"),
    "remind_days": Fact("Every day", NOW, "daily"),
    "moment_person": Fact("my brother Ben", NOW),
    "whom": Fact("ben", NOW),
}


class Watched(Story):
    """Somebody of whom all is noted that was said to them, but in the dialogues about the release itself."""

    def __init__(self, machines: Machines, prompts: Prompts, progress: Progress, ben: int = 1) -> None:
        super().__init__(machines, prompts, progress, NOW)
        self.ben = ben
        self.heard: list[str] = []

    def note(self, turn: Turn) -> None:
        """Note the words and the buttons of a turn."""
        for effect in turn.effects:
            front = effect.run if isinstance(effect, Say) else effect.again if isinstance(effect, Remark) else None
            if isinstance(effect, Say | Remark) and not (front and front.dialogue in ABOUT_THE_RELEASE):
                self.heard += words_of(self.prompts.outgoing([effect], self.now))

    def happens(self, event: Woke) -> None:
        self._happens(event)
        assert self.turn is not None
        self.note(self.turn)

    def says(self, text: str, *, early: bool = False, unseen: bool = False) -> Story:
        super().says(text, early=early, unseen=unseen)
        assert self.turn is not None
        self.note(self.turn)
        return self


def words_of(outgoing: list[Outgoing]) -> list[str]:
    messages = [each for each in outgoing if isinstance(each, Message)]
    return [m.text for m in messages] + [c.label for m in messages for row in m.choices for c in row]


def named(words: list[str]) -> list[str]:
    return [each for each in words if BEN.lower() in each.lower()]


# --- the three releases, as a client brings them about ------------------------------------


def map_page(ana: Watched) -> Watched:
    for _ in range(5):
        ana.says("/people")
        if ana.place == f"{MAP}#rings":
            return ana
        ana.says("/later")
    raise AssertionError(ana.place)


def called(ana: Watched) -> str:
    return next(person.name for person in ana.progress.people if person.id == ana.ben)


def dies(ana: Watched) -> None:
    map_page(ana).says(label_to(ana, "who_died")).says(called(ana))
    ana.says(label_to(ana, "died"))


def is_taken_off(ana: Watched) -> None:
    map_page(ana).says(label_to(ana, "who_goes")).says(called(ana))
    ana.says(label_to(ana, "removed"))


def is_feared(ana: Watched) -> None:
    map_page(ana).says(label_to(ana, "who_is_asked_about")).says(called(ana))
    ana.says("/later")
    map_page(ana).says(label_to(ana, "who_is_asked_about")).says(called(ana))
    if ana.front.amends:
        ana.says("Only mine")
    ana.says(label_to(ana, "fear"))
    ana.says("Yes")
    ana.says(label_to(ana, "closed"))


RELEASES: dict[str, Callable[[Watched], None]] = {"died": dies, "removed": is_taken_off, "feared": is_feared}


# --- where it is left ------------------------------------------------------------------


def in_front(_: Watched) -> None:
    """Nothing is done: the release comes over it."""


def covered(ana: Watched) -> None:
    ana.says("/checkin")


def put_aside(ana: Watched) -> None:
    ana.says("/later")


def renamed_before(ana: Watched) -> None:
    if ana.place is not None and ana.place.startswith("people/change"):
        ana.says("/later")
    map_page(ana).says(label_to(ana, "who_changes")).says(called(ana))
    ana.says(label_to(ana, "name")).says("Benni")
    assert called(ana) == "Benni"


PLACES = {"in front": in_front, "covered": covered, "put aside": put_aside, "renamed before": renamed_before}


NAMED = (("Ben",), ("Cy", "Ben"), ("Ben", "Cy"), ("Cy", "Ben", "Di"))
"""Who is named one after the other in the talks that put people on the map."""


@pytest.fixture(scope="module")
def about_ben(machines: Machines, prompts: Prompts) -> list[Standing]:
    """Somebody at every step that is about Ben or offers Ben."""
    found = {}
    for each in standings(machines):
        run = each.progress.runs[-1]
        here = machines.script.dialogues[each.dialogue].steps[each.step]
        labels = {offer.label for offer in offers(here, Context(machines.script, each.progress, run, NOW))}
        ben_is_there = any(person.name == BEN for person in each.progress.people)
        if ben_is_there and (run.person == 1 or BEN in labels):
            found[f"{each}"] = each
    assert {name.partition("#")[0] for name in found} >= {FIRST_PEOPLE, CHECK_IN, PERSON_GATE, "people/remove"}
    return [*found.values(), *naming(machines, prompts, FIRST_PEOPLE), *naming(machines, prompts, "people/add")]


def naming(machines: Machines, prompts: Prompts, dialogue: str) -> Iterator[Standing]:
    """Somebody who names people one after the other, at each step from where Ben is named on."""
    for names in NAMED:
        flow = Flow(machines, replace(next(lives()), facts={**next(lives()).facts, **DAILY}), NOW)
        flow.open(dialogue)
        ana = Watched(machines, prompts, flow.progress)
        waiting = list(names)
        while ana.progress.runs and ana.front.dialogue == dialogue:
            here = machines.script.dialogues[dialogue].steps[ana.front.step]
            if any(person.name == BEN for person in ana.progress.people):
                yield Standing(dialogue, ana.front.step, ana.progress)
            if here.way_for(AnswerKind.NEW_NAME) and waiting:
                ana.says(waiting.pop(0))
            else:
                ana.says(next(way.takes.text for way in here.ways if isinstance(way.takes, Label)))


def standing_at(machines: Machines, prompts: Prompts, each: Standing) -> Watched:
    ben = next(person.id for person in each.progress.people if person.name == BEN)
    known = {**DAILY, "day_people": Fact("Ben, Cy", NOW, f"{ben},77")}
    progress = replace(each.progress, facts={**each.progress.facts, **known}, heard=NOW)
    return Watched(machines, prompts, progress, ben)


def two_weeks(ana: Watched) -> Iterator[None]:
    """All that comes by itself in two weeks, and what is answered to it with a click of the first button."""
    for _ in range(14):
        until = ana.now + timedelta(days=1)
        while (due := triggers.next_wake(ana.script, ana.progress)) is not None and due <= until:
            ana.happens(Woke(max(due, ana.now)))
            yield
        ana.now = until
        ana.says("/start")
        yield
        for _ in range(3):
            if ana.progress.runs and ana.offers and ana.front.dialogue not in ABOUT_THE_RELEASE:
                ana.says(ana.offers[0].label)
                yield


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("release", RELEASES)
def test_nothing_unasked_names_them_or_asks_about_them(
    release: str, place: str, machines: Machines, prompts: Prompts, about_ben: list[Standing]
) -> None:
    seen = set()
    for each in about_ben:
        if release == "feared" and any(person_gates.kept_out(p) for p in each.progress.people):
            continue
        ana = standing_at(machines, prompts, each)
        PLACES[place](ana)
        RELEASES[release](ana)
        is_released(ana, release)
        if (stands := standing_of(ana)) in seen:
            continue
        seen.add(stands)
        ana.heard.clear()
        for _ in two_weeks(ana):
            assert named(ana.heard) == [], each


def standing_of(ana: Watched) -> tuple[object, ...]:
    """Where they stand, as far as it matters for what comes by itself: the same is not lived through twice."""
    runs = (*ana.progress.runs, *ana.progress.aside)
    places = [(run.dialogue, run.step, run.person, run.picked, run.trail, run.answers) for run in runs]
    told = [[(place[:5], [(a.memory, a.fact.value, a.person) for a in place[5]]) for place in places]]
    people = [(person.name, person.died, sorted(person.facts)) for person in ana.progress.people]
    return repr(told), repr(people), repr(sorted(ana.progress.facts)), repr(sorted(ana.progress.done))


def is_released(ana: Watched, release: str) -> None:
    """Ben is as the release leaves him, and no run is about him or offers him."""
    ben = next((person for person in ana.progress.people if person.id == ana.ben), None)
    assert (ben is None) is (release == "removed")
    assert ben is None or ben.died is (release == "died")
    assert release != "feared" or (ben is not None and person_gates.kept_out(ben))
    assert ana.ben not in {run.person for run in (*ana.progress.runs, *ana.progress.aside)}
    for memory in ("whom", "moment_person"):
        assert memory not in ana.progress.facts
    day = ana.progress.facts.get("day_people")
    assert day is None or BEN not in day.value


# --- what goes on, what stays, and what goes ------------------------------------------------


def at_first_people(machines: Machines, prompts: Prompts, *names: str) -> Watched:
    """Somebody in the talk about the first people, asked where the last of `names` stands."""
    others = {part.dialogue or f"planned:{part.planned}" for part in machines.script.contents} - {FIRST_PEOPLE}
    done = {name: Done(1, NOW - timedelta(days=1), "done", 90) for name in others}
    flow = Flow(machines, replace(next(lives()), heard=NOW, done=done), NOW)
    flow.open(FIRST_PEOPLE)
    ana = Watched(machines, prompts, flow.progress)
    for name in names:
        while not ana.script.dialogues[FIRST_PEOPLE].steps[ana.front.step].way_for(AnswerKind.NEW_NAME):
            ana.says(ana.offers[0].label)
        ana.says(name)
        if name == BEN:
            ana.ben = ana.progress.people[-1].id
    assert ana.place == f"{FIRST_PEOPLE}#circle"
    return ana


def test_a_part_about_somebody_who_died_since_asks_for_the_next_name_the_day_after(
    machines: Machines, prompts: Prompts
) -> None:
    ana = at_first_people(machines, prompts, BEN)
    dies(ana)
    ana.heard.clear()
    ana.passes(days=1)
    assert ana.place == f"{FIRST_PEOPLE}#first_name"
    ana.says("hello")
    assert ana.place == f"{FIRST_PEOPLE}#first_name"
    assert named(ana.heard) == []
    ana.says("Gran")
    assert "Gran" in ana.bubbles[-1]


def test_the_one_named_before_stays_and_the_next_is_asked_for(machines: Machines, prompts: Prompts) -> None:
    ana = at_first_people(machines, prompts, "Cy", BEN)
    is_taken_off(ana)
    assert ana.place == f"{FIRST_PEOPLE}#who_else"
    assert "Cy" in ana.bubbles[-2]
    assert named(ana.bubbles) == []
    ana.says("Di")
    while ana.front.dialogue == FIRST_PEOPLE and ana.front.step != "rings":
        ana.says(ana.offers[-1].label if ana.front.step == "who_else" else ana.offers[0].label)
    assert "Cy" in "".join(ana.bubbles)
    assert "Di" in "".join(ana.bubbles)


def test_of_two_people_of_whom_one_died_the_other_is_asked_about_still(machines: Machines, prompts: Prompts) -> None:
    ana = at_first_people(machines, prompts, BEN, "Cy")
    dies(ana)
    ana.says("hello").says("What comes next")
    assert ana.place == f"{FIRST_PEOPLE}#circle"
    assert "Cy" in ana.bubbles[-1]
    ana.says("/back")
    assert ana.remarks == ["nothing_before"]


def test_whoever_named_the_second_after_a_death_can_go_back_to_the_first(
    machines: Machines, prompts: Prompts
) -> None:
    ana = at_first_people(machines, prompts, "Cy", BEN)
    dies(ana)
    ana.says("hello").says("What comes next")
    assert ana.place == f"{FIRST_PEOPLE}#who_else"
    while ana.front.trail:
        ana.says("/back")
        assert named(ana.bubbles) == []
    ben = ana.progress.people[0]
    assert (ben.name, ben.died) == (BEN, True)


@pytest.mark.parametrize("why", Why)
def test_who_was_picked_and_not_yet_said_is_picked_no_more(why: Why, machines: Machines, prompts: Prompts) -> None:
    ana = at_the_people_of_a_day(machines, prompts)
    for name in (BEN, "Cy"):
        ana.taps(name)
    (run,) = released(machines.script, ana.progress, ana.progress.people[0], why).runs
    assert run.picked == (pick_key(ana.progress.people[1].id),)


def at_the_people_of_a_day(machines: Machines, prompts: Prompts) -> Watched:
    ana = Watched(machines, prompts, replace(next(lives()), heard=NOW))
    ana.knows(BEN, "Cy").says("/checkin").says("6").says("Was alone")
    ana.says(label_to(ana, "more")).says("Skip")
    assert ana.place == f"{CHECK_IN}#who"
    return ana


@pytest.mark.parametrize("release", ["removed", "feared"])
def test_a_check_in_that_goes_on_names_them_no_more(release: str, machines: Machines, prompts: Prompts) -> None:
    ana = at_the_people_of_a_day(machines, prompts)
    ana.says(f"{BEN}, Cy")
    RELEASES[release](ana)
    ana.heard.clear()
    while ana.progress.runs:
        ana.says(ana.offers[-1].label)
    assert named(ana.heard) == []
    assert any("with Cy" in words for words in ana.heard)


def test_what_was_told_of_the_dead_stays_and_of_the_removed_goes(machines: Machines, prompts: Prompts) -> None:
    ana, other = (at_first_people(machines, prompts, BEN) for _ in range(2))
    for each in (ana, other):
        each.says("Right beside me").says("Most days")
    dies(ana)
    (ben,) = ana.progress.people
    assert {"circle", "often"} <= ben.facts.keys()
    is_taken_off(other)
    assert other.progress.people == ()


@pytest.mark.parametrize("why", Why)
def test_sentences_of_their_own_and_the_plan_stay_word_for_word(why: Why, machines: Machines) -> None:
    own = {"wish": Fact("that Ben calls back", NOW), "plan_ask": Fact("Ben, Cy", NOW), "mood": Fact("1", NOW, "1")}
    progress = Progress(facts=own, people=(Person(1, BEN),))
    assert released(machines.script, progress, progress.people[0], why).facts == own


@pytest.mark.parametrize("why", Why)
def test_somebody_with_a_longer_name_is_not_taken_for_them(why: Why, machines: Machines) -> None:
    kept = {"moment_person": Fact("Ben Smith", NOW), "day_people": Fact("Ben Smith", NOW, "2")}
    progress = Progress(facts=kept, people=(Person(1, BEN), Person(2, "Ben Smith")), just_settled="Ben Smith")
    after = released(machines.script, progress, progress.people[0], why)
    assert after.facts == kept
    assert after.just_settled == "Ben Smith"
    assert released(machines.script, progress, progress.people[1], why).facts == {}


def test_what_only_names_them_in_what_was_told_of_others_goes_too(machines: Machines) -> None:
    cy = Person(2, "Cy", {"whom": Fact("Ben", NOW), "circle": Fact("Further out", NOW, "outer")})
    progress = Progress(people=(Person(1, BEN), cy))
    after = released(machines.script, progress, progress.people[0], Why.DIED)
    assert after.people[1].facts.keys() == {"circle"}


def test_a_part_put_aside_by_an_earlier_release_about_somebody_who_died_is_let_go_of(
    machines: Machines, prompts: Prompts
) -> None:
    ana = at_first_people(machines, prompts, BEN)
    ana.says("/later")
    ana.progress = replace(ana.progress, people=(replace(ana.progress.people[0], died=True),))
    ana.says("hello")
    assert [run.person for run in ana.progress.aside] == [None]


def test_a_name_taken_back_is_named_nowhere_else(machines: Machines, prompts: Prompts) -> None:
    ana = at_first_people(machines, prompts, BEN)
    ana.says("/checkin").says("6").says("Was alone")
    ana.says(label_to(ana, "more")).says("Skip").says(BEN)
    run = ana.progress.runs[0]
    turn = Flow(machines, replace(ana.progress, runs=(*ana.progress.runs[1:], run)), ana.now)
    turn.back()
    assert turn.progress.people == ()
    assert [a.memory for each in turn.progress.runs for a in each.answers if a.memory == "day_people"] == []


def test_renaming_changes_the_answers_that_only_name_them(machines: Machines, prompts: Prompts) -> None:
    ana = at_the_people_of_a_day(machines, prompts)
    ana.says(f"{BEN}, Cy").says("/later")
    ana.progress = replace(ana.progress, facts={**ana.progress.facts, "whom": Fact(BEN, NOW)})
    renamed_before(ana)
    assert {"Benni, Cy", "Benni"} <= {fact.value for fact in ana.progress.facts.values()}
    assert BEN not in {fact.value for fact in ana.progress.facts.values()}


# --- the plan for hard moments ------------------------------------------------------------


def with_plan(machines: Machines, prompts: Prompts, **words: str) -> Watched:
    known = {f"plan_{part}": Fact(text, NOW) for part, text in words.items()}
    progress = next(lives())
    return Watched(machines, prompts, replace(progress, heard=NOW, facts={**progress.facts, **known}))


def test_nobody_who_has_died_is_offered_as_somebody_to_call_and_the_words_stay(
    machines: Machines, prompts: Prompts
) -> None:
    ana = with_plan(machines, prompts, ask="Ben 0171 22, Cy", signs="I stop ringing Ben", live_for="Ben")
    ana.knows(BEN, "Cy")
    dies(ana)
    ana.says("/plan")
    assert "Whom I ask: Cy" in said(ana)
    assert "One name is left out." in said(ana)
    assert "What I live for" not in said(ana)
    assert "I stop ringing Ben" in said(ana)
    ana.taps(label_to(ana, "which_changes"))
    assert "every name" in said(ana)
    ana.taps(label_to(ana, "change_ask"))
    assert "Ben 0171 22, Cy" in said(ana)


def test_nobody_who_is_feared_is_offered_as_somebody_to_call_and_nothing_tells_of_it(
    machines: Machines, prompts: Prompts
) -> None:
    ana = with_plan(machines, prompts, ask="Ben\nCy", distract="the library").knows(BEN, "Cy")
    tell(ana, facts(fear="yes"), BEN)
    ana.says("/plan")
    assert "Whom I ask: Cy" in said(ana)
    assert named(ana.bubbles) == []
    assert "left out" not in said(ana)
    assert "the library" in said(ana)


def test_whoever_takes_somebody_off_is_told_that_their_plan_names_them(machines: Machines, prompts: Prompts) -> None:
    for words, told in (("Ben, Cy", True), ("Cy", False)):
        ana = with_plan(machines, prompts, ask=words).knows(BEN, "Cy")
        ana.says("/people").says(label_to(ana, "who_goes")).says(BEN)
        assert ("/plan changes it" in said(ana)) is told


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("Ben", ""),
        ("Ben, Cy", "Cy"),
        ("Cy; Ben 0171 555", "Cy"),
        ("Ben or Cy", "… or Cy"),
        ("walk over to Ben's place", "walk over to …'s place"),
        ("the bench by the canal", "the bench by the canal"),
        ("A, call a friend", "call a friend"),
    ],
)
def test_the_plan_goes_without_a_name_and_keeps_everybody_else(words: str, shown: str) -> None:
    assert person_gates.unnamed(words, [Person(1, BEN), Person(2, "A")]) == shown


# --- what is kept -------------------------------------------------------------------------


def test_entries_of_earlier_days_lose_whoever_is_taken_off_and_keep_the_others(newcomer: Client) -> None:
    ana = newcomer.day_one()
    for name in (BEN, "Cy"):
        for words in ("/people", "Add someone", name, "Hard to say", "Hard to say", "That's all"):
            ana.says(words)
    for words in ("/checkin", "5", "Was alone", "More", "Skip", f"{BEN}, Cy", "Ben was late", "That's all"):
        ana.says(words)
    for words in ("/people", "Take someone off", BEN, "Take them off"):
        ana.says(words)
    number = ana.chat.client
    with ana.app.store.begin() as work:
        _, content = ana.app.export(work, number)
    kept = content.decode()
    assert "Ben was late" in kept
    assert kept.count(BEN) == kept.count("Ben was late")
    assert '"value": "Cy"' in kept


def test_the_file_leaves_out_the_feared_under_their_earlier_names_too() -> None:
    rob = Person(1, "R", facts(fear="yes"), earlier_names=("Rob",))
    told = Answer("day_people", Fact("Rob, Cy", NOW, "1,2"), "who")
    run = Run(1, CHECK_IN, "own_line", NOW, NOW, answers=(told,))
    progress = Progress(people=(rob, Person(2, "Cy")), runs=(run,), facts={"day_people": told.fact})
    assert "Rob" not in export_file(progress, [], NOW)[1].decode()
