"""One Cloud Storage bucket: read, patched under its metageneration, its policy written under its etag."""

from collections.abc import Iterator, Mapping
from typing import Any

from audit.errors import Cause, PermanentActionError
from remediation.actions.gcp.clients import Patience
from remediation.actions.gcp.errors import google_errors
from remediation.plan import Target

_POLICY_VERSION = 3  # an older version would be given without conditions, and writing it back would drop them


class Buckets:
    """The buckets that a client of Cloud Storage reaches, each call with our time-outs."""

    def __init__(self, client: Any, patience: Patience) -> None:  # noqa: ANN401 - see `GcpClients`
        self._client = client
        self._patience = patience

    def read(self, name: str) -> Any:  # noqa: ANN401 - the SDK's Bucket
        """Return a bucket with all its settings.

        Raises:
            ActionError: it cannot be read.
        """
        with google_errors(f"read the bucket {name}"):
            return self._client.get_bucket(name, **self._how())

    def require_owner(self, name: str, target: Target) -> None:
        """Let a bucket pass that is in the target's project: the names of buckets are everybody's.

        Raises:
            ActionError: it is in another project, or the project's buckets cannot be listed.
        """
        with google_errors(f"look for the bucket {name} in {target.account_id}"):
            # A name sorts before all names that it begins, so the first page settles it.
            found = self._client.list_buckets(
                project=target.account_id, prefix=name, page_size=1, **self._how()
            )
            is_there = any(bucket.name == name for bucket in next(found.pages))
        if not is_there:
            raise PermanentActionError(
                f"The bucket {name} is not in the project {target.account_id}", cause=Cause.WRONG_ACCOUNT
            )

    def patch(self, bucket: Any) -> None:  # noqa: ANN401 - the SDK's Bucket
        """Write the settings changed on a bucket that was read, if nobody wrote to it since.

        Raises:
            ActionError: it was not written, or nobody can tell.
        """
        with google_errors(f"write to the bucket {bucket.name}"):
            bucket.patch(if_metageneration_match=bucket.metageneration, **self._how())

    def policy(self, bucket: Any) -> Any:  # noqa: ANN401 - the SDK's Policy
        """Return a bucket's IAM policy with its conditions.

        Raises:
            ActionError: it cannot be read.
        """
        with google_errors(f"read the IAM policy of the bucket {bucket.name}"):
            return bucket.get_iam_policy(requested_policy_version=_POLICY_VERSION, **self._how())

    def write_policy(self, bucket: Any, policy: Any) -> None:  # noqa: ANN401 - the SDK's Bucket and Policy
        """Write a policy that was read, if nobody wrote it since.

        Raises:
            ActionError: it was not written, or nobody can tell.
        """
        policy.version = _POLICY_VERSION
        with google_errors(f"write the IAM policy of the bucket {bucket.name}"):
            bucket.set_iam_policy(policy, **self._how())

    def _how(self) -> dict[str, Any]:
        from google.cloud.storage.retry import DEFAULT_RETRY  # type: ignore[import-untyped]

        # What is written carries a precondition, so a repetition cannot overwrite anything.
        return {
            "timeout": self._patience.attempt,
            "retry": DEFAULT_RETRY.with_timeout(self._patience.total_s),
        }


def bindings_of(policy: Any) -> Iterator[tuple[str, str, Mapping[str, str] | None]]:  # noqa: ANN401 - the SDK's Policy
    """Yield each member of a policy with its role and the condition it holds under."""
    for binding in policy.bindings:
        for member in sorted(binding.get("members", ())):
            yield member, binding["role"], binding.get("condition")
