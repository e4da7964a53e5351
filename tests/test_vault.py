"""What is sealed opens only for its client, in its column, under the right key; and keys can be changed."""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import InvalidSealing, Store, StoreRefused
from storage.keystore import KeyStore
from storage.operator_key import OperatorKey, read_key
from storage.recent import Recent
from storage.vault import Vault
from tests.storing import NOW, Marks, change, full_life, rows

ANA, BEN = "a" * 32, "b" * 32
FIRST, SECOND = b"1" * 32, b"2" * 32


def opened(folder: Path, key: bytes | None = FIRST, room: int = 1024, has_data: bool = False) -> Vault:
    folder.mkdir(exist_ok=True)
    vault = Vault(KeyStore(folder / "keys.sqlite"), OperatorKey(folder, key), room)
    vault.start(has_data=lambda: has_data)
    return vault


def kept(file: Path) -> dict[str, tuple[bytes, bytes]]:
    """Wrapped key and finder by owner, as they stand in the file."""
    found: list[Any] = rows(file, "SELECT owner, wrapped, finder FROM keys")
    return {owner: (wrapped, finder) for owner, wrapped, finder in found}


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    made = opened(tmp_path)
    made.make(ANA, "telegram:1")
    made.make(BEN, "telegram:2")
    yield made
    made.close()


def test_what_was_sealed_opens_again(vault: Vault) -> None:
    assert vault.open(ANA, "chats.progress", vault.seal(ANA, "chats.progress", b"words")) == b"words"
    assert vault.open(ANA, "chats.progress", vault.seal(ANA, "chats.progress", b"")) == b""


def test_the_same_words_are_never_sealed_the_same_way(vault: Vault) -> None:
    assert len({vault.seal(ANA, "outbox.body", b"yes") for _ in range(50)}) == 50


@pytest.mark.parametrize(
    ("client", "column"), [(BEN, "chats.progress"), (ANA, "chats.address"), ("c" * 32, "chats.progress")]
)
def test_what_was_moved_to_another_client_or_column_is_refused(vault: Vault, client: str, column: str) -> None:
    sealed = vault.seal(ANA, "chats.progress", b"words")
    with pytest.raises(InvalidSealing):
        vault.open(client, column, sealed)


def test_what_was_moved_is_refused_even_under_the_same_key(tmp_path: Path, vault: Vault) -> None:
    sealed = vault.seal_parting(ANA, b"words")
    with pytest.raises(InvalidSealing):
        vault.open_parting(BEN, sealed)
    wrapped, _ = kept(tmp_path / "keys.sqlite")[ANA]
    change(tmp_path / "keys.sqlite", "UPDATE keys SET wrapped = ? WHERE owner = ?", wrapped, BEN)
    again = opened(tmp_path, has_data=True)
    with pytest.raises(InvalidSealing):
        again.seal(BEN, "chats.progress", b"words")
    again.close()


@settings(max_examples=60)
@given(data=st.data())
def test_a_sealed_value_with_any_byte_changed_or_cut_is_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    vault = opened(tmp_path_factory.mktemp("vault"))
    vault.make(ANA, "telegram:1")
    sealed = vault.seal(ANA, "outbox.body", b"some words")
    place = data.draw(st.integers(0, len(sealed) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != sealed[place]))
    for wrong in (sealed[:place] + bytes([other]) + sealed[place + 1 :], sealed[:place]):
        with pytest.raises(InvalidSealing):
            vault.open(ANA, "outbox.body", wrong)
    vault.close()


def test_a_client_is_found_by_address_and_by_nothing_else(vault: Vault) -> None:
    assert vault.find("telegram:1") == ANA
    assert vault.find("telegram:2") == BEN
    assert vault.find("telegram:3") is None


def test_a_destroyed_key_is_gone_from_the_file_and_from_memory(vault: Vault, tmp_path: Path) -> None:
    file = tmp_path / "keys.sqlite"
    wrapped, finder = kept(file)[ANA]
    assert wrapped in file.read_bytes()
    sealed = vault.seal(ANA, "outbox.body", b"words")
    vault.destroy(ANA)
    for trace in (wrapped, finder, ANA.encode()):
        assert trace not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert vault.find("telegram:1") is None
    with pytest.raises(InvalidSealing):
        vault.open(ANA, "outbox.body", sealed)
    assert vault.find("telegram:2") == BEN


def test_hashes_of_a_client_mean_nothing_once_the_key_is_gone(vault: Vault) -> None:
    before = vault.fingerprint(ANA, "entries.kind", "grief/first_talk")
    assert vault.fingerprint(ANA, "entries.kind", "grief/first_talk") == before
    assert vault.fingerprint(BEN, "entries.kind", "grief/first_talk") != before
    vault.destroy(ANA)
    with pytest.raises(InvalidSealing):
        vault.fingerprint(ANA, "entries.kind", "grief/first_talk")
    vault.make(ANA, "telegram:1")
    assert vault.fingerprint(ANA, "entries.kind", "grief/first_talk") != before


