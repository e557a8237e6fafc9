"""What a process that reads files says, and what is made of what no such process says."""

import io
import struct

import pytest

from audit.errors import InputError, UnknownFormatError
from audit.ingest import Rejected
from audit.ingest.frames import (
    MOST_BYTES,
    CutOffError,
    Said,
    from_batch,
    from_error,
    from_sum,
    receive,
    send,
    to_batch,
    to_error,
    to_sum,
)
from audit.ingest.hearing import Hearing
from audit.ingest.packing import MOST_BYTES as MOST_BATCH_BYTES
from audit.ingest.packing import MOST_ROWS, Batch, Sum, pack
from audit.ingest.watched import say_nothing
from tests.fakes.samples import a_finding


def packed(*items: object) -> tuple[list[Batch], Sum]:
    batches, source = [], pack(items)  # type: ignore[arg-type]
    while True:
        try:
            batches.append(next(source))
        except StopIteration as end:
            return batches, end.value


def hearing(*frames: tuple[Said, bytes]) -> Hearing:
    said = io.BytesIO()
    for kind, payload in frames:
        send(said, kind, payload)
    said.seek(0)
    return Hearing(said, io.BytesIO(), say_nothing)


def test_findings_and_their_sum_arrive_as_they_left() -> None:
    long = "Größe \0 \U0001f512 " * 50
    items = [a_finding(n, description=f"{long} {n % 3}", check_id=f"c{n}") for n in range(40)]
    batches, total = packed(*items, Rejected(41, "odd"), a_finding(title="half a pair: \ud83d"))
    (batch,) = batches
    assert (batch.rows, len(batch.texts), total.rejected) == (40, 3, 2)
    assert to_batch(b"".join(from_batch(batch))) == batch
    arrived = to_sum(from_sum(total))
    assert [tuple(each) for each in arrived.scopes] == total.scopes
    assert (arrived.summary, arrived.compliance, arrived.lines) == (
        total.summary,
        total.compliance,
        total.lines,
    )
    assert arrived.counts() == total.counts()


def test_batches_have_an_end_in_findings_and_in_bytes() -> None:
    batches, _ = packed(*(a_finding(n) for n in range(MOST_ROWS + 1)))
    assert [batch.rows for batch in batches] == [MOST_ROWS, 1]
    large = [a_finding(n, evidence="x" * (MOST_BATCH_BYTES // 3)) for n in range(7)]
    assert [batch.rows for batch in packed(*large)[0]] == [3, 3, 1]


@pytest.mark.parametrize(
    "error", [InputError("a.json: is empty"), UnknownFormatError("not a format we read")]
)
def test_errors_keep_their_kind_and_their_words(error: InputError) -> None:
    arrived = to_error(from_error(error))
    assert (type(arrived), str(arrived)) == (type(error), str(error))


def test_a_disk_that_fails_is_no_fault_of_the_file() -> None:
    arrived = to_error(from_error(OSError(5, "Input/output error")))
    assert isinstance(arrived, OSError)
    assert (arrived.errno, arrived.strerror) == (5, "Input/output error")


def test_words_stay_on_their_line_and_have_an_end() -> None:
    arrived = str(to_error(from_error(InputError("a\n\x1b[2J\udcff" + "x" * 9000))))
    assert arrived.isprintable()
    assert len(arrived) == 2000


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"M\0\0",
        struct.pack(">cI", b"M", 5) + b"four",
        struct.pack(">cI", b"?", 0),
        struct.pack(">cI", b"B", MOST_BYTES + 1) + bytes(MOST_BYTES + 1),
    ],
)
def test_what_is_no_whole_frame_is_refused(said: bytes) -> None:
    with pytest.raises(CutOffError):
        receive(io.BytesIO(said))


def test_what_comes_out_of_turn_is_refused() -> None:
    with pytest.raises(CutOffError, match="instead of a member"):
        next(hearing((Said.BATCH, b"")).members())
    with pytest.raises(CutOffError, match="instead of what is read"):
        next(hearing((Said.MEMBER, b'"a"'), (Said.SUM, b"{}")).members()).open()
    about = b'{"source": "s", "name": "n", "content_sha256": "0", "generated_at": null}'
    reading = next(hearing((Said.MEMBER, b'"a"'), (Said.READING, about), (Said.DONE, b"")).members()).open()
    assert reading.packed is not None
    with pytest.raises(CutOffError, match="instead of findings"):
        next(reading.packed)
