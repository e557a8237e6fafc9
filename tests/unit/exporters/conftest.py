import pytest

from tests.unit.exporters.office import ANA, DAILY, Office


@pytest.fixture
def office() -> Office:
    office = Office()
    office.scheduling.add(DAILY, ANA)
    return office
