"""Buckets: what somebody else does meanwhile is not overwritten, and whose bucket it is."""

from typing import Any

import pytest

from audit.errors import ActionError, Cause, PermanentActionError
from remediation.actions.gcp.clients import GoogleClients
from remediation.plan import ActionPlan, Target
from tests.contract.cases.gcp import BucketCase
from tests.contract.cases.gcp_storage import TEAM, WEB, BucketLoggingCase, PublicBucketCase
from tests.fakes.google.server import GoogleCloud

pytestmark = pytest.mark.slow

ENFORCED = {"publicAccessPrevention": "enforced"}


@pytest.fixture
def public(google: GoogleCloud, google_clients: GoogleClients) -> PublicBucketCase:
    case = PublicBucketCase(google, google_clients)
    case.set_state("public members")
    return case


@pytest.fixture
def unlogged(google: GoogleCloud, google_clients: GoogleClients) -> BucketLoggingCase:
    case = BucketLoggingCase(google, google_clients)
    case.set_state("off")
    return case


def plan_of(case: BucketCase, **target: Any) -> ActionPlan:
    step = case.registry().resolve(case.written)
    return step.plan(
        Target(**{"provider": "gcp", "resource": case.name, "account_id": "acme-prod", **target})
    )


def test_the_plan_says_what_stays(public: PublicBucketCase) -> None:
    public.cloud.storage.patch(public.name, website={"mainPageSuffix": "index.html"})
    plan = plan_of(public, resource=f"gs://{public.name}")
    assert plan.target.resource == public.name
    assert plan.before == {
        "Public access prevention": "inherited",
        "allUsers": ["roles/storage.objectViewer"],
        "allAuthenticatedUsers": None,
    }
    assert "Uniform bucket-level access (stays off)" in plan.untouched
    assert "website" in " ".join(plan.notes)


def test_public_access_is_prevented_before_the_members_go_and_on_the_way_back_too(
    public: PublicBucketCase,
) -> None:
    plan, (action, _) = plan_of(public), public.action()
    for write in (action.apply, action.rollback):
        public.cloud.calls.clear()
        write(plan)
        writes = [call for call in public.cloud.calls if call in ("buckets.patch", "buckets.setIamPolicy")]
        assert writes == ["buckets.patch", "buckets.setIamPolicy"]


def test_a_bucket_written_meanwhile_is_not_overwritten(public: PublicBucketCase) -> None:
    plan, (action, _) = plan_of(public), public.action()
    public.cloud.meanwhile(
        "buckets.patch", lambda: public.cloud.storage.patch(public.name, labels={"a": "b"})
    )
    with pytest.raises(ActionError) as caught:
        action.apply(plan)
    assert caught.value.cause is Cause.CHANGED_MEANWHILE
    assert action.observe(plan) == plan.before


def test_a_policy_written_meanwhile_is_not_overwritten(public: PublicBucketCase) -> None:
    plan, (action, _) = plan_of(public), public.action()
    newer = [*WEB, {"role": "roles/storage.admin", "members": ["user:new@acme.example"]}]
    public.cloud.meanwhile(
        "buckets.setIamPolicy", lambda: public.cloud.storage.write_policy(public.name, newer)
    )
    with pytest.raises(ActionError) as caught:
        action.apply(plan)
    assert caught.value.cause is Cause.CHANGED_MEANWHILE
    assert public.cloud.storage.policy(public.name)["bindings"] == newer
    # Half of it was done, and exactly that half is put back.
    action.rollback(plan)
    action.verify_rollback(plan)


def test_a_member_made_public_since_the_plan_is_not_ours_to_touch(public: PublicBucketCase) -> None:
    plan, (action, _) = plan_of(public), public.action()
    more = [*WEB, {"role": "roles/storage.objectAdmin", "members": ["allUsers"]}]
    public.cloud.storage.write_policy(public.name, more)
    for write in (action.apply, action.rollback):
        with pytest.raises(ActionError, match="allUsers is") as caught:
            write(plan)
        assert caught.value.cause is Cause.CHANGED_MEANWHILE
    assert public.cloud.storage.policy(public.name)["bindings"] == more


