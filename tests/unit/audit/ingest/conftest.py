"""What the ingest tests share: reading a file of this checkout, of the shared samples, or from bytes."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from audit.ingest import Item, Reading, read_report
from tests.conftest import sample

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
REPOSITORY = Path(__file__).resolve().parents[4]


@pytest.fixture
def read_file() -> Callable[[Path | str], tuple[Reading, list[Item]]]:
    """Return a reader of a fixture by name, or of a path."""

    def read(name: Path | str) -> tuple[Reading, list[Item]]:
        path = FIXTURES / name
        with path.open("rb") as stream:
            reading = read_report(stream, path.name)
            return reading, list(reading.items)

    return read


@pytest.fixture
def read_bytes() -> Callable[[bytes], list[Item]]:
    """Return a reader of content in memory that is called `report.json`."""
    return lambda content: list(read_report(BytesIO(content), "report.json").items)


@pytest.fixture
def samples() -> Path:
    """Return the folder of real scanner reports, which is not part of the project."""
    return sample("prowler5_aws.ocsf.json").parent


@pytest.fixture
def demo_report() -> Path:
    return REPOSITORY / "bot" / "sandbox" / "demo_report.ocsf.json"
