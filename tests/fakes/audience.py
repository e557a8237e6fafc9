"""Homes, their pictures and outcomes in dictionaries; they mirror `remediation.audience` and pass its contract suite."""

from dataclasses import dataclass, replace
from datetime import datetime

from audit.actor import Actor
from audit.waiting import has_come, has_passed
from remediation.audience import HOME_EVERY, HOMES_AT_ONCE, OUTCOMES, Home
from remediation.execution import PlaybookExecution
from remediation.home_pictures import KEPT_AFTER_REPLACED, PICTURE_LOST_AFTER, HomePicture
from remediation.ports import LONGEST_REST
from remediation.states import PlaybookStatus


@dataclass
class _Kept:
    opened_at: datetime
    changes: int = 1
    drawn: int = 0
    report_id: str = ""
    begun_at: datetime | None = None


class MemoryHomes:
    """Homes by name."""

    def __init__(self) -> None:
        self.by_name: dict[str, _Kept] = {}

    def opened(self, person: Actor, now: datetime) -> str:
        name = f"{person.workspace}/{person.slack_id}"
        if kept := self.by_name.get(name):
            kept.opened_at, kept.changes = now, kept.changes + 1
        else:
            self.by_name[name] = _Kept(now)
        return name

    def changed(self) -> None:
        for kept in self.by_name.values():
            kept.changes += 1

    def due(self, now: datetime, *, report_id: str) -> list[str]:
        lately = sum(not _rested(kept, now) for kept in self.by_name.values())
        waiting = [
            (-kept.opened_at.timestamp(), name)
            for name, kept in self.by_name.items()
            if _rested(kept, now) and (kept.drawn < kept.changes or kept.report_id != report_id)
        ]
        return [name for _, name in sorted(waiting)][: max(0, HOMES_AT_ONCE - lately)]

    def begin(self, name: str, now: datetime) -> Home | None:
        kept = self.by_name.get(name)
        if kept is None or not _rested(kept, now):
            return None
        kept.begun_at = now
        workspace, _, slack_id = name.partition("/")
        return Home(workspace=workspace, slack_id=slack_id, changes=kept.changes)

    def drawn(self, home: Home, *, report_id: str) -> None:
        if kept := self.by_name.get(f"{home.workspace}/{home.slack_id}"):
            kept.drawn, kept.report_id = home.changes, report_id

    def forget(self, home: Home) -> None:
        self.by_name.pop(f"{home.workspace}/{home.slack_id}", None)


class MemoryHomePictures:
    """Pictures by digest, and when those were replaced that are not the newest."""

    def __init__(self) -> None:
        self.by_digest: dict[str, HomePicture] = {}
        self.replaced_at: dict[str, datetime] = {}

    def find(self, digest: str) -> str:
        found = self.by_digest.get(digest)
        return found.file_id if found and found.is_ready and digest not in self.replaced_at else ""

    def begin(self, digest: str, now: datetime) -> HomePicture | None:
        self.by_digest.setdefault(digest, HomePicture(digest=digest, since=now))
        if self.replaced_at.pop(digest, None):
            self.by_digest[digest] = replace(self.by_digest[digest], is_ready=False, due_at=None)
        for other in self.by_digest.keys() - {digest}:
            self.replaced_at.setdefault(other, now)
        if not self._is_to_do(digest, now):
            return None
        self.by_digest[digest] = replace(self.by_digest[digest], due_at=now + PICTURE_LOST_AFTER)
        return self.by_digest[digest]

    def retire(self, now: datetime) -> None:
        for digest in self.by_digest:
            self.replaced_at.setdefault(digest, now)

    def keep(self, picture: HomePicture) -> None:
        if picture.digest in self.by_digest:
            self.by_digest[picture.digest] = picture

    def is_due(self, now: datetime) -> bool:
        newest = self.by_digest.keys() - self.replaced_at.keys()
        return any(self._is_to_do(digest, now) for digest in newest) or bool(self.replaced(now))

    def replaced(self, now: datetime) -> list[HomePicture]:
        rest = KEPT_AFTER_REPLACED
        over = [(at, digest) for digest, at in self.replaced_at.items() if not now - rest < at <= now + rest]
        found = [self.by_digest[digest] for _, digest in sorted(over)]
        return [each for each in found if _waits_no_more(each, now)]

    def forget(self, digest: str) -> None:
        self.by_digest.pop(digest, None)
        self.replaced_at.pop(digest, None)

    def _is_to_do(self, digest: str, now: datetime) -> bool:
        picture = self.by_digest[digest]
        return not picture.is_ready and _waits_no_more(picture, now)


class MemoryOutcomes:
    """Claims by execution and outcome; None is one that nobody gave back."""

    def __init__(self, executions: dict[str, PlaybookExecution]) -> None:
        self._executions = executions
        self.claims: dict[tuple[str, PlaybookStatus], datetime | None] = {}

    def claim(self, execution_id: str, status: PlaybookStatus, now: datetime) -> bool:
        if not self._is_free(execution_id, status, now):
            return False
        self.claims[execution_id, status] = None
        return True

    def put_off(self, execution_id: str, status: PlaybookStatus, *, until: datetime) -> None:
        self.claims[execution_id, status] = until

    def untold(self, now: datetime, *, limit: int = 50) -> list[str]:
        ended = [each for each in self._executions.values() if each.status in OUTCOMES]
        ended.sort(key=lambda each: (each.created_at, each.execution_id))
        free = [each for each in ended if self._is_free(each.execution_id, each.status, now)]
        return [each.execution_id for each in free][:limit]

    def _is_free(self, execution_id: str, status: PlaybookStatus, now: datetime) -> bool:
        key = (execution_id, status)
        due_at = self.claims.get(key)
        is_due = due_at is not None and has_come(due_at, now, longest=LONGEST_REST)
        return key not in self.claims or is_due


def _rested(kept: _Kept, now: datetime) -> bool:
    return kept.begun_at is None or has_passed(kept.begun_at, now, span=HOME_EVERY)


def _waits_no_more(picture: HomePicture, now: datetime) -> bool:
    return picture.due_at is None or has_come(picture.due_at, now, longest=LONGEST_REST)
