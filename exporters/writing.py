"""Files that are either whole or not there.

A report is written beside its destination and renamed over it at the end, so that a reader never sees half of one,
and a failure leaves the old file as it was and nothing new.
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from audit.errors import InputError
from exporters.ports import ExportedFile

AnyPath = str | os.PathLike[str]
_BUFFER_BYTES = 1 << 20


@contextmanager
def replacing(path: AnyPath) -> Iterator[BinaryIO]:
    """Open a file for writing that takes the place of `path` only when the block ends well.

    A relative folder such as the guide's `reports/` is made when it is missing; an absolute one must exist, so that
    a typing error does not grow a tree somewhere. The mode follows the umask.

    Raises:
        InputError: it cannot be written; names the path and the reason.
    """
    target = Path(path)
    if not target.name or "\0" in str(target):
        raise InputError(f"“{target}” is not the name of a file")
    part = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        _prepare(target)
        with part.open("xb", buffering=_BUFFER_BYTES) as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(target)
    except OSError as error:
        raise InputError(f"{target} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            part.unlink()


def _prepare(target: Path) -> None:
    if target.exists() and not target.is_file():
        raise InputError(f"{target} cannot be written: it exists and is not a regular file")
    if not target.is_absolute():
        target.parent.mkdir(parents=True, exist_ok=True)


def write_whole(path: AnyPath, content: bytes | memoryview) -> None:
    """Write the bytes atomically.

    Raises:
        InputError: see `replacing`.
    """
    with replacing(path) as out:
        out.write(content)


@dataclass(frozen=True, slots=True)
class FileDelivery:
    """Hands an exported file over by putting it at a path (the command line's `-o`)."""

    path: Path

    def deliver(self, file: ExportedFile) -> None:
        """Copy the content.

        Raises:
            InputError: see `replacing`.
        """
        with replacing(self.path) as out:
            shutil.copyfileobj(file.content, out, _BUFFER_BYTES)
