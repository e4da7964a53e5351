"""The operator's file adds, replaces, confirms and hides help lines; with a fault in it the bot does not start."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot import app
from bot import cli as commands
from bot.cli import cli
from bot.operator import help_lines
from bot.settings import Settings, SettingsRefused
from bot.telegram import service
from dialogues.helplines.rows import HelpLine, HelpLinesError, VerificationStatus
from dialogues.helplines.tables import HelpLines
from dialogues.rendering.prompts import Prompts
from state_machine.model.context import Context
from state_machine.model.progress import Fact, Progress

ROOT = Path(__file__).parent.parent
TODAY = date(2026, 11, 23)
CONFIRMED = """
[[confirm]]
country = "IT"
kind = "crisis"
name = "Telefono Amico"
confirmed_on = 2026-11-23
"""
ADDED = """
[[add]]
country = "AF"
kind = "crisis"
name = "The clinic's own line"
contact = "020 555 0100; text 555"
hours = "not verified"
checked_on = "2026-11-23"
source = "I rang it"
"""
REPLACED = (
    ADDED.replace("[[add]]", "[[replace]]").replace('"AF"', '"GB"').replace("The clinic's own line", "Samaritans")
)
HIDDEN = '[[hide]]\ncountry = "GB"\nkind = "crisis"\nname = "Shout"\n'


def with_file(folder: Path, text: str, today: date | None = TODAY) -> HelpLines:
    path = folder / "lines.toml"
    path.write_text(text, encoding="utf-8")
    return HelpLines.read(own=path, today=today)


def test_an_unconfirmed_row_is_not_shown_until_the_operator_confirms_it(tmp_path: Path) -> None:
    assert HelpLines.read().card("IT", TODAY).crisis == ()
    confirmed = with_file(tmp_path, CONFIRMED)
    assert [line.name for line in confirmed.card("IT", TODAY).crisis] == ["Telefono Amico"]
    assert confirmed.card("IT", TODAY + timedelta(days=180)).crisis
    assert confirmed.card("IT", TODAY + timedelta(days=181)).crisis == ()


def test_a_stale_row_is_shown_again_once_it_is_confirmed(tmp_path: Path) -> None:
    later = TODAY + timedelta(days=300)
    text = CONFIRMED.replace('"IT"', '"GB"').replace("Telefono Amico", "Samaritans").replace("2026-11-23", str(later))
    lines = with_file(tmp_path, text, later)
    assert [line.name for line in lines.card("GB", later).crisis] == ["Samaritans"], "Shout is stale by then"


def test_a_line_can_be_added_even_where_no_emergency_number_is_known(tmp_path: Path, prompts: Prompts) -> None:
    lines = with_file(tmp_path, ADDED)
    assert lines.card("AF", TODAY).crisis == (HelpLine("The clinic's own line", "020 555 0100, text 555", None),)
    assert lines.card("AF", TODAY + timedelta(days=181)).crisis == ()
    built, words = app.words(Settings(data_dir=tmp_path, _env_file=None))  # type: ignore[call-arg]
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    context = Context(built.script, Progress(facts={"country": Fact("AF", now, "AF")}), None, now)
    assert words.said_refrain("help_card", context).splitlines() == [
        "The local emergency number: often 112, 911, 999",
        "The clinic's own line: 020 555 0100, text 555 (check opening hours)",
    ]
    assert "Lines: findahelpline.com" in prompts.said_refrain("help_card", context), "without the file"


def test_a_line_can_be_replaced_and_another_hidden(tmp_path: Path) -> None:
    lines = with_file(tmp_path, REPLACED + HIDDEN)
    assert lines.card("GB", TODAY).crisis == (HelpLine("Samaritans", "020 555 0100, text 555", None),)
    assert lines.hidden == ("GB crisis Shout",)


def test_the_directory_for_violence_is_shown_once_it_is_confirmed(tmp_path: Path) -> None:
    assert HelpLines.read().card("GB", TODAY).directory_of_violence == "findahelpline.com"
    text = (
        CONFIRMED.replace('"IT"', '"*"')
        .replace("crisis", "violence")
        .replace("Telefono Amico", "NO MORE Global Directory")
    )
    card = with_file(tmp_path, text).card("GB", TODAY)
    assert card.directory_of_violence == "findahelpline.com, nomoredirectory.org"
    assert card.directory == "findahelpline.com"


def test_the_file_shown_in_the_guide_for_operators_can_be_used_as_it_stands(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    found = re.search(r"```toml\n(.*?)```", guide, re.DOTALL)
    assert found
    lines = with_file(tmp_path, found[1])
    statuses = [row.status(TODAY) for row in lines.rows]
    assert statuses.count(VerificationStatus.CONFIRMED) == 1
    assert statuses.count(VerificationStatus.OWN) == 2
    assert len(lines.hidden) == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[[confirm]\ncountry = "IT"', "lines.toml: This is not valid TOML"),
        ('country = "IT"', "lines.toml: “country” is not a heading; the headings are [[add]]"),
        (CONFIRMED.replace("[[confirm]]", "[[confirms]]"), "“confirms” is not a heading"),
        (CONFIRMED.replace("[[confirm]]", "[confirm]"), "“confirm” is not a heading"),
        ("\n" + CONFIRMED.replace('name = "Telefono Amico"\n', ""), "lines.toml:3: “name” is missing; an"),
        (CONFIRMED + 'source = "me"', "lines.toml:2: “source” is not allowed under [[confirm]]"),
        (CONFIRMED.replace("Telefono Amico", "Telefono Amica"), "There is no row “IT crisis Telefono Amica”"),
        (CONFIRMED + CONFIRMED, "lines.toml:8: “IT crisis Telefono Amico” is named twice"),
        (CONFIRMED.replace('"IT"', '"ITA"'), "“ITA” is not a country; write its two letters"),
        (CONFIRMED.replace('"IT"', "39"), '“country” is text in quotation marks, such as country = "…"'),
        (CONFIRMED.replace('"crisis"', '"crises"'), "There is no kind “crises”; the kinds are crisis, violence"),
        (CONFIRMED.replace("2026-11-23", '"last week"'), "a date, written confirmed_on = 2026-11-23."),
        (CONFIRMED.replace("2026-11-23", "2026-11-23T10:00:00"), "“confirmed_on” must be a date"),
        (CONFIRMED.replace("2026-11-23", "2036-12-01"), "“confirmed_on” is in the future"),
        (ADDED.replace("2026-11-23", "2027-12-01"), "“checked_on” is in the future"),
        (ADDED.replace("020 555 0100; text 555", " "), "“contact” is text in quotation marks"),
        (ADDED.replace("I rang it", "{{ name }}"), "“source” must be on one line and without curly brackets."),
        (REPLACED.replace("[[replace]]", "[[add]]"), "“GB crisis Samaritans” is in the table already"),
        (ADDED.replace("[[add]]", "[[replace]]"), "There is no row “AF crisis The clinic's own line”"),
        (HIDDEN.replace('"GB"', '"*"').replace("Shout", "Find A Helpline"), "directory of crisis lines can't be"),
        ('confirm = [{country = "IT"}]', "lines.toml, [[confirm]] number 1: “kind” is missing"),
    ],
)  # fmt: skip
def test_a_fault_in_the_file_is_named_with_its_place_and_what_to_do(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(HelpLinesError) as refused:
        with_file(tmp_path, text)
    assert sentence in str(refused.value)
    assert all(line.startswith("lines.toml") and line.endswith(".") for line in str(refused.value).splitlines())


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(HelpLinesError) as refused:
        with_file(tmp_path, CONFIRMED.replace('"IT"', '"ITA"') + ADDED.replace('"crisis"', '"crises"'))
    assert len(str(refused.value).splitlines()) == 2


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", None])
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "lines.toml"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(HelpLinesError, match="can't be read as UTF-8 text"):
        HelpLines.read(own=path)


def test_a_file_saved_by_a_windows_editor_is_read(tmp_path: Path) -> None:
    path = tmp_path / "lines.toml"
    path.write_bytes(b"\xef\xbb\xbf" + CONFIRMED.replace("\n", "\r\n").encode())
    assert HelpLines.read(own=path).card("IT", TODAY).crisis


# --- where the file is, and what is logged about it -----------------------------------------


def test_the_file_is_in_the_data_folder_or_where_the_setting_says(tmp_path: Path) -> None:
    made = Settings(data_dir=tmp_path, _env_file=None)  # type: ignore[call-arg]
    assert made.own_lines() is None
    usual, other = tmp_path / "lines.toml", tmp_path / "other.toml"
    usual.write_text("", encoding="utf-8")
    assert made.own_lines() == usual
    named = Settings(data_dir=tmp_path, lines_file=other, _env_file=None)  # type: ignore[call-arg]
    with pytest.raises(SettingsRefused, match=r"^LINES_FILE names .*other\.toml, which is no file; .*\.$"):
        named.own_lines()
    other.write_text("", encoding="utf-8")
    assert named.own_lines() == other


def command(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    environment = os.environ | {"DATA_DIR": str(folder), "PYTHONUTF8": "1", "LINES_FILE": "", "BOT_TOKEN": "1:a"}
    return subprocess.run(
        [sys.executable, "-m", "bot", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=environment,
        timeout=60,
    )


@pytest.fixture
def on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run the command on a given date, so that the tests do not depend on today."""

    def called(day: date, *words: str) -> Result:
        monkeypatch.setattr(app, "now", lambda: datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
        return CliRunner().invoke(cli, [*words])

    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("LINES_FILE", "")
    return called


@pytest.mark.parametrize("words", [["run"], ["lines"], ["lines", "--country", "IT"]])
def test_nothing_starts_with_a_faulty_file(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "lines.toml").write_text(CONFIRMED.replace("Amico", "Amica"), encoding="utf-8")
    ended = command(*words, folder=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.startswith("lines.toml:2: There is no row “IT crisis Telefono Amica”")
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def test_the_summary_names_the_rows_confirmed_by_the_operator_and_counts_stale_ones(tmp_path: Path) -> None:
    lines = with_file(tmp_path, CONFIRMED + ADDED + HIDDEN)
    summary = help_lines.summary(lines, TODAY)
    assert summary == (
        "help lines: confirmed or added by the operator: IT crisis Telefono Amico, AF crisis The clinic's own line; "
        "hidden by the operator: GB crisis Shout; stale rows: 0"
    )
    much_later = help_lines.summary(lines, TODAY + timedelta(days=400))
    assert "confirmed or added by the operator: none" in much_later
    assert much_later.endswith(f"stale rows: {len(lines.rows)}")


def test_the_bot_logs_the_summary_when_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Telegram service is replaced, because it needs the network."""

    async def served(*_: object) -> None:
        return None

    (tmp_path / "lines.toml").write_text(HIDDEN, encoding="utf-8")
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("BOT_TOKEN", "1:a")
    monkeypatch.setattr(service, "run", served)
    lines: list[str] = []
    monkeypatch.setattr(logging.getLogger("bot"), "info", lambda form, *words: lines.append(form % words))
    commands.run()
    assert [line for line in lines if "hidden by the operator: GB crisis Shout" in line]


def test_the_list_of_what_needs_a_check_names_each_row_once_with_a_place(on: Callable[..., Result]) -> None:
    ended = on(TODAY, "lines")
    assert ended.exit_code == 0
    lines = HelpLines.read()
    wanted = [row for row in lines.rows if row.confidence in {"M", "K", "L"}]
    assert len(wanted) > 50
    for row in wanted:
        assert f"\n{ended.stdout}".count(f"\n{row.key}: ") == 1, row.key
    assert ended.stdout.count("check at ") == len(wanted)
    assert f"{len(wanted)} rows need a check: 0 stale, {len(wanted)} unconfirmed, 0 unknown." in ended.stdout
    assert "No emergency number is known for: AF, AQ," in ended.stdout


def test_a_release_with_stale_rows_is_stopped(on: Callable[..., Result]) -> None:
    lines = HelpLines.read()
    last_day = min(row.checked_on for row in lines.rows) + timedelta(days=180)
    assert on(last_day, "lines", "--release").exit_code == 0
    ended = on(last_day + timedelta(days=1), "lines", "--release")
    assert ended.exit_code == 1
    assert f"{len(lines.rows)} rows need a check: {len(lines.rows)} stale, 0 unconfirmed" in ended.stdout
    assert "Emergency numbers checked more than 180 days ago: AD, AE," in ended.stdout
    assert on(last_day + timedelta(days=1), "lines").exit_code == 0, "a stale row fails only a release"


def test_the_command_shows_what_a_client_in_a_country_sees(on: Callable[..., Result]) -> None:
    ended = on(TODAY, "lines", "--country", "dk")
    assert ended.exit_code == 0
    assert "crisis:\n    Emergency (Denmark): 112\n    Livslinien: 70 201 201 (check opening hours)\n" in ended.stdout
    assert "violence:\n    Emergency (Denmark): 112\n    Lines: findahelpline.com\n" in ended.stdout
    late = on(TODAY + timedelta(days=181), "lines", "--country", "DK")
    assert "crisis:\n    Emergency (Denmark): 112\n    Lines: findahelpline.com\n" in late.stdout
    unknown = on(TODAY, "lines", "--country", "Denmark")
    assert unknown.exit_code == 2
    assert unknown.stderr == "There is no country Denmark; write its two letters, such as IE.\n"
