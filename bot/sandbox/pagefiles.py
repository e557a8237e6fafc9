"""Files that came from the bot, handed to a browser so that they can neither act as the page nor call home."""

import json

from starlette.responses import Response

from bot.sandbox.pageguard import FILE_POLICY, PDF_POLICY

_PDF = "application/pdf"
_DRAWN = {"text/html", _PDF, "image/png", "image/jpeg"}


def file_response(name: str, media_type: str, content: bytes, *, is_download: bool) -> Response:
    """A file's bytes, for reading in a sandbox of their own or, with `is_download`, for keeping."""
    is_drawn = media_type in _DRAWN or is_download
    kind = media_type if is_drawn else "text/plain; charset=utf-8"
    headers = {"Content-Security-Policy": PDF_POLICY if media_type == _PDF else FILE_POLICY}
    if is_download:
        headers["Content-Disposition"] = f"attachment; filename={json.dumps(_ascii(name))}"
    return Response(content, 200, headers, kind)


def is_readable(media_type: str) -> bool:
    """Tell whether opening the file in a browser shows more than noise."""
    return media_type in _DRAWN or media_type.startswith("text/") or media_type.endswith("json")


def _ascii(name: str) -> str:
    return name.encode("ascii", "replace").decode().replace('"', "'")
