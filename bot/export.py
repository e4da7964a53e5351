"""Everything that is kept about one client, as a file that a program can read and a person can follow."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from state_machine.model.progress import Answer, Done, Entry, Fact, Person, Progress
from state_machine.rules import person_gates

FORMAT = "ipt-companion-export/1"
FILE_NAME = "my-notebook.json"


def export_file(progress: Progress, entries: Iterable[Entry], now: datetime) -> tuple[str, bytes]:
    """The name and the bytes (UTF-8 JSON, indented) of a client's export. `docs/export.schema.json` describes it.

    People whom the client is afraid of are left out, with every answer that is about them or names them, unless
    the client has put them in. The file doesn't say so: whoever finds it learns nothing from what is missing.
    Each entry is written as it is read, so that a long notebook leaves room for others all the while.
    """
    out = person_gates.left_out(progress)
    written = [
        _json(_entry(entry, answers, progress), depth=2)
        for entry in entries
        if (answers := _shown(entry.answers, out)) or not entry.answers
    ]
    document = {
        "format": FORMAT,
        "made_at": now.isoformat(),
        "consent": progress.consent,
        "first_day": progress.begun,
        "phase": progress.phase,
        "finished": {name: _done(done) for name, done in sorted(progress.done.items())},
        "put_off": progress.put_off,
        "last_heard": progress.heard,
        "last_written_first": progress.unasked.at if progress.unasked else None,
        "paused_until": progress.paused_until,
        "known": {
            name: _fact(fact)
            for name, fact in sorted(progress.facts.items())
            if not person_gates.names(fact.value, out)
        },
        "people": [_person(person) for person in progress.people if person not in out],
        "half_done": [
            {"dialogue": run.dialogue, "opened": run.opened, "answers": [_answer(a, progress) for a in answers]}
            for run in (*progress.runs, *progress.aside)
            if (answers := _shown(run.answers, out))
        ],
    }
    fields = {name: _json(value, depth=1) for name, value in document.items()}
    fields["entries"] = b"[\n    " + b",\n    ".join(written) + b"\n  ]" if written else b"[]"
    return FILE_NAME, b"{\n  " + b",\n  ".join(_json(name, 0) + b": " + fields[name] for name in fields) + b"\n}"


def _json(value: Any, depth: int) -> bytes:
    """JSON, its further lines indented for this depth. No text in it has a line break of its own."""
    written = msgspec.json.format(msgspec.json.encode(value), indent=2)
    return written.replace(b"\n", b"\n" + b"  " * depth)


def _fact(fact: Fact) -> dict[str, Any]:
    return {"value": fact.value, "code": fact.code, "at": fact.at}


def _done(done: Done) -> dict[str, Any]:
    return {"times": done.times, "last": done.last, "outcome": done.outcome}


def _person(person: Person) -> dict[str, Any]:
    facts = {name: _fact(fact) for name, fact in sorted(person.facts.items())}
    return {"name": person.name, "earlier_names": person.earlier_names, "died": person.died, "known": facts}


def _shown(answers: tuple[Answer, ...], out: tuple[Person, ...]) -> tuple[Answer, ...]:
    """The answers that are neither about one of those left out, nor name them."""
    ids = {person.id for person in out}
    return tuple(a for a in answers if a.person not in ids and not person_gates.names(a.fact.value, out))


def _entry(entry: Entry, answers: tuple[Answer, ...], progress: Progress) -> dict[str, Any]:
    return {
        "dialogue": entry.dialogue,
        "at": entry.at,
        "day": entry.day,
        "outcome": entry.outcome,
        "answers": [_answer(answer, progress) for answer in answers],
    }


def _answer(answer: Answer, progress: Progress) -> dict[str, Any]:
    about = next((person.name for person in progress.people if person.id == answer.person), None)
    return {"memory": answer.memory, **_fact(answer.fact), "about": about}
