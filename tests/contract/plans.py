"""Plans of cases, and why there is none."""

import pytest

from audit.errors import ActionError
from remediation.plan import ActionPlan, Target
from tests.contract.cases.contract import ActionCase


def plan_of(case: ActionCase, resource: Target | None = None) -> ActionPlan:
    return case.registry().resolve(case.written).plan(resource or case.target())


def refusal(case: ActionCase, resource: Target | None = None) -> ActionError:
    with pytest.raises(ActionError) as caught:
        plan_of(case, resource)
    assert len(caught.value.explain().splitlines()) == 1
    return caught.value
