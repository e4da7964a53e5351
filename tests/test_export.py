"""The export: it holds what is kept, and is what its published schema says it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from bot.app import App
from bot.console import Console
from bot.export import export_file
from state_machine.model.progress import Answer, Entry, Fact, Person, Progress, Run
from state_machine.programme.rows import PHASES
from state_machine.programme.tables import NOTE
from tests.performing import chat_files

SCHEMA = json.loads((Path(__file__).parent.parent / "docs" / "export.schema.json").read_text(encoding="utf-8"))
NOW = datetime(2026, 3, 8, 19, 30, 5, 250_000, tzinfo=UTC)


def _is_an_instant(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).utcoffset() == timedelta(0)


FORMATS = FormatChecker(formats=["date"])
FORMATS.checks("date-time", raises=ValueError)(_is_an_instant)


def faults(document: Any) -> list[str]:
    """What the schema finds wrong with a document, as sentences."""
    found = Draft202012Validator(SCHEMA, format_checker=FORMATS).iter_errors(document)
    return [f"{error.json_path}: {error.message}" for error in found]


def exported(progress: Progress, *entries: Entry) -> Any:
    name, content = export_file(progress, list(entries), NOW)
    assert name == "my-notebook.json"
    return json.loads(content.decode("utf-8"))


def rich() -> tuple[Progress, list[Entry]]:
    """Somebody in the middle of things: people, one of whom died, entries, a talk left half done."""
    said = Fact("we quarrelled about the “old” flat\nagain", NOW - timedelta(days=3), "quarrelled")
    mine = Answer("moment_kind", said, "what")
    hers = Answer("circle", Fact("close", NOW, "inner"), "circle", person=2)
    made = Answer("person", Fact("Ömer 🙂", NOW), "who", made=3)
    half = Answer("phq9_1", Fact("Not at all", NOW, "0"), "item_1")
    entries = [
        Entry(1, "welcome/first_words", NOW - timedelta(days=3), "kept", (mine,)),
        Entry(4, "always/check_in", NOW, "landed", (Answer("mood", Fact("4", NOW), "mood"),), date(2026, 3, 7)),
        Entry(5, NOTE, NOW, "kept", (Answer("note", Fact("nobody asked", NOW), ""),)),
        Entry(6, "people/add", NOW, "added", (made, hers), person=2),
    ]
    progress = Progress(
        phase="assessment",
        runs=(Run(7, "measures/phq_9", "item_3", NOW, NOW, (half,)),),
        aside=(Run(3, "assessment/first_people", "circle", NOW, NOW, (hers,), person=2),),
        facts={"moment_kind": said, "name": Fact("Ana", NOW), "country": Fact("Ireland", NOW, "IE")},
        people=(
            Person(1, "Mam", {"often": Fact("every day", NOW, "daily")}, died=True),
            Person(2, "my sister", {"circle": Fact("close", NOW, "inner")}),
            Person(3, "Ömer 🙂"),
        ),
        begun=date(2026, 3, 5),
        consent="1 2026-03-05",
        next_run=8,
        next_person=4,
    )  # fmt: skip
    return progress, entries


def test_the_schema_is_itself_sound() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_export_of_somebody_in_the_middle_of_things_is_as_the_schema_says() -> None:
    progress, entries = rich()
    assert faults(exported(progress, *entries)) == []


@pytest.mark.parametrize("phase", PHASES)
def test_the_export_of_somebody_of_whom_nothing_is_known_is_as_the_schema_says(phase: str) -> None:
    assert faults(exported(Progress(phase=phase))) == []


def test_every_word_that_was_kept_is_in_the_export() -> None:
    progress, entries = rich()
    held = json.dumps(exported(progress, *entries), ensure_ascii=False)
    kept = [person.name for person in progress.people]
    kept += [fact.value for fact in progress.facts.values()]
    kept += [fact.value for person in progress.people for fact in person.facts.values()]
    kept += [answer.fact.value for entry in entries for answer in entry.answers]
    kept += [answer.fact.value for run in (*progress.runs, *progress.aside) for answer in run.answers]
    assert [words for words in kept if json.dumps(words, ensure_ascii=False) not in held] == []


def test_an_answer_about_a_person_names_them() -> None:
    progress, entries = rich()
    answer = exported(progress, *entries)["entries"][3]["answers"][1]
    assert answer["about"] == "my sister"


def test_the_export_of_a_real_first_day_is_as_the_schema_says(app: App) -> None:
    transcript = next(path for path in chat_files() if path.stem == "day_1_a_hard_moment")
    lines = transcript.read_text(encoding="utf-8").splitlines()
    shown: list[str] = []
    spoken = [line.removeprefix("ana").strip() for line in lines if line.startswith("ana ")]
    console = Console(app, "ana", shown.append, datetime(2026, 1, 5, 9))  # noqa: DTZ001 - the client's own clock
    console.run(spoken, echo=False)
    with app.store.begin() as work:
        chat = work.chats.find("terminal:ana")
        assert chat is not None
        document = json.loads(app.export(work, chat.client)[1])
    assert faults(document) == []
    assert document["known"]["name"]["value"] == "Ana"
    assert document["entries"][0]["dialogue"] == "welcome/first_words"


@pytest.mark.parametrize("key", SCHEMA["required"])
def test_an_export_that_leaves_something_out_is_noticed(key: str) -> None:
    progress, entries = rich()
    document = exported(progress, *entries)
    del document[key]
    assert faults(document)


@pytest.mark.parametrize(
    "wrong",
    [
        {"phase": "somewhere"},
        {"made_at": "2026-03-08T19:30:05"},
        {"first_day": "the fifth"},
        {"known": {"Name": {"value": "Ana", "code": None, "at": "2026-03-08T19:30:05Z"}}},
        {"people": [{"name": "Mam", "died": "yes", "known": {}}]},
        {"something_new": 1},
    ],
    ids="".join,
)
def test_an_export_of_another_shape_is_noticed(wrong: dict[str, Any]) -> None:
    assert faults({**exported(Progress()), **wrong})


def test_every_part_of_the_export_is_explained() -> None:
    def unexplained(schema: Any, name: str) -> Iterator[str]:
        for key, part in schema.get("properties", {}).items():
            explained = SCHEMA["$defs"][part["$ref"].rsplit("/", 1)[1]] if "$ref" in part else part
            if "description" not in explained:
                yield f"{name}.{key}"

    parts = {"": SCHEMA, **SCHEMA["$defs"]}
    assert [each for name, schema in parts.items() for each in unexplained(schema, name)] == []
