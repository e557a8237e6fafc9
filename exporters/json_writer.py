"""JSON in the specification's structure, streamed.

Not cached by fragment like the other formats: orjson writes a finding about as fast as a cache could be asked for its
parts (measured at 0.8 of its speed).
"""

from collections.abc import Callable, Collection
from datetime import datetime

from audit.errors import InputError
from audit.findings import FindingDict
from exporters.json_document import JsonDocument
from exporters.outcome import ByteSink, Passage, Written
from exporters.source import ReportSource

Keep = Callable[[FindingDict], object]


def write_json(
    source: ReportSource, out: ByteSink, *, now: datetime, pretty: bool = False, keep: Keep | None = None
) -> Written:
    """Write the whole report. `keep` picks what is shown of a finding; without it, all.

    Findings that cannot be written are left out and named under `errors`, with those that were left out before.
    """
    passage, document, header = Passage(), JsonDocument(out, pretty=pretty), source.header
    document.member("metadata", header.metadata(now, "json"))
    document.member("summary", header.summary)
    document.array("findings", passage.each(source.records(), _encoder(document, keep)))
    document.member("compliance", header.compliance)
    document.member("recommendations", header.recommendations)
    if errors := [*header.rejected, *passage.lines()]:
        document.member("errors", errors)
    document.close()
    return passage.written()


def _encoder(document: JsonDocument, keep: Keep | None) -> Callable[[FindingDict], bytes]:
    if keep is None:
        return document.item
    encode = document.item
    return lambda record: encode(keep(record))


def keeper(include: Collection[str] | None, exclude: Collection[str] | None) -> Keep | None:
    """Return what picks a finding's fields: those included, in that order, less those excluded; None picks all.

    Raises:
        InputError: `include` or `exclude` is a single text where a list is meant.
    """
    if isinstance(include, str) or isinstance(exclude, str):
        raise InputError("include_fields and exclude_fields must be lists of field names")
    left_out = frozenset(exclude or ())
    if include is not None:
        wanted = [name for name in include if name not in left_out]
        return lambda record: {name: record[name] for name in wanted if name in record}  # type: ignore[literal-required]
    if left_out:
        return lambda record: {name: value for name, value in record.items() if name not in left_out}
    return None
