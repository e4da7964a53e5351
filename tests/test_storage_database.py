"""Compiled statements run on the driver of either database, and raise SQLAlchemy's errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, bindparam, insert, select, update
from sqlalchemy.dialects import registry
from sqlalchemy.exc import IntegrityError, OperationalError

from storage.database import ConnectionPool, Statement, TransactionEnded, insert_or_skip
from storage.sqlite.engines import DATA_PRAGMAS, sqlite_engine

METADATA = MetaData()
things = Table(
    "things",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("body", LargeBinary),
)
PUT = Statement(insert(things), "id", "number", "body")
SKIP = Statement(lambda dialect: insert_or_skip(dialect, things), "id", "number", "body")
COUNT_UP = Statement(
    update(things).where(things.c.id == bindparam("id_")).values(number=things.c.number + 1, body=bindparam("body_"))
)
FIND = Statement(select(things.c.number, things.c.body).where(things.c.number >= bindparam("least")).limit(2))


@pytest.fixture
def connections(tmp_path: Path) -> Iterator[ConnectionPool]:
    engine = sqlite_engine(tmp_path / "things.sqlite", DATA_PRAGMAS)
    with engine.begin() as connection:
        METADATA.create_all(connection)
    made = ConnectionPool(engine)
    yield made
    made.close()


def row(number: int) -> dict[str, object]:
    return {"id": number, "number": number * 10, "body": b"x"}


def test_a_statement_reads_what_an_earlier_one_wrote(connections: ConnectionPool) -> None:
    with connections.begin() as (connection, driver):
        driver.execute_many(PUT, [row(1), row(2), row(3)])
        assert driver.execute(SKIP, row(3)) == 0
        assert driver.execute(SKIP, row(4)) == 1
        assert driver.execute(COUNT_UP, {"id_": 2, "body_": None}) == 1
        assert connection.execute(select(things.c.number).order_by(things.c.id)).scalars().all() == [10, 21, 30, 40]
    with connections.begin(read_only=True) as (_, driver):
        assert driver.fetch_one(FIND, {"least": 21}) == (21, None)
        assert driver.fetch_all(FIND, {"least": 21}) == [(21, None), (30, b"x")]
        assert list(driver.iterate(FIND, {"least": 21})) == [(21, None), (30, b"x")]
        assert driver.fetch_one(FIND, {"least": 99}) is None


@pytest.mark.parametrize("by", ["driver", "connection"])
def test_a_rollback_covers_both_driver_and_connection(connections: ConnectionPool, by: str) -> None:
    def broken() -> None:
        with connections.begin() as (connection, driver):
            if by == "driver":
                driver.execute(PUT, row(1))
            else:
                connection.execute(insert(things), row(1))
            raise RuntimeError

    for _ in range(2):
        with pytest.raises(RuntimeError):
            broken()
    with connections.begin() as (_, driver):
        assert driver.fetch_all(FIND, {"least": 0}) == []
        driver.execute(PUT, row(1))


def test_an_error_of_the_driver_keeps_its_name_and_quotes_no_value(connections: ConnectionPool) -> None:
    with connections.begin() as (_, driver):
        driver.execute(PUT, row(1))
    with pytest.raises(IntegrityError) as fault, connections.begin() as (_, driver):
        driver.execute(PUT, {"id": 1, "number": 271828, "body": b"her own words"})
    assert "her own words" not in str(fault.value)
    assert "271828" not in str(fault.value)
    with pytest.raises(OperationalError, match="readonly"), connections.begin(read_only=True) as (_, driver):
        driver.execute(PUT, row(2))
    with connections.begin() as (_, driver):
        assert driver.execute(PUT, row(2)) == 1


def test_no_statement_can_be_run_after_the_transaction(connections: ConnectionPool) -> None:
    with connections.begin() as (_, driver):
        driver.execute_many(PUT, [row(1), row(2)])
        found = driver.iterate(FIND, {"least": 0})
        next(found)
    with pytest.raises(TransactionEnded):
        driver.fetch_one(FIND, {"least": 0})
    with pytest.raises(TransactionEnded):
        next(found)


def test_a_missing_value_is_an_error_before_anything_is_executed(connections: ConnectionPool) -> None:
    with connections.begin() as (_, driver):
        with pytest.raises(KeyError, match="body_"):
            driver.execute(COUNT_UP, {"id_": 1})
        with pytest.raises(KeyError, match="number"):
            driver.execute(PUT, {"id": 1, "body": b""})


def test_each_database_gets_parameters_in_the_form_of_its_driver() -> None:
    text, parameters = COUNT_UP.compiled_for(registry.load("sqlite")())
    assert text.count("?") == 3
    assert parameters({"id_": 7, "body_": b"x"}) == [1, b"x", 7]
    server = registry.load("postgresql.psycopg")()
    text, parameters = COUNT_UP.compiled_for(server)
    given = parameters({"id_": 7, "body_": b"x"})
    assert sorted(given.values(), key=str) == [1, 7, b"x"]
    assert "?" not in text % given
    text, parameters = SKIP.compiled_for(server)
    assert "ON CONFLICT DO NOTHING" in text
    assert "RETURNING" not in text
    assert parameters(row(1)) == row(1)
