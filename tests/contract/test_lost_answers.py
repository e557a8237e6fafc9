"""Google Cloud and Azure do what they are asked, and the answer gets lost: each write in turn, of every action, both ways."""

from collections import Counter
from collections.abc import Mapping

import pytest

from remediation.actions.gcp.clients import Patience
from remediation.attempt import do, put_back
from remediation.states import ActionStatus
from tests.contract.backends_google import clients_for
from tests.contract.cases import all_cases
from tests.contract.cases.azure import AzureCase
from tests.contract.cases.gcp import GoogleCase
from tests.contract.writes_page import ONCE, writes
from tests.fakes.arm import Fault

pytestmark = pytest.mark.slow

GOOGLE, AZURE = writes("gcp"), writes("azure")
# The stand-in calls Azure's routes by names of its own.
ROUTES = {
    "rule put": "security_rules.begin_create_or_update",
    "flow log put": "flow_logs.begin_create_or_update",
    "flow log delete": "flow_logs.begin_delete",
    "account update": "storage_accounts.update",
    "container update": "blob_containers.update",
    "account regenerate key": "storage_accounts.regenerate_key",
}
ON_GOOGLE = [kind for kind in all_cases() if issubclass(kind, GoogleCase)]
ON_AZURE = [kind for kind in all_cases() if issubclass(kind, AzureCase)]
SOON = Patience(connect_s=2, read_s=0.4, total_s=10, operation_s=10, proof_s=10)


def there_and_back(case: GoogleCase | AzureCase) -> ActionStatus:
    """Do it and put it back, again where the first time did not get through, as a person would; return what the doing came to."""
    step = case.registry().resolve(case.written)
    plan = step.plan(case.target())
    before = case.read_raw()
    done = do(step, plan)
    assert done.status in {ActionStatus.COMPLETED, ActionStatus.FAILED}
    if not step.action.reversible:
        return done.status
    back = put_back(step, plan, left=None)
    if back.status is not ActionStatus.COMPLETED:
        back = put_back(step, plan, left=None)
    assert (back.status, back.error) == (ActionStatus.COMPLETED, None)
    assert case.read_raw() == before
    return done.status


def check(sent: Counter[str], usual: Counter[str], lost: str, how: Mapping[str, str]) -> None:
    """Hold how often a call was sent to the page."""
    assert sent[lost] > usual[lost] or how[lost] == ONCE
    assert sent[lost] <= usual[lost] or how[lost] != ONCE


@pytest.mark.parametrize("kind", ON_GOOGLE, ids=lambda kind: kind.__name__)
def test_google(kind: type[GoogleCase], request: pytest.FixtureRequest) -> None:
    def anew() -> GoogleCase:
        case: GoogleCase = kind.prepare(request)
        case.set_state(case.unsettled)
        case.clients = clients_for(case.cloud, SOON)
        case.cloud.calls.clear()
        return case

    case = anew()
    there_and_back(case)
    usual = Counter(case.cloud.calls)
    made = usual.keys() & GOOGLE.keys()
    assert made
    assert [
        call
        for call in usual
        if call not in made and not call.endswith((".get", ".list", ".wait", ".getIamPolicy"))
    ] == []
    for lost in sorted(made):
        case = anew()
        case.cloud.stall(lost, after=True)
        ended = there_and_back(case)
        check(Counter(case.cloud.calls), usual, lost, GOOGLE)
        # Nobody has the new key's text but the answer that was lost, or its version was not heard of: it is done without.
        assert ended is ActionStatus.FAILED or GOOGLE[lost] != ONCE


@pytest.mark.parametrize("kind", ON_AZURE, ids=lambda kind: kind.__name__)
def test_azure(kind: type[AzureCase], request: pytest.FixtureRequest) -> None:
    case = kind.prepare(request)
    how = {route: AZURE[call] for route, call in ROUTES.items()}

    def go(*faults: Fault) -> Counter[str]:
        case.set_state(case.unsettled)
        case.arm.asked.clear()
        case.arm.world.faults = list(faults)
        # What the next reading shows is done, is done.
        assert there_and_back(case) is ActionStatus.COMPLETED
        return Counter(case.arm.asked)

    usual = go()
    made = usual.keys() & how.keys()
    assert made
    assert [route for route in usual if route not in made and not route.endswith((" get", " list"))] == []
    for lost in sorted(made):
        # The SDK takes a broken connection and an answer that says nothing for different things.
        sent = go(Fault(lost, after=True)) | go(Fault(lost, 503, after=True, headers={"Retry-After": "0"}))
        check(sent, usual, lost, how)
