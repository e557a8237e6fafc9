"""The implementations that each contract suite runs against."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from storage import Stores, open_engine, upgrade
from tests.contract.backends_azure import arm, azure_clients
from tests.fakes.stores import MemoryStores

__all__ = ["arm", "azure_clients"]


@pytest.fixture(
    params=["fake", "sqlite file", "sqlite in memory", pytest.param("postgres", marks=pytest.mark.slow)]
)
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores | MemoryStores]:
    if request.param == "fake":
        yield MemoryStores()
    elif request.param == "postgres":
        with _a_schema_on_postgres() as url:
            yield from _opened(_migrated(url))
    elif request.param == "sqlite file":
        yield from _opened(_migrated(f"sqlite:///{tmp_path}/countersign.db"))
    else:
        yield from _opened(Stores.in_memory())


def _opened(stores: Stores) -> Iterator[Stores]:
    yield stores
    stores.close()


def _migrated(url: str) -> Stores:
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()
    return Stores.open(url)


@contextmanager
def _a_schema_on_postgres() -> Iterator[str]:
    """Give each test a schema of its own in the database that `DATABASE_URL_POSTGRES` names."""
    url = os.environ.get("DATABASE_URL_POSTGRES")
    if not url:
        # The one skip that COUNTERSIGN_NO_SKIPS allows: continuous integration runs no Postgres yet.
        pytest.skip("DATABASE_URL_POSTGRES names no Postgres to run the contract against")
    name = f"test_{uuid.uuid4().hex}"
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    options = {"options": f"-csearch_path={name}"}
    yield make_url(url).update_query_dict(options).render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
    engine.dispose()
