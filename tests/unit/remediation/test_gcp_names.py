"""Google Cloud's names, in every spelling that scanners use."""

import pytest

from audit.errors import Cause, PermanentActionError
from remediation.actions.gcp.names import KeyName, Located, bucket_of, firewall_of, key_of, subnetwork_of
from remediation.plan import Target

KEY = "a" * 40
EMAIL = "deploy@acme-prod.iam.gserviceaccount.com"


def target(resource: str, *, project: str = "acme-prod", provider: str = "gcp", region: str = "") -> Target:
    return Target(provider=provider, resource=resource, account_id=project, region=region)


@pytest.mark.parametrize(
    "spelled",
    [
        "web-data",
        "gs://web-data",
        "gs://web-data/",
        "//storage.googleapis.com/web-data",
        "//storage.googleapis.com/projects/_/buckets/web-data",
        "projects/_/buckets/web-data",
        "https://www.googleapis.com/storage/v1/b/web-data",
    ],
)
def test_a_bucket(spelled: str) -> None:
    assert bucket_of(target(spelled)) == Located(name="web-data", project="acme-prod")


@pytest.mark.parametrize(
    "spelled",
    [
        "ssh",
        "projects/acme-prod/global/firewalls/ssh",
        "//compute.googleapis.com/projects/acme-prod/global/firewalls/ssh",
        "https://www.googleapis.com/compute/v1/projects/acme-prod/global/firewalls/ssh",
        "https://compute.googleapis.com/compute/beta/projects/acme-prod/global/firewalls/ssh",
    ],
)
def test_a_firewall_rule(spelled: str) -> None:
    assert firewall_of(target(spelled)) == Located(name="ssh", project="acme-prod")


def test_a_firewall_rule_by_number() -> None:
    assert firewall_of(target("4123456789012345678")).name == "4123456789012345678"


def test_a_subnetwork_takes_its_region_from_its_name_or_else_from_the_finding() -> None:
    full = "projects/acme-prod/regions/us-east1/subnetworks/web"
    expected = Located(name="web", project="acme-prod", region="us-east1")
    assert subnetwork_of(target(full, region="europe-west1")) == expected
    assert subnetwork_of(target("web", region="us-east1")) == expected
    with pytest.raises(PermanentActionError, match="no known region") as caught:
        subnetwork_of(target("web", region="global/x"))
    assert caught.value.cause is Cause.WRONG_REGION


@pytest.mark.parametrize(
    ("spelled", "account", "key"),
    [
        (f"//iam.googleapis.com/projects/acme-prod/serviceAccounts/{EMAIL}/keys/{KEY}", EMAIL, KEY),
        (f"projects/-/serviceAccounts/{EMAIL}/keys/{KEY}", EMAIL, KEY),
        (f"projects/acme-prod/serviceAccounts/{EMAIL}", EMAIL, ""),
        (EMAIL, EMAIL, ""),
        (KEY, "", KEY),
    ],
)
def test_a_key(spelled: str, account: str, key: str) -> None:
    assert key_of(target(spelled)) == KeyName(project="acme-prod", account=account, key_id=key)


def test_an_account_tells_its_project() -> None:
    assert key_of(target(EMAIL, project="")).project == "acme-prod"


@pytest.mark.parametrize("read", [bucket_of, firewall_of, subnetwork_of, key_of])
@pytest.mark.parametrize(
    "resource",
    [
        "",
        "arn:aws:s3:::acme-data",
        "UPPER CASE",
        "a/b",
        "x" * 500,
        "//evil.example/projects/acme-prod/global/firewalls/ssh",
        "projects/acme-prod/global/firewalls/ssh/../../x",
    ],
)
def test_what_is_no_such_thing_is_refused(read: object, resource: str) -> None:
    with pytest.raises(PermanentActionError, match="is not the name of a .* on Google Cloud") as caught:
        read(target(resource, region="us-east1"))  # type: ignore[operator]
    assert caught.value.cause is Cause.INVALID


@pytest.mark.parametrize(("read", "name"), [(bucket_of, "web-data"), (firewall_of, "ssh"), (key_of, EMAIL)])
def test_another_clouds_resource_is_refused(read: object, name: str) -> None:
    with pytest.raises(PermanentActionError, match="on Google Cloud"):
        read(target(name, provider="aws"))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("read", "name"),
    [
        (firewall_of, "projects/other/global/firewalls/ssh"),
        (subnetwork_of, "projects/other/regions/us-east1/subnetworks/web"),
        (key_of, "deploy@other.iam.gserviceaccount.com"),
    ],
)
def test_another_project_than_the_finding_says_is_refused(read: object, name: str) -> None:
    with pytest.raises(
        PermanentActionError, match="is in the project other, but the finding says acme-prod"
    ) as caught:
        read(target(name))  # type: ignore[operator]
    assert caught.value.cause is Cause.WRONG_ACCOUNT
