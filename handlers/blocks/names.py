"""The ids that tie what we show to what comes back when somebody uses it."""

import re
from dataclasses import dataclass
from typing import Self

from audit.errors import InputError
from remediation.execution import PlaybookExecution

APPROVE = "approve"
REJECT = "reject"
ROLL_BACK = "rollback"
APPROVE_HERE = "approve_here"
ROLL_BACK_HERE = "rollback_here"
DONE = "found_done"
NOT_DONE = "found_not_done"
TRY_AGAIN = "try_again"
PLAN_FIX = "plan_fix"
REJECT_FORM = "reject_form"
REFUSE_ROLLBACK = "refuse_rollback"
BREAK_GLASS = "break_glass"
GLASS_FORM = "glass_form"
REVIEWED = "reviewed"
REASON = "reason"
EXCEPTION_UNTIL = "exception_until"
EXCEPTION_OWNER = "exception_owner"
PREVIOUS_PAGE = "page_previous"
NEXT_PAGE = "page_next"
SHOW_FINDINGS = "findings_show"
BATCH_APPROVE = "batch_approve"
BATCH_CHANGES = "batch_changes"
BATCH_CHOOSE = "batch_choose"
BATCH_REJECT = "batch_reject"
BATCH_ROLL_BACK = "batch_rollback"
BATCH_APPROVE_HERE = "batch_approve_here"
BATCH_ROLL_BACK_HERE = "batch_rollback_here"
BATCH_REFUSE_ROLLBACK = "batch_refuse_rollback"
BATCH_APPROVE_FORM = "batch_approve_form"
BATCH_CHOOSE_FORM = "batch_choose_form"
BATCH_REJECT_FORM = "batch_reject_form"
HOME_REVIEW = "home_review"
HOME_DETAILS = "home_details"
HOME_ROLL_BACK = "home_rollback"
APPROVE_FORM = "approve_form"
ROLL_BACK_FORM = "rollback_form"
REPORT_FORM = "report_form"
PLAYBOOK_FORM = "playbook_form"
WORD = "word"
REPORT_PICK = "pick_report"
PLAYBOOK_PICK = "pick_playbook"
FINDING_PICK = "pick_finding"
FORMAT = "format"
ADDRESSES = "addresses"
SCHEDULE_FORM = "schedule_form"
EVERY = "every"
TIME = "time"
CRON = "cron"
ZONE_PICK = "pick_zone"
CHANNEL_PICK = "pick_channel"
FETCH = "fetch"
ACCOUNT = "account"
_BATCH_VALUE = re.compile(r"([A-Za-z0-9._-]{1,200}):([0-9a-f]{64}|-)")
_VALUE = re.compile(r"([A-Za-z0-9._-]{1,200}):([1-9][0-9]{0,8})(?::([1-9][0-9]{0,8}))?")


@dataclass(frozen=True, slots=True)
class CardRef:
    """All that a button says: which execution, which revision of its plan was shown, and which rollback that waits.

    `rollback` is the `asked_version` of the rollback that was shown, 0 where none waited.
    """

    execution_id: str
    revision: int
    rollback: int = 0

    @classmethod
    def of(cls, execution: PlaybookExecution) -> Self:
        """Return what a button says that stands below an execution as it is."""
        asked = execution.rollback.asked_version if execution.rollback else 0
        return cls(execution.execution_id, execution.revision, asked)

    @property
    def value(self) -> str:
        """Return it as a button carries it."""
        shown = f"{self.execution_id}:{self.revision}"
        return f"{shown}:{self.rollback}" if self.rollback else shown

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read a button's value.

        Raises:
            InputError: it is none of ours.
        """
        match = _VALUE.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise InputError("This button is not one of ours, or from another version. Nothing was done.")
        return cls(match[1], int(match[2]), int(match[3] or 0))


@dataclass(frozen=True, slots=True)
class BatchRef:
    """All that a batch's button says: which batch, and the digest of the set of items that was shown, empty where none is decided on."""

    batch_id: str
    set_seen: str

    @property
    def value(self) -> str:
        """Return it as a button carries it."""
        return f"{self.batch_id}:{self.set_seen or '-'}"

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read a button's value.

        Raises:
            InputError: it is none of ours.
        """
        match = _BATCH_VALUE.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise InputError("This button is not one of ours, or from another version. Nothing was done.")
        return cls(match[1], match[2].removeprefix("-"))
