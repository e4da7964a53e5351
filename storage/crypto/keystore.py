"""The key store: wrapped keys, in a file of their own, backed up apart with only the newest copy kept.

One row per client: the data key, wrapped, and a keyed hash of the chat's address to find the client by.
Both go at erasure, and then neither today's store nor an old backup of the data leads back to anybody.
Rows are named by client, and `#index` and `#partings` for the two keys of the operator.
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

from storage.sqlite.engines import KEY_PRAGMAS, Transactions, sqlite_engine
from storage.statements import Driver, Statement

INDEX = "#index"
PARTINGS = "#partings"

_METADATA = MetaData()
_keys = Table(
    "keys",
    _METADATA,
    Column("owner", String(32), primary_key=True),
    Column("finder", LargeBinary, unique=True),
    Column("wrapped", LargeBinary, nullable=False),
    Column("settled", Boolean, nullable=False),
)
# A start looks for these few among all.
_unsettled = _keys.c.settled.is_(False)
Index("ix_keys_unsettled", _keys.c.owner, sqlite_where=_unsettled, postgresql_where=_unsettled)
_by_owner = Statement(select(_keys.c.owner, _keys.c.wrapped).where(_keys.c.owner == bindparam("owner")))
_by_finder = Statement(select(_keys.c.owner, _keys.c.wrapped).where(_keys.c.finder == bindparam("finder")))
_destroy = delete(_keys).where(_keys.c.owner == bindparam("owner_"))
_settle = update(_keys).where(_keys.c.owner == bindparam("owner_")).values(settled=True)
_rewrap = update(_keys).where(_keys.c.owner == bindparam("owner_")).values(wrapped=bindparam("wrapped_"))


@dataclass(frozen=True, slots=True)
class Wrapped:
    """One row: whose key, and the key as it is kept."""

    owner: str
    key: bytes


class KeyRows:
    """The rows, within one transaction of the key store."""

    def __init__(self, connection: Connection, driver: Driver) -> None:
        self._connection = connection
        self._driver = driver

    def found(self, owner: str) -> Wrapped | None:
        """The row of an owner."""
        row = self._driver.first(_by_owner, {"owner": owner})
        return None if row is None else Wrapped(*row)

    def found_by(self, finder: bytes) -> Wrapped | None:
        """The row of the client whose address has this keyed hash."""
        row = self._driver.first(_by_finder, {"finder": finder})
        return None if row is None else Wrapped(*row)

    def put(self, owner: str, wrapped: bytes, finder: bytes | None, settled: bool) -> None:
        """Keep a new key. `settled`: what it seals is known to be kept."""
        self._connection.execute(
            insert(_keys), {"owner": owner, "finder": finder, "wrapped": wrapped, "settled": settled}
        )

    def settle(self, owners: Sequence[str]) -> None:
        """The rows of these clients are committed among the data."""
        if owners:
            self._connection.execute(_settle, [{"owner_": owner} for owner in owners])

    def unsettled(self) -> list[str]:
        """Clients whose key was made, and of whom it is not noted that their rows were committed."""
        return list(self._connection.scalars(select(_keys.c.owner).where(_unsettled)))

    def destroy(self, owners: Sequence[str]) -> None:
        """The keys of these clients go; the pages they stood on are overwritten."""
        if owners:
            self._connection.execute(_destroy, [{"owner_": owner} for owner in owners])

    def all(self) -> list[Wrapped]:
        """Every row."""
        return [Wrapped(*row) for row in self._connection.execute(select(_keys.c.owner, _keys.c.wrapped))]

    def rewrap(self, rows: Sequence[Wrapped]) -> None:
        """The same keys, wrapped anew."""
        self._connection.execute(_rewrap, [{"owner_": row.owner, "wrapped_": row.key} for row in rows])

    def count_clients(self) -> int:
        """How many clients have a key."""
        count = select(func.count()).where(_keys.c.owner.not_in((INDEX, PARTINGS)))
        return self._connection.scalar(count) or 0

    def make_table(self) -> None:
        """The table, if it is not there."""
        if not inspect(self._connection).has_table(_keys.name):
            _METADATA.create_all(self._connection)


class KeyStore:
    """`keys.sqlite`, opened."""

    def __init__(self, path: Path) -> None:
        self._transactions = Transactions(sqlite_engine(path, KEY_PRAGMAS))

    @contextmanager
    def reading(self) -> Iterator[KeyRows]:
        """One transaction for reading."""
        with self._transactions.begin(reads=True) as (connection, driver):
            yield KeyRows(connection, driver)

    @contextmanager
    def writing(self) -> Iterator[KeyRows]:
        """One transaction for writing, durable on leaving."""
        with self._transactions.begin() as (connection, driver):
            yield KeyRows(connection, driver)

    def close(self) -> None:
        """Let go of the file."""
        self._transactions.close()
