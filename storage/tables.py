"""The tables. Rows hold what is stored and nothing more; the repositories turn them into the domain's types.

SQLModel does not validate `table=True` classes, so a row is only ever built from a domain object that was checked.
"""

from datetime import datetime

from sqlalchemy import Index, MetaData, Table, text
from sqlmodel import Field, SQLModel

from storage.columns import JsonColumn

LOADING = "loading"
VISIBLE = "visible"
_IF_VISIBLE = text(f"state = '{VISIBLE}'")
_IF_OPEN = text("payload IS NOT NULL")
# Written out and not bound: only so a database sees that a query asks for no more than the index holds.
IF_PENDING = "status = 'PENDING'"
IF_RAN = "status NOT IN ('EXPIRED', 'PENDING', 'REJECTED')"


class Row(SQLModel):
    """Base of the rows, with a registry of tables of its own and named constraints."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def table_of(row: type[Row]) -> Table:
    """Return the table of a row's class, for statements without the mapper."""
    return Row.metadata.tables[str(row.__tablename__)]


class ReportRow(Row, table=True):
    """A report. While `loading`, nobody sees it; several may load the same bytes, one becomes `visible`.

    `as_of` orders reports: the time the file states, but never later than when it was read, so that a wrong
    clock cannot stay the newest for ever.
    """

    __tablename__ = "reports"
    __table_args__ = (
        Index(
            "uq_reports_visible_content",
            "content_sha256",
            unique=True,
            sqlite_where=_IF_VISIBLE,
            postgresql_where=_IF_VISIBLE,
        ),
        Index(
            "uq_reports_visible_id",
            "report_id",
            unique=True,
            sqlite_where=_IF_VISIBLE,
            postgresql_where=_IF_VISIBLE,
        ),
        Index("ix_reports_newest", "state", "as_of"),
    )

    report_key: int | None = Field(default=None, primary_key=True)
    report_id: str
    content_sha256: str
    state: str
    source: str
    name: str
    generated_at: datetime
    as_of: datetime
    begun_at: datetime
    summary: dict[str, object] = Field(sa_type=JsonColumn)
    compliance: dict[str, object] = Field(sa_type=JsonColumn)
    recommendations: list[object] = Field(sa_type=JsonColumn)
    rejected: list[str] = Field(sa_type=JsonColumn)


class FindingRow(Row, table=True):
    """A finding: `body` is its dictionary as JSON bytes, the other columns are for finding and ordering it.

    What `texts_number` is for stands in `storage/finding_texts.py`.
    """

    __tablename__ = "findings"
    __table_args__ = (
        # The last three let a comparison of reports do without the rows.
        Index(
            "ix_findings_worst_first",
            "report_key",
            "severity_rank",
            "check_id",
            "position",
            "status",
            "muted",
            "fingerprint",
        ),
    )

    report_key: int = Field(primary_key=True, foreign_key="reports.report_key")
    position: int = Field(primary_key=True)
    finding_id: str = Field(index=True)
    fingerprint: str = Field(index=True)
    severity_rank: int
    check_id: str
    status: str
    muted: bool
    title: str
    resource: str
    account_id: str
    region: str
    body: bytes
    texts_number: int | None = None


class ExecutionRow(Row, table=True):
    """An execution as of one version; `body` is what no query asks about.

    `held` is what it holds while it is under way, else null: UNIQUE keeps two from working on one resource.
    `requester` is `workspace/slack_id`, empty for somebody at a shell, `requester_email` folded. `entry` is what stands for it in
    lists of what waits: its batch as long as it is on that one's card, else itself.
    """

    __tablename__ = "executions"
    __table_args__ = (
        # A page of what waits, for whom it may concern, is picked without reading the rows.
        Index(
            "ix_executions_waiting",
            "status",
            "expires_at",
            "execution_id",
            "entry",
            "revision",
            "playbook_id",
            "severity",
            "account_id",
            "requester",
            "requester_email",
        ),
        Index(
            "ix_executions_entries",
            "entry",
            "expires_at",
            "execution_id",
            sqlite_where=text(IF_PENDING),
            postgresql_where=text(IF_PENDING),
        ),
        Index(
            "ix_executions_ran",
            "created_at",
            "execution_id",
            sqlite_where=text(IF_RAN),
            postgresql_where=text(IF_RAN),
        ),
        Index("ix_executions_newest", "created_at", "execution_id"),
        Index("ix_executions_asked_by", "requester", "created_at", "execution_id"),
        # The newest of one are found without reading and sorting all of its executions.
        Index("ix_executions_of_playbook", "playbook_id", "created_at", "execution_id"),
        Index("ix_executions_of_finding", "finding_id", "created_at", "execution_id"),
        Index("ix_executions_of_fingerprint", "fingerprint", "created_at", "execution_id"),
        Index("ix_executions_of_resource", "resource", "created_at", "execution_id"),
        Index("uq_executions_held", "held", unique=True),
    )

    execution_id: str = Field(primary_key=True)
    playbook_id: str
    finding_id: str
    fingerprint: str
    resource: str
    held: str | None
    channel: str
    status: str
    version: int
    revision: int
    created_at: datetime
    expires_at: datetime
    wakes_at: datetime | None = Field(index=True)
    severity: str
    account_id: str
    requester: str
    requester_email: str
    entry: str
    body: dict[str, object] = Field(sa_type=JsonColumn)


