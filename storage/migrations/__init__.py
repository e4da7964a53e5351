"""Migrations of the schema. `HEAD` is the revision that this release works with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from storage.errors import StoreRefused

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0006"


def revision_of(connection: Connection) -> str | None:
    """The revision of the data; None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def upgrade_to_head(engine: Engine) -> None:
    """Migrate the data to `HEAD`, in one transaction. Raises StoreRefused for data of a newer release."""
    with engine.connect() as connection, connection.execution_options(read_only=True).begin():
        if revision_of(connection) == HEAD:
            return
    with engine.begin() as connection:
        migrate(connection, HEAD)


def migrate(connection: Connection, target: str) -> None:
    """Migrate the data up or down to `target` (`base`: no tables), in the transaction of `connection`."""
    # Importing Alembic takes 0.2 s, which a start without migrations saves.
    from alembic import command  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = _config(connection)
    known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    known = ["base", *reversed(known)]
    current = revision_of(connection) or "base"
    if current not in known:
        raise StoreRefused(
            "The data were written by a newer release of this program. Use that release, or a backup from before it."
        )
    if known.index(target) >= known.index(current):
        command.upgrade(config, target)
    else:
        command.downgrade(config, target)


def _config(connection: Connection) -> Config:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
