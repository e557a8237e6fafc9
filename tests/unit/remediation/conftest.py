"""What tests of batches begin with."""

import pytest

from tests.unit.remediation.hall import Hall


@pytest.fixture
def hall() -> Hall:
    """Return a hall of open doors, with the use cases of batches."""
    return Hall()
