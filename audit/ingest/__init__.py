"""Reading what scanners wrote. One file per format; the content decides, not the name.

A format is a module with a `FORMAT`; it joins the list in `detect` and nothing else changes.
"""

from audit.ingest.detect import FORMATS, read_report
from audit.ingest.mapped_csv import ColumnMap, check_columns, parse_columns
from audit.ingest.model import Format, Item, Rejected
from audit.ingest.opening import Member, OpenFile, open_here
from audit.ingest.reading import Reading
from audit.ingest.unpack import open_members

__all__ = [
    "FORMATS",
    "ColumnMap",
    "Format",
    "Item",
    "Member",
    "OpenFile",
    "Reading",
    "Rejected",
    "check_columns",
    "open_here",
    "open_members",
    "parse_columns",
    "read_report",
]
