import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, text

from audit.errors import ConfigError, TrailError
from storage import Stores, check, upgrade
from storage.tables import Row

ROOT = Path(__file__).resolve().parents[3]
VERSIONS = ROOT / "storage" / "migrations" / "versions"


def run(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_models_and_migrations_agree(empty: Engine) -> None:
    upgrade(empty)
    with empty.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Row.metadata) == []


def test_the_comparison_sees_a_difference(empty: Engine) -> None:
    upgrade(empty)
    run(empty, "DROP INDEX ix_findings_worst_first", "ALTER TABLE postings ADD COLUMN extra TEXT")
    with empty.begin() as connection:
        assert len(compare_metadata(MigrationContext.configure(connection), Row.metadata)) == 2


def test_an_upgraded_database_passes_and_upgrading_again_is_harmless(empty: Engine) -> None:
    upgrade(empty)
    upgrade(empty)
    check(empty)


def test_an_empty_database_is_refused(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Stores.open(url)
    newest = max(path.name[:4] for path in VERSIONS.glob("[0-9]*.py"))
    expected = f"the database is empty, this program needs {newest}: run `countersign db upgrade`"
    assert str(caught.value) == expected


def test_a_newer_database_is_refused_and_left_alone(empty: Engine, url: str) -> None:
    upgrade(empty)
    run(empty, "UPDATE alembic_version SET version_num = '9999'")
    for use in (check, upgrade):
        with pytest.raises(ConfigError, match="at revision 9999, which this program does not know"):
            use(empty)
    with pytest.raises(ConfigError):
        Stores.open(url)


@pytest.mark.parametrize("name", ["trail_no_update", "trail_no_delete", "trail_no_replace"])
def test_without_a_trigger_nothing_opens_until_it_is_put_back(empty: Engine, url: str, name: str) -> None:
    upgrade(empty)
    run(empty, f"DROP TRIGGER {name}")
    with pytest.raises(TrailError, match=f"{name} is missing or changed"):
        Stores.open(url)

    upgrade(empty)
    check(empty)


def test_a_trigger_that_does_nothing_does_not_count(empty: Engine) -> None:
    upgrade(empty)
    run(
        empty,
        "DROP TRIGGER trail_no_delete",
        "CREATE TRIGGER trail_no_delete BEFORE DELETE ON trail BEGIN SELECT 1; END",
    )
    with pytest.raises(TrailError, match="trail_no_delete"):
        check(empty)


def test_a_failed_upgrade_leaves_nothing(empty: Engine) -> None:
    run(empty, "CREATE TABLE trail (seq INTEGER)")  # in the way of ours, which is made last
    with pytest.raises(Exception, match="already exists"):
        upgrade(empty)
    with empty.begin() as connection:
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars()
        assert set(names) == {"trail"}


def test_two_programs_upgrade_at_once_from_any_folder(url: str, tmp_path: Path) -> None:
    program = (
        f"from storage import open_engine, upgrade, check; e = open_engine({url!r}); upgrade(e); check(e)"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert [(child.communicate()[1], child.returncode) for child in runs] == [("", 0), ("", 0)]
