"""The implementations that each contract suite runs against."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from storage import Stores, open_engine
from tests.contract.backends_azure import arm, azure_clients
from tests.contract.backends_google import google, google_clients, storage_emulator
from tests.databases import stores_at, stores_in_memory
from tests.fakes.stores import MemoryStores

__all__ = ["arm", "azure_clients", "google", "google_clients", "storage_emulator"]


@pytest.fixture(
    params=["fake", "sqlite file", "sqlite in memory", pytest.param("postgres", marks=pytest.mark.slow)]
)
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores | MemoryStores]:
    if request.param == "fake":
        yield MemoryStores()
    elif request.param == "postgres":
        with a_schema(request.getfixturevalue("postgres")) as url:
            yield from _opened(stores_at(url))
    elif request.param == "sqlite file":
        yield from _opened(stores_at(f"sqlite:///{tmp_path}/countersign.db"))
    else:
        yield from _opened(stores_in_memory())


def _opened(stores: Stores) -> Iterator[Stores]:
    yield stores
    stores.close()


@contextmanager
def a_schema(server: str) -> Iterator[str]:
    """Give each test a schema of its own in a server's database."""
    name = f"test_{uuid.uuid4().hex}"
    engine = open_engine(server)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    options = {"options": f"-csearch_path={name}"}
    try:
        yield make_url(server).update_query_dict(options).render_as_string(hide_password=False)
        with engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
    finally:
        engine.dispose()
