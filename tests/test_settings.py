"""Settings: each explained in `.env.example`, each refused in a sentence when it can't be used."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

from bot import settings
from bot.settings import Settings, SettingsRefused

EXAMPLE = Path(__file__).parent.parent / ".env.example"
NAMES = {name.upper() for name in Settings.model_fields}
KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment and a folder in which no setting is made."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_every_setting_stands_in_the_example_and_nothing_else_does() -> None:
    named = re.findall(r"^#?\s*([A-Z_]+)=", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(named) == len(set(named))
    assert set(named) == NAMES


def test_every_setting_of_the_example_is_explained_just_above_it() -> None:
    for paragraph in EXAMPLE.read_text(encoding="utf-8").strip().split("\n\n")[1:]:
        *notes, setting = paragraph.splitlines()
        assert re.match(r"[A-Z_]+=", setting)
        assert notes, setting
        assert all(note.startswith("# ") for note in notes), setting


def test_the_example_copied_as_it_stands_changes_nothing() -> None:
    copied = Settings(_env_file=EXAMPLE)  # type: ignore[call-arg]
    assert copied == Settings(_env_file=None)  # type: ignore[call-arg]


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text('DATA_DIR=from_file\nOPERATOR="Robin of the file"\n', encoding="utf-8")
    monkeypatch.setenv("DATA_DIR", "from_environment")
    read = settings.read()
    assert read.data_dir == Path("from_environment")
    assert read.operator == "Robin of the file"


def test_a_key_given_by_hand_is_thirty_two_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPERATOR_KEY", KEY)
    assert settings.read().key_bytes() == bytes(range(32))


def test_without_a_key_the_file_is_used() -> None:
    assert settings.read().key_bytes() is None


@pytest.mark.parametrize("wrong", ["no key at all", KEY[:-8], base64.b64encode(b"short").decode()])
def test_a_key_that_is_none_is_refused_in_a_sentence_that_does_not_show_it(
    wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPERATOR_KEY", wrong)
    with pytest.raises(SettingsRefused) as refused:
        settings.read()
    assert str(refused.value) == (
        "OPERATOR_KEY must be 32 bytes in base64, as `openssl rand -base64 32` prints them."
    )
    assert wrong not in str(refused.value)


@pytest.mark.parametrize("name", ["HTTP_CLIENT", "LOG_LEVEL"])
def test_a_value_outside_its_list_is_refused_by_the_settings_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "something else")
    with pytest.raises(SettingsRefused, match=f"^{name} .*\\.$"):
        settings.read()


def test_an_empty_token_is_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_TOKEN", "")
    assert settings.read().bot_token is None


def test_printing_the_settings_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_TOKEN", "123456:a-secret-token")
    monkeypatch.setenv("OPERATOR_KEY", KEY)
    shown = f"{settings.read()!r} {settings.read()}"
    assert "a-secret-token" not in shown
    assert KEY not in shown
