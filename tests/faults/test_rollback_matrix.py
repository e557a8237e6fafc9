"""Putting back, on a process that dies before and after every journal write and every write to a cloud.

The next process's sweep settles it, and a person asks for the rollback again: then all of it is back, and nothing was put
back twice. What is left in between by a few, as `back_by_hand` says, a person has to set back, and the rollback is refused.
"""

from collections import Counter
from pathlib import Path

import pytest

from remediation.states import PlaybookStatus
from tests.faults.dying import DIED, Fate, in_child
from tests.faults.rows import ROWS
from tests.faults.stage import Stage

# Four journal writes: begun, intent, what became of it, the end.
JOURNAL = 8
SEVERAL = {name: row for name, row in ROWS.items() if len(row.back) > 1} | {"switch": ROWS["switch"]}
MOMENTS = [(name, point) for name, row in SEVERAL.items() for point in range(JOURNAL + 2 * len(row.back) + 1)]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "point"), MOMENTS, ids=lambda value: str(value).replace(" ", "_"))
def test_whenever_it_dies(
    name: str, point: int, request: pytest.FixtureRequest, tmp_path: Path, empty_database: Path
) -> None:
    row = SEVERAL[name]
    stage = Stage(row.kind.prepare(request), tmp_path, empty_database)
    assert in_child(lambda: stage.run(Fate(stage.log))) == 0
    fate = Fate(stage.back, dies_at=point)
    ended = in_child(lambda: stage.roll_back(fate))
    if point == JOURNAL + 2 * len(row.back):
        assert ended == 0, "there are more moments than this table says"
        assert stage.back.read_text().split() == list(row.back)
    else:
        assert ended == DIED, "there are fewer moments than this table says"
        assert in_child(lambda: stage.sweep(stage.back)) == 0
    settled = stage.stored()
    assert settled.status is not PlaybookStatus.ROLLING_BACK
    if point in row.back_by_hand:
        assert settled.can_roll_back
        assert in_child(stage.refuse_rolling_back) == 0
        assert stage.stored() == settled
        assert fate.writes() <= Counter(row.back), "put back twice"
        return
    if settled.status is not PlaybookStatus.ROLLED_BACK:
        assert settled.can_roll_back
        assert in_child(lambda: stage.roll_back(Fate(stage.back))) == 0
    back = stage.stored()
    assert back.status is PlaybookStatus.ROLLED_BACK, back.error
    assert stage.case.read_raw() == stage.original
    assert fate.writes() == Counter(row.back), "put back twice, or not at all"
