"""Run by Alembic: migrates the connection that `storage.migrate` hands over, within its transaction."""

from alembic import context

from storage import batch_tables as batch_tables  # noqa: PLC0414 - puts its tables among the metadata
from storage import finding_texts as finding_texts  # noqa: PLC0414 - puts its table among the metadata
from storage import home_tables as home_tables  # noqa: PLC0414 - puts its tables among the metadata
from storage import schedule_tables  # noqa: F401 - its tables count as well
from storage.tables import Row

context.configure(connection=context.config.attributes["connection"], target_metadata=Row.metadata)
context.run_migrations()
