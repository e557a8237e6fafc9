"""Runs whose process ends in the middle."""

import pytest

from remediation.states import PlaybookStatus
from tests.fakes.switches import (
    ANA,
    OMAR,
    Bench,
    door_finding,
    door_playbook,
)


class PowerCutError(Exception):
    """What nobody foresaw: the process ends here."""


def approved(bench: Bench, *names: str) -> str:
    asked = bench.remediation.request(door_playbook(names=names or ("door",)), door_finding(), ANA)
    return bench.remediation.approve(asked.execution_id, OMAR).execution_id


def cut_power(bench: Bench, call: str, *, on: int = 1) -> None:
    """End the process at the n-th of these calls."""
    seen = []

    def fault() -> None:
        seen.append(call)
        if len(seen) == on:
            raise PowerCutError

    bench.board.faults[call] = fault


def run_until_cut(bench: Bench, execution_id: str) -> None:
    with pytest.raises(PowerCutError):
        bench.runner.run(execution_id)
    bench.board.faults.clear()
    assert bench.store.get(execution_id).status is PlaybookStatus.RUNNING


def cut_before_write(bench: Bench, *names: str) -> str:
    execution_id = approved(bench, *names)
    cut_power(bench, "before write")
    run_until_cut(bench, execution_id)
    return execution_id
