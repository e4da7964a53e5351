"""Parsing a dialogue file: its content reaches the engine unchanged, and no text makes the parser raise."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from mdit_py_plugins.front_matter import front_matter_plugin

import dialogues
from dialogues.checks.sound import sound
from dialogues.reading.contents import read_contents
from dialogues.reading.faults import Findings
from dialogues.reading.markdown import _tree, parse_page
from dialogues.reading.never_say import read_never_say
from dialogues.reading.reader import ParsedDialogue, read
from dialogues.reading.rules import Rule
from dialogues.reading.wordlists import read_lists, read_refrains
from dialogues.templates import environment
from state_machine.model.answer_kinds import AnswerKind
from state_machine.model.script import Label, Numbers, Silence, Step, When

HEADER = "---\noutcomes: done\nreviewed: not yet\n---\n\n# It\n\nA note.\n"


def step_of(body: str) -> Step:
    """The one step of a dialogue whose step has this body."""
    reading = read(f"{HEADER}\n## ask\n\n{body}\n", "a/b")
    assert reading.dialogue is not None
    assert not reading.faults, [str(fault) for fault in reading.faults]
    return reading.dialogue.steps["ask"]


def rules_broken_by(body: str) -> set[Rule]:
    return {fault.rule for fault in read(f"{HEADER}\n## ask\n\n{body}\n", "a/b").faults}


def test_a_header_says_what_is_needed_and_how_the_dialogue_is_opened() -> None:
    header = (
        "---\nneeds: name, lost_person\noutcomes: done, left\nquiet: left\nabout: a person\nopened_by: /people\n"
        "menu: Your people\nwords: Help me, emergency\nminutes: 10\nbuttons: inline\npriority: safety\n"
        "reviewed: Dr. Ode, 2026-01-05\n---\n"
    )
    one = read(f"{header}\n# Title\n\nWhy.\nOn what it rests.\n\n## done\n", "people/map").dialogue
    assert one is not None
    assert (one.needs, one.outcomes, one.quiet) == (("name", "lost_person"), ("done", "left"), ("left",))
    assert (one.about_person, one.inline, one.safety, one.minutes) == (True, True, True, 10)
    assert (one.opened_by, one.menu, one.plain_words) == ("people", "Your people", ("help me", "emergency"))
    assert (one.title, one.note, one.reviewed) == ("Title", "Why.\nOn what it rests.", "Dr. Ode, 2026-01-05")
    assert (one.name, one.file) == ("people/map", "people/map.md")


def test_each_paragraph_is_a_bubble_and_a_line_break_is_a_space() -> None:
    assert [bubble.wordings for bubble in step_of("One.\nTwo.\n\nThree.").bubbles] == [("One. Two.",), ("Three.",)]


def test_a_backslash_at_the_end_of_a_line_begins_a_new_line() -> None:
    assert step_of("One.\\\nTwo.").bubbles[0].wordings == ("One.\nTwo.",)


def test_a_numbered_list_is_one_bubble_in_several_wordings() -> None:
    assert step_of("1. Noted.\n2. It's with\n   today.").bubbles[0].wordings == ("Noted.", "It's with today.")


def test_tags_reach_the_bubble_as_they_were_written() -> None:
    wording = "{% if wish %}You'd have liked: {{ wish | quoted }}{% endif %} a_b_c 2 < 3 & more"
    assert step_of(wording).bubbles[0].wordings == (wording,)


def test_every_kind_of_way_on_is_read() -> None:
    ways = step_of(
        "Say.\n\n"
        "- [Yes, I do](#done)\n"
        '- [Badly](#done "sleep = 2")\n'
        '- [`0-10`](#done "mood")\n'
        '- [`11`](#done "mood")\n'
        "- [`after 2 days`](#done)\n"
        '- [*A new name*](#done "person = moment_person")\n'
        "- [*Skip*](#done)\n"
    ).ways
    assert [way.takes for way in ways] == [
        Label("Yes, I do"),
        Label("Badly"),
        Numbers(0, 10),
        Numbers(11, 11),
        Silence(timedelta(days=2)),
        AnswerKind.NEW_NAME,
        AnswerKind.SKIP,
    ]
    assert [(way.memory, way.code) for way in ways] == [
        (None, None),
        ("sleep", "2"),
        ("mood", None),
        ("mood", None),
        (None, None),
        ("person", "moment_person"),
        (None, None),
    ]
    assert {way.target for way in ways} == {"done"}


def test_silent_ways_are_read_in_their_order() -> None:
    ways = step_of("- [`when has_people`](#a)\n- [`otherwise`](#b)").ways
    assert [(way.takes, way.target) for way in ways] == [(When("has_people"), "a"), (When(None), "b")]


@pytest.mark.parametrize("kind", list(AnswerKind))
def test_every_kind_of_answer_can_be_asked_for(kind: AnswerKind) -> None:
    memory = "" if kind is AnswerKind.SKIP else ' "answer"'
    assert step_of(f"Say.\n\n- [*{kind}*](#done{memory})").ways[0].takes is kind


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("Say **this**.", Rule.PLAIN_WORDS),
        ("Say `this`.", Rule.PLAIN_WORDS),
        ("See [this](https://example.org).", Rule.PLAIN_WORDS),
        ("See <https://example.org>.", Rule.PLAIN_WORDS),
        ("Say <b>this</b>.", Rule.PLAIN_WORDS),
        ("Say ~~this~~.", Rule.PLAIN_WORDS),
        ("<!-- a note -->", Rule.UNSUPPORTED),
        ("> Somebody said", Rule.UNSUPPORTED),
        ("```\ncode\n```", Rule.UNSUPPORTED),
        ("    indented", Rule.UNSUPPORTED),
        ("***", Rule.UNSUPPORTED),
        ("[word]: address", Rule.UNSUPPORTED),
        ("* a point", Rule.UNSUPPORTED),
        ("1) once\n2) twice", Rule.WORDINGS),
        ("1. once", Rule.WORDINGS),
        ("1. once\n\n   and again\n2. twice", Rule.WORDINGS),
        ("### deeper", Rule.HEADINGS),
        ("Say.\n\n- [Yes](other.md)", Rule.TARGET),
        ("Say.\n\n- [Yes](#done) and more", Rule.WAY_IS_LINK),
        ("Say.\n\n- [Yes](#done)\n  - [No](#done)", Rule.WAY_IS_LINK),
        ("Say.\n\n- [{{ name }}](#done)", Rule.LABEL),
        ("Say.\n\n- [](#done)", Rule.LABEL),
        ("Say.\n\n- [`maybe`](#done)", Rule.CODE_FONT),
        ("Say.\n\n- [`after 0 days`](#done)", Rule.CODE_FONT),
        ('Say.\n\n- [*Skip*](#done "skipped")', Rule.KEEPS),
        ('Say.\n\n- [`0-10`](#done "mood = low")', Rule.KEEPS),
    ],
)
def test_what_no_rule_claims_is_a_fault(body: str, rule: Rule) -> None:
    assert rule in rules_broken_by(body)


def test_a_fault_names_its_own_line() -> None:
    reading = read(f"{HEADER}\n## ask\n\nFine.\n\nNot *fine*.\n\n- [Yes](#done)\n\n## done\n", "a/b")
    assert [(fault.file, fault.line) for fault in reading.faults] == [("a/b.md", 14)]


def test_all_faults_of_a_file_are_listed_at_once() -> None:
    reading = read("## Two words\n\nNot *fine*.\n\n- maybe\n\n## ask\n\n> Hm\n", "a/b")
    assert {Rule.HEADER, Rule.TITLE, Rule.STEP_NAME, Rule.PLAIN_WORDS, Rule.WAY_IS_LINK, Rule.UNSUPPORTED} == {
        fault.rule for fault in reading.faults
    }


SIGNS = "# |## |- |1. |[|](#done|)|`|`0-9`|*|*Skip*|{{ | }}|{% if x %}|{% endif %}|<!--|\\|    |ask|done"
PIECES = [*SIGNS.split("|"), "|", ">", "---\n", "\n", "\n\n", "  \n", ' "a = b")', "outcomes: done", "\x00", "💧"]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=40).map("".join))
def test_no_text_whatever_makes_a_reader_raise(text: str) -> None:
    assert isinstance(read(text, "a/b"), ParsedDialogue)
    one = read(f"{HEADER}\n## ask\n\n{text}", "a/b").dialogue
    assert one is not None
    sound(one, environment(), memories=(), refrains={}, skip="Skip")
    for reader in (read_contents, read_refrains, read_lists, read_never_say):
        reader(text, Findings("x.md"))


def test_the_rule_book_names_every_kind_of_answer() -> None:
    rule_book = (Path(dialogues.__file__).parent / "README.md").read_text(encoding="utf-8")
    for kind in AnswerKind:
        assert f"*{kind}*" in rule_book


@given(st.text(alphabet="ab1 _*[]()`~!<>&;\\\n:.#|-", max_size=60))
@settings(max_examples=400, deadline=None)
def test_text_without_marks_is_read_as_the_parser_itself_reads_it(text: str) -> None:
    own_rule = MarkdownIt("commonmark").enable(["table", "strikethrough"]).use(front_matter_plugin)
    for written in (text, f"- {text}", f"{text}\n\n[ab]: a1\n"):
        assert parse_page(written, Findings("it.md")).blocks == tuple(_tree(own_rule.parse(written)))