class OwnerRow(Row, table=True):
    """A process that runs executions, and when it was last heard of."""

    __tablename__ = "owners"

    owner_id: str = Field(primary_key=True)
    seen_at: datetime


class ActionRow(Row, table=True):
    """The journal of one action: what was there before the first write, and what became of it."""

    __tablename__ = "execution_actions"

    execution_id: str = Field(primary_key=True, foreign_key="executions.execution_id")
    position: int = Field(primary_key=True)
    action_name: str
    status: str
    message: str
    error: str | None
    before: dict[str, object] | None = Field(sa_type=JsonColumn)
    observed: dict[str, object] | None = Field(sa_type=JsonColumn)
    request_ids: list[str] = Field(sa_type=JsonColumn)
    started_at: datetime | None
    ended_at: datetime | None


class DecisionRow(Row, table=True):
    """A person's word. Rows are only ever added."""

    __tablename__ = "decisions"

    execution_id: str = Field(primary_key=True, foreign_key="executions.execution_id")
    position: int = Field(primary_key=True)
    verdict: str
    actor: dict[str, str] = Field(sa_type=JsonColumn)
    at: datetime
    revision: int
    plan_digest: str
    reason: str


class PostingRow(Row, table=True):
    """A card: where a revision of an execution is shown."""

    __tablename__ = "postings"

    execution_id: str = Field(primary_key=True, foreign_key="executions.execution_id")
    revision: int = Field(primary_key=True)
    channel: str
    message_id: str
    progress_id: str
    drawn_version: int
    attempts: int
    attempted_version: int
    next_attempt_at: datetime | None


class RequestRow(Row, table=True):
    """An acknowledged request. `payload` is null once it is answered; the id stays, to know a repeat.

    `held_by` is the process that answers it, until `held_until` at least; see `remediation.ports.Inbox.begin`.
    """

    __tablename__ = "requests"
    __table_args__ = (
        Index("ix_requests_open", "received_at", sqlite_where=_IF_OPEN, postgresql_where=_IF_OPEN),
    )

    request_id: str = Field(primary_key=True)
    kind: str
    actor: dict[str, str] = Field(sa_type=JsonColumn)
    received_at: datetime
    payload: dict[str, object] | None = Field(sa_type=JsonColumn)
    attempts: int
    held_by: str | None = None
    held_until: datetime | None = None


class TrailRow(Row, table=True):
    """A link of the trail. `seq` is never a sequence of the database: those leave gaps.

    UNIQUE on the hash before forbids forks even where somebody gets around the lock.
    """

    __tablename__ = "trail"

    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    body: bytes
    previous_hash: bytes = Field(unique=True)
    entry_hash: bytes = Field(unique=True)


class AnchorRow(Row, table=True):
    """A head of the trail that was, or is to be, noted outside this database. `told` once it stands in all its `places`."""

    __tablename__ = "anchors"

    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    entry_hash: bytes
    noted_at: datetime
    told: bool
    attempts: int = 0
    next_attempt_at: datetime | None = None
    places: list[str] = Field(sa_type=JsonColumn, default_factory=list)


class ExceptionRow(Row, table=True):
    """A finding that somebody answers for leaving as it is, until a day. `ended_at` is set once it is over or revoked.

    `ended_by` is set where a person revoked it. `finding` is its dictionary as JSON bytes, as it was then: the report it came from may be gone by the time it ends.
    """

    __tablename__ = "exceptions"
    __table_args__ = (Index("ix_exceptions_until", "ended_at", "until"),)

    exception_id: str = Field(primary_key=True)
    fingerprint: str = Field(index=True)
    execution_id: str = Field(foreign_key="executions.execution_id")
    finding: bytes
    owner: dict[str, str] = Field(sa_type=JsonColumn)
    reason: str
    granted_at: datetime
    until: datetime
    ended_at: datetime | None
    ended_by: dict[str, str] | None = Field(sa_type=JsonColumn)
