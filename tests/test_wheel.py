"""The words travel in the wheel: built, installed somewhere else, it chats from another folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHIPPED = ("bot/", "dialogues/", "state_machine/", "storage/", "ipt_companion-")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built with what is installed; nothing is downloaded."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--no-index", "-w", folder, ROOT], check=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_carries_every_word_and_both_licences(wheel: Path) -> None:
    held = zipfile.ZipFile(wheel).namelist()
    words = [
        str(path.relative_to(ROOT)) for path in (ROOT / "dialogues").rglob("*") if path.suffix in {".md", ".csv"}
    ]
    assert words
    assert [path for path in words if path not in held] == []
    assert [name for name in held if not name.startswith(SHIPPED)] == []
    assert {Path(name).name for name in held if "/licenses/" in name} == {"LICENSE", "LICENSE-WORDS"}


def test_installed_elsewhere_it_chats_from_another_folder(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    python = tmp_path / "venv" / "bin" / "python"
    venv.create(tmp_path / "venv", with_pip=False)
    install = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--python",
        str(python),
        "install",
        "--quiet",
    ]
    subprocess.run([*install, "--no-deps", "--no-index", wheel], check=True)
    # Our dependencies are lent from here; a path in a .pth file lends no editable install along with them.
    libraries = next((tmp_path / "venv" / "lib").glob("python*/site-packages"))
    (libraries / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")

    def ask(*command: str | Path, said: str = "") -> str:
        bare = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
        answer = subprocess.run(command, cwd=home, env=bare, input=said, capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    place = ask(python, "-c", "import bot, dialogues, storage; print(bot.__file__, dialogues.__file__)")
    assert str(ROOT) not in place
    chatted = ask(tmp_path / "venv" / "bin" / "ipt-bot", "chat", said="hello\n")
    assert chatted.startswith("me    hello\nbot   Hello.")
    assert "[1 Show me in two minutes]" in chatted
    kept = {path.name for path in (home / "data").iterdir()}
    assert kept >= {"companion.sqlite", "keys.sqlite", "operator.key"}
