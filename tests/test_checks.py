"""What the check proves about a conversation, told by small conversations that fail it or just pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialogues import book
from dialogues.checks import words
from dialogues.checks.known import known_at
from dialogues.checks.whole import check
from dialogues.reading.faults import Fault, Severity
from dialogues.reading.never_say import Phrase
from dialogues.reading.reader import read
from dialogues.reading.rules import Rule
from state_machine.model.script import Dialogue
from state_machine.turn.fact_questions import keeper
from tests.books import IT, SOUND, book_with, tables_for

HEADER = "---\noutcomes: done\nreviewed: not yet\n---\n"


def written(body: str, header: str = HEADER) -> str:
    return f"{header}\n# It\n\nA note.\n\n{body}\n"


def dialogue(body: str, header: str = HEADER) -> Dialogue:
    one = read(written(body, header), IT).dialogue
    assert one is not None
    return one


def faults_of(folder: Path, body: str, header: str = HEADER) -> list[Fault]:
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "it.md"
    page.write_text(written(body, header), encoding="utf-8")
    made = book.read(book_with(folder, page))
    return check(made, tables_for(made))


def rules_of(folder: Path, body: str, header: str = HEADER) -> set[Rule]:
    return {fault.rule for fault in faults_of(folder, body, header)}


FORK = """## ask

What was it?