def test_others_keep_their_roles(public: PublicBucketCase) -> None:
    plan, (action, _) = plan_of(public), public.action()
    action.apply(plan)
    assert public.cloud.storage.policy(public.name)["bindings"] == [TEAM]


@pytest.mark.parametrize("kind", [PublicBucketCase, BucketLoggingCase])
def test_a_bucket_of_another_project_is_refused(
    google: GoogleCloud, google_clients: GoogleClients, kind: type[BucketCase]
) -> None:
    case = kind(google, google_clients)
    case.set_state(case.unsettled)
    google.storage.owners[case.name] = "somebody-else"
    google.storage.add(f"{case.name}-more", "acme-prod")
    with pytest.raises(PermanentActionError, match="is not in the project acme-prod") as caught:
        plan_of(case)
    assert caught.value.cause is Cause.WRONG_ACCOUNT


@pytest.mark.parametrize("kind", [PublicBucketCase, BucketLoggingCase])
def test_what_is_no_bucket_is_refused_before_any_call(
    google: GoogleCloud, google_clients: GoogleClients, kind: type[BucketCase]
) -> None:
    case = kind(google, google_clients)
    google.calls.clear()
    for wrong in ({"resource": "arn:aws:s3:::acme"}, {"provider": "azure"}, {"resource": ""}):
        with pytest.raises(PermanentActionError, match="is not the name of a Cloud Storage bucket"):
            plan_of(case, **wrong)
    assert google.calls == []


def test_an_organization_that_enforces_it_is_named(public: PublicBucketCase) -> None:
    plan, (action, _) = plan_of(public), public.action()
    action.apply(plan)
    said = "Request violates constraint 'constraints/storage.publicAccessPrevention'"
    public.cloud.refuse("buckets.patch", 412, said, "conditionNotMet")
    with pytest.raises(ActionError, match="constraints/storage") as caught:
        action.rollback(plan)
    assert caught.value.cause is Cause.DENIED_BY_ORGANIZATION


def test_a_log_bucket_that_takes_no_logs_is_refused(unlogged: BucketLoggingCase) -> None:
    unlogged.cloud.storage.write_policy("acme-usage-logs", [TEAM])
    with pytest.raises(PermanentActionError, match=r"give group:cloud-storage-analytics@google.com the role"):
        plan_of(unlogged)


def test_a_bucket_does_not_log_itself(unlogged: BucketLoggingCase) -> None:
    unlogged.cloud.storage.owners["acme-usage-logs"] = "acme-prod"
    with pytest.raises(PermanentActionError, match="cannot keep its own usage logs"):
        plan_of(unlogged, resource="acme-usage-logs")


def test_a_log_bucket_that_is_not_there_is_refused(unlogged: BucketLoggingCase) -> None:
    del unlogged.cloud.storage.owners["acme-usage-logs"]
    with pytest.raises(PermanentActionError, match="acme-usage-logs") as caught:
        plan_of(unlogged)
    assert caught.value.cause is Cause.NOT_FOUND


def test_logging_changed_meanwhile_is_not_overwritten(unlogged: BucketLoggingCase) -> None:
    plan, (action, _) = plan_of(unlogged), unlogged.action()
    elsewhere = {"logBucket": "theirs", "logObjectPrefix": "x"}
    unlogged.cloud.meanwhile(
        "buckets.patch", lambda: unlogged.cloud.storage.patch(unlogged.name, logging=elsewhere)
    )
    for _ in range(2):
        with pytest.raises(ActionError) as caught:
            action.apply(plan)
        assert caught.value.cause is Cause.CHANGED_MEANWHILE
    assert unlogged.cloud.storage.bucket(unlogged.name)["logging"] == elsewhere
