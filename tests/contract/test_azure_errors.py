"""Every way in which Azure can say no, through the real SDK: one line that names the cause and the next step."""

import itertools
import logging
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.core import exceptions as sdk
from azure.identity import CredentialUnavailableError, DefaultAzureCredential

from audit.errors import ActionError, Cause, PermanentActionError, TemporaryActionError
from remediation.actions.azure.action import finish
from remediation.actions.azure.arm_id import read_arm_id
from remediation.actions.azure.clients import NETWORK, STORAGE, AzureSdkClients
from remediation.actions.azure.errors import azure_errors
from remediation.actions.azure.pipeline import LONGEST_WAIT_S
from remediation.actions.registry import Step
from remediation.plan import ActionPlan
from tests.contract.backends_azure import ACCOUNT_ID, NSG_ID, SUBSCRIPTION, clients_at
from tests.contract.cases.azure import (
    AzureCase,
    BlobAccountCase,
    BlobContainerCase,
    FlowLogsCase,
    NsgRuleDenyCase,
    StorageKeyCase,
)
from tests.fakes.arm import ArmStandIn, Fault

pytestmark = pytest.mark.slow

Phase = Callable[[Step, ActionPlan], object]
PHASES: dict[str, Phase] = {
    "plan": lambda step, plan: step.plan(plan.target),
    "observe": lambda step, plan: step.action.observe(plan),
    "apply": lambda step, plan: step.action.apply(plan),
    "verify": lambda step, plan: step.action.verify(plan),
}
KINDS: list[type[AzureCase]] = [
    BlobAccountCase,
    BlobContainerCase,
    NsgRuleDenyCase,
    FlowLogsCase,
    StorageKeyCase,
]
WRITES = {
    BlobAccountCase: "account update",
    BlobContainerCase: "container update",
    NsgRuleDenyCase: "rule put",
    FlowLogsCase: "flow log put",
    StorageKeyCase: "account regenerate key",
}
BY_CODE = [
    (403, "AuthorizationFailed", Cause.DENIED),
    (403, "LinkedAuthorizationFailed", Cause.DENIED),
    (403, "RequestDisallowedByPolicy", Cause.DENIED_BY_ORGANIZATION),
    (409, "ScopeLocked", Cause.DENIED_BY_ORGANIZATION),
    (401, "ExpiredAuthenticationToken", Cause.CREDENTIALS),
    (401, "InvalidAuthenticationTokenTenant", Cause.WRONG_ACCOUNT),
    (404, "SubscriptionNotFound", Cause.WRONG_ACCOUNT),
    (404, "ResourceNotFound", Cause.NOT_FOUND),
    (404, "ResourceGroupNotFound", Cause.NOT_FOUND),
    (412, "PreconditionFailed", Cause.CHANGED_MEANWHILE),
    (409, "AnotherOperationInProgress", Cause.CHANGED_MEANWHILE),
    (400, "SecurityRuleInvalidPortRange", Cause.INVALID),
]
BY_STATUS = [
    (400, Cause.INVALID),
    (401, Cause.CREDENTIALS),
    (403, Cause.DENIED),
    (404, Cause.NOT_FOUND),
    (409, Cause.CHANGED_MEANWHILE),
    (412, Cause.CHANGED_MEANWHILE),
]
BY_SDK: list[tuple[sdk.AzureError, Cause]] = [
    (sdk.ServiceResponseTimeoutError("no answer"), Cause.TIMED_OUT),
    (sdk.ServiceRequestTimeoutError("no connection"), Cause.TIMED_OUT),
    (sdk.ServiceRequestError("no route"), Cause.UNAVAILABLE),
    (sdk.ServiceResponseError("cut off"), Cause.UNAVAILABLE),
    (sdk.IncompleteReadError("half"), Cause.UNAVAILABLE),
    (sdk.ClientAuthenticationError("no token\nEnvironment: none\nCLI: none"), Cause.CREDENTIALS),
    (CredentialUnavailableError("nothing configured"), Cause.CREDENTIALS),
    (sdk.AzureError("odd"), Cause.INVALID),
]
WORTH_ANOTHER_TRY = {Cause.THROTTLED, Cause.TIMED_OUT, Cause.UNAVAILABLE, Cause.CHANGED_MEANWHILE}


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def case(request: pytest.FixtureRequest) -> AzureCase:
    made: AzureCase = request.param.prepare(request)
    made.set_state(made.unsettled)
    return made


def planned(case: AzureCase) -> tuple[Step, ActionPlan]:
    step = case.registry().resolve(case.written)
    return step, step.plan(case.target())


