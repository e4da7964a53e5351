"""Sealing and opening: AES-256-GCM under a data key per client, each wrapped by the operator's key.

A sealed value is one byte that names the manner, twelve random bytes, and the ciphertext with its tag.
The client and the column it stands in are authenticated with it, so that it opens nowhere else.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.crypto.keystore import INDEX, PARTINGS, KeyRows, KeyStore, Wrapped
from storage.crypto.lru import LruCache
from storage.crypto.operator_key import OperatorKey, new_key
from storage.errors import DecryptionError, StoreRefused

_MANNER = b"\x01"
_NONCE = 12
_COLUMN = "keys.wrapped"
_SHORTEST = len(_MANNER) + _NONCE + 16
_WRONG_KEY = (
    "The operator's key does not open the key store: it is another installation's key, or an old one. "
    "Put the right key back; nothing was changed."
)


def _bound_to(owner: str, column: str) -> bytes:
    return _MANNER + owner.encode() + b"\0" + column.encode()


def _encrypt(cipher: AESGCM, owner: str, column: str, plain: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return _MANNER + nonce + cipher.encrypt(nonce, plain, _bound_to(owner, column))


def _decrypt(cipher: AESGCM, owner: str, column: str, encrypted: bytes) -> bytes:
    if len(encrypted) < _SHORTEST or encrypted[:1] != _MANNER:
        raise DecryptionError
    try:
        return cipher.decrypt(encrypted[1 : 1 + _NONCE], encrypted[1 + _NONCE :], _bound_to(owner, column))
    except InvalidTag:
        raise DecryptionError from None


@dataclass(frozen=True, slots=True)
class _ClientKey:
    """A data key at work: the cipher, and a key derived from it for hashes that die with it."""

    cipher: AESGCM
    hashing: bytes

    @classmethod
    def of(cls, key: bytes) -> _ClientKey:
        return cls(AESGCM(key), hmac.digest(key, b"hashing", hashlib.sha256))


class Vault:
    """All sealing. `room` is how many clients' opened keys are held in memory, the latest used.

    One thread makes, destroys and rotates keys; others may open with them meanwhile.
    """

    def __init__(self, store: KeyStore, operator: OperatorKey, room: int = 1024) -> None:
        self._store = store
        self._operator = operator
        self._opened: LruCache[str, _ClientKey] = LruCache(room)
        self._by_finder: LruCache[bytes, str] = LruCache(room)
        self._to_settle: list[str] = []
        # Held while a key is taken from the store into memory or out of both, so that none destroyed comes back.
        self._lock = threading.RLock()

    def start(self, has_data: Callable[[], bool]) -> None:
        """Open the operator's two keys, or make them where nothing is kept yet. Raises StoreRefused.

        `has_data` tells whether anything is sealed already; it is asked under the key store's lock.
        """
        with self._store.writing() as rows:
            rows.make_table()
            index = rows.found(INDEX)
            keys = self._operator.candidates()
            if index is None:
                if has_data():
                    raise StoreRefused("The key store is empty, but there are data: put its newest backup back.")
                self._wrapping = AESGCM(keys[0] if keys else self._operator.make())
                index = Wrapped(INDEX, self._wrap(INDEX, new_key()))
                for row in (index, Wrapped(PARTINGS, self._wrap(PARTINGS, new_key()))):
                    rows.put(row.owner, row.key, None, settled=True)
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
            self._take(index)
            partings = rows.found(PARTINGS)
            if partings is None:
                raise StoreRefused("The key store is damaged: put its newest backup back.")
            self._partings = AESGCM(self._unwrap(partings))

    def find(self, address: str, afresh: bool = False) -> str | None:
        """The client of an address, if there is one; `afresh`: as the key store has it, not as remembered."""
        finder = self._finder(address)
        client = None if afresh else self._by_finder.get(finder)
        if client is not None:
            return client
        with self._lock, self._store.reading() as rows:
            row = rows.found_by(finder)
            if row is None:
                return None
            # A key that does not open is refused when it is used; whose chat it is can be said all the same.
            with suppress(DecryptionError):
                self._hold(rows, row)
            self._by_finder.put(finder, row.owner)
        return row.owner

    def make(self, client: str, address: str) -> None:
        """A data key for a new client, durable before this returns."""
        key = new_key()
        finder = self._finder(address)
        with self._store.writing() as rows:
            self._follow_rotation(rows)
            rows.settle(self._to_settle)
            rows.put(client, self._wrap(client, key), finder, settled=False)
        self._to_settle.clear()
        self._by_finder.put(finder, client)
        self._opened.put(client, _ClientKey.of(key))

    def settle(self, client: str) -> None:
        """The client's rows are committed; it is noted when a key is next written, or on closing."""
        self._to_settle.append(client)

    def unsettled(self) -> list[str]:
        """Clients whose key was made, and of whom it is not noted that their rows were committed."""
        with self._store.reading() as rows:
            return rows.unsettled()

    def has(self, client: str) -> bool:
        """Whether the client's key exists."""
        with self._store.reading() as rows:
            return rows.found(client) is not None

    def destroy(self, *clients: str) -> None:
        """The clients' keys go for good, from the store and from memory; so does the way to find them."""
        with self._lock:
            with self._store.writing() as rows:
                rows.destroy(clients)
            for client in clients:
                self._opened.forget(client)
            self._by_finder.forget_values(clients)

    def encrypt(self, client: str, column: str, plain: bytes) -> bytes:
        """`plain` sealed for one client and one `table.column`. Raises DecryptionError if the key is not there."""
        return _encrypt(self._key_of(client).cipher, client, column, plain)

    def decrypt(self, client: str, column: str, encrypted: bytes) -> bytes:
        """What was sealed for this client and column. Raises DecryptionError for anything else."""
        return _decrypt(self._key_of(client).cipher, client, column, encrypted)

    def fingerprint(self, client: str, column: str, text: str) -> bytes:
        """A hash to find equal values of one client by; it means nothing once the client's key is gone."""
        return hmac.digest(self._key_of(client).hashing, _bound_to(client, column) + text.encode(), hashlib.sha256)

    def encrypt_erasure_notice(self, client: str, plain: bytes) -> bytes:
        """`plain` sealed under the operator's own key, for what must outlive the client's key by a day."""
        return _encrypt(self._partings, client, "partings.body", plain)

    def decrypt_erasure_notice(self, client: str, encrypted: bytes) -> bytes:
        """What was sealed for this parting. Raises DecryptionError."""
        return _decrypt(self._partings, client, "partings.body", encrypted)

    def hash_key(self, key: str) -> bytes:
        """A keyed hash of an event's key."""
        return hmac.digest(self._index, b"inbox.key\0" + key.encode(), hashlib.sha256)

    def encrypt_pairing(self) -> bytes:
        """Something that only the key store of these data can open."""
        return _encrypt(AESGCM(self._index), INDEX, "pairing.body", b"")

    def check_pairing(self, encrypted: bytes) -> None:
        """Raises DecryptionError if the key store is not the one of these data."""
        _decrypt(AESGCM(self._index), INDEX, "pairing.body", encrypted)

    def rotate(self, new: bytes) -> None:
        """Wrap every key anew under `new`, in one transaction. Sealed data stay as they are."""
        with self._lock, self._store.writing() as rows:
            # Announced under the key store's lock: whoever opens the store meanwhile waits for it.
            if self._operator.in_file:
                self._operator.announce(new)
            self._follow_rotation(rows)
            wrapping = AESGCM(new)
            anew = [
                Wrapped(row.owner, _encrypt(wrapping, row.owner, _COLUMN, self._unwrap(row))) for row in rows.all()
            ]
            rows.rewrap(anew)
        self._wrapping = wrapping
        self._index_row = next(row.key for row in anew if row.owner == INDEX)
        if self._operator.in_file:
            self._operator.settle(new)

    def close(self) -> None:
        """Note what is to be noted, forget all opened keys, and let go of the file."""
        if self._to_settle:
            with self._store.writing() as rows:
                rows.settle(self._to_settle)
            self._to_settle.clear()
        self._opened.clear()
        self._by_finder.clear()
        self._store.close()

    def _finder(self, address: str) -> bytes:
        return hmac.digest(self._index, b"address\0" + address.encode(), hashlib.sha256)

    def _wrap(self, owner: str, key: bytes) -> bytes:
        return _encrypt(self._wrapping, owner, _COLUMN, key)

    def _unwrap(self, row: Wrapped) -> bytes:
        return _decrypt(self._wrapping, row.owner, _COLUMN, row.key)

    def _take(self, index: Wrapped) -> None:
        """Find which of the operator's keys opens the key store as it is now. Raises StoreRefused."""
        for key in self._operator.candidates():
            wrapping = AESGCM(key)
            try:
                self._index = _decrypt(wrapping, index.owner, _COLUMN, index.key)
            except DecryptionError:
                continue
            self._wrapping, self._index_row = wrapping, index.key
            if self._operator.in_file:
                self._operator.settle(key)
            return
        raise StoreRefused(_WRONG_KEY)

    def _follow_rotation(self, rows: KeyRows) -> None:
        """The key store may have been wrapped anew by another process since we looked."""
        index = rows.found(INDEX)
        if index is not None and index.key != self._index_row:
            self._take(index)

    def _key_of(self, client: str) -> _ClientKey:
        opened = self._opened.get(client)
        if opened is not None:
            return opened
        with self._lock, self._store.reading() as rows:
            row = rows.found(client)
            if row is None:
                raise DecryptionError
            return self._hold(rows, row)

    def _hold(self, rows: KeyRows, row: Wrapped) -> _ClientKey:
        try:
            key = self._unwrap(row)
        except DecryptionError:
            self._follow_rotation(rows)
            key = self._unwrap(row)
        opened = _ClientKey.of(key)
        self._opened.put(row.owner, opened)
        return opened
