"""Run by Alembic: migrate over the connection that `storage.migrations` hands in."""

from __future__ import annotations

from alembic import context

from storage.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    # The connection is in a transaction already, which takes in the schema on SQLite too.
    transactional_ddl=True,
)
context.run_migrations()
