"""AWS's own descriptions of its services, which come with the SDK: which calls there are, what they take, and what of it is secret."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

from audit.errors import Cause, PermanentActionError
from audit.wording import nearest

if TYPE_CHECKING:
    from botocore.model import OperationModel, ServiceModel, Shape

# What some services (DocumentDB, ElastiCache, MQ) do not mark as secret, by the last word of its name.
_SECRET_NAME = re.compile(r"(password|passphrase|secret|privatekey|authtoken)$", re.IGNORECASE)


def operation(service: str, call: str) -> "OperationModel":
    """Return what AWS says of a call, both spelled as the AWS command line does.

    Raises:
        PermanentActionError: there is no such service or call, or the SDK is not installed.
    """
    model = _service(service)
    from botocore import xform_name

    known = {xform_name(name, "-"): name for name in model.operation_names}
    if call not in known:
        raise _unknown(f"AWS's {service} has no call “{call}”", nearest(call, known))
    return model.operation_model(known[call])


def check_arguments(model: "OperationModel", arguments: dict[str, object], name: str) -> None:
    """Let arguments pass that the call takes.

    Raises:
        PermanentActionError: it does not; says which.
    """
    from botocore.validate import ParamValidator

    if model.input_shape is None:
        if arguments:
            raise PermanentActionError(f"{name} takes no parameters", cause=Cause.INVALID)
        return
    report = ParamValidator().validate(arguments, model.input_shape)
    if report.has_errors():
        raise PermanentActionError(
            f"{name}: {' '.join(report.generate_report().split())}", cause=Cause.INVALID
        )


def secret_places(model: "OperationModel", arguments: Mapping[str, object]) -> list[str]:
    """Return where a call's arguments hold what AWS says is secret, such as `Users.Password`; never what stands there."""
    return list(_secrets(model.input_shape, arguments, "")) if model.input_shape else []


def _secrets(shape: "Shape", value: object, place: str) -> Iterator[str]:
    if shape.metadata.get("sensitive"):
        yield place
        return
    members: Mapping[str, Shape] = getattr(shape, "members", {})
    within = getattr(shape, "member", None) or getattr(shape, "value", None)
    if isinstance(value, Mapping):
        for name, part in value.items():
            inner = members.get(name, within)
            at = f"{place}.{name}".removeprefix(".")
            if _SECRET_NAME.search(str(name)) and not isinstance(part, bool):
                yield at
            elif inner is not None:
                yield from _secrets(inner, part, at)
    elif isinstance(value, list) and within is not None:
        for part in value:
            yield from _secrets(within, part, place)


@cache
def _service(name: str) -> "ServiceModel":
    try:
        from botocore.exceptions import UnknownServiceError
        from botocore.session import Session
    except ImportError:
        raise PermanentActionError(
            "The AWS SDK is not installed: pip install 'countersign[aws]'", cause=Cause.NOT_INSTALLED
        ) from None
    session = Session()
    try:
        return session.get_service_model(name)
    except UnknownServiceError:
        near = nearest(name, session.get_available_services())
        raise _unknown(f"AWS has no service “{name}”", near) from None


def _unknown(what: str, near: str | None) -> PermanentActionError:
    return PermanentActionError(f"{what}; did you mean “{near}”?" if near else what, cause=Cause.INVALID)
