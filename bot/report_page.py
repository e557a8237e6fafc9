"""`GET /reports/{id}`: the HTML report behind a signed link, rendered when asked for and kept nowhere."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from tempfile import SpooledTemporaryFile

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from audit.errors import NotFoundError, RefusedError
from audit.ports import ReportStore
from bot.links import ReportLinks
from exporters.formats import ExportFormat
from exporters.service import open_report

AT_ONCE = 2
_IN_MEMORY_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 16
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Content-Security-Policy": "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
Rendered = SpooledTemporaryFile[bytes]


@dataclass(frozen=True, slots=True)
class ReportPage:
    """Answers the requests. `html` renders; `links` is None where no links are given out, and then none is valid."""

    reports: ReportStore
    html: ExportFormat
    links: ReportLinks | None
    clock: Callable[[], datetime]
    threads: ThreadPoolExecutor

    async def answer(self, request: Request) -> Response:
        """Answer with the report; 403 for a link that is not valid, 404 for a report that is no longer there."""
        report_id = request.path_params["report_id"]
        try:
            self._check(report_id, request.query_params)
            page = await asyncio.get_running_loop().run_in_executor(self.threads, self._render, report_id)
        except RefusedError as error:
            return PlainTextResponse(str(error), status_code=403, headers=_HEADERS)
        except NotFoundError as error:
            return PlainTextResponse(str(error), status_code=404, headers=_HEADERS)
        return StreamingResponse(_chunks(page), media_type="text/html; charset=utf-8", headers=_HEADERS)

    def _check(self, report_id: str, query: Mapping[str, str]) -> None:
        if self.links is None:
            raise RefusedError("This bot gives out no links to reports.")
        self.links.check(report_id, query, now=self.clock())

    def _render(self, report_id: str) -> Rendered:
        source = open_report(self.reports, report_id)
        with ExitStack() as on_failure:
            page: Rendered = on_failure.enter_context(SpooledTemporaryFile(_IN_MEMORY_BYTES))
            self.html.write(source, page, now=self.clock())
            page.seek(0)
            on_failure.pop_all()  # from here on, sending it closes it
        return page


async def _chunks(page: Rendered) -> AsyncIterator[bytes]:
    with page:
        while chunk := page.read(_CHUNK_BYTES):
            yield chunk
