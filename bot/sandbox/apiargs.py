"""The arguments and the errors of a Web API call, typed: everything a method needs and no HTTP."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from bot.sandbox.shapes import Json, Problem
from bot.sandbox.state import State


class ApiError(Exception):
    """Slack's `{"ok": false, "error": code}`, with `messages` as its response_metadata."""

    def __init__(self, code: str, messages: Sequence[str] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.messages = tuple(messages)


@dataclass(frozen=True)
class Args:
    """Query, form and JSON arguments merged; each accessor gives one type or raises ApiError."""

    method: str
    values: Json

    def has(self, name: str) -> bool:
        return self.values.get(name) not in (None, "")

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name)
        return default if value is None else str(value)

    def required(self, name: str) -> str:
        """A text that must be there; raises `invalid_arguments`."""
        if not self.has(name):
            raise ApiError("invalid_arguments", [f"[ERROR] missing required field: {name}"])
        return self.text(name)

    def number(self, name: str, default: int) -> int:
        """A whole number; raises `invalid_arguments`."""
        try:
            return int(self.values.get(name) or default)
        except (TypeError, ValueError):
            raise ApiError("invalid_arguments", [f"[ERROR] {name} must be an integer"]) from None

    def flag(self, name: str) -> bool:
        return str(self.values.get(name, "")).lower() in ("true", "1")

    def json(self, name: str) -> Any:  # noqa: ANN401 - any JSON
        """A JSON argument, which form posts carry as text; None when absent; raises `invalid_json`."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise ApiError(
                "invalid_blocks_format" if name == "blocks" else "invalid_json",
                [f"[ERROR] {name} is not JSON"],
            ) from None

    def items(self, name: str) -> list[Any]:
        """A JSON list, empty when absent; raises `invalid_arguments`."""
        value = self.json(name) or []
        if not isinstance(value, list):
            raise ApiError("invalid_arguments", [f"[ERROR] {name} must be an array [json-pointer:/{name}]"])
        return value


@dataclass(frozen=True)
class Api:
    """What a method may touch: the state, the stand-in's own address, and new socket tickets."""

    state: State
    base_url: str
    new_ticket: Callable[[], str]

    def refuse(self, where: str, problems: list[Problem]) -> None:
        """Record broken rules and answer with the first one's code; nothing when there are none."""
        if problems:
            self.state.record_problems(where, problems)
            raise ApiError(problems[0].code, [str(problem) for problem in problems])


Method: TypeAlias = Callable[[Api, Args], Json]


def page(items: Sequence[Any], args: Args, *, default_limit: int = 100) -> tuple[list[Any], Json]:
    """One page of `items` by `limit` and `cursor`, and the response_metadata that names the next."""
    start = int(args.text("cursor", "0") or 0) if args.text("cursor", "0").isdigit() else -1
    if start < 0:
        raise ApiError("invalid_cursor")
    end = start + max(1, args.number("limit", default_limit))
    return list(items[start:end]), {"next_cursor": str(end) if end < len(items) else ""}
