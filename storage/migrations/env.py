"""Run by Alembic: migrates on the connection that `storage.migrations` passes."""

from __future__ import annotations

from alembic import context

from storage.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    # The connection is in a transaction already, which covers changes of the schema, on SQLite as well.
    transactional_ddl=True,
)
context.run_migrations()
