"""Databases on disk, migrated."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from storage import Stores, open_engine
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
