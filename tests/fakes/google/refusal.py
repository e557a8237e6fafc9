"""How Google says no."""

from typing import Any


class Refusal(Exception):
    """An error of the JSON APIs: a status, a sentence, and a reason where one is known."""

    def __init__(self, status: int, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = reason

    def to_json(self) -> dict[str, Any]:
        error: dict[str, Any] = {"code": self.status, "message": self.message}
        if self.reason:
            error["errors"] = [{"domain": "global", "reason": self.reason, "message": self.message}]
        return {"error": error}
