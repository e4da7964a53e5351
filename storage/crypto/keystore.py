"""The key store: encrypted ("wrapped") data keys, in a file of their own. Only its newest backup is kept.

There is one row per client: the client's data key, wrapped, and a keyed hash of the chat's address to find the client
by. Both are deleted at erasure; from then on neither the current store nor an old backup of the data leads to the
client. The owner of a row is a client's id, or `#index` or `#partings` for the operator's two keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    inspect,
    select,
    update,
)

from storage.database import ConnectionPool, Driver, Statement
from storage.sqlite.engines import KEY_PRAGMAS, sqlite_engine

INDEX = "#index"
"""Owner of the key that hashes addresses and event keys."""
ERASURE_NOTICES = "#partings"
"""Owner of the key that encrypts erasure notices."""

_METADATA = MetaData()
_keys = Table(
    "keys",
    _METADATA,
    Column("owner", String(32), primary_key=True),
    Column("finder", LargeBinary, unique=True, comment="keyed hash of the address"),
    Column("wrapped", LargeBinary, nullable=False, comment="the key, encrypted with the operator's key"),
    Column("settled", Boolean, nullable=False, comment="whether the client's row is known to be committed"),
)
# Every start looks for the few unconfirmed keys among all.
_unconfirmed = _keys.c.settled.is_(False)
Index("ix_keys_unsettled", _keys.c.owner, sqlite_where=_unconfirmed, postgresql_where=_unconfirmed)
_by_owner = Statement(select(_keys.c.owner, _keys.c.wrapped).where(_keys.c.owner == bindparam("owner")))
_by_address_hash = Statement(select(_keys.c.owner, _keys.c.wrapped).where(_keys.c.finder == bindparam("finder")))
_delete = delete(_keys).where(_keys.c.owner == bindparam("owner_"))
_confirm = update(_keys).where(_keys.c.owner == bindparam("owner_")).values(settled=True)
_replace = update(_keys).where(_keys.c.owner == bindparam("owner_")).values(wrapped=bindparam("wrapped_"))


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """One row: the owner, and the owner's key as it is stored, encrypted with the operator's key."""

    owner: str
    key: bytes


class KeyRows:
    """The rows of the key store, within one transaction."""

    def __init__(self, connection: Connection, driver: Driver) -> None:
        self._connection = connection
        self._driver = driver

    def get(self, owner: str) -> WrappedKey | None:
        """The row of an owner, if there is one."""
        row = self._driver.fetch_one(_by_owner, {"owner": owner})
        return None if row is None else WrappedKey(*row)

    def get_by_address_hash(self, address_hash: bytes) -> WrappedKey | None:
        """The row of the client whose address has this keyed hash, if there is one."""
        row = self._driver.fetch_one(_by_address_hash, {"finder": address_hash})
        return None if row is None else WrappedKey(*row)

    def insert(self, row: WrappedKey, address_hash: bytes | None, confirmed: bool) -> None:
        """Store a new key. `confirmed`: what it encrypts is known to be committed."""
        values = {"owner": row.owner, "finder": address_hash, "wrapped": row.key, "settled": confirmed}
        self._connection.execute(insert(_keys), values)

    def confirm(self, owners: Sequence[str]) -> None:
        """Note that the rows of these clients are committed in the data."""
        if owners:
            self._connection.execute(_confirm, [{"owner_": owner} for owner in owners])

    def unconfirmed(self) -> list[str]:
        """Clients who have a key, but whose rows are not noted as committed."""
        return list(self._connection.scalars(select(_keys.c.owner).where(_unconfirmed)))

    def delete(self, owners: Sequence[str]) -> None:
        """Delete the keys of these clients. SQLite overwrites the pages they were on."""
        if owners:
            self._connection.execute(_delete, [{"owner_": owner} for owner in owners])

    def all(self) -> list[WrappedKey]:
        """Every row."""
        return [WrappedKey(*row) for row in self._connection.execute(select(_keys.c.owner, _keys.c.wrapped))]

    def replace(self, rows: Sequence[WrappedKey]) -> None:
        """Replace the wrapped keys of these owners."""
        self._connection.execute(_replace, [{"owner_": row.owner, "wrapped_": row.key} for row in rows])

    def count_clients(self) -> int:
        """How many clients have a key."""
        count = select(func.count()).where(_keys.c.owner.not_in((INDEX, ERASURE_NOTICES)))
        return self._connection.scalar(count) or 0

    def create_table(self) -> None:
        """Create the table if it does not exist."""
        if not inspect(self._connection).has_table(_keys.name):
            _METADATA.create_all(self._connection)


class KeyStore:
    """The open file `keys.sqlite`."""

    def __init__(self, path: Path) -> None:
        self._connections = ConnectionPool(sqlite_engine(path, KEY_PRAGMAS))

    @contextmanager
    def reading(self) -> Iterator[KeyRows]:
        """One transaction that only reads."""
        with self._connections.begin(read_only=True) as (connection, driver):
            yield KeyRows(connection, driver)

    @contextmanager
    def writing(self) -> Iterator[KeyRows]:
        """One transaction that may write, durable on leaving."""
        with self._connections.begin() as (connection, driver):
            yield KeyRows(connection, driver)

    def close(self) -> None:
        """Close the file."""
        self._connections.close()
