"""What pipelines and other tools read, by name: one module each, one entry here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from audit.errors import InputError
from exporters.generic import write_generic
from exporters.github import write_github
from exporters.gitlab import write_gitlab
from exporters.jenkins import write_jenkins
from exporters.ocsf import write_ocsf
from exporters.outcome import ByteSink, Written
from exporters.sarif import write_sarif
from exporters.source import ReportSource, Write


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A format for machines: `suffix` ends the file's name, with the dot."""

    name: str
    suffix: str
    description: str
    write: Write


PIPELINES: Mapping[str, Pipeline] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Pipeline("generic", "-pipeline.json", "status and counts for any pipeline", write_generic),
            Pipeline(
                "github", "-github.json", "annotations and step summary for GitHub Actions", write_github
            ),
            Pipeline("gitlab", "-gl-sast-report.json", "GitLab SAST report 15.0.7", write_gitlab),
            Pipeline("jenkins", "-jenkins.json", "Jenkins Warnings-NG, native format", write_jenkins),
            Pipeline("sarif", ".sarif", "SARIF 2.1.0 for code scanning", write_sarif),
            Pipeline("ocsf", ".ocsf.json", "OCSF detection findings", write_ocsf),
        )
    }
)


def write_pipeline(name: str, source: ReportSource, out: ByteSink, *, now: datetime) -> Written:
    """Write the report for a pipeline.

    Raises:
        InputError: no such pipeline; lists them.
    """
    pipeline = PIPELINES.get(name.strip().lower())
    if pipeline is None:
        raise InputError(f"“{name[:40]}” is no pipeline; there are: {', '.join(PIPELINES)}")
    return pipeline.write(source, out, now=now)
