"""Encryption and decryption: AES-256-GCM with one data key per client, each wrapped with the operator's key.

An encrypted value is one version byte, a nonce of twelve random bytes, and the ciphertext with its tag. The client
and the column are authenticated with it, so that it can't be decrypted anywhere else.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.crypto.keystore import ERASURE_NOTICES, INDEX, KeyRows, KeyStore, WrappedKey
from storage.crypto.operator_key import OperatorKey, new_key
from storage.errors import DecryptionError, StoreRefused

K = TypeVar("K")
V = TypeVar("V")

_VERSION = b"\x01"
_NONCE_LENGTH = 12
_MIN_LENGTH = len(_VERSION) + _NONCE_LENGTH + 16
_KEY_COLUMN = "keys.wrapped"
_NOTICE_COLUMN = "partings.body"
_PAIRING_COLUMN = "pairing.body"
_WRONG_KEY = (
    "The operator's key does not open the key store: it is another installation's key, or an old one. "
    "Put the right key back; nothing was changed."
)


def _associated_data(owner: str, column: str) -> bytes:
    return _VERSION + owner.encode() + b"\0" + column.encode()


def _encrypt(cipher: AESGCM, owner: str, column: str, plaintext: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_LENGTH)
    return _VERSION + nonce + cipher.encrypt(nonce, plaintext, _associated_data(owner, column))


def _decrypt(cipher: AESGCM, owner: str, column: str, encrypted: bytes) -> bytes:
    if len(encrypted) < _MIN_LENGTH or encrypted[:1] != _VERSION:
        raise DecryptionError
    nonce, ciphertext = encrypted[1 : 1 + _NONCE_LENGTH], encrypted[1 + _NONCE_LENGTH :]
    try:
        return cipher.decrypt(nonce, ciphertext, _associated_data(owner, column))
    except InvalidTag:
        raise DecryptionError from None


class LruCache(Generic[K, V]):
    """At most `capacity` values by key, shared by threads. The least recently used one is dropped first."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._values: dict[K, V] = {}
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """The value, which counts as used now, or None."""
        with self._lock:
            value = self._values.pop(key, None)
            if value is not None:
                self._values[key] = value
            return value

    def put(self, key: K, value: V) -> None:
        """Store a value."""
        with self._lock:
            self._values.pop(key, None)
            self._values[key] = value
            if len(self._values) > self._capacity:
                del self._values[next(iter(self._values))]

    def remove(self, key: K) -> None:
        """Remove one value, if it is there."""
        with self._lock:
            self._values.pop(key, None)

    def remove_values(self, values: Collection[V]) -> None:
        """Remove every key whose value is one of these."""
        with self._lock:
            for key in [key for key, value in self._values.items() if value in values]:
                del self._values[key]

    def clear(self) -> None:
        """Remove everything."""
        with self._lock:
            self._values.clear()


@dataclass(frozen=True, slots=True)
class _ClientKey:
    """A client's data key in memory: its cipher, and a key derived from it for keyed hashes."""

    cipher: AESGCM
    hashing: bytes

    @classmethod
    def of(cls, key: bytes) -> _ClientKey:
        return cls(AESGCM(key), hmac.digest(key, b"hashing", hashlib.sha256))


