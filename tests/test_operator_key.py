"""The operator's key: created once, refused when it does not fit, and rotated."""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from storage import Store, StoreRefused
from storage.crypto.operator_key import read_key
from tests.stores import FIRST, NOW, SECOND, Marks, change, full_life, stored_keys


def test_the_key_is_created_on_first_use_readable_by_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    Store.open(folder).close()
    assert len(base64.b64decode((folder / "operator.key").read_text())) == 32
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_a_given_key_is_used_and_no_file_is_created(tmp_path: Path) -> None:
    Store.open(tmp_path, FIRST).close()
    Store.open(tmp_path, FIRST).close()
    assert not (tmp_path / "operator.key").exists()


def _remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _write(name: str, content: bytes) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return write


def _empty_keys(folder: Path) -> None:
    change(folder / "keys.sqlite", "DELETE FROM keys")


def _lose_one_key(folder: Path) -> None:
    change(folder / "keys.sqlite", "DELETE FROM keys WHERE owner = '#partings'")


def _lose_data(folder: Path) -> None:
    for path in folder.glob("companion.sqlite*"):
        path.unlink()


def _other_keys(folder: Path) -> None:
    other = folder.parent / "other"
    Store.open(other).close()
    for name in ("keys.sqlite", "operator.key"):
        (other / name).replace(folder / name)


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (_remove("operator.key"), "the operator's key is missing"),
        (_write("operator.key", base64.b64encode(SECOND)), "does not open the key store"),
        (_write("operator.key", b"not a key"), "is not a key"),
        (_write("operator.key", base64.b64encode(b"short")), "is not a key"),
        (_remove("keys.sqlite"), "is missing. Put its newest backup back"),
        (_write("keys.sqlite", b"no database at all " * 99), "can't be read as a database"),
        (_write("companion.sqlite", b"no database at all " * 99), "can't be read as a database"),
        (_empty_keys, "The key store is empty, but there are data"),
        (_lose_one_key, "The key store is damaged"),
        (_lose_data, "belongs to data that are not here"),
        (_other_keys, "belongs to other data"),
    ],
)
def test_a_missing_or_wrong_file_is_refused_with_a_sentence_and_nothing_changes(
    tmp_path: Path, harm: Callable[[Path], None], sentence: str
) -> None:
    folder = tmp_path / "data"
    store = Store.open(folder)
    full_life(store, Marks("telegram:1"))
    store.close()
    harm(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for _ in range(2):
        with pytest.raises(StoreRefused) as refusal:
            Store.open(folder)
        said = str(refusal.value)
        assert sentence in said
        assert said.endswith(".")
        assert "telegram:1" not in said
    after = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in {".sqlite", ".key"}}
    assert {name: after[name] for name in before if name in after} == {
        name: content for name, content in before.items() if name in after
    }


def test_a_key_of_the_wrong_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match="32 bytes"):
        Store.open(tmp_path, b"short")
    store = Store.open(tmp_path, FIRST)
    with pytest.raises(StoreRefused, match="32 bytes"):
        store.rotate(b"short")
    store.close()


def test_a_folder_that_can_not_be_used_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file stands where the folder should be")
    with pytest.raises(StoreRefused, match="can't be read or written"):
        Store.open(tmp_path / "data")


def test_a_key_is_read_from_base64_with_blanks_around_it() -> None:
    assert read_key(b" " + base64.b64encode(FIRST) + b"\n") == FIRST


# --- rotation ------------------------------------------------------------------------


def test_after_a_rotation_only_the_new_key_fits_and_all_data_are_there(tmp_path: Path) -> None:
    store = Store.open(tmp_path, FIRST)
    chat = full_life(store, Marks("telegram:1"))
    old = stored_keys(tmp_path / "keys.sqlite")
    store.rotate(SECOND)
    with store.begin() as work:
        work.chats.create("telegram:2", NOW)
        assert work.chats.find("telegram:1") == chat
    store.close()
    left = (tmp_path / "keys.sqlite").read_bytes()
    assert not [owner for owner, (wrapped, _) in old.items() if wrapped in left]
    with pytest.raises(StoreRefused, match="does not open"):
        Store.open(tmp_path, FIRST)
    again = Store.open(tmp_path, SECOND)
    with again.begin() as work:
        assert work.chats.find("telegram:1") == chat
        assert work.chats.find("telegram:2") is not None
        assert len(work.entries.all(chat.client)) == 2
    again.close()


def test_a_running_bot_continues_while_another_process_rotates_the_key(tmp_path: Path) -> None:
    other = Store.open(tmp_path)
    chats = [full_life(other, Marks(f"telegram:{number}")) for number in range(3)]
    running = Store.open(tmp_path)
    with running.begin() as work:
        assert work.chats.find("telegram:0") == chats[0]
    before = (tmp_path / "operator.key").read_bytes()
    other.rotate()
    assert (tmp_path / "operator.key").read_bytes() != before
    with running.begin() as work:
        assert work.chats.get(chats[0].client) == chats[0]
        assert work.chats.get(chats[1].client) == chats[1]
        new = work.chats.create("telegram:9", NOW)
        assert work.chats.find("telegram:2") == chats[2]
    running.close()
    other.close()
    again = Store.open(tmp_path)
    with again.begin() as work:
        assert work.chats.find("telegram:9") == new
    again.close()


def test_the_key_of_a_new_client_after_a_rotation_elsewhere_is_wrapped_with_the_new_key(tmp_path: Path) -> None:
    other, running = Store.open(tmp_path), Store.open(tmp_path)
    other.rotate()
    with running.begin() as work:
        new = work.chats.create("telegram:9", NOW)
    running.close()
    other.close()
    again = Store.open(tmp_path)
    with again.begin() as work:
        assert work.chats.find("telegram:9") == new
    again.close()


def test_a_rotation_interrupted_before_its_commit_leaves_the_old_key_active(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    before = (tmp_path / "operator.key").read_bytes()
    for staged in (base64.b64encode(SECOND), b"cut sho"):
        (tmp_path / "operator.key.next").write_bytes(staged)
        Store.open(tmp_path).close()
        assert (tmp_path / "operator.key").read_bytes() == before
        assert not (tmp_path / "operator.key.next").exists()


def test_a_rotation_interrupted_after_its_commit_is_finished_at_the_next_start(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    before = (tmp_path / "operator.key").read_bytes()
    store.rotate()
    store.close()
    after = (tmp_path / "operator.key").read_bytes()
    os.replace(tmp_path / "operator.key", tmp_path / "operator.key.next")
    (tmp_path / "operator.key").write_bytes(before)
    Store.open(tmp_path).close()
    assert (tmp_path / "operator.key").read_bytes() == after
    assert not (tmp_path / "operator.key.next").exists()


def test_a_running_bot_with_a_key_from_its_settings_refuses_after_a_rotation_elsewhere(tmp_path: Path) -> None:
    running, other = Store.open(tmp_path, FIRST), Store.open(tmp_path, FIRST)
    other.rotate(SECOND)
    other.close()
    with pytest.raises(StoreRefused, match="does not open"), running.begin() as work:
        work.chats.create("telegram:9", NOW)
    running.close()
