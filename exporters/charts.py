"""Charts as small inline SVG: they work offline, in print and under a strict content security policy.

Colours come from the page's style sheet by class, so that they follow dark mode; every chart says in words what it shows.
"""

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from audit.findings import Severity
from exporters.text import showable

_RADIUS = 52
_BAR_WIDTH = 600
_GAP = 2
_LEAST_WIDTH = 3.0
_MOST_POINTS = 12
_LEAST_POINTS = 2


def score_ring(score: float | None) -> Markup:
    """Return a ring filled to the score, 0 to 100; an empty one where there is no score."""
    around = 2 * math.pi * _RADIUS
    filled = around * (score or 0) / 100
    said = "No security score" if score is None else f"Security score {score:g} of 100"
    arc = (
        f'<circle class="arc" cx="60" cy="60" r="52" stroke-dasharray="{filled:.1f} {around:.1f}"/>'
        if score
        else ""
    )
    number = "none" if score is None else f"{score:g}"
    return Markup(  # noqa: S704 - numbers and our own words
        f'<svg class="ring" viewBox="0 0 120 120" role="img" aria-label="{said}">'
        f'<circle class="track" cx="60" cy="60" r="52"/>{arc}'
        f'<text x="60" y="68" text-anchor="middle">{number}</text></svg>'
    )


def severity_bar(counts: Mapping[Severity, int]) -> Markup:
    """Return one bar split by severity, worst first; its segments can be clicked to filter the findings."""
    total = sum(counts.values())
    said = ", ".join(f"{count:,} {severity.lower()}" for severity, count in counts.items() if count)
    label = f"Failing findings by severity: {said or 'none'}"
    segments = "".join(_segments(counts, total))
    return Markup(  # noqa: S704 - numbers and our own words
        f'<svg class="stack" viewBox="0 0 {_BAR_WIDTH} 28" preserveAspectRatio="none" role="img" '
        f'aria-label="{label}"><rect class="track" width="{_BAR_WIDTH}" height="28"/>{segments}</svg>'
    )


def _segments(counts: Mapping[Severity, int], total: int) -> list[str]:
    shown = {severity: count for severity, count in counts.items() if count}
    room = _BAR_WIDTH - (len(shown) - 1) * _GAP - len(shown) * _LEAST_WIDTH
    segments, left = [], 0.0
    for severity, count in shown.items():
        width = _LEAST_WIDTH + room * count / total
        word = severity.lower()
        segments.append(
            f'<rect class="{word}" data-filter="{word}" x="{left:.1f}" width="{width:.1f}" height="28">'
            f"<title>{count:,} {word}: {count / total:.0%}</title></rect>"
        )
        left += width + _GAP
    return segments


def coverage_bar(coverage: float, status: str) -> Markup:
    """Return a thin bar filled to a percentage."""
    return Markup(
        '<svg class="coverage {}" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="8"/><rect class="fill" width="{}" height="8"/></svg>'
    ).format(showable(status.lower()), f"{min(coverage, 100):g}")


def trend_line(scores: Sequence[float]) -> Markup:
    """Return a small line through scores, oldest first, 0 to 100; nothing where there are not two."""
    shown = scores[-_MOST_POINTS:]
    if len(shown) < _LEAST_POINTS:
        return Markup()
    step = 100 / (len(shown) - 1)
    points = [(number * step + 4, 34 - score * 0.3) for number, score in enumerate(shown)]
    said = ", ".join(f"{score:g}" for score in shown)
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    end_x, end_y = points[-1]
    return Markup(  # noqa: S704 - numbers and our own words
        f'<svg class="trend" viewBox="0 0 108 38" role="img" aria-label="Security scores, oldest first: {said}">'
        f'<polyline points="{path}"/><circle cx="{end_x:.1f}" cy="{end_y:.1f}" r="3"/></svg>'
    )
