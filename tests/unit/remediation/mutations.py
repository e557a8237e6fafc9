"""Every small change that can be made to a folder of JSON: each value another, each one gone, added, twice or in another's place."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Json = object
T = TypeVar("T")
Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mutation:
    """A change to a file: what was done to what, and the file's bytes afterwards; None where the file is gone."""

    file: str
    how: str
    at: Path_
    was: Json
    content: bytes | None

    def __str__(self) -> str:
        return f"{self.file}: {self.how} {'/'.join(map(str, self.at))} (was {str(self.was)[:60]})"


def mutate_folder(folder: Path, *, beneath: str = "") -> Iterator[Mutation]:
    """Yield every change to every file in a folder, named from there."""
    for path in sorted(folder.iterdir()):
        if path.is_file():
            yield from mutate_file(path, f"{beneath}{path.name}")


def mutate_file(path: Path, name: str) -> Iterator[Mutation]:
    """Yield every change to a file."""
    data = path.read_bytes()
    yield Mutation(name, "removed", (), None, None)
    yield Mutation(name, "emptied", (), None, b"")
    if path.suffix == ".jsonl":
        lines = [json.loads(line) for line in data.splitlines()]
        for how, at, was, changed in mutate_list(lines):
            text = "".join(f"{json.dumps(line)}\n" for line in changed)
            yield Mutation(name, how, at, was, text.encode())
    elif path.suffix == ".json":
        for how, at, was, changed in mutate_json(json.loads(data)):
            # The signed plan is its bytes; written as they are spelled, each change is one of the content.
            text = json.dumps(changed, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            yield Mutation(name, how, at, was, text.encode("utf-8", "backslashreplace"))
    else:
        yield Mutation(name, "changed", (), None, data + b" ")


_Change = tuple[str, Path_, Json, Json]


def mutate_json(value: Json) -> Iterator[_Change]:
    """Yield each way to change a value: how, where, what was there, and the whole afterwards."""
    if isinstance(value, dict):
        yield "added a key to", (), value, {**value, "extra": "x"}
        for key, inner in value.items():
            yield "deleted", (key,), inner, {name: each for name, each in value.items() if name != key}
            for how, at, was, changed in mutate_json(inner):
                yield how, (key, *at), was, {**value, key: changed}
    elif isinstance(value, list):
        yield from mutate_list(value)
    else:
        yield "changed", (), value, _another(value)


def mutate_list(values: list[Json]) -> Iterator[tuple[str, Path_, Json, list[Json]]]:
    """Yield each way to change a list: an entry gone, twice, in another's place, or another."""
    for place, inner in enumerate(values):
        before, after = values[:place], values[place + 1 :]
        yield "deleted", (place,), inner, before + after
        yield "doubled", (place,), inner, [*before, inner, inner, *after]
        if before and before[-1] != inner:
            yield "swapped", (place,), inner, [*before[:-1], inner, before[-1], *after]
        for how, at, was, changed in mutate_json(inner):
            yield how, (place, *at), was, [*before, changed, *after]


def _another(value: Json) -> Json:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        # Digests and times stay digests and times: what changes is one character of it, at the end, where one is.
        return f"{value[:-1]}{'0' if value[-1] != '0' else '1'}" if value else "x"
    return "x"


def apply(mutation: Mutation, folder: Path, do: Callable[[], T]) -> T:
    """Change the file, do something, and put the file back."""
    path = folder / mutation.file
    data = path.read_bytes()
    try:
        if mutation.content is None:
            path.unlink()
        else:
            path.write_bytes(mutation.content)
        return do()
    finally:
        path.write_bytes(data)
