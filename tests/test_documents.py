"""What the documents say is so: commands, diagrams, transcripts, dependencies, settings, links."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_group

from bot.cli import CHAT_PICTURE, DOCUMENTS, cli
from bot.settings import Settings
from dialogues.book import Book
from dialogues.documents import chat_picture, diagrams
from storage import store
from storage.crypto import operator_key, vault

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PURPOSE = (
    "A self-help companion that helps adults look at what goes on between them and others, "
    "and try small changes, beside whatever care they have."
)
SHORTENED = re.compile(r"\b(e\.g|i\.e|etc|vs|Drs?|cf)\.$")


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def documents() -> list[str]:
    """Every Markdown document of the project but the book itself and its test data."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "dialogues" / "README.md"]
    return sorted(str(path.relative_to(ROOT)) for path in found)


def prose(text: str) -> Iterator[str]:
    """The lines that are neither code, table, comment, heading nor numbered rule, without their list marks."""
    fenced = False
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        # A numbered rule of the format is one item on one line, so that a test can hold rules against files.
        elif not fenced and line.strip() and not line.startswith(("    ", "|", "<!--", "#", "- **R")):
            yield re.sub(r"^\s*(?:[-*]|\d+\.)\s+", "", line)


def rows(text: str, heading: str) -> list[list[str]]:
    """The cells of all tables below a heading, without the head of each."""
    section = re.split(rf"^#+ {re.escape(heading)}$", text, maxsplit=1, flags=re.MULTILINE)[1]
    section = re.split(r"^#", section, maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    heads = {number - 1 for number, line in enumerate(lines) if re.fullmatch(r"[|\- ]+", line)}
    body = [line for number, line in enumerate(lines) if number not in heads and number - 1 not in heads]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in body]


def more_than_one_sentence(line: str) -> bool:
    """Whether something like a full stop is followed by something like a new sentence."""
    spoken = re.sub(r"`[^`]*`|“[^”]*”|\*[^*]*\*|\"[^\"]*\"", "x", line)
    ends = re.finditer(r"(\S*[.!?])\s+(?=[A-Z])", spoken)
    return any(not SHORTENED.search(match[1]) for match in ends)


# --- commands, settings, versions ---------------------------------------------------


