"""Checks that every name in a bubble has a value on every path to it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from jinja2.sandbox import ImmutableSandboxedEnvironment

from dialogues.checks.mentions import Mentions, mentions
from dialogues.reading.faults import Fault
from dialogues.reading.rules import Rule
from dialogues.templates import VARIABLES, fault_in
from state_machine.model.answer_kinds import AnswerKind
from state_machine.model.script import Bubble, Dialogue, Script, Step
from state_machine.turn.fact_questions import Place, keepers

PERSON = "person"
Refrains = Mapping[str, Sequence[str]]
"""The wordings of each refrain, by name."""
_BRINGS_PERSON = {AnswerKind.NEW_NAME, AnswerKind.ONE_PERSON}


def known_on_every_path(
    dialogue: Dialogue,
    env: ImmutableSandboxedEnvironment,
    memories: Collection[str],
    refrains: Refrains,
) -> Iterator[Fault]:
    """A bubble names a memory only if every path to it has stored it, or within a test that it is known."""
    at_entry = known_at(dialogue)
    for step in dialogue.steps.values():
        known = at_entry.get(step.name)
        if known is None:
            continue
        for bubble in step.bubbles:
            for name in sorted(_of_bubble(bubble, env, refrains).bare - VARIABLES - known):
                if name == PERSON:
                    yield Fault(
                        dialogue.file,
                        bubble.line,
                        "On some path nobody has been named yet; ask for a new name or one of the people first, "
                        "or write “about: a person” into the header.",
                        Rule.KNOWN,
                    )
                elif name in memories:
                    yield Fault(
                        dialogue.file,
                        bubble.line,
                        f"“{name}” is not known on every path to “{step.name}”; add it to “needs”, or write "
                        f"{{% if {name} %}} … {{% endif %}} around it.",
                        Rule.KNOWN,
                    )


def known_at(dialogue: Dialogue) -> dict[str, frozenset[str]]:
    """Return for each reachable step the memories stored on every path to it, and the dialogue's `needs`."""
    entry = frozenset(dialogue.needs)
    if dialogue.about_person and not _asks_for_person(dialogue):
        entry |= {PERSON}
    known = {dialogue.first: entry}
    waiting = [dialogue.first]
    while waiting:
        step = dialogue.steps[waiting.pop()]
        for way in step.ways:
            after = known[step.name] | ({way.memory} if way.memory else frozenset())
            if way.takes in _BRINGS_PERSON:
                after |= {PERSON}
            before = known.get(way.target)
            now = after if before is None else before & after
            if way.target in dialogue.steps and now != before:
                known[way.target] = now
                waiting.append(way.target)
    return known


def _asks_for_person(dialogue: Dialogue) -> bool:
    return any(way.takes in _BRINGS_PERSON for step in dialogue.steps.values() for way in step.ways)


def names_exist(
    dialogue: Dialogue,
    env: ImmutableSandboxedEnvironment,
    memories: Collection[str],
    refrains: Refrains,
) -> Iterator[Fault]:
    """Every name in a bubble is stored by some dialogue or provided by the program; every refrain exists."""
    for step in dialogue.steps.values():
        for bubble in step.bubbles:
            yield from unheard_of(dialogue.file, bubble, env, memories, refrains)


def unheard_of(
    file: str,
    bubble: Bubble,
    env: ImmutableSandboxedEnvironment,
    memories: Collection[str],
    refrains: Refrains,
) -> Iterator[Fault]:
    """Yield a fault for each name in one bubble that the book does not define."""
    found = _of_bubble(bubble, env, refrains)
    for name in sorted(found.names - VARIABLES - {PERSON} - set(memories)):
        yield Fault(
            file,
            bubble.line,
            f"Nothing in the book is called “{name}”; mend the name, or keep an answer under it.",
            Rule.NAME_EXISTS,
        )
    for name in sorted(found.refrains - set(refrains)):
        yield Fault(
            file,
            bubble.line,
            f"There is no refrain “{name}”; write it in refrains.md, or mend the name.",
            Rule.NAME_EXISTS,
        )


