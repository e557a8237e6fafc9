"""A batch whose resource is held at the moment it is stored, and free again when its holder is looked for."""

from collections.abc import Iterable

import pytest

from audit.errors import HeldError, StateError
from remediation.states import PlaybookStatus
from storage import Stores
from storage.batches import SqlBatches
from tests.contract.test_stores_batches import a_batch, an_item
from tests.fakes.samples import an_event


class LateLook(SqlBatches):
    """Looks for the holder only after it has let go."""

    stores: Stores

    def holders(self, holds: Iterable[str]) -> dict[str, str]:
        other = self.stores.executions.get("other-2")
        if other.status is PlaybookStatus.PENDING:
            self.stores.executions.save(other, other.moved(PlaybookStatus.EXPIRED), an_event())
        return super().holders(holds)


def test_a_holder_that_lets_go_at_that_moment_is_no_missing_batch(stores: Stores) -> None:
    other = an_item(2, batch_id="", prefix="other")
    stores.executions.create(other, an_event())
    items, events = [an_item(number) for number in (1, 2, 3)], [an_event() for _ in range(4)]
    late = LateLook(stores.executions._database, stores.executions)
    late.stores = stores
    with pytest.raises(StateError, match="free now; try again") as caught:
        late.create(a_batch(), items, events)
    assert not isinstance(caught.value, HeldError)
    assert late.create(a_batch(), items, events).batch_id == "b-1"
