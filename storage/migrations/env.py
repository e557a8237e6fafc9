"""Run by Alembic: migrates the connection that `storage.migrate` hands over, within its transaction."""

from alembic import context

from storage.tables import Row

context.configure(connection=context.config.attributes["connection"], target_metadata=Row.metadata)
context.run_migrations()
