"""All repositories on one database."""

from dataclasses import dataclass
from typing import Self

from storage.anchors import SqlAnchors
from storage.audience import SqlHomes, SqlOutcomes
from storage.batch_returns import SqlReturns
from storage.batches import SqlBatches
from storage.database import Database
from storage.engine import open_engine
from storage.exceptions import SqlExceptions
from storage.execution_lookup import SqlExecutionFinder
from storage.executions import SqlExecutions
from storage.home_pictures import SqlHomePictures
from storage.inbox import SqlInbox
from storage.lifecycle import SqlTracker
from storage.migrate import check, check_revision, upgrade
from storage.notices import SqlNotices
from storage.owners import SqlOwners
from storage.postings import SqlPostings
from storage.pulls import SqlPulls
from storage.rechecks import SqlRechecks, SqlRegressions
from storage.reports import SqlReports
from storage.schedules import SqlSchedules
from storage.trail import SqlTrail


@dataclass(frozen=True, slots=True)
class Stores:
    """What the programs are given. `database` is for those who compose: to close it, to ask whether it is there."""

    database: Database
    reports: SqlReports
    executions: SqlExecutions
    finder: SqlExecutionFinder
    trail: SqlTrail
    anchors: SqlAnchors
    postings: SqlPostings
    inbox: SqlInbox
    exceptions: SqlExceptions
    notices: SqlNotices
    schedules: SqlSchedules
    tracker: SqlTracker
    rechecks: SqlRechecks
    regressions: SqlRegressions
    pulls: SqlPulls
    homes: SqlHomes
    home_pictures: SqlHomePictures
    outcomes: SqlOutcomes
    batches: SqlBatches
    returns: SqlReturns
    owners: SqlOwners

    @classmethod
    def on(cls, database: Database) -> Self:
        """Return the repositories on a database that was checked."""
        executions = SqlExecutions(database)
        return cls(
            database=database,
            reports=SqlReports(database),
            executions=executions,
            finder=SqlExecutionFinder(database),
            trail=SqlTrail(database),
            anchors=SqlAnchors(database),
            postings=SqlPostings(database),
            inbox=SqlInbox(database),
            exceptions=SqlExceptions(database),
            notices=SqlNotices(database),
            schedules=SqlSchedules(database),
            tracker=SqlTracker(database),
            rechecks=SqlRechecks(database),
            regressions=SqlRegressions(database),
            pulls=SqlPulls(database),
            homes=SqlHomes(database),
            home_pictures=SqlHomePictures(database),
            outcomes=SqlOutcomes(database),
            batches=SqlBatches(database, executions),
            returns=SqlReturns(database),
            owners=SqlOwners(database),
        )

    @classmethod
    def open(cls, url: str) -> Self:
        """Open the database at an address such as `sqlite:///countersign.db`.

        Raises:
            ConfigError: it cannot be opened, or is not at the revision this program needs.
            TrailError: the trail's triggers are missing.
        """
        engine = open_engine(url)
        check(engine)
        return cls.on(Database(engine))

    @classmethod
    def open_to_verify(cls, url: str) -> tuple[Self, list[str]]:
        """Open a database whose trail may have been tampered with, to read it; return the missing triggers beside it.

        Raises:
            ConfigError: it cannot be opened, or is not at the revision this program needs.
        """
        engine = open_engine(url)
        missing = check_revision(engine)
        return cls.on(Database(engine)), missing

    @classmethod
    def in_memory(cls) -> Self:
        """Return stores that last as long as they are held; threads may share them."""
        engine = open_engine("sqlite://")
        upgrade(engine)
        return cls.on(Database(engine))

    def close(self) -> None:
        """Let go of all connections."""
        self.database.engine.dispose()