class Vault:
    """Encrypts and decrypts everything in the store. `capacity`: how many clients' unwrapped keys are cached.

    Only one thread may create, destroy and rotate keys; others may encrypt and decrypt meanwhile.
    """

    def __init__(self, store: KeyStore, operator: OperatorKey, capacity: int = 1024) -> None:
        self._store = store
        self._operator = operator
        self._client_keys: LruCache[str, _ClientKey] = LruCache(capacity)
        self._clients: LruCache[bytes, str] = LruCache(capacity)
        """Clients by the keyed hash of their address."""
        self._to_confirm: list[str] = []
        # Held while a key is read from the store into the cache, and while one is removed from both: otherwise a
        # destroyed key could return to the cache.
        self._lock = threading.RLock()

    def open(self, has_data: Callable[[], bool]) -> None:
        """Unwrap the operator's two keys, or create them if the store is new. Raises StoreRefused.

        `has_data` returns whether there are encrypted data already. It is called while the key store is locked.
        """
        with self._store.writing() as rows:
            rows.create_table()
            index = rows.get(INDEX)
            keys = self._operator.candidates()
            if index is None:
                if has_data():
                    raise StoreRefused("The key store is empty, but there are data: put its newest backup back.")
                self._wrapping = AESGCM(keys[0] if keys else self._operator.create())
                index = self._wrap(INDEX, new_key())
                for row in (index, self._wrap(ERASURE_NOTICES, new_key())):
                    rows.insert(row, None, confirmed=True)
            elif not keys:
                raise StoreRefused(
                    f"There are data, but the operator's key is missing from {self._operator.file}. "
                    "Put it back; without it nothing can be read, and no new one was made."
                )
            elif not has_data() and rows.count_clients():
                raise StoreRefused(
                    "The key store belongs to data that are not here. Put companion.sqlite back beside keys.sqlite, "
                    "or move keys.sqlite away to begin with nothing."
                )
            self._unwrap_index(index)
            notices = rows.get(ERASURE_NOTICES)
            if notices is None:
                raise StoreRefused("The key store is damaged: put its newest backup back.")
            self._notices = AESGCM(self._unwrap(notices))

    def find_client(self, address: str, use_cache: bool = True) -> str | None:
        """The client at an address, if there is one. Without `use_cache` the key store is read in any case."""
        address_hash = self._address_hash(address)
        client = self._clients.get(address_hash) if use_cache else None
        if client is not None:
            return client
        with self._lock, self._store.reading() as rows:
            row = rows.get_by_address_hash(address_hash)
            if row is None:
                return None
            # A key that can't be unwrapped raises when it is used; the client is known nevertheless.
            with suppress(DecryptionError):
                self._cache_key(rows, row)
            self._clients.put(address_hash, row.owner)
        return row.owner

    def create_key(self, client: str, address: str) -> None:
        """Create the data key of a new client. It is durable before this returns."""
        key = new_key()
        address_hash = self._address_hash(address)
        with self._store.writing() as rows:
            self._follow_rotation(rows)
            rows.confirm(self._to_confirm)
            rows.insert(self._wrap(client, key), address_hash, confirmed=False)
        self._to_confirm.clear()
        self._clients.put(address_hash, client)
        self._client_keys.put(client, _ClientKey.of(key))

    def confirm(self, client: str) -> None:
        """Note that the client's row is committed. It is written when a key is next created, or on closing."""
        self._to_confirm.append(client)

    def unconfirmed(self) -> list[str]:
        """Clients who have a key, but whose rows are not noted as committed."""
        with self._store.reading() as rows:
            return rows.unconfirmed()

    def has_key(self, client: str) -> bool:
        """Whether the client's key exists."""
        with self._store.reading() as rows:
            return rows.get(client) is not None

    def destroy_keys(self, *clients: str) -> None:
        """Delete the clients' keys and the hashes of their addresses, from the store and from the caches."""
        with self._lock:
            with self._store.writing() as rows:
                rows.delete(clients)
            for client in clients:
                self._client_keys.remove(client)
            self._clients.remove_values(clients)

    def encrypt(self, client: str, column: str, plaintext: bytes) -> bytes:
        """`plaintext` encrypted for one client and one `table.column`. Raises DecryptionError if there is no key."""
        return _encrypt(self._client_key(client).cipher, client, column, plaintext)

    def decrypt(self, client: str, column: str, encrypted: bytes) -> bytes:
        """The plaintext encrypted for this client and column. Raises DecryptionError for anything else."""
        return _decrypt(self._client_key(client).cipher, client, column, encrypted)

    def keyed_hash(self, client: str, column: str, text: str) -> bytes:
        """A hash to find equal values of one client by. It can't be computed once the client's key is destroyed."""
        data = _associated_data(client, column) + text.encode()
        return hmac.digest(self._client_key(client).hashing, data, hashlib.sha256)

    def encrypt_erasure_notice(self, client: str, plaintext: bytes) -> bytes:
        """`plaintext` encrypted with a key of the operator, since it must outlive the client's key by a day."""
        return _encrypt(self._notices, client, _NOTICE_COLUMN, plaintext)

    def decrypt_erasure_notice(self, client: str, encrypted: bytes) -> bytes:
        """The plaintext of this client's erasure notice. Raises DecryptionError."""
        return _decrypt(self._notices, client, _NOTICE_COLUMN, encrypted)

    def hash_event_key(self, key: str) -> bytes:
        """A keyed hash of an event's key."""
        return hmac.digest(self._index, b"inbox.key\0" + key.encode(), hashlib.sha256)

    def pairing_token(self) -> bytes:
        """A value, stored with the data, that only this key store can decrypt."""
        return _encrypt(AESGCM(self._index), INDEX, _PAIRING_COLUMN, b"")

    def check_pairing_token(self, token: bytes) -> None:
        """Raises DecryptionError if the data that hold this token belong to another key store."""
        _decrypt(AESGCM(self._index), INDEX, _PAIRING_COLUMN, token)

    def rotate(self, new: bytes) -> None:
        """Wrap every key with the operator's key `new` instead, in one transaction. The data do not change."""
        with self._lock, self._store.writing() as rows:
            # Written while the key store is locked, so that a process opening the store meanwhile waits.
            if self._operator.in_file:
                self._operator.stage(new)
            self._follow_rotation(rows)
            wrapping = AESGCM(new)
            rewrapped = [
                WrappedKey(row.owner, _encrypt(wrapping, row.owner, _KEY_COLUMN, self._unwrap(row)))
                for row in rows.all()
            ]
            rows.replace(rewrapped)
        self._wrapping = wrapping
        self._wrapped_index = next(row.key for row in rewrapped if row.owner == INDEX)
        if self._operator.in_file:
            self._operator.activate(new)

    def close(self) -> None:
        """Write outstanding confirmations, drop all cached keys, and close the key store."""
        if self._to_confirm:
            with self._store.writing() as rows:
                rows.confirm(self._to_confirm)
            self._to_confirm.clear()
        self._client_keys.clear()
        self._clients.clear()
        self._store.close()

    def _address_hash(self, address: str) -> bytes:
        return hmac.digest(self._index, b"address\0" + address.encode(), hashlib.sha256)

    def _wrap(self, owner: str, key: bytes) -> WrappedKey:
        return WrappedKey(owner, _encrypt(self._wrapping, owner, _KEY_COLUMN, key))

    def _unwrap(self, row: WrappedKey) -> bytes:
        return _decrypt(self._wrapping, row.owner, _KEY_COLUMN, row.key)

    def _unwrap_index(self, index: WrappedKey) -> None:
        """Find the operator's key that unwraps the key store as it is now. Raises StoreRefused."""
        for key in self._operator.candidates():
            wrapping = AESGCM(key)
            try:
                self._index = _decrypt(wrapping, index.owner, _KEY_COLUMN, index.key)
            except DecryptionError:
                continue
            self._wrapping, self._wrapped_index = wrapping, index.key
            if self._operator.in_file:
                self._operator.activate(key)
            return
        raise StoreRefused(_WRONG_KEY)

    def _follow_rotation(self, rows: KeyRows) -> None:
        """Use the new operator's key if another process has rotated it."""
        index = rows.get(INDEX)
        if index is not None and index.key != self._wrapped_index:
            self._unwrap_index(index)

    def _client_key(self, client: str) -> _ClientKey:
        cached = self._client_keys.get(client)
        if cached is not None:
            return cached
        with self._lock, self._store.reading() as rows:
            row = rows.get(client)
            if row is None:
                raise DecryptionError
            return self._cache_key(rows, row)

    def _cache_key(self, rows: KeyRows, row: WrappedKey) -> _ClientKey:
        try:
            key = self._unwrap(row)
        except DecryptionError:
            self._follow_rotation(rows)
            key = self._unwrap(row)
        client_key = _ClientKey.of(key)
        self._client_keys.put(row.owner, client_key)
        return client_key
