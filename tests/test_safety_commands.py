"""`ipt-bot safety screen` and `ipt-bot safety measure`, as they are typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINES = "I want to kill myself tonight\nwhat a lovely day\n\nmy friend wants to kill herself\n"


def typed(*words: str, says: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The command as a process of its own, with something piped into it."""
    return subprocess.run(
        [sys.executable, "-m", "bot", "safety", *words],
        input=says,
        capture_output=True,
        check=False,
        cwd=ROOT,
        timeout=60,
    )


def test_each_line_in_gives_one_line_out() -> None:
    ended = typed("screen", says=LINES.encode())
    assert ended.returncode == 0
    assert ended.stdout.decode().splitlines() == ["1\tself", "0\tnone", "0\tnone", "3\tsomeone_else"]


def test_bytes_that_are_no_text_stop_nothing() -> None:
    ended = typed("screen", says=b"\xff\xfe\x80 nice day\nI want to kill myself\n")
    assert ended.returncode == 0
    assert ended.stdout.decode().splitlines() == ["0\tnone", "1\tself"]


def test_figures_come_as_a_table_and_as_json(tmp_path: Path) -> None:
    file = tmp_path / "messages.jsonl"
    file.write_text('{"text": "I want to kill myself", "tier": "explicit"}\nnice day\n', encoding="utf-8")
    table = typed("measure", str(file))
    assert table.returncode == 0
    assert b"explicit: tier 1 " in table.stdout
    assert b"kill" not in table.stdout
    figures = json.loads(typed("measure", str(file), "--json").stdout)
    assert figures["rates"]["explicit: tier 1"] | {"interval": None} == {
        "n": 1,
        "found": 1,
        "share": 1.0,
        "interval": None,
    }


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "can't be read (No such file or directory)."),
        (b'{"text": "x", "tier": "bad"}', ":1: a labelled message is a JSON object"),
        (b"\xff\xfe", "One of the files is not UTF-8 text; save it as UTF-8."),
    ],
)
def test_a_file_that_can_not_be_measured_is_refused_in_a_sentence(
    tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    file = tmp_path / "messages.jsonl"
    if content is not None:
        file.write_bytes(content)
    ended = typed("measure", str(file))
    assert ended.returncode == 2
    assert sentence in ended.stderr.decode()
    assert b"Traceback" not in ended.stderr
