"""Where everything is kept. The only package that knows SQL; implements the ports of audit and remediation."""

from storage.database import Database
from storage.engine import open_engine
from storage.execution_lookup import SqlExecutionFinder
from storage.executions import SqlExecutions
from storage.inbox import SqlInbox
from storage.migrate import check, upgrade
from storage.postings import SqlPostings
from storage.reports import SqlReports
from storage.stores import Stores
from storage.trail import SqlTrail, append_in

__all__ = [
    "Database",
    "SqlExecutionFinder",
    "SqlExecutions",
    "SqlInbox",
    "SqlPostings",
    "SqlReports",
    "SqlTrail",
    "Stores",
    "append_in",
    "check",
    "open_engine",
    "upgrade",
]
