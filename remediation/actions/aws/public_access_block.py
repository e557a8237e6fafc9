"""The public access block of a bucket or of an account: four switches, or no block at all."""

from collections.abc import Mapping
from typing import Any

from remediation.actions.aws.errors import aws_errors, error_code, request_id
from remediation.actions.contract import Params
from remediation.plan import ABSENT, State

FLAGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_NO_BLOCK = "NoSuchPublicAccessBlockConfiguration"


class PublicAccessBlockParams(Params):
    """The four switches. One that is left out stays as it is."""

    BlockPublicAcls: bool | None = None
    IgnorePublicAcls: bool | None = None
    BlockPublicPolicy: bool | None = None
    RestrictPublicBuckets: bool | None = None


def flags_after(before: State, params: PublicAccessBlockParams) -> State:
    """Return the four switches as they will be."""
    wanted = {flag: value for flag, value in params.model_dump().items() if value is not None}
    return {**{flag: bool(before[flag]) for flag in FLAGS}, **wanted}


class PublicAccessBlock:
    """Reads and writes a block.

    Args:
        client: of `s3` for a bucket, of `s3control` for an account: both have the same three calls.
        where: the arguments that name the bucket or the account, and its owner.
        of: the bucket or the account, in words.
    """

    def __init__(self, client: Any, where: Mapping[str, str], *, of: str) -> None:  # noqa: ANN401 - see `AwsClients`
        self._client = client
        self._where = where
        self._of = of

    def read(self) -> State:
        """Return the four switches, each None where there is no block at all."""
        with aws_errors(f"read the public access block of {self._of}"):
            try:
                answer = self._client.get_public_access_block(**self._where)
            except self._client.exceptions.ClientError as error:
                if error_code(error) != _NO_BLOCK:
                    raise
                return dict.fromkeys(FLAGS, ABSENT)
        block = answer["PublicAccessBlockConfiguration"]
        return {flag: bool(block.get(flag, False)) for flag in FLAGS}

    def write(self, state: State) -> tuple[str, ...]:
        """Write the block; where the state has none, delete it."""
        if all(state[flag] is ABSENT for flag in FLAGS):
            return self._delete()
        with aws_errors(f"write the public access block of {self._of}"):
            response = self._client.put_public_access_block(
                **self._where, PublicAccessBlockConfiguration={flag: bool(state[flag]) for flag in FLAGS}
            )
        return (request_id(response),)

    def _delete(self) -> tuple[str, ...]:
        with aws_errors(f"delete the public access block of {self._of}"):
            return (request_id(self._client.delete_public_access_block(**self._where)),)