def explained(error: ActionError) -> ActionError:
    line = error.explain()
    assert line.startswith("Could not ")
    assert error.cause.next_step in line
    assert len(line.splitlines()) == 1
    kind = TemporaryActionError if error.cause in WORTH_ANOTHER_TRY else PermanentActionError
    assert type(error) is kind
    return error


def fail_at(phase: Phase, case: AzureCase, fault: Fault) -> ActionError:
    step, plan = planned(case)
    case.arm.world.faults.append(fault)
    with pytest.raises(ActionError) as caught:
        phase(step, plan)
    return explained(caught.value)


@pytest.mark.parametrize("phase", PHASES.values(), ids=PHASES.keys())
def test_a_denial_at_each_phase(case: AzureCase, phase: Phase) -> None:
    before = case.read_raw()
    error = fail_at(phase, case, Fault("any", 403, "AuthorizationFailed", times=9))
    assert error.cause is Cause.DENIED
    assert "said Azure (AuthorizationFailed) (request azure-request-" in error.explain()
    assert case.read_raw() == before


@pytest.mark.parametrize(("status", "code", "cause"), BY_CODE, ids=[code for _, code, _ in BY_CODE])
def test_a_code_of_azure_at_the_write(case: AzureCase, status: int, code: str, cause: Cause) -> None:
    before = case.read_raw()
    error = fail_at(PHASES["apply"], case, Fault(WRITES[type(case)], status, code))
    assert error.cause is cause
    assert f"({code})" in error.explain()
    assert error.request_id
    assert case.read_raw() == before


@pytest.mark.parametrize(("status", "cause"), BY_STATUS)
def test_a_code_that_nobody_knows(case: AzureCase, status: int, cause: Cause) -> None:
    assert fail_at(PHASES["plan"], case, Fault("any", status, "SomethingNew")).cause is cause


def test_throttling_is_waited_out_while_it_is_short(case: AzureCase) -> None:
    step, plan = planned(case)
    case.arm.world.faults.append(Fault("any", 429, "TooManyRequests", headers={"Retry-After": "0"}, times=2))
    assert step.action.observe(plan) == plan.before
    assert case.arm.world.faults[0].times == 0


def test_and_explained_with_azures_own_delay_where_it_is_long(case: AzureCase) -> None:
    wait = {"Retry-After": str(int(LONGEST_WAIT_S) + 300)}
    error = fail_at(PHASES["observe"], case, Fault("any", 429, "TooManyRequests", headers=wait))
    assert isinstance(error, TemporaryActionError)
    assert error.cause is Cause.THROTTLED
    assert error.delay_s == LONGEST_WAIT_S + 300


def test_a_server_error_that_stays(arm: ArmStandIn, azure_clients: Any) -> None:
    case = BlobAccountCase(arm, azure_clients)
    case.set_state("on")
    fault = Fault("any", 503, "ServerBusy", headers={"Retry-After": "0"}, times=9)
    assert fail_at(PHASES["plan"], case, fault).cause is Cause.UNAVAILABLE
    assert fault.times == 5


@pytest.mark.parametrize("kind", [NsgRuleDenyCase, FlowLogsCase])
def test_an_operation_that_fails_later(kind: type[AzureCase], request: pytest.FixtureRequest) -> None:
    case = kind.prepare(request)
    case.set_state(case.unsettled)
    step, plan = planned(case)
    case.arm.world.polls = 3
    case.arm.world.operation_error = {"code": "RetryableError", "message": "came in between"}
    with pytest.raises(ActionError) as caught:
        step.action.apply(plan)
    assert explained(caught.value).cause is Cause.UNAVAILABLE
    assert "came in between" in str(caught.value)
    assert step.action.observe(plan) == plan.before


def test_an_operation_that_never_ends_is_left_at_the_deadline(arm: ArmStandIn, azure_clients: Any) -> None:
    case = NsgRuleDenyCase(arm, azure_clients)
    case.set_state("any")
    arm.world.polls = None
    network, nsg = azure_clients.client(NETWORK, subscription=SUBSCRIPTION), read_arm_id(NSG_ID)
    where = {"resource_group_name": nsg.group, "network_security_group_name": nsg.name}
    rule = network.security_rules.get(**where, security_rule_name="ssh")
    poller = network.security_rules.begin_create_or_update(
        **where, security_rule_name="ssh", security_rule_parameters=rule
    )
    with pytest.raises(TemporaryActionError, match="still at it") as caught:
        finish(poller, "write the rule ssh", deadline_s=0.1)
    assert explained(caught.value).cause is Cause.TIMED_OUT
    arm.world.polls = 1
    for operation in arm.world.operations.values():
        operation.polls = 1
    poller.wait()