def can_be_asked_alone(
    script: Script,
    asked: Collection[str],
    env: ImmutableSandboxedEnvironment,
    refrains: Refrains,
) -> Iterator[Fault]:
    """A question that can be repeated on its own is the only one, and names no memory that only its dialogue stores.

    `asked`: the memories that can be asked for again; those that some dialogue needs are added.
    """
    needed = {(need, dialogue.name) for dialogue in script.dialogues.values() for need in dialogue.needs}
    told: set[tuple[str, Place]] = set()
    for memory, before in sorted(needed | {(memory, "") for memory in asked}):
        places = keepers(script, memory, before or None)
        if not places or (memory, places[0]) in told:
            continue
        told.add((memory, places[0]))
        dialogue, step = _at(script, places[0])
        yield from _is_only_one(script, memory, places)
        names = _leans_on(step, env, refrains)
        if names:
            yield Fault(
                dialogue.file,
                step.line,
                f"“{memory}” may be asked again by itself, but “{step.name}” mentions “{min(names)}”; write "
                f"{{% if {min(names)} %}} … {{% endif %}} around it.",
                Rule.STANDS_ALONE,
            )


def _is_only_one(script: Script, memory: str, places: Sequence[Place]) -> Iterator[Fault]:
    """Nothing but chance would say which of two steps is asked."""
    for place in places[1:]:
        dialogue, step = _at(script, place)
        yield Fault(
            dialogue.file,
            step.line,
            f"“{memory}” may be asked by itself, and both “{'#'.join(places[0])}” and “{'#'.join(place)}” keep it; "
            "keep it in one of them, or put the dialogue that should ask for it earlier into CONTENTS.md.",
            Rule.STANDS_ALONE,
        )


def _at(script: Script, place: Place) -> tuple[Dialogue, Step]:
    dialogue = script.dialogues[place[0]]
    return dialogue, dialogue.steps[place[1]]


def _leans_on(step: Step, env: ImmutableSandboxedEnvironment, refrains: Refrains) -> set[str]:
    return {name for bubble in step.bubbles for name in _of_bubble(bubble, env, refrains).bare - VARIABLES}


def _of_bubble(bubble: Bubble, env: ImmutableSandboxedEnvironment, refrains: Refrains) -> Mentions:
    """Return the names in a bubble, including those in its refrains."""
    found = _of_wordings(bubble.wordings, env)
    for name in found.refrains.copy():
        # Refrains are nested at most once; `refrains_stand_alone` checks that.
        inner = _of_wordings(refrains.get(name, ()), env)
        of_refrain = _of_wordings([w for each in (name, *inner.refrains) for w in refrains.get(each, ())], env)
        found.bare |= of_refrain.bare - found.guarded
        found.guarded |= of_refrain.guarded
    return found


def _of_wordings(wordings: Sequence[str], env: ImmutableSandboxedEnvironment) -> Mentions:
    found = Mentions()
    for wording in wordings:
        if fault_in(env, wording) is None:
            one = mentions(env, wording)
            found.bare |= one.bare
            found.guarded |= one.guarded
            found.refrains |= one.refrains
    return found


def refrains_stand_alone(
    file: str,
    bubbles: Mapping[str, Bubble],
    env: ImmutableSandboxedEnvironment,
    memories: Collection[str],
) -> Iterator[Fault]:
    """The tags of a refrain are valid, every name in it exists, and a refrain within it contains no other."""
    wordings = {name: bubble.wordings for name, bubble in bubbles.items()}
    for name, bubble in bubbles.items():
        broken = [sentence for wording in bubble.wordings if (sentence := fault_in(env, wording))]
        for sentence in broken:
            yield Fault(file, bubble.line, sentence, Rule.TEMPLATE)
        if broken:
            continue
        for inner in sorted(_of_wordings(bubble.wordings, env).refrains):
            if _of_wordings(wordings.get(inner, ()), env).refrains:
                yield Fault(
                    file,
                    bubble.line,
                    f"“{name}” holds the refrain “{inner}”, which holds another; write the words out.",
                    Rule.PHRASES,
                )
        yield from unheard_of(file, bubble, env, memories, wordings)
