"""Clients of Google Cloud as they are made in production: whose credentials, how patient, how quiet."""

import logging
import sys

import pytest

from audit.errors import ActionError, Cause, PermanentActionError
from remediation.actions.gcp.clients import GoogleClients, Patience
from remediation.plan import Target
from tests.contract.backends_google import PROJECT, clients_for
from tests.contract.cases.gcp_compute import FirewallRestrictionCase
from tests.contract.cases.gcp_storage import PublicBucketCase
from tests.fakes.google.server import GoogleCloud

pytestmark = pytest.mark.slow

EVERY_SERVICE = ("gcs", "firewalls", "subnetworks", "global_operations", "region_operations", "google_rest")
BREAKER = "breaker@acme-prod.iam.gserviceaccount.com"


def plan_bucket(cloud: GoogleCloud, clients: GoogleClients) -> None:
    case = PublicBucketCase(cloud, clients)
    case.set_state("public members")
    case.registry().resolve(case.written).plan(case.target())


def test_each_client_is_made_once_per_project(google_clients: GoogleClients) -> None:
    for service in EVERY_SERVICE:
        made = google_clients.client(service, project=PROJECT)
        assert google_clients.client(service, project=PROJECT) is made
        assert google_clients.client(service, project="acme-test") is not made


def test_a_projects_service_account_is_impersonated(google: GoogleCloud) -> None:
    asked: list[str] = []

    def impersonate(project: str) -> str:
        asked.append(project)
        return BREAKER

    plan_bucket(google, clients_for(google, impersonate=impersonate))
    assert google.identity.impersonated == [BREAKER]
    assert asked == [PROJECT]


def test_without_one_the_bot_is_itself(google: GoogleCloud) -> None:
    plan_bucket(google, clients_for(google, impersonate=lambda _: None))
    assert google.identity.impersonated == []


def test_a_finding_without_a_project_is_planned_for_the_credentials_own(google: GoogleCloud) -> None:
    case = FirewallRestrictionCase(google, clients_for(google))
    case.set_state("everybody")
    plan = case.registry().resolve(case.written).plan(Target(provider="gcp", resource=case.name))
    assert plan.target.account_id == PROJECT


def test_and_refused_where_somebody_else_made_the_clients() -> None:
    with pytest.raises(PermanentActionError, match="names no project") as caught:
        GoogleClients({"firewalls": object()}).project_id()
    assert caught.value.cause is Cause.WRONG_ACCOUNT


def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent.json")
    with pytest.raises(ActionError) as caught:
        GoogleClients().client("gcs", project=PROJECT)
    assert caught.value.cause is Cause.CREDENTIALS


def test_credentials_that_google_takes_no_more(google: GoogleCloud) -> None:
    google.refuse("buckets.list", 401, "Request had invalid authentication credentials.", times=99)
    with pytest.raises(ActionError) as caught:
        plan_bucket(google, clients_for(google))
    assert caught.value.cause is Cause.CREDENTIALS


@pytest.mark.parametrize("module", ["google.auth", "google.cloud.storage"])
def test_no_sdk_installed(google: GoogleCloud, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(PermanentActionError, match=r"pip install 'countersign\[gcp\]'") as caught:
        clients_for(google).client("gcs", project=PROJECT)
    assert caught.value.cause is Cause.NOT_INSTALLED


def test_the_sdks_loggers_stay_quiet_whatever_the_root_says(google: GoogleCloud) -> None:
    for name in ("google", "google.auth.transport.requests", "urllib3"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    plan_bucket(google, clients_for(google))
    for name in ("google", "google.auth.transport.requests", "urllib3"):
        assert logging.getLogger(name).level == logging.WARNING


@pytest.mark.parametrize("method", ["buckets.get", "buckets.list", "buckets.getIamPolicy"])
def test_a_busy_google_is_asked_again(google: GoogleCloud, method: str) -> None:
    google.refuse(method, 429, "Too many requests", "rateLimitExceeded")
    plan_bucket(google, clients_for(google))
    assert google.calls.count(method) == 2


def test_a_google_that_stays_busy_is_explained(google: GoogleCloud) -> None:
    google.refuse("buckets.get", 429, "Too many requests", "rateLimitExceeded", times=99)
    with pytest.raises(ActionError, match="Could not read the bucket") as caught:
        plan_bucket(google, clients_for(google, Patience(total_s=0.2)))
    assert caught.value.cause is Cause.THROTTLED


def test_a_google_that_never_answers(google: GoogleCloud) -> None:
    google.stall("buckets.get", times=99)
    with pytest.raises(ActionError) as caught:
        plan_bucket(google, clients_for(google, Patience(read_s=0.2, total_s=0.2)))
    assert caught.value.cause is Cause.TIMED_OUT


def test_a_google_that_is_not_there(google: GoogleCloud) -> None:
    nowhere = GoogleClients(endpoints={"compute": "http://127.0.0.1:1"}, patience=Patience(total_s=0.2))
    case = FirewallRestrictionCase(google, nowhere)
    with pytest.raises(ActionError) as caught:
        case.registry().resolve(case.written).plan(case.target())
    assert caught.value.cause is Cause.UNAVAILABLE
