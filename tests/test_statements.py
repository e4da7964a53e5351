"""Statements written once run by the driver of either database, and fail as those of SQLAlchemy do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, bindparam, insert, select, update
from sqlalchemy.dialects import registry
from sqlalchemy.exc import IntegrityError, OperationalError

from storage.sqlite.engines import DATA_PRAGMAS, Transactions, sqlite_engine
from storage.statements import Statement, TransactionOver
from storage.upsert import insert_or_skip

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
def transactions(tmp_path: Path) -> Iterator[Transactions]:
    engine = sqlite_engine(tmp_path / "things.sqlite", DATA_PRAGMAS)
    with engine.begin() as connection:
        METADATA.create_all(connection)
    made = Transactions(engine)
    yield made
    made.close()


def row(number: int) -> dict[str, object]:
    return {"id": number, "number": number * 10, "body": b"x"}


def test_what_one_statement_writes_the_next_one_finds(transactions: Transactions) -> None:
    with transactions.begin() as (connection, driver):
        driver.run_each(PUT, [row(1), row(2), row(3)])
        assert driver.run(SKIP, row(3)) == 0
        assert driver.run(SKIP, row(4)) == 1
        assert driver.run(COUNT_UP, {"id_": 2, "body_": None}) == 1
        assert connection.execute(select(things.c.number).order_by(things.c.id)).scalars().all() == [10, 21, 30, 40]
    with transactions.begin(reads=True) as (_, driver):
        assert driver.first(FIND, {"least": 21}) == (21, None)
        assert driver.all(FIND, {"least": 21}) == [(21, None), (30, b"x")]
        assert list(driver.each(FIND, {"least": 21})) == [(21, None), (30, b"x")]
        assert driver.first(FIND, {"least": 99}) is None


@pytest.mark.parametrize("by", ["driver", "connection"])
def test_what_is_undone_is_undone_by_whichever_way_it_was_written(transactions: Transactions, by: str) -> None:
    def broken() -> None:
        with transactions.begin() as (connection, driver):
            if by == "driver":
                driver.run(PUT, row(1))
            else:
                connection.execute(insert(things), row(1))
            raise RuntimeError

    for _ in range(2):
        with pytest.raises(RuntimeError):
            broken()
    with transactions.begin() as (_, driver):
        assert driver.all(FIND, {"least": 0}) == []
        driver.run(PUT, row(1))


def test_an_error_of_the_driver_has_its_name_and_says_no_value(transactions: Transactions) -> None:
    with transactions.begin() as (_, driver):
        driver.run(PUT, row(1))
    with pytest.raises(IntegrityError) as fault, transactions.begin() as (_, driver):
        driver.run(PUT, {"id": 1, "number": 271828, "body": b"her own words"})
    assert "her own words" not in str(fault.value)
    assert "271828" not in str(fault.value)
    with pytest.raises(OperationalError, match="readonly"), transactions.begin(reads=True) as (_, driver):
        driver.run(PUT, row(2))
    with transactions.begin() as (_, driver):
        assert driver.run(PUT, row(2)) == 1


def test_nothing_can_be_asked_after_the_end(transactions: Transactions) -> None:
    with transactions.begin() as (_, driver):
        driver.run_each(PUT, [row(1), row(2)])
        found = driver.each(FIND, {"least": 0})
        next(found)
    with pytest.raises(TransactionOver):
        driver.first(FIND, {"least": 0})
    with pytest.raises(TransactionOver):
        next(found)


def test_a_value_left_out_is_an_error_before_anything_is_sent(transactions: Transactions) -> None:
    with transactions.begin() as (_, driver):
        with pytest.raises(KeyError, match="body_"):
            driver.run(COUNT_UP, {"id_": 1})
        with pytest.raises(KeyError, match="number"):
            driver.run(PUT, {"id": 1, "body": b""})


def test_each_database_gets_the_parameters_its_driver_takes() -> None:
    text, parameters = COUNT_UP.of(registry.load("sqlite")())
    assert text.count("?") == 3
    assert parameters({"id_": 7, "body_": b"x"}) == [1, b"x", 7]
    server = registry.load("postgresql.psycopg")()
    text, parameters = COUNT_UP.of(server)
    given = parameters({"id_": 7, "body_": b"x"})
    assert sorted(given.values(), key=str) == [1, 7, b"x"]
    assert "?" not in text % given
    text, parameters = SKIP.of(server)
    assert "ON CONFLICT DO NOTHING" in text
    assert "RETURNING" not in text
    assert parameters(row(1)) == row(1)