@pytest.mark.parametrize("document", documents())
def test_every_make_command_that_a_document_names_exists(document: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
    named = re.findall(r"(?:^    |`)make ([a-z]+)", read(document), re.MULTILINE)
    assert [name for name in named if name not in targets] == []


def test_the_readme_names_the_two_commands_that_do_all_the_set_up() -> None:
    assert re.findall(r"^    make ([a-z]+)$", read("README.md"), re.MULTILINE) == ["chat", "test"]


@pytest.mark.parametrize("document", documents())
def test_every_command_of_the_bot_that_a_document_names_exists(document: str) -> None:
    defined = get_group(cli).commands
    named = re.findall(r"ipt-bot ([a-z]+(?:-[a-z]+)*)", read(document))
    assert [name for name in named if name not in defined] == []


def test_the_readme_lists_the_commands_that_clients_have(book: Book) -> None:
    listed = [cells[0].strip("`/") for cells in rows(read("README.md"), "On Telegram")]
    assert sorted(listed) == sorted(book.script.commands)


def test_the_guide_for_operators_lists_every_setting() -> None:
    listed = [cells[0].strip("`") for cells in rows(read("docs/running.md"), "Settings")]
    assert listed == [name.upper() for name in Settings.model_fields]


def test_the_guide_for_operators_quotes_refusals_as_they_are_said() -> None:
    said = ""
    for module in (operator_key, store, vault):
        said += Path(str(module.__file__)).read_text(encoding="utf-8")
    for place in (
        "bot/cli.py",
        "bot/folder_lock.py",
        "bot/operator/key_rotation.py",
        "bot/settings.py",
        "dialogues/helplines/own.py",
        "bot/telegram/polling.py",
        "storage/errors.py",
        "storage/migrations/__init__.py",
    ):
        said += read(place)
    said = " ".join(re.sub(r'"\s*\n\s*f?"', "", said).split())
    quoted = [
        re.split(r"…| OPERATOR_KEY ", cells[0])[0].strip()
        for cells in rows(read("docs/running.md"), "What a refusal says")
    ]
    missing = [words for words in quoted if words.removeprefix("OPERATOR_KEY ").rstrip(".") not in said]
    assert quoted
    assert missing == []


def test_the_changelog_has_the_present_version_on_top() -> None:
    versions = re.findall(r"^## (\S+)", read("CHANGELOG.md"), re.MULTILINE)
    assert versions[0] == PROJECT["version"]


def code(cell: str) -> list[str]:
    """What stands in code font in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def test_every_module_that_the_glossary_names_as_new_exists_and_none_that_it_names_as_old() -> None:
    renamed, added = rows(read("CHANGELOG.md"), "Modules"), rows(read("CHANGELOG.md"), "New modules")
    new = [path for cell in [*(cells[1] for cells in renamed), *(cells[0] for cells in added)] for path in code(cell)]
    old = [path for cells in renamed for path in code(cells[0])]
    assert len(new) > 100
    assert [path for path in new if not (ROOT / path).is_file()] == []
    assert [path for path in old if (ROOT / path).exists()] == []


def test_every_class_that_the_glossary_names_as_new_is_where_it_says() -> None:
    named = [code(cells[1]) for cells in rows(read("CHANGELOG.md"), "Classes") if cells[1] != "removed"]
    assert len(named) > 50
    assert [
        f"{name} in {path}" for name, path in named if not re.search(rf"^class {name}\b", read(path), re.MULTILINE)
    ] == []


@pytest.mark.parametrize("heading", ["Terms", "Functions and methods", "Modules", "Classes", "New modules"])
def test_the_glossary_is_sorted(heading: str) -> None:
    before = [cells[0].replace("`", "") for cells in rows(read("CHANGELOG.md"), heading)]
    assert before == sorted(before)


# --- what is drawn, and what is shown ------------------------------------------------


def test_the_diagrams_in_the_documents_are_what_would_be_drawn_now() -> None:
    paths = [ROOT / path for path in DOCUMENTS]
    assert diagrams.stale_blocks(paths) == [], "`make docs` draws them anew"


def test_the_phases_and_one_dialogue_are_drawn() -> None:
    drawn = re.findall(r"<!-- drawn: (\S+) -->", "".join(read(str(path)) for path in DOCUMENTS))
    assert drawn[0] == "phases"
    assert len(drawn) > 1


def test_a_diagram_that_was_changed_by_hand_is_noticed(tmp_path: Path) -> None:
    changed = tmp_path / "README.md"
    changed.write_text(read("README.md").replace("[*] --> welcome", "[*] --> assessment"), encoding="utf-8")
    assert diagrams.stale_blocks([changed]) == [changed]


def strangers(shown: str, transcript: str) -> list[str]:
    """Passages of a shown chat, between ellipses, that do not stand so in the transcript."""
    passages = [passage.strip("\n") for passage in shown.split("…\n")]
    return [passage for passage in passages if f"\n{passage}\n" not in transcript]


def test_the_chat_in_the_readme_is_a_piece_of_a_transcript() -> None:
    found = re.search(r"<!-- from: (\S+) -->\n\n```text\n(.*?)```", read("README.md"), re.DOTALL)
    assert found
    transcript = read(found[1])
    assert strangers(found[2], transcript) == []
    assert strangers("bot   Congratulations!\n", transcript)


def test_the_picture_in_the_readme_shows_the_chat_that_stands_there_as_text() -> None:
    drawn = chat_picture.picture_for(read("README.md"))
    assert CHAT_PICTURE.read_text(encoding="utf-8") == drawn, "`make docs` draws it anew"
    assert "docs/chat.svg" in read("README.md")
    assert all(f">{word}<" in drawn for word in ("my sister", "“that she calls back”", "Nothing much"))


# --- what it is ----------------------------------------------------------------------


def test_the_purpose_is_told_in_the_same_words_everywhere() -> None:
    assert PURPOSE in read("README.md")
    assert PURPOSE in read("dialogues/en/refrains.md")


@pytest.mark.parametrize("document", ["README.md", "docs/privacy.md"])
def test_nothing_is_claimed_that_only_care_can_claim(document: str) -> None:
    claims = re.compile(r"\b(clinically proven|cures?|heals?|treats?|our therapy|evidence-based)\b", re.IGNORECASE)
    assert claims.findall(read(document)) == []
    assert claims.search("It treats depression.")


def test_the_readme_says_first_that_danger_is_noticed_by_phrases_and_some_is_missed() -> None:
    first = read("README.md").split("\n## ")[0]
    assert "it notices danger only by phrases, so it misses some ([how much](docs/safety.md#measured))" in first
    assert "It is not for emergencies: it can't call anyone" in first


def test_what_is_said_at_the_door_about_danger_is_what_the_documents_say(book: Book) -> None:
    hello = book.script.dialogues["welcome/first_words"].steps["hello"]
    door = " ".join(wording for bubble in hello.bubbles for wording in bubble.wordings)
    assert "look for danger by words, and miss some" in door
    assert "It looks for words of danger, misses some, tells nobody, and calls nobody." in read("docs/privacy.md")
    assert "some danger is missed" in read("docs/running.md")


# --- dependencies --------------------------------------------------------------------


def names(requirements: list[str]) -> list[str]:
    return sorted(re.split(r"[<>=!~\[ ]", requirement)[0].lower() for requirement in requirements)


def test_every_dependency_stands_in_the_readme_with_its_reason_and_nothing_else_does() -> None:
    table = rows(read("README.md"), "Dependencies")
    wanted = names(PROJECT["dependencies"]) + names(PROJECT["optional-dependencies"]["dev"])
    assert sorted(cells[0].strip("`") for cells in table) == sorted(wanted)
    assert all(len(cells) == 2 and cells[1] for cells in table)


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("requirements.lock", PROJECT["dependencies"]),
        ("requirements-dev.lock", PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]),
    ],
    ids=["lock", "dev lock"],
)
def test_every_dependency_is_locked(lock: str, wanted: list[str]) -> None:
    locked = set(re.findall(r"^([a-z0-9._-]+)==", read(lock).lower(), re.MULTILINE))
    assert [name for name in names(wanted) if name not in locked] == []


# --- Markdown --------------------------------------------------------------------------


def anchors(path: Path) -> set[str]:
    """The anchors that a viewer gives to the headings of a document."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(text: str, place: Path) -> list[str]:
    """Links in a document at `place` that lead nowhere; those to other sites are not followed."""
    broken = []
    plain = re.sub(r"```.*?```|^    .*$|`[^`]*`", "", text, flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)\s]+)\)", plain):
        path, _, anchor = target.partition("#")
        if target.startswith(("https://", "http://", "mailto:")):
            continue
        there = (place.parent / path).resolve() if path else place
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    return broken


@pytest.mark.parametrize("document", documents())
def test_every_link_leads_somewhere(document: str) -> None:
    assert broken_links(read(document), ROOT / document) == []


def test_a_link_that_leads_nowhere_is_noticed() -> None:
    place = ROOT / "README.md"
    assert broken_links("[one](docs/nowhere.md) [two](#no-such-heading) [three](LICENSE)", place) == [
        "docs/nowhere.md",
        "#no-such-heading",
    ]


@pytest.mark.parametrize("document", documents())
def test_markdown_has_one_sentence_a_line(document: str) -> None:
    assert [line for line in prose(read(document)) if more_than_one_sentence(line)] == []


def test_two_sentences_on_a_line_are_noticed() -> None:
    assert more_than_one_sentence("It is a program. No person reads along.")
    assert not more_than_one_sentence("It needs Python 3.11 or newer, and `make. Then` some.")


@pytest.mark.parametrize("document", documents())
def test_no_document_speaks_of_places_outside_the_project(document: str) -> None:
    assert re.findall(r"\.\./\.\./|/work/|/home/|/tmp/", read(document)) == []
