"""Reading what scanners wrote. One file per format; the content decides, not the name.

A format is a module with a `FORMAT`; it joins the list in `detect` and nothing else changes.
"""

from audit.ingest.detect import FORMATS, read_report
from audit.ingest.model import Format, Item, Reading, Rejected

__all__ = ["FORMATS", "Format", "Item", "Reading", "Rejected", "read_report"]
