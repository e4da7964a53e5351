"""The schema can be upgraded and downgraded, and the migrations create the tables declared in code."""

from __future__ import annotations

import sys
from pathlib import Path
from subprocess import run

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect

from storage import Store, StoreRefused, migrations
from storage.sqlite.engines import DATA_PRAGMAS, sqlite_engine
from storage.tables import METADATA
from tests.stores import Marks, change, full_life


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return sqlite_engine(tmp_path / "companion.sqlite", DATA_PRAGMAS)


def test_the_migrations_create_the_tables_of_the_code(engine: Engine) -> None:
    migrations.upgrade_to_head(engine)
    with engine.begin() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), METADATA) == []


def test_partial_indexes_have_the_same_conditions_in_migrations_and_code(engine: Engine, tmp_path: Path) -> None:
    other = sqlite_engine(tmp_path / "other.sqlite", DATA_PRAGMAS)
    METADATA.create_all(other)
    migrations.upgrade_to_head(engine)
    assert _indexes(engine) == _indexes(other)


def _indexes(engine: Engine) -> set[str]:
    statement = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    with engine.connect() as connection:
        found = {" ".join(str(sql).split()) for _, sql in connection.exec_driver_sql(statement)}
    return {sql for sql in found if "alembic" not in sql}


def test_the_newest_migration_is_the_one_this_release_works_with(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_heads() == [migrations.HEAD]
    migrations.upgrade_to_head(engine)
    with engine.connect() as connection:
        assert migrations.revision_of(connection) == migrations.HEAD


def test_the_schema_can_be_downgraded_to_nothing_and_upgraded_again(engine: Engine) -> None:
    migrations.upgrade_to_head(engine)
    for target in ("base", migrations.HEAD, "base"):
        with engine.begin() as connection:
            migrations.migrate(connection, target)
    assert inspect(engine).get_table_names() == ["alembic_version"]
    migrations.upgrade_to_head(engine)
    assert set(METADATA.tables) <= set(inspect(engine).get_table_names())


def test_an_interrupted_migration_changes_nothing(engine: Engine) -> None:
    def cut_off() -> None:
        with engine.begin() as connection:
            migrations.migrate(connection, migrations.HEAD)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_off()
    assert inspect(engine).get_table_names() == []


def test_data_of_a_newer_release_are_refused_with_a_sentence(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    full_life(store, Marks("telegram:1"))
    store.close()
    change(tmp_path / "companion.sqlite", "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreRefused, match="newer release"):
        Store.open(tmp_path)


def test_a_start_with_nothing_to_migrate_does_not_load_the_migrations(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    script = (
        "import sys, pathlib; from storage import Store; Store.open(pathlib.Path(sys.argv[1])).close(); "
        "sys.exit('alembic' in sys.modules)"
    )
    assert run([sys.executable, "-c", script, str(tmp_path)], check=False).returncode == 0
