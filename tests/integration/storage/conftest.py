"""Databases on disk, and on Postgres, migrated."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from storage import Stores, open_engine
from tests.contract.conftest import a_schema
from tests.databases import stores_at


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/countersign.db"


@pytest.fixture
def empty(url: str) -> Iterator[Engine]:
    """An engine on a file without tables."""
    engine = open_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def stores(url: str) -> Iterator[Stores]:
    opened = stores_at(url)
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def racing_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the address of an empty database that several processes can use, of each kind."""
    if request.param == "sqlite":
        yield request.getfixturevalue("url")
        return
    with a_schema(request.getfixturevalue("postgres")) as url:
        yield url


@pytest.fixture
def racing(racing_url: str) -> Iterator[Stores]:
    """Open what several processes use."""
    opened = stores_at(racing_url)
    yield opened
    opened.close()
