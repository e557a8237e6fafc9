"""Bringing a database to the revision this program needs, and refusing to work with any other."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from audit.errors import ConfigError, TrailError
from storage import triggers
from storage.database import hold_write_lock
from storage.engine import READ_ONLY
from storage.wording import in_words

_SCRIPTS = "storage:migrations"


def upgrade(engine: Engine) -> list[str]:
    """Bring the database to this program's revision, in one transaction; one that is there already is left alone.

    Puts back triggers of the trail that are missing, and returns their names: somebody may have used their absence.

    Raises:
        ConfigError: a newer program has upgraded it further, or it cannot be written to.
    """
    with in_words(), engine.begin() as connection:
        hold_write_lock(connection)
        config = _config(connection)
        found = _revision(connection)
        _refuse_newer(found, ScriptDirectory.from_config(config))
        command.upgrade(config, "head")
        restored = triggers.missing(connection) if found else []
        triggers.install(connection)
    return restored


def check(engine: Engine) -> None:
    """Let a database pass that has this program's revision and all triggers of the trail.

    Raises:
        ConfigError: it has another revision, or none.
        TrailError: a trigger is missing, so the trail could be rewritten.
    """
    with in_words(), engine.execution_options(**{READ_ONLY: True}).begin() as connection:
        _check_revision(connection)
        _check_triggers(connection)


def check_revision(engine: Engine) -> list[str]:
    """Let a database pass that has this program's revision; return the trail's missing triggers, to be told.

    Raises:
        ConfigError: it has another revision, or none.
    """
    with in_words(), engine.execution_options(**{READ_ONLY: True}).begin() as connection:
        _check_revision(connection)
        return triggers.missing(connection)


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    config.attributes["connection"] = connection
    return config


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _check_revision(connection: Connection) -> None:
    scripts = ScriptDirectory.from_config(_config())
    found, needed = _revision(connection), scripts.get_current_head()
    if found == needed:
        return
    _refuse_newer(found, scripts)
    state = f"is at revision {found}" if found else "is empty"
    raise ConfigError(f"the database {state}, this program needs {needed}: run `countersign db upgrade`")


def _refuse_newer(found: str | None, scripts: ScriptDirectory) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    if found is not None and found not in known:
        raise ConfigError(
            f"the database is at revision {found}, which this program does not know: "
            "a newer program has upgraded it; install that version"
        )


def _check_triggers(connection: Connection) -> None:
    if names := triggers.missing(connection):
        raise TrailError(
            f"the trail is not protected, {', '.join(names)} is missing or changed: "
            "run `countersign trail verify`, then `countersign db upgrade`"
        )