def test_an_answer_that_gets_lost_is_settled_by_reading(case: AzureCase) -> None:
    """The write took effect and the connection broke: what the resource shows decides, as it does in a run."""
    step, plan = planned(case)
    case.arm.world.faults.append(Fault(WRITES[type(case)], after=True, times=9))
    with pytest.raises(ActionError) as caught:
        step.action.apply(plan)
    assert explained(caught.value).cause is Cause.UNAVAILABLE
    for name in list(case.arm.world.operations):
        case.arm.world.look_at(name)
    assert step.action.observe(plan) == plan.after


def test_a_key_is_made_anew_once_even_where_the_answer_gets_lost(arm: ArmStandIn, azure_clients: Any) -> None:
    case = StorageKeyCase(arm, azure_clients)
    case.set_state("of a known age")
    step, plan = planned(case)
    for fault in (
        Fault("account regenerate key", after=True),
        Fault("account regenerate key", 503, after=True),
    ):
        arm.world.faults = [fault]
        with pytest.raises(ActionError):
            step.action.apply(plan)
        assert arm.asked.count("account regenerate key") == 1
        step.action.apply(plan)
        assert arm.asked.count("account regenerate key") == 1
        step, plan = planned(case)
        arm.asked.clear()


@pytest.mark.parametrize(("raised", "cause"), BY_SDK, ids=[type(error).__name__ for error, _ in BY_SDK])
def test_an_error_of_the_sdk_itself(raised: sdk.AzureError, cause: Cause) -> None:
    with pytest.raises(ActionError) as caught, azure_errors("read it"):
        raise raised
    assert explained(caught.value).cause is cause
    assert caught.value.request_id is None
    assert caught.value.__cause__ is raised


def test_what_is_no_error_of_the_cloud_stays_a_bug() -> None:
    with pytest.raises(KeyError, match="ours"), azure_errors("read it"):
        raise KeyError("ours")


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def read_at(clients: AzureSdkClients, **options: Any) -> ActionError:
    account = read_arm_id(ACCOUNT_ID)
    with pytest.raises(ActionError) as caught, azure_errors("read the storage account"):
        clients.client(STORAGE, subscription=SUBSCRIPTION).storage_accounts.get_properties(
            account.group, account.name, retry_total=0, **options
        )
    clients.close()
    return explained(caught.value)


def test_a_cloud_that_never_answers(silent_port: int) -> None:
    assert read_at(clients_at(f"http://127.0.0.1:{silent_port}"), read_timeout=0.2).cause is Cause.TIMED_OUT


def test_a_cloud_that_is_not_there(closed_port: int) -> None:
    assert read_at(clients_at(f"http://127.0.0.1:{closed_port}")).cause is Cause.UNAVAILABLE


def test_a_cloud_that_speaks_no_tls(arm: ArmStandIn) -> None:
    assert read_at(clients_at(arm.url.replace("http:", "https:"))).cause is Cause.UNAVAILABLE


def test_no_credentials(arm: ArmStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")  # asks no metadata service
    clients = AzureSdkClients(
        base_url=arm.url.replace("http:", "https:"), credential=DefaultAzureCredential()
    )
    assert read_at(clients).cause is Cause.CREDENTIALS
    assert arm.asked == []


def test_no_sdk_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.mgmt.storage", None)
    with pytest.raises(PermanentActionError, match=r"pip install 'countersign\[azure\]'") as caught:
        AzureSdkClients().client(STORAGE, subscription=SUBSCRIPTION)
    assert caught.value.cause is Cause.NOT_INSTALLED


def test_clients_are_made_once_for_a_subscription_and_their_loggers_are_quiet(azure_clients: Any) -> None:
    for name in ("azure", "msal"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    first = azure_clients.client(STORAGE, subscription=SUBSCRIPTION)
    assert azure_clients.client(STORAGE, subscription=SUBSCRIPTION) is first
    others = itertools.product((NETWORK, STORAGE), (SUBSCRIPTION, SUBSCRIPTION.replace("5a", "6b")))
    made = {id(azure_clients.client(service, subscription=subscription)) for service, subscription in others}
    assert len(made) == 4
    assert {logging.getLogger(name).level for name in ("azure", "msal")} == {logging.WARNING}


def test_no_resource_provider_is_registered_on_the_way(case: AzureCase) -> None:
    """The SDK's own pipeline would answer this with a write to the subscription; no route of the stand-in takes it."""
    text = "The subscription is not registered to use namespace 'Microsoft.Storage'."
    fault = Fault("any", 409, "MissingSubscriptionRegistration", text)
    assert fail_at(PHASES["plan"], case, fault).cause is Cause.INVALID
    assert case.arm.complaints == []
