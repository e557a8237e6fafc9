"""Walking through a JSON document for scalars at places that no single path describes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

import ijson

from audit.ingest.json_stream import BLOCK_BYTES, NOT_JSON, Source, broken

Scalar = str | int | float | bool | None
_OPENING: Final = {"start_map": "", "start_array": None}


@dataclass(slots=True)
class _Level:
    """An open bracket: the path of what it holds, and the name or the number of the member being read."""

    path: tuple[str, ...]
    name: str
    number: int | None


def walk_scalars(stream: BinaryIO) -> Iterator[tuple[tuple[str, ...], str, Scalar]]:
    """Yield each scalar with the path of the object or list that holds it, and its name or number there.

    Raises:
        InputError: cut off, not JSON, nested too deep, or a value too large; names the byte.
    """
    source = Source(stream)
    try:
        yield from _walk(source)
    except NOT_JSON as error:
        raise broken(source, error, is_sequence=False) from None


def _walk(source: Source) -> Iterator[tuple[tuple[str, ...], str, Scalar]]:
    levels: list[_Level] = []
    for event, value in ijson.basic_parse(source, buf_size=BLOCK_BYTES, use_float=True):
        source.since_value = 0
        if event == "map_key":
            levels[-1].name = value
        elif event in _OPENING:
            path = (*levels[-1].path, _step(levels[-1])) if levels else ()
            levels.append(_Level(path, "", 0 if event == "start_array" else None))
        elif event in {"end_map", "end_array"}:
            levels.pop()
        elif levels:
            yield levels[-1].path, _step(levels[-1]), value


def _step(level: _Level) -> str:
    """Return the member's name; in a list its number, which counts on."""
    if level.number is None:
        return level.name
    level.number += 1
    return str(level.number - 1)
