"""What the handlers work with: ports, use cases, and a client for Slack."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from slack_sdk import WebClient

from audit.errors import HandedOverError
from audit.ingest import ColumnMap, OpenFile, open_here
from audit.ports import FindingTracker, ReportStore, Trail
from audit.pulling import PullReports
from exporters.mailing import MailService
from exporters.ports import ScheduleStore
from exporters.scheduling import Scheduling
from exporters.service import ExportService
from handlers.aside import Aside
from handlers.blocks.card import CardRules
from handlers.intake import Intake
from handlers.locks import KeyedLocks
from handlers.people import RememberedPeople
from handlers.reply_urls import ReplyUrls
from remediation.aftercare import Regressions
from remediation.attention import Attention, Herald
from remediation.audience import Homes, Outcomes
from remediation.batches import Batches, Returns
from remediation.execution import PlaybookExecution
from remediation.home_pictures import HomePictures
from remediation.lookup import ExecutionFinder
from remediation.playbook import RemediationPlaybook
from remediation.ports import Dispatcher, Exceptions, ExecutionStore, Inbox, Notices, Postings
from remediation.runner import Runner
from remediation.service import Remediation

Answered = Callable[[str, str, float], None]
"""Told of each answered request: its kind, `ok`, `refused`, `failed` or `given_up`, and the seconds since it came."""


def _is_going_on() -> bool:
    """Tell that a process is not stopping which never says so."""
    return False


def _count_nothing(_kind: str, _outcome: str, _seconds: float) -> None:
    """Is told of answers where nobody counts them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything a handler may use, put together once by `bot`.

    `environment` is a label shown on every card; `channel` is the id of the channel for cards that were not asked for
    in one, empty where there is none. `pull` fetches findings from Security Hub, if it is set up. `csv_columns` says which
    column of a CSV of their own is which field, `open_file` reads files of strangers. `drawing` keeps two threads from drawing the same card at once, `reply_urls`
    what must not be stored. `intake` writes down what comes in. `people` are for what is shown, never for what is decided. `aside` is for calls of Slack that no
    acknowledgement may wait for.
    """

    reports: ReportStore
    trail: Trail
    tracker: FindingTracker
    regressions: Regressions
    executions: ExecutionStore
    finder: ExecutionFinder
    postings: Postings
    inbox: Inbox
    schedules: ScheduleStore
    homes: Homes
    home_pictures: HomePictures
    outcomes: Outcomes
    batches: Batches
    returns: Returns
    remediation: Remediation
    runner: Runner
    playbooks: Mapping[str, RemediationPlaybook]
    exports: ExportService
    mailing: MailService
    exceptions: Exceptions
    notices: Notices
    dispatcher: Dispatcher
    client: WebClient
    clock: Callable[[], datetime]
    attention: Attention = field(default_factory=Attention)
    environment: str = ""
    channel: str = ""
    pull: PullReports | None = None
    csv_columns: ColumnMap = field(default_factory=dict)
    open_file: OpenFile = open_here
    answered: Answered = _count_nothing
    is_stopping: Callable[[], bool] = _is_going_on
    drawing: KeyedLocks = field(default_factory=KeyedLocks)
    reply_urls: ReplyUrls = field(default_factory=ReplyUrls)
    people: RememberedPeople = field(default_factory=RememberedPeople)
    aside: Aside = field(default_factory=Aside)
    intake: Intake = field(init=False)

    def __post_init__(self) -> None:
        """Put the intake before the inbox and the worker."""
        object.__setattr__(self, "intake", Intake(self.inbox, self.dispatcher))

    def go_on(self) -> None:
        """Return, unless this process is stopping; to be asked between the pieces of what takes long.

        Raises:
            HandedOverError: it is; the next process has to go on.
        """
        if self.is_stopping():
            raise HandedOverError("I am being restarted, and go on with this afterwards")

    @property
    def scheduling(self) -> Scheduling:
        """Return what makes and changes schedules."""
        return Scheduling(store=self.schedules, clock=self.clock)

    @property
    def herald(self) -> Herald:
        """Return who finds what people are to be told."""
        return Herald(
            store=self.executions,
            exceptions=self.exceptions,
            notices=self.notices,
            policy=self.remediation.policy,
            attention=self.attention,
        )

    def card_rules_for(self, execution: PlaybookExecution) -> CardRules:
        """Return what an execution's card says about the rules in force."""
        policy = self.remediation.policy
        terms = policy.terms_of(execution)
        return CardRules(
            required_approvals=terms.needed,
            approvers=terms.describe_approvers(),
            rule=f"{terms.rule} ({terms.source})" if terms.rule else "",
            allows_breaking_glass=policy.break_glass is not None,
            rollback_approvals=policy.rollback_approvals,
            allows_self_approval=policy.allow_self_approval,
            environment=self.environment,
        )
