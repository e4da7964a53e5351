"""Marked words, names and numbers, and the search for them in whatever disguise they wear."""

from __future__ import annotations

from pathlib import Path

from tests.stores import disguises
from tests.talking import DAY_ONE

WORDS = "Zwölfender Kennwort im Heidekraut"
NICKNAME = "Bertalein-Schnuffel"
NAME = "Marigold Quastenflosser"
CHAT = 778_899_001_133
MARKS = (WORDS, NICKNAME, NAME, NAME.split()[1], str(CHAT))
ANSWERS = {**DAY_ONE, "name": NAME, "moment_person": NICKNAME, "wish": WORDS, "felt": f"sad, {WORDS}"}


def nothing_in(content: bytes | str, where: object, marks: tuple[str, ...] = MARKS) -> None:
    found = content.encode() if isinstance(content, str) else content
    any_case = found.lower()
    for mark in marks:
        assert mark.lower().encode() not in any_case, f"{mark!r} stands in {where}"
        for disguise in disguises(mark):
            assert disguise not in found, f"{mark!r} as {disguise[:30]!r} stands in {where}"


def nothing_in_files(folder: Path, marks: tuple[str, ...] = MARKS) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    for path in files:
        nothing_in(path.read_bytes(), path.name, marks)
