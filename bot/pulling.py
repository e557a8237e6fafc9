"""Findings from Security Hub into a report: fetched page by page, read by the reader that reads its files."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import IO, BinaryIO, Final, cast

from audit.actor import Actor
from audit.collect import Ask, Reader
from audit.errors import ActionError, Cause, InputError, NothingFoundError, PermanentActionError
from audit.ingest import Member, Reading
from audit.ports import Ingested, ReportStore
from audit.pulling import Pull, PullRequest, Pulls, Say
from bot.reading_apart import open_apart
from remediation.actions.aws.clients import Access, AwsClients
from remediation.actions.aws.errors import aws_errors

PAGE: Final = 100
"""As many findings as Security Hub gives at once."""
GOOD_FOR: Final = timedelta(hours=6)
"""How long an interrupted fetch is gone on with: beyond that, its first pages are too old to stand beside new ones."""
_PERMISSION: Final = "securityhub:GetFindings"
_IN_MEMORY_BYTES: Final = 8 * 2**20


@dataclass(frozen=True, slots=True)
class SecurityHub:
    """Fetches findings; `audit.pulling.PullReports`."""

    aws: AwsClients
    pulls: Pulls
    reports: ReportStore

    def __call__(
        self, request: PullRequest, *, actor: Actor, now: datetime, say: Say = lambda _: None
    ) -> Ingested:
        """Fetch what is asked for and store it as one report; see `PullReports`."""
        return pull(self.aws, request, pulls=self.pulls, reports=self.reports, actor=actor, now=now, say=say)


def pull(  # noqa: PLR0913 - where from, where to, what, who, when, and who is told
    aws: AwsClients,
    request: PullRequest,
    *,
    pulls: Pulls,
    reports: ReportStore,
    actor: Actor,
    now: datetime,
    say: Say = lambda _: None,
) -> Ingested:
    """Fetch findings from Security Hub and store them as one report. An interrupted fetch goes on where it stopped.

    Raises:
        InputError: the request cannot be made.
        NothingFoundError: Security Hub has nothing of the kind.
        ActionError: Security Hub cannot be asked; the pages that came are kept for the next attempt.
        StateError: the same is being fetched by somebody else, or has just been: its report is theirs.
    """
    request.check()
    done = _fetch_all(aws, request, pulls, now=now, say=say)
    try:
        with (
            _joined(pulls, done, _where(request)) as stream,
            open_apart(stream, _where(request), say=lambda _bytes: say(done.pages)) as members,
        ):
            stored = reports.ingest(_reading(next(members), request, done), actor=actor, now=now)
    except InputError:  # what is wrong with these pages stays wrong; where the database fails, they wait
        pulls.close(done)
        raise
    pulls.close(done)
    return stored


def _fetch_all(aws: AwsClients, request: PullRequest, pulls: Pulls, *, now: datetime, say: Say) -> Pull:
    fresh = Pull(key=request.key, began_at=now, filters=filters(request, now))
    current = pulls.open(fresh, not_before=now - GOOD_FOR)
    reader = _reader(aws, request)
    if current.cursor:
        current = _go_on(reader, request, pulls, current, fresh)
    while not current.is_complete:
        current = _fetch(reader, request, pulls, current)
        say(current.pages)
    return current


def _go_on(reader: Reader, request: PullRequest, pulls: Pulls, current: Pull, fresh: Pull) -> Pull:
    """Fetch the next page of an interrupted fetch; begin anew where AWS no longer knows where it was."""
    try:
        return _fetch(reader, request, pulls, current)
    except ActionError as error:
        if error.cause is not Cause.INVALID:
            raise
    pulls.close(current)
    return pulls.open(fresh, not_before=fresh.began_at)


def _fetch(reader: Reader, request: PullRequest, pulls: Pulls, current: Pull) -> Pull:
    ask = Ask("securityhub", "get_findings", _PERMISSION, region=request.region)
    place = {"NextToken": current.cursor} if current.cursor else {}
    answer = reader.read(ask, Filters=current.filters, MaxResults=PAGE, **place) or {}
    return pulls.add(current, answer.get("Findings", []), cursor=str(answer.get("NextToken") or ""))


def _reader(aws: AwsClients, request: PullRequest) -> Reader:
    account = request.account_id or aws.account_id()
    access = Access(account_id=account, allowed=((_PERMISSION, "*"),))
    return Reader(
        clients=lambda service, region: aws.client(service, region=region, access=access), explain=_explain
    )


@contextmanager
def _explain(doing: str) -> Iterator[None]:
    """Say what is going on where the account has no Security Hub: AWS says only that access is invalid."""
    try:
        with aws_errors(doing):
            yield
    except ActionError as error:
        if "InvalidAccessException" in str(error) or "not subscribed" in str(error):
            said = f"{error}. Is Security Hub switched on in this account and region?"
            raise PermanentActionError(said, cause=Cause.DENIED, request_id=error.request_id) from error
        raise


def filters(request: PullRequest, now: datetime) -> dict[str, object]:
    """Return Security Hub's filters. Times are absolute, so that all pages of a fetch mean the same."""
    found: dict[str, object] = {}
    if not request.with_archived:
        found["RecordState"] = [_equals("ACTIVE")]
    if request.severities:
        found["SeverityLabel"] = [_equals(label) for label in request.labels()]
    if request.since_days:
        begin = now - timedelta(days=request.since_days)
        found["UpdatedAt"] = [{"Start": _written(begin), "End": _written(now)}]
    return found


def _equals(value: str) -> dict[str, str]:
    return {"Value": value, "Comparison": "EQUALS"}


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@contextmanager
def _joined(pulls: Pulls, done: Pull, where: str) -> Iterator[BinaryIO]:
    """Give all pages as one file, the way `aws securityhub get-findings` prints them.

    Raises:
        NothingFoundError: there is nothing on them.
        StateError: somebody else has made a report of them meanwhile.
    """
    with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as kept:
        if not _write(kept, pulls.pages(done)):
            raise NothingFoundError(f"{where}: no findings in it")
        yield cast("BinaryIO", kept)


def _write(out: IO[bytes], pages: Iterator[bytes]) -> bool:
    """Write all pages as one document; tell whether there was anything on them."""
    out.write(b'{"Findings":[')
    separator = b""
    for page in pages:
        findings = page.strip()[1:-1]
        if findings:
            out.write(separator + findings)
            separator = b",\n"
    out.write(b"]}")
    return bool(separator)


def _where(request: PullRequest) -> str:
    return "-".join(filter(None, ("securityhub", request.account_id, request.region)))


def _reading(member: Member, request: PullRequest, done: Pull) -> Reading:
    """Begin to read what was fetched; it is as of the fetch, whatever its first finding says."""
    reading = member.open()
    if not reading.source.startswith("AWS Security Finding"):
        raise InputError(f"{member.label}: Security Hub's answer is read as {reading.source}")
    # What was not asked for may fail all the same, and must not count as fixed.
    is_all = not request.severities and not request.since_days
    return replace(reading, generated_at=done.began_at, is_complete=is_all)
