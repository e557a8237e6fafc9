"""What a resource's own identifier says about where it is, for formats that say nothing else."""

import re
from dataclasses import dataclass
from typing import Final

_ARN: Final = re.compile(r"arn:aws[a-z-]*:(?P<service>[^:]*):(?P<region>[^:]*):(?P<account>[^:]*):.")
_AZURE: Final = re.compile(
    r"/subscriptions/(?P<account>[^/]+)(?:.*/providers/microsoft\.(?P<service>[^/]+)/)?", re.IGNORECASE
)
_GCP: Final = re.compile(
    r"(?:https://|//)(?:www\.|content-)?(?:(?P<service>[a-z]+)\.)?googleapis\.com/(?:.*?projects/(?P<account>[^/]+))?"
)
_GCP_NAME: Final = re.compile(r"projects/(?P<account>[^/]+)(?:/.*)?")
_AWS_REGION: Final = re.compile(r"[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d")
"""Google writes its regions without the last hyphen, Azure without any."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resource is, as far as its identifier tells; empty texts where it does not."""

    provider: str = ""
    account_id: str = ""
    region: str = ""
    service: str = ""


_NOWHERE: Final = Place()
_SHAPES: Final = (("aws", _ARN), ("azure", _AZURE), ("gcp", _GCP), ("gcp", _GCP_NAME))


def place_of(resource: str) -> Place:
    """Return what an ARN, an Azure resource id or a Google resource name says."""
    for provider, shape in _SHAPES:
        if found := shape.match(resource):
            said = found.groupdict(default="")
            return Place(provider, said["account"], said.get("region", ""), said.get("service", "").lower())
    return _NOWHERE


def provider_of_region(region: str) -> str:
    """Return `aws` for a region that only AWS spells so, else an empty text."""
    return "aws" if _AWS_REGION.fullmatch(region) else ""