- [*In your own words*](#wish "moment")
- [*Skip*](#wish)

## wish

And what would you have liked?

- [*In your own words*](#done "wish")
- [Nothing](#done "wish")
"""


def test_what_every_path_keeps_is_known_and_what_one_path_skips_is_not() -> None:
    known = known_at(dialogue(FORK + "\n## done\n"))
    assert known["wish"] == frozenset()
    assert known["done"] == {"wish"}


def test_a_memory_that_every_path_keeps_may_be_said(tmp_path: Path) -> None:
    assert rules_of(tmp_path, FORK + "\n## done\n\nYou wanted: {{ wish }}\n") == set()


def test_a_memory_that_one_path_skips_may_be_said_behind_its_guard(tmp_path: Path) -> None:
    guarded = "{% if moment %}It was: {{ moment }}{% endif %}"
    assert rules_of(tmp_path, f"{FORK}\n## done\n\n{guarded}\n") == set()


def test_a_memory_that_one_path_skips_may_not_be_said_bare(tmp_path: Path) -> None:
    assert rules_of(tmp_path, FORK + "\n## done\n\nIt was: {{ moment }}\n") == {Rule.KNOWN}


def test_a_path_back_into_a_step_counts_too(tmp_path: Path) -> None:
    round_about = (
        '## ask\n\nHow is it?\n\n- [Good](#again "mood")\n- [Later](#again)\n\n'
        "## again\n\nOnce more?\n\n- [Yes](#ask)\n- [No](#done)\n\n## done\n\n{{ mood }}, then.\n"
    )
    assert rules_of(tmp_path, round_about) == {Rule.KNOWN}


def test_what_is_needed_is_known_from_the_start(tmp_path: Path) -> None:
    header = "---\nneeds: name\noutcomes: done\nreviewed: not yet\n---\n"
    assert rules_of(tmp_path, "## done\n\n{{ name }}, hello.\n", header) == set()


def test_another_dialogues_memory_is_not_known_without_being_needed(tmp_path: Path) -> None:
    assert rules_of(tmp_path, "## done\n\n{{ name }}, hello.\n") == {Rule.KNOWN}


ABOUT = "---\noutcomes: done\nabout: a person\nreviewed: not yet\n---\n"


def test_a_dialogue_about_a_person_may_name_them(tmp_path: Path) -> None:
    assert rules_of(tmp_path, "## done\n\n{{ person.name }} it is.\n", ABOUT) == set()


def test_nobody_is_named_before_anybody_was_asked_for(tmp_path: Path) -> None:
    asks = '## ask\n\nWho is it, {{ person.name }}?\n\n- [*A new name*](#done "person")\n\n## done\n'
    assert rules_of(tmp_path, asks, ABOUT) == {Rule.KNOWN}
    assert rules_of(tmp_path / "other", "## done\n\n{{ person.name }}.\n") == {Rule.KNOWN}


def test_who_was_asked_for_may_be_named_afterwards(tmp_path: Path) -> None:
    asks = '## ask\n\nWho is it?\n\n- [*A new name*](#done "person")\n\n## done\n\n{{ person.name }} it is.\n'
    assert rules_of(tmp_path, asks, ABOUT) == set()


def test_a_refrain_brings_its_own_mentions_to_where_it_is_said(tmp_path: Path) -> None:
    overlay = tmp_path / "overlay"
    (overlay / "welcome").mkdir(parents=True)
    refrains = (SOUND / "refrains.md").read_text() + "\n## so_far\n\nIt was: {{ moment }}\n"
    (overlay / "refrains.md").write_text(refrains)
    contents = (SOUND / "CONTENTS.md").read_text()
    (overlay / "CONTENTS.md").write_text(contents.replace("- `", f"- [It]({IT}.md)\n- `"))
    (overlay / f"{IT}.md").write_text(written(FORK + "\n## done\n\n{{ refrains.so_far }}\n"))
    made = book.read(book_with(tmp_path, overlay))
    assert {fault.rule for fault in check(made, tables_for(made))} == {Rule.KNOWN}


def test_a_refrain_may_hold_another_but_not_itself(tmp_path: Path) -> None:
    said = (SOUND / "refrains.md").read_text() + "\n## outer\n\nSo: {{ refrains.kept }}\n"
    for place, (refrains, rules) in enumerate(
        [(said, set()), (said + "\n## round\n\nAnd {{ refrains.round }}\n", {Rule.PHRASES})]
    ):
        overlay = tmp_path / str(place) / "overlay"
        overlay.mkdir(parents=True)
        (overlay / "refrains.md").write_text(refrains)
        made = book.read(book_with(tmp_path / str(place), overlay))
        assert {fault.rule for fault in check(made, tables_for(made))} == rules


def test_a_faulty_dialogue_is_left_out_and_the_rest_still_opens(tmp_path: Path) -> None:
    page = tmp_path / "it.md"
    page.write_text(written("## ask\n\nNot *so*.\n"), encoding="utf-8")
    made = book.read(book_with(tmp_path, page))
    assert list(made.script.dialogues) == ["welcome/hello"]
    assert made.faults
    assert not made.fatal


@pytest.mark.parametrize("file", ["CONTENTS.md", "refrains.md", "lists.md", "always/help.md"])
def test_a_fault_where_help_and_danger_depend_on_it_is_fatal(tmp_path: Path, file: str) -> None:
    overlay = tmp_path / "overlay"
    (overlay / file).parent.mkdir(parents=True)
    (overlay / file).write_text("## Two words\n\n> Not readable\n", encoding="utf-8")
    assert book.read(book_with(tmp_path, overlay)).fatal


def test_a_book_without_any_file_is_a_list_of_faults_and_no_exception(tmp_path: Path) -> None:
    assert {fault.rule for fault in book.read(tmp_path).fatal} == {Rule.TEXT}


def test_a_label_may_not_look_like_skip_written_by_hand(tmp_path: Path) -> None:
    assert rules_of(tmp_path, "## ask\n\nSo?\n\n- [skip](#done)\n\n## done\n") == {Rule.LABELS_DIFFER}


def test_two_labels_that_differ_only_by_their_emoji_are_the_same_to_who_types(tmp_path: Path) -> None:
    ask = "## ask\n\nSo?\n\n- [Yes](#done)\n- [Yes 💧](#done)\n\n## done\n"
    assert rules_of(tmp_path, ask) == {Rule.LABELS_DIFFER}


def test_overlapping_numbers_are_found(tmp_path: Path) -> None:
    ask = '## ask\n\nSo?\n\n- [`0-5`](#done "mood")\n- [`5-10`](#done "mood")\n\n## done\n'
    assert rules_of(tmp_path, ask) == {Rule.RANGES}


def test_numbers_from_nought_to_ten_and_skip_are_twelve_buttons_and_one_more_is_too_many(tmp_path: Path) -> None:
    ask = '## ask\n\nSo?\n\n- [`0-10`](#done "mood")\n- [*Skip*](#done)\n{more}\n## done\n'
    assert rules_of(tmp_path, ask.format(more="")) == set()
    assert rules_of(tmp_path / "more", ask.format(more="- [No](#done)\n")) == {Rule.BUTTONS}


def test_safety_speaks_shorter(tmp_path: Path) -> None:
    header = "---\noutcomes: done\npriority: safety\nreviewed: not yet\n---\n"
    words_45 = "One two three four five six seven eight nine. " * 5
    assert rules_of(tmp_path, f"## done\n\n{words_45}\n") == set()
    assert rules_of(tmp_path / "safety", f"## done\n\n{words_45}\n", header) == {Rule.BEFORE_ANSWER}


def test_a_grade_over_seven_is_a_warning_and_no_fault(tmp_path: Path) -> None:
    text = "The people around you remember particular moments differently. " * 5
    faults = faults_of(tmp_path, f"## done\n\n{text}\n")
    assert {(fault.rule, fault.severity) for fault in faults} <= {(Rule.GRADE, Severity.FAULT)}
    milder = "Some of the people you know remember the evening in another way. " * 4
    faults = faults_of(tmp_path / "milder", f"## done\n\n{milder}\n")
    assert {(fault.rule, fault.severity) for fault in faults} == {(Rule.GRADE, Severity.WARNING)}


def test_scales_are_word_for_word_and_not_checked_for_their_words(tmp_path: Path) -> None:
    overlay = tmp_path / "overlay" / "measures"
    overlay.mkdir(parents=True)
    long = "Calm down! " + "Trouble concentrating considerably on such particular activities as newspapers, " * 3
    header = HEADER.replace("outcomes", "opened_by: /scale\noutcomes")
    (overlay / "scale.md").write_text(written(f"## done\n\n{long}.\n", header), encoding="utf-8")
    made = book.read(book_with(tmp_path, overlay.parent))
    assert {fault.rule for fault in check(made, tables_for(made))} == {Rule.EXCLAMATION}


CALM = Phrase("calm down", "orders", "Options, never orders.")


@pytest.mark.parametrize("sentence", ["Calm down.", "Please, CALM  DOWN now.", "Just calm down"])
def test_what_is_never_said_is_found(sentence: str) -> None:
    assert CALM.is_in(sentence)


@pytest.mark.parametrize("sentence", ["You needn't calm down.", "Never calm down for others.", "A becalm downturn."])
def test_what_is_denied_or_only_looks_alike_is_left_alone(sentence: str) -> None:
    assert not CALM.is_in(sentence)


def test_what_somebody_else_says_is_left_alone(tmp_path: Path) -> None:
    assert rules_of(tmp_path, "## done\n\nHe said: “calm down”.\n") == set()


def test_an_exception_is_right_where_it_stands_and_wrong_elsewhere() -> None:
    label = Phrase("IPT", "technical names", "For notes.", ("ideas from IPT",))
    assert not label.is_in("It rests on ideas from IPT.")
    assert label.is_in("IPT helps.")


def test_sentences_end_at_full_stops_questions_and_new_lines() -> None:
    assert words.sentences("One. Two? “Three.” Four\nFive …") == ["One.", "Two?", "“Three.", "Four", "Five …"]


def test_plain_sentences_have_a_low_grade_and_learned_ones_a_high_one() -> None:
    assert words.grade(["The cat sat on the mat."]) < 2
    assert words.grade(["Interpersonal communication influences psychological adaptation."]) > 20


def test_the_order_of_the_script_is_the_order_of_the_contents() -> None:
    made = book.read()
    placed = [part.dialogue for part in made.contents if part.dialogue in made.script.dialogues]
    assert list(made.script.dialogues)[: len(placed)] == placed


def test_a_memory_may_not_take_a_name_of_the_program(tmp_path: Path) -> None:
    assert rules_of(tmp_path, '## ask\n\nSo?\n\n- [Yes](#done "today = yes")\n\n## done\n') == {Rule.MEMORY}


def test_a_title_is_read_by_clients_too(tmp_path: Path) -> None:
    header = HEADER.replace("outcomes", "opened_by: /it\nmenu: Calm down\noutcomes")
    assert rules_of(tmp_path, "## done\n\nSo.\n", header) == {Rule.NEVER_SAY}


def test_mostly_long_sentences_are_a_warning(tmp_path: Path) -> None:
    long = "You said that on the way home you had to think of the house again. "
    faults = faults_of(tmp_path, f"## done\n\n{long * 3}\n")
    assert {(fault.rule, fault.severity) for fault in faults} == {(Rule.SENTENCE, Severity.WARNING)}


# --- the order of the contents, and who is asked for a missing fact -------------------------------


PLACES = """# Contents

A small book whose parts stand between planned ones.

## Hello (welcome)

### Day 1

- [Hello](welcome/hello.md)

## Getting to know (assessment)

### Week 2

- `assessment/more` More to come when `has_people`
- `assessment/later` And later
- `assessment/much_later` And much later
- [It](welcome/it.md)

### Week 3

- `assessment/still_more` Still more
- [The last one](welcome/last.md)
"""
ASKS = """---
outcomes: done
{header}reviewed: not yet
---

# It

A note.

## ask

What was it?

- [*In your own words*](#done "{memory}")

## done

That was it.
"""


def _book(folder: Path, **pages: str) -> book.Book:
    """The sound book with these dialogues, by their names, and `PLACES` for contents."""
    overlay = folder / "overlay"
    for name, text in {"CONTENTS": PLACES, **pages}.items():
        page = overlay / f"{name}.md"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text, encoding="utf-8")
    return book.read(book_with(folder, overlay))


def _asking(memory: str, header: str = "") -> str:
    return ASKS.format(memory=memory, header=header)


def test_a_dialogue_behind_planned_parts_stands_before_whatever_is_in_no_contents(tmp_path: Path) -> None:
    made = _book(
        tmp_path,
        **{
            "welcome/it": _asking("wish"),
            "welcome/last": _asking("hope"),
            "always/anytime": _asking("dream", "words: dream\n"),
        },
    )
    assert list(made.script.dialogues) == ["welcome/hello", "welcome/it", "welcome/last", "always/anytime"]


def test_a_missing_fact_is_asked_by_the_earliest_step_before_the_place_that_needs_it(tmp_path: Path) -> None:
    made = _book(
        tmp_path,
        **{
            "welcome/it": _asking("wish"),
            "welcome/last": _asking("wish"),
            "always/anytime": _asking("wish", "words: dream\n"),
        },
    )
    assert keeper(made.script, "wish", "welcome/last") == ("welcome/it", "ask")
    assert keeper(made.script, "wish") == ("welcome/it", "ask")
    assert keeper(made.script, "wish", "welcome/it") == ("always/anytime", "ask")
    assert keeper(made.script, "wish", "welcome/hello") == ("always/anytime", "ask")
    assert keeper(made.script, "nothing_keeps_it") is None


def test_two_steps_that_could_be_asked_for_the_same_fact_are_told_with_the_remedy(tmp_path: Path) -> None:
    twice = ASKS.replace("## done\n", '## again\n\nOnce more?\n\n- [*In your own words*](#done "wish")\n\n## done\n')
    twice = twice.replace('(#done "{memory}")', '(#again "{memory}")')
    made = _book(
        tmp_path,
        **{
            "welcome/it": twice.format(memory="wish", header=""),
            "welcome/last": _asking("hope", "needs: wish\n"),
        },
    )
    [fault] = [each for each in check(made, tables_for(made)) if each.rule is Rule.STANDS_ALONE]
    assert (fault.file, fault.line) == ("welcome/it.md", 16)
    assert "“welcome/it#ask” and “welcome/it#again” keep it" in fault.sentence
    assert "CONTENTS.md" in fault.sentence


def test_one_that_stands_earlier_in_the_contents_settles_who_is_asked(tmp_path: Path) -> None:
    made = _book(
        tmp_path,
        **{
            "welcome/it": _asking("wish"),
            "welcome/last": _asking("hope", "needs: wish\n"),
            "always/anytime": _asking("wish", "words: dream\n"),
            "always/whenever": _asking("wish", "words: wishing\n"),
        },
    )
    assert not [each for each in check(made, tables_for(made)) if each.rule is Rule.STANDS_ALONE]
