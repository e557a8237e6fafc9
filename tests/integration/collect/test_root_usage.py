"""The root user in the credential report: moto leaves it out, so its row is put there as AWS documents it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
"""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from audit.collect import collect
from audit.findings import FindingStatus
from tests.conftest import NOW
from tests.integration.collect.conftest import World

LATELY = (NOW - timedelta(hours=3)).isoformat()
LONG_AGO = (NOW - timedelta(days=400)).isoformat()
PASSWORD, FIRST_KEY, SECOND_KEY = (
    "password_last_used",
    "access_key_1_last_used_date",
    "access_key_2_last_used_date",
)


class WithRoot:
    """A client for IAM whose credential report begins with the root user."""

    def __init__(self, client: Any, account_id: str, cells: dict[str, str]) -> None:
        self._client, self._account_id, self._cells = client, account_id, cells

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def get_credential_report(self) -> dict[str, Any]:
        answer: dict[str, Any] = self._client.get_credential_report()
        rows = list(csv.DictReader(io.StringIO(answer["Content"].decode())))
        assert "alice" in {row["user"] for row in rows}
        out = io.StringIO()
        writer = csv.DictWriter(out, list(rows[0]), restval="N/A")
        writer.writeheader()
        root = {"user": "<root_account>", "arn": f"arn:aws:iam::{self._account_id}:root"}
        writer.writerow({**root, "password_enabled": "not_supported", **self._cells})
        writer.writerows(rows)
        return {**answer, "Content": out.getvalue().encode()}


@pytest.mark.parametrize(
    ("cells", "verdict", "says"),
    [
        ({PASSWORD: "no_information"}, FindingStatus.PASS, "never been used"),
        ({PASSWORD: LONG_AGO}, FindingStatus.PASS, f"last used on {NOW - timedelta(days=400):%Y-%m-%d}"),
        ({PASSWORD: LATELY}, FindingStatus.FAIL, f"last used on {NOW:%Y-%m-%d}"),
        ({PASSWORD: LONG_AGO, FIRST_KEY: LATELY}, FindingStatus.FAIL, f"last used on {NOW:%Y-%m-%d}"),
        (
            {PASSWORD: "no_information", SECOND_KEY: LATELY},
            FindingStatus.FAIL,
            f"last used on {NOW:%Y-%m-%d}",
        ),
    ],
)
def test_whether_the_root_user_was_used_lately(
    world: World, cells: dict[str, str], verdict: FindingStatus, says: str
) -> None:
    world.client("iam").create_user(UserName="alice")

    def clients(service: str, region: str) -> Any:
        client = world.client(service, region)
        return WithRoot(client, world.account_id, cells) if service == "iam" else client

    found = collect(world.reader_with(clients), world.account)
    (about_root,) = [finding for finding in found if finding.check_id == "iam_avoid_root_usage"]
    assert about_root.status is verdict
    assert says in about_root.evidence
    assert about_root.resource == f"arn:aws:iam::{world.account_id}:root"
