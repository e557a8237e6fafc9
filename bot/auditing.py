"""Reading a live AWS account into a report, with the credentials that the configuration gives for it."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from audit.actor import Actor
from audit.collect import PERMISSIONS, Account, Reader, list_regions, steps
from audit.compliance import with_compliance
from audit.errors import ActionError, InputError
from audit.findings import Finding
from audit.ingest import Reading
from audit.ports import Ingested, ReportStore
from remediation.actions.aws.clients import Access, AwsClients
from remediation.actions.aws.errors import aws_errors
from remediation.actions.aws.partitions import home_region, partition

SOURCE: Final = "AWS account"
_DIGITS: Final = 12
Say = Callable[[str, int, int], None]
"""Is told the next part of an audit, how many are done, and of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRequest:
    """Which account to read; no regions means all that are enabled for it."""

    account_id: str
    regions: Sequence[str] = ()

    def check(self) -> None:
        """Refuse what is no account.

        Raises:
            InputError: it is not twelve digits.
        """
        named = self.account_id
        if len(named) != _DIGITS or not (named.isascii() and named.isdecimal()):
            raise InputError(f"“{named[:40]}” is not an AWS account id of {_DIGITS} digits")


def read_account(
    aws: AwsClients, request: AuditRequest, *, now: datetime, say: Say = lambda *_: None
) -> tuple[Account, list[Finding]]:
    """Read the account, part by part.

    Raises:
        InputError: there is no such account.
        ActionError: nothing of it can be read: no SDK, no credentials, another account's, or no role to assume.
    """
    request.check()
    reader = Reader(clients=_reading_clients(aws, request.account_id), explain=aws_errors)
    first = next(iter(request.regions), "")
    home = home_region(f"arn:{partition(first)}:iam::{request.account_id}:root")
    reader.clients("iam", "")  # says at once where nothing at all can be read
    account = Account(
        account_id=request.account_id,
        regions=tuple(dict.fromkeys(request.regions)) or _enabled(reader, home),
        when=now,
        partition=partition(first),
        home=home,
    )
    return account, [with_compliance(finding) for finding in _each_step(reader, account, say)]


def audit_account(  # noqa: PLR0913 - what is read, where it goes, who asks, when, and who is told
    aws: AwsClients,
    reports: ReportStore,
    request: AuditRequest,
    *,
    actor: Actor,
    now: datetime,
    say: Say = lambda *_: None,
) -> tuple[Ingested, list[Finding]]:
    """Read the account and store what was found as one report; return it, and what a person has to look at.

    Raises:
        InputError: there is no such account.
        ActionError: nothing of it can be read.
    """
    account, findings = read_account(aws, request, now=now, say=say)
    done = reports.ingest(to_reading(account, findings), actor=actor, now=now)
    return done, [finding for finding in findings if finding.status == "MANUAL"]


def to_reading(account: Account, findings: Sequence[Finding]) -> Reading:
    """Return findings as what was read of a file is handed to a store. Each audit is a report of its own, by its time."""
    digest = hashlib.sha256(account.when.isoformat().encode())
    for finding in findings:
        digest.update(orjson.dumps(finding.to_dict()))
    return Reading(
        source=SOURCE,
        name=f"aws-{account.account_id}",
        content_sha256=digest.hexdigest(),
        generated_at=account.when,
        items=iter(findings),
    )


def read_policy() -> dict[str, object]:
    """Return the IAM policy that an audit takes: reads, and nothing else."""
    statement = {
        "Sid": "CountersignAudit",
        "Effect": "Allow",
        "Action": list(PERMISSIONS),
        "Resource": "*",
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _reading_clients(aws: AwsClients, account_id: str) -> Callable[[str, str], Any]:
    """Return a source of clients that may do no more than an audit takes, whatever the role may do."""
    access = Access(account_id=account_id, allowed=tuple((name, "*") for name in PERMISSIONS))
    return lambda service, region: aws.client(service, region=region, access=access)


def _enabled(reader: Reader, home: str) -> tuple[str, ...]:
    try:
        return tuple(list_regions(reader, home=home))
    except ActionError as error:
        raise InputError(f"{error.explain()} Or name the regions with --region.") from error


def _each_step(reader: Reader, account: Account, say: Say) -> Iterator[Finding]:
    parts = steps(reader, account)
    for position, (name, step) in enumerate(parts):
        say(name, position, len(parts))
        yield from step()
    say("done", len(parts), len(parts))
