"""Trails of CloudTrail: reading them, and switching them on and off."""

from collections.abc import Mapping
from typing import Any

from remediation.actions.aws.errors import aws_errors, error_code, request_id
from remediation.actions.aws.ours import is_ours
from remediation.actions.aws.tags import Tags, read_or_none, to_tags

_NO_TRAIL, _THERE = "TrailNotFoundException", "TrailAlreadyExistsException"


class Trails:
    """The trails of one account, through a client of one region."""

    def __init__(self, cloudtrail: Any) -> None:  # noqa: ANN401 - see `AwsClients`
        self._cloudtrail = cloudtrail

    def find(self, arn: str) -> Mapping[str, Any] | None:
        """Return a trail's settings; None where there is no such trail.

        Raises:
            ActionError: it cannot be read.
        """
        with aws_errors(f"read the trail {arn}"):
            try:
                trail: Mapping[str, Any] = self._cloudtrail.get_trail(Name=arn)["Trail"]
            except self._cloudtrail.exceptions.ClientError as error:
                if error_code(error) != _NO_TRAIL:
                    raise
                return None
        return trail

    def status(self, arn: str) -> Mapping[str, Any]:
        """Return what a trail is doing.

        Raises:
            ActionError: there is no such trail, or it cannot be read.
        """
        with aws_errors(f"read the status of the trail {arn}"):
            status: Mapping[str, Any] = self._cloudtrail.get_trail_status(Name=arn)
        return status

    def seen_here(self) -> list[Mapping[str, Any]]:
        """Return the trails that record this region, those of the organization and of other regions included.

        Raises:
            ActionError: they cannot be listed.
        """
        with aws_errors("list the trails of the account"):
            return list(self._cloudtrail.describe_trails(includeShadowTrails=True)["trailList"])

    def is_ours(self, arn: str) -> bool:
        """Tell whether a trail carries our mark.

        Raises:
            ActionError: its tags cannot be read.
        """
        with aws_errors(f"read the tags of the trail {arn}"):
            return is_ours(self._tags_of(arn))

    def tags(self, arn: str) -> Tags | None:
        """Return a trail's tags, None where they cannot be read."""
        return read_or_none(f"read the tags of the trail {arn}", lambda: to_tags(self._tags_of(arn)))

    def _tags_of(self, arn: str) -> list[Mapping[str, str]]:
        lists = self._cloudtrail.list_tags(ResourceIdList=[arn])["ResourceTagList"]
        return [tag for entry in lists for tag in entry.get("TagsList", ())]

    def create(self, arn: str, settings: Mapping[str, object]) -> str:
        """Create a trail; return the request's id, empty where there is one of this name: an answer may have been lost."""
        with aws_errors(f"create the trail {arn}"):
            try:
                return request_id(self._cloudtrail.create_trail(**settings))
            except self._cloudtrail.exceptions.ClientError as error:
                if error_code(error) != _THERE:
                    raise
                return ""

    def start(self, arn: str) -> str:
        with aws_errors(f"start the trail {arn}"):
            return request_id(self._cloudtrail.start_logging(Name=arn))

    def stop(self, arn: str) -> str:
        with aws_errors(f"stop the trail {arn}"):
            return request_id(self._cloudtrail.stop_logging(Name=arn))

    def delete(self, arn: str) -> str:
        # By name: the client is of the trail's own region, and credentials are held to the ARN.
        with aws_errors(f"delete the trail {arn}"):
            return request_id(self._cloudtrail.delete_trail(Name=arn.rpartition("/")[2]))
