"""Encrypted values can be decrypted only for their client, in their column, with the right key."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import DecryptionError
from storage.crypto.keystore import KeyStore
from storage.crypto.operator_key import OperatorKey
from storage.crypto.vault import LruCache, Vault
from tests.stores import FIRST, change, stored_keys

ANA, BEN = "a" * 32, "b" * 32


def open_vault(folder: Path, key: bytes | None = FIRST, capacity: int = 1024, has_data: bool = False) -> Vault:
    folder.mkdir(exist_ok=True)
    vault = Vault(KeyStore(folder / "keys.sqlite"), OperatorKey(folder, key), capacity)
    vault.open(has_data=lambda: has_data)
    return vault


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    made = open_vault(tmp_path)
    made.create_key(ANA, "telegram:1")
    made.create_key(BEN, "telegram:2")
    yield made
    made.close()


def test_encrypted_values_can_be_decrypted(vault: Vault) -> None:
    assert vault.decrypt(ANA, "chats.progress", vault.encrypt(ANA, "chats.progress", b"words")) == b"words"
    assert vault.decrypt(ANA, "chats.progress", vault.encrypt(ANA, "chats.progress", b"")) == b""


def test_the_same_words_are_never_encrypted_the_same_way(vault: Vault) -> None:
    assert len({vault.encrypt(ANA, "outbox.body", b"yes") for _ in range(50)}) == 50


@pytest.mark.parametrize(
    ("client", "column"), [(BEN, "chats.progress"), (ANA, "chats.address"), ("c" * 32, "chats.progress")]
)
def test_a_value_moved_to_another_client_or_column_is_refused(vault: Vault, client: str, column: str) -> None:
    encrypted = vault.encrypt(ANA, "chats.progress", b"words")
    with pytest.raises(DecryptionError):
        vault.decrypt(client, column, encrypted)


def test_a_moved_value_is_refused_even_with_the_same_key(tmp_path: Path, vault: Vault) -> None:
    encrypted = vault.encrypt_erasure_notice(ANA, b"words")
    with pytest.raises(DecryptionError):
        vault.decrypt_erasure_notice(BEN, encrypted)
    wrapped, _ = stored_keys(tmp_path / "keys.sqlite")[ANA]
    change(tmp_path / "keys.sqlite", "UPDATE keys SET wrapped = ? WHERE owner = ?", wrapped, BEN)
    again = open_vault(tmp_path, has_data=True)
    with pytest.raises(DecryptionError):
        again.encrypt(BEN, "chats.progress", b"words")
    again.close()


@settings(max_examples=60)
@given(data=st.data())
def test_an_encrypted_value_with_any_byte_changed_or_cut_is_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    vault = open_vault(tmp_path_factory.mktemp("vault"))
    vault.create_key(ANA, "telegram:1")
    encrypted = vault.encrypt(ANA, "outbox.body", b"some words")
    place = data.draw(st.integers(0, len(encrypted) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != encrypted[place]))
    for wrong in (encrypted[:place] + bytes([other]) + encrypted[place + 1 :], encrypted[:place]):
        with pytest.raises(DecryptionError):
            vault.decrypt(ANA, "outbox.body", wrong)
    vault.close()


def test_a_client_is_found_by_address_and_by_nothing_else(vault: Vault) -> None:
    assert vault.find_client("telegram:1") == ANA
    assert vault.find_client("telegram:2") == BEN
    assert vault.find_client("telegram:3") is None


def test_a_destroyed_key_is_deleted_from_the_file_and_from_memory(vault: Vault, tmp_path: Path) -> None:
    file = tmp_path / "keys.sqlite"
    wrapped, address_hash = stored_keys(file)[ANA]
    assert wrapped in file.read_bytes()
    encrypted = vault.encrypt(ANA, "outbox.body", b"words")
    vault.destroy_keys(ANA)
    for trace in (wrapped, address_hash, ANA.encode()):
        assert trace not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert vault.find_client("telegram:1") is None
    with pytest.raises(DecryptionError):
        vault.decrypt(ANA, "outbox.body", encrypted)
    assert vault.find_client("telegram:2") == BEN


def test_keyed_hashes_can_not_be_computed_once_the_key_is_destroyed(vault: Vault) -> None:
    before = vault.keyed_hash(ANA, "entries.kind", "grief/first_talk")
    assert vault.keyed_hash(ANA, "entries.kind", "grief/first_talk") == before
    assert vault.keyed_hash(BEN, "entries.kind", "grief/first_talk") != before
    vault.destroy_keys(ANA)
    with pytest.raises(DecryptionError):
        vault.keyed_hash(ANA, "entries.kind", "grief/first_talk")
    vault.create_key(ANA, "telegram:1")
    assert vault.keyed_hash(ANA, "entries.kind", "grief/first_talk") != before


def test_among_many_erased_keys_none_leaves_a_trace(vault: Vault, tmp_path: Path) -> None:
    clients = [f"{number:032d}" for number in range(120)]
    for client in clients:
        vault.create_key(client, client)
    file = tmp_path / "keys.sqlite"
    before = stored_keys(file)
    gone = clients[::3]
    for client in gone:
        vault.destroy_keys(client)
    left = file.read_bytes()
    assert [client for client in clients if before[client][0] in left] == [c for c in clients if c not in gone]


def test_the_number_of_cached_keys_is_limited(tmp_path: Path) -> None:
    vault = open_vault(tmp_path, capacity=2)
    for number in range(5):
        vault.create_key(str(number), f"telegram:{number}")
    encrypted = {str(number): vault.encrypt(str(number), "outbox.body", b"words") for number in range(5)}
    assert {vault.decrypt(client, "outbox.body", value) for client, value in encrypted.items()} == {b"words"}
    assert [vault.find_client(f"telegram:{number}") for number in range(5)] == [str(number) for number in range(5)]
    vault.close()


def test_the_cache_drops_the_least_recently_used_value() -> None:
    recent: LruCache[str, int] = LruCache(2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert [recent.get(key) for key in "abc"] == [1, None, 3]
    recent.remove_values({3})
    recent.remove("b")
    assert [recent.get(key) for key in "abc"] == [1, None, None]


def test_a_key_destroyed_while_another_thread_uses_it_does_not_stay_in_memory(tmp_path: Path) -> None:
    vault = open_vault(tmp_path, capacity=2)
    clients = [f"{number:032}" for number in range(20)]
    for client in clients:
        vault.create_key(client, f"telegram:{client}")
    encrypted = {client: vault.encrypt(client, "outbox.body", b"words") for client in clients}
    stop = threading.Event()

    def decrypt_all() -> None:
        while not stop.is_set():
            for client in clients:
                vault.find_client(f"telegram:{client}")
                with suppress(DecryptionError):
                    assert vault.decrypt(client, "outbox.body", encrypted[client]) == b"words"

    with ThreadPoolExecutor(2) as threads:
        readers = [threads.submit(decrypt_all) for _ in range(2)]
        for client in clients:
            vault.destroy_keys(client)
            with pytest.raises(DecryptionError):
                vault.decrypt(client, "outbox.body", encrypted[client])
            assert vault.find_client(f"telegram:{client}") is None
        stop.set()
        for reader in readers:
            reader.result()
    for client in clients:
        with pytest.raises(DecryptionError):
            vault.decrypt(client, "outbox.body", encrypted[client])
    vault.close()
