"""What the store in memory refuses, as the one on SQL does."""

from dataclasses import replace

import pytest

from audit.errors import StateError
from remediation.memory import MemoryExecutions
from remediation.states import PlaybookStatus
from tests.fakes.samples import a_decision, an_event, an_execution


def test_a_decision_cannot_be_taken_back() -> None:
    store = MemoryExecutions()
    first = store.create(an_execution(), an_event())
    signed = store.save(first, replace(first, decisions=(a_decision(first),)), an_event())
    other = replace(a_decision(first), reason="another one")
    for decisions in ((), (other,), (other, *signed.decisions)):
        for status in (PlaybookStatus.PENDING, PlaybookStatus.APPROVED):
            with pytest.raises(StateError, match="stays on record"):
                store.save(signed, replace(signed, status=status, decisions=decisions), an_event())
    assert store.get(first.execution_id) == signed
    assert len(store.trail) == 2
