"""The demo page's mails: what each looks like in the list, its body in a sandbox, its attachments."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.sandbox.inbox import Inbox
from bot.sandbox.mails import Mail
from bot.sandbox.pagefiles import file_response, is_readable
from bot.sandbox.pageguard import MAIL_POLICY, Endpoint
from bot.sandbox.shapes import Json


def mail_json(mail: Mail) -> Json:
    """What the page's list and head say of a mail; the bodies have addresses of their own."""
    return {
        "id": mail.id,
        "at": mail.at.timestamp(),
        "author": mail.author,
        "to": list(mail.to),
        "cc": list(mail.cc),
        "bcc": list(mail.bcc),
        "subject": mail.subject or "(no subject)",
        "has_html": bool(mail.html),
        "has_text": bool(mail.text),
        "attachments": [
            {"name": each.name, "size": len(each.content), "opens": is_readable(each.media_type)}
            for each in mail.attachments
        ],
    }


@dataclass(frozen=True, slots=True)
class MailPages:
    """The addresses under `/mail`, still without the guard."""

    inbox: Inbox

    def endpoints(self) -> dict[str, Endpoint]:
        return {"/mail/{mail_id}": self._body, "/mail/{mail_id}/attachments/{number:int}": self._attachment}

    async def _body(self, request: Request) -> Response:
        """The mail as HTML or, with `plain`, as text; no script of it runs and nothing is loaded for it."""
        try:
            mail = self._mail(request)
        except LookupError:
            return PlainTextResponse("No such mail", 404)
        headers = {"Content-Security-Policy": MAIL_POLICY, "X-DNS-Prefetch-Control": "off"}
        if "plain" in request.query_params:
            return Response(mail.text, 200, headers, "text/plain")
        return Response(f'<base target="_blank">{mail.html}', 200, headers, "text/html")

    async def _attachment(self, request: Request) -> Response:
        try:
            file = self._mail(request).attachments[request.path_params["number"]]
        except LookupError:
            return PlainTextResponse("No such attachment", 404)
        is_download = "download" in request.query_params
        return file_response(file.name, file.media_type, file.content, is_download=is_download)

    def _mail(self, request: Request) -> Mail:
        return self.inbox.mail(request.path_params["mail_id"])
