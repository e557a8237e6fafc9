"""What can go wrong, in words a person can act on.

    CountersignError
    ├── InputError                 a file, a command or a name we were given cannot be used
    │   ├── UnknownFormatError     a file in no format we read
    │   ├── NotFoundError          a report, finding, playbook or execution that is not there
    │   └── NothingFoundError      a service was asked, and has nothing of the kind
    ├── ConfigError                a setting is missing or wrong; names the variable or key
    ├── RefusedError               a gate said no; carries the reason for the person who asked
    ├── StateError                 the thing has moved on: a lost compare-and-swap, a move not in the table
    │   ├── HeldError              another execution on the same resource is under way; carries its id
    │   └── HandedOverError        this process is stopping, and the next one goes on with it
    ├── UnavailableError           what we depend on gives no answer for now: it passes, and nobody here has to mend anything
    ├── TrailError                 the trail cannot be written or does not verify
    └── ActionError                a step against a cloud failed
        ├── TemporaryActionError   worth another try after `delay_s`
        └── PermanentActionError   the same call would fail again

The text of every one of these is shown to people. Anything else that is raised is a bug: it is logged
under a reference id, and the person sees only that id.
"""

from enum import Enum


class CountersignError(Exception):
    """Base of every error whose text is meant for a person."""

    def explain(self) -> str:
        """Return one line for a person."""
        return str(self)


class InputError(CountersignError):
    """Something handed to us cannot be used as it is."""


class UnknownFormatError(InputError):
    """The content is in no format we read."""


class NotFoundError(InputError):
    """Nothing goes by that name or id."""


class NothingFoundError(InputError):
    """A service was asked for findings and has none of the kind. That alone says nothing about earlier ones."""


class ConfigError(CountersignError):
    """A setting is missing or wrong. The text names it and says what to do."""


class RefusedError(CountersignError):
    """A gate said no. Nothing was changed."""


class StateError(CountersignError):
    """The thing moved on meanwhile, or the move is not in the transition table."""


class HeldError(StateError):
    """Another execution, `holder`, is under way on the same resource."""

    def __init__(self, holder: str) -> None:
        super().__init__(f"{holder} is under way on the same resource")
        self.holder = holder


class HandedOverError(StateError):
    """This process is stopping: what takes long is left as it is, and the next one goes on with it."""


class UnavailableError(CountersignError):
    """A service we depend on gives no answer for now, or wants us to wait. That passes: worth another try, as often as it takes."""


class TrailError(CountersignError):
    """The trail cannot be written, or what is written does not verify. Nothing may change without it."""


class Cause(Enum):
    """Why a cloud said no: a short word, and what a person can do about it."""

    DENIED = ("denied", "give the bot's role what `countersign playbook permissions` prints")
    DENIED_BY_ORGANIZATION = (
        "denied by the organization",
        "a service control or organization policy forbids this; the bot's own role is not the reason",
    )
    CREDENTIALS = ("credentials", "renew the bot's cloud credentials, then request the fix again")
    NOT_TRUSTED = (
        "role not assumed",
        "check that the role exists and that its trust policy names the bot's own identity and the same external id",
    )
    NOT_FOUND = ("not found", "check that the resource still exists, then ingest a fresh report")
    THROTTLED = ("throttled", "the cloud is limiting requests; try again in a few minutes")
    CHANGED_MEANWHILE = ("changed meanwhile", "somebody changed the resource; request the fix again")
    WRONG_REGION = ("wrong region", "check the region recorded in the finding")
    WRONG_ACCOUNT = ("wrong account", "the bot's credentials belong to another account than the resource")
    TIMED_OUT = ("timed out", "look at the resource: the call may or may not have taken effect")
    UNAVAILABLE = ("unavailable", "the cloud could not be reached; try again when it can")
    INVALID = ("invalid", "the request does not fit this resource; check the finding and the playbook")
    NOT_VERIFIED = ("not verified", "the resource does not look as planned; look at it before trying again")
    NOT_INSTALLED = ("not installed", "install the extra that carries this cloud's SDK")
    NOT_CONFIGURED = ("not configured", "have whoever runs Countersign add it to the configuration")
    NOT_SENT = ("not sent", "pass the message on yourself; it is not sent again by itself")
    SCRIPT_FAILED = ("script failed", "look at what the script may have done before trying again")

    def __init__(self, word: str, next_step: str) -> None:
        self.word = word
        self.next_step = next_step


class ActionError(CountersignError):
    """A step against a cloud failed.

    Args:
        message: what failed, in one line, without secrets.
        cause: the class of the failure; decides the advice.
        request_id: the cloud's own id of the failed request, if it gave one.
    """

    def __init__(self, message: str, *, cause: Cause, request_id: str | None = None) -> None:
        super().__init__(message)
        self.cause = cause
        self.request_id = request_id

    def explain(self) -> str:
        """Return one line for a person: what failed, the request id, what to do next."""
        request = f" (request {self.request_id})" if self.request_id else ""
        # Some SDKs say things over several lines.
        what = " ".join(str(self).split())
        return f"{what}{request}. Next: {self.cause.next_step}."


class TemporaryActionError(ActionError):
    """Worth another try after `delay_s` seconds."""

    def __init__(
        self, message: str, *, cause: Cause, request_id: str | None = None, delay_s: float = 5.0
    ) -> None:
        super().__init__(message, cause=cause, request_id=request_id)
        self.delay_s = delay_s


class PermanentActionError(ActionError):
    """The same call would fail again."""