def test_among_many_erased_keys_none_leaves_a_trace(vault: Vault, tmp_path: Path) -> None:
    clients = [f"{number:032d}" for number in range(120)]
    for client in clients:
        vault.make(client, client)
    file = tmp_path / "keys.sqlite"
    before = kept(file)
    gone = clients[::3]
    for client in gone:
        vault.destroy(client)
    left = file.read_bytes()
    assert [client for client in clients if before[client][0] in left] == [c for c in clients if c not in gone]


def test_only_so_many_keys_are_held_open(tmp_path: Path) -> None:
    vault = opened(tmp_path, room=2)
    for number in range(5):
        vault.make(str(number), f"telegram:{number}")
    sealed = {str(number): vault.seal(str(number), "outbox.body", b"words") for number in range(5)}
    assert {vault.open(client, "outbox.body", value) for client, value in sealed.items()} == {b"words"}
    assert [vault.find(f"telegram:{number}") for number in range(5)] == [str(number) for number in range(5)]
    vault.close()


def test_what_was_used_last_is_remembered_longest() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert [recent.get(key) for key in "abc"] == [1, None, 3]
    recent.forget_values({3})
    recent.forget("b")
    assert [recent.get(key) for key in "abc"] == [1, None, None]


# --- the operator's key --------------------------------------------------------------


def test_the_key_is_made_on_first_use_for_the_owners_eyes_only(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    Store.open(folder).close()
    assert len(base64.b64decode((folder / "operator.key").read_text())) == 32
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_a_given_key_is_used_and_no_file_is_made(tmp_path: Path) -> None:
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
def test_what_is_missing_or_wrong_refuses_in_a_sentence_and_changes_nothing(
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


def test_a_folder_that_can_not_be_used_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file stands where the folder should be")
    with pytest.raises(StoreRefused, match="can't be read or written"):
        Store.open(tmp_path / "data")


def test_a_key_is_read_from_base64_with_blanks_around_it() -> None:
    assert read_key(b" " + base64.b64encode(FIRST) + b"\n") == FIRST


# --- rotation ------------------------------------------------------------------------


def test_after_a_rotation_only_the_new_key_opens_and_everything_is_there(tmp_path: Path) -> None:
    store = Store.open(tmp_path, FIRST)
    chat = full_life(store, Marks("telegram:1"))
    old = kept(tmp_path / "keys.sqlite")
    store.rotate(SECOND)
    with store.begin() as work:
        work.clients.open("telegram:2", NOW)
        assert work.clients.at("telegram:1") == chat
    store.close()
    left = (tmp_path / "keys.sqlite").read_bytes()
    assert not [owner for owner, (wrapped, _) in old.items() if wrapped in left]
    with pytest.raises(StoreRefused, match="does not open"):
        Store.open(tmp_path, FIRST)
    again = Store.open(tmp_path, SECOND)
    with again.begin() as work:
        assert work.clients.at("telegram:1") == chat
        assert work.clients.at("telegram:2") is not None
        assert len(work.entries.all(chat.client)) == 2
    again.close()


def test_a_running_bot_goes_on_while_another_process_rotates_the_key(tmp_path: Path) -> None:
    other = Store.open(tmp_path)
    chats = [full_life(other, Marks(f"telegram:{number}")) for number in range(3)]
    running = Store.open(tmp_path)
    with running.begin() as work:
        assert work.clients.at("telegram:0") == chats[0]
    before = (tmp_path / "operator.key").read_bytes()
    other.rotate()
    assert (tmp_path / "operator.key").read_bytes() != before
    with running.begin() as work:
        assert work.clients.get(chats[0].client) == chats[0]
        assert work.clients.get(chats[1].client) == chats[1]
        new = work.clients.open("telegram:9", NOW)
        assert work.clients.at("telegram:2") == chats[2]
    running.close()
    other.close()
    again = Store.open(tmp_path)
    with again.begin() as work:
        assert work.clients.at("telegram:9") == new
    again.close()


def test_a_new_client_right_after_a_rotation_elsewhere_is_kept_under_the_new_key(tmp_path: Path) -> None:
    other, running = Store.open(tmp_path), Store.open(tmp_path)
    other.rotate()
    with running.begin() as work:
        new = work.clients.open("telegram:9", NOW)
    running.close()
    other.close()
    again = Store.open(tmp_path)
    with again.begin() as work:
        assert work.clients.at("telegram:9") == new
    again.close()


def test_a_rotation_cut_off_before_its_commit_leaves_the_old_key_in_use(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    before = (tmp_path / "operator.key").read_bytes()
    for announced in (base64.b64encode(SECOND), b"cut sho"):
        (tmp_path / "operator.key.next").write_bytes(announced)
        Store.open(tmp_path).close()
        assert (tmp_path / "operator.key").read_bytes() == before
        assert not (tmp_path / "operator.key.next").exists()


def test_a_rotation_cut_off_after_its_commit_is_finished_at_the_next_start(tmp_path: Path) -> None:
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


def test_a_key_given_by_hand_can_not_be_followed_and_says_so(tmp_path: Path) -> None:
    running, other = Store.open(tmp_path, FIRST), Store.open(tmp_path, FIRST)
    other.rotate(SECOND)
    other.close()
    with pytest.raises(StoreRefused, match="does not open"), running.begin() as work:
        work.clients.open("telegram:9", NOW)
    running.close()
