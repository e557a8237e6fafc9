"""Mails that arrive, in whole or in part, at a real server."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from io import BytesIO
from pathlib import Path
from typing import cast

import pytest

from audit.errors import InputError, RefusedError
from exporters import EmailService
from exporters.brand import Brand
from exporters.mail_delivery import MailDelivery
from exporters.mail_model import Mail
from exporters.mail_report import DeliveryError, Refusal
from exporters.mail_security import Security
from exporters.ports import ExportedFile
from tests.integration.mail.conftest import PASSWORD, USER, Connect, Inbox, Serve

ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@example.com"
PAGE = "<h1>Report</h1><p>All <b>clear</b>.</p>"


def letter(inbox: Inbox, number: int = 0) -> EmailMessage:
    content = inbox.envelopes[number].original_content
    assert content is not None
    return cast("EmailMessage", message_from_bytes(content, policy=default))


def bodies(message: EmailMessage) -> tuple[str, str]:
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    return plain.get_content(), html.get_content()


def test_a_report_arrives_over_starttls_and_signed_in(service: EmailService, inbox: Inbox) -> None:
    assert service.send_report([ALICE, BOB], "Audit", PAGE) is True
    assert service.last_error is None
    assert inbox.sessions[0].authenticated
    assert inbox.sessions[0].ssl is not None
    assert inbox.envelopes[0].mail_from == USER
    assert inbox.envelopes[0].rcpt_tos == [ALICE, BOB]
    plain, html = bodies(letter(inbox))
    assert plain.splitlines() == ["Report", "======", "", "All clear."]
    assert "All <b>clear</b>." in html


def test_tls_from_the_first_byte_on_a_port_of_our_choice(
    serve: Serve, inbox: Inbox, connect: Connect
) -> None:
    server = serve(inbox, security=Security.TLS)
    assert connect(server, security=Security.TLS).send_report([ALICE], "Audit", PAGE) is True
    assert inbox.commands.count("AUTH") == 1
    assert inbox.envelopes[0].rcpt_tos == [ALICE]


def test_an_inbox_on_this_machine_needs_no_tls(serve: Serve, inbox: Inbox, connect: Connect) -> None:
    service = connect(serve(inbox, security=Security.PLAIN_LOOPBACK), None, security=Security.PLAIN_LOOPBACK)
    assert service.send_report([ALICE], "Audit", PAGE) is True
    assert inbox.commands == [f"MAIL {USER}", f"RCPT {ALICE}", "DATA", "QUIT"]


def test_bcc_gets_the_mail_and_stands_nowhere_in_it(service: EmailService, inbox: Inbox) -> None:
    assert service.send_report(
        [ALICE], "Audit", PAGE, None, [BOB], ["hidden@example.com"], "desk@example.com"
    )
    assert inbox.envelopes[0].rcpt_tos == [ALICE, BOB, "hidden@example.com"]
    message = letter(inbox)
    assert (message["To"], message["Cc"], message["Reply-To"]) == (ALICE, BOB, "desk@example.com")
    assert b"hidden" not in (inbox.envelopes[0].original_content or b"")


def test_an_address_named_twice_gets_one_mail(service: EmailService, inbox: Inbox) -> None:
    assert service.send_report([ALICE], "Audit", PAGE, cc=["Alice@Example.com"], bcc=[ALICE])
    assert inbox.envelopes[0].rcpt_tos == [ALICE]


def test_attachments_arrive_byte_for_byte(service: EmailService, inbox: Inbox, tmp_path: Path) -> None:
    every_byte = bytes(range(256)) * 5
    table = '\ufeffid;Prüfung\r\n1;"a\nb"\r\n'.encode()
    path = tmp_path / "findings.csv"
    path.write_bytes(table)
    name = "Prüfbericht: Überblick für das dritte Quartal, 報告 (endgültig, mit allen Anhängen).bin"
    assert service.send_report(
        [ALICE], "Audit", PAGE, [path, str(path), (name, every_byte, "application/x-thing")]
    )
    received = [
        (part.get_filename(), part.get_content_type(), part.get_payload(decode=True))
        for part in letter(inbox).iter_attachments()
    ]
    csv = ("findings.csv", "text/csv", table)
    assert received == [csv, csv, (name, "application/x-thing", every_byte)]


def test_letters_of_every_script_arrive(serve: Serve, inbox: Inbox, connect: Connect) -> None:
    service = connect(serve(inbox), brand=Brand(name="Zwölf, 北 & Söhne"))
    subject = "Prüfbericht 報告 🔐 " + "sehr lang " * 20 + "Ende"
    assert service.send_report(["info@bücher.example"], subject, "<p>Grüße, 世界 🔐</p>")
    message = letter(inbox)
    assert message["Subject"] == subject
    assert message["From"].addresses[0].display_name == "Zwölf, 北 & Söhne"
    assert message["From"].addresses[0].addr_spec == USER
    assert message["To"] == inbox.envelopes[0].rcpt_tos[0] == "info@xn--bcher-kva.example"
    assert bodies(message)[0].strip() == "Grüße, 世界 🔐"
    assert "Grüße, 世界 🔐" in bodies(message)[1]


def test_a_temporary_refusal_is_tried_again(service: EmailService, inbox: Inbox, naps: list[float]) -> None:
    inbox.replies = {"DATA": ["451 4.3.0 later"], f"MAIL {USER}": ["421 4.4.5 busy"]}
    assert service.send_report([ALICE], "Audit", PAGE) is True
    assert naps == [1, 2]
    assert len(inbox.envelopes) == 1


def test_trying_again_has_an_end(service: EmailService, inbox: Inbox, naps: list[float]) -> None:
    inbox.replies = {"DATA": ["451 4.3.0 later"] * 9}
    assert service.send_report([ALICE], "Audit", PAGE) is False
    assert naps == [1, 2, 4]
    assert isinstance(service.last_error, DeliveryError)
    assert service.last_error.report.refused == {ALICE: Refusal(451, "4.3.0 later")}
    assert service.last_error.report.attempts == 4


def test_a_permanent_refusal_is_not_tried_again(
    service: EmailService, inbox: Inbox, naps: list[float]
) -> None:
    inbox.replies = {"DATA": ["554 5.7.1 no"]}
    assert service.send_report([ALICE], "Audit", PAGE) is False
    assert naps == []
    assert inbox.commands.count("DATA") == 1
    assert str(service.last_error) == "Mail accepted for 0 of 1. alice@example.com: 554 5.7.1 no"


def test_a_refused_sender_refuses_everyone(service: EmailService, inbox: Inbox, naps: list[float]) -> None:
    inbox.replies = {f"MAIL {USER}": ["550 5.7.60 not you"]}
    with pytest.raises(DeliveryError) as caught:
        service.mailer.send(Mail(to=[ALICE, BOB], subject="Audit", html=PAGE))
    assert caught.value.report.refused == dict.fromkeys((ALICE, BOB), Refusal(550, "5.7.60 not you"))
    assert naps == []


def test_each_address_has_its_own_answer(service: EmailService, inbox: Inbox, naps: list[float]) -> None:
    inbox.replies = {
        f"RCPT {ALICE}": ["550 5.1.1 no such user"],
        f"RCPT {BOB}": ["450 4.2.0 greylisted", "450 4.2.0 greylisted"],
    }
    report = service.mailer.send(Mail(to=[ALICE, BOB], cc=CAROL, subject="Audit", html=PAGE))
    assert report.accepted == (BOB, CAROL)
    assert report.refused == {ALICE: (550, "5.1.1 no such user")}
    assert report.attempts == 3
    assert not report.is_complete
    assert naps == [1, 2]
    # Nobody gets the mail twice, nobody is asked again after a final no.
    assert [envelope.rcpt_tos for envelope in inbox.envelopes] == [[CAROL], [BOB]]
    assert inbox.commands.count(f"RCPT {ALICE}") == 1


def test_a_partial_refusal_is_no_success(service: EmailService, inbox: Inbox) -> None:
    inbox.replies = {f"RCPT {ALICE}": ["550 5.1.1 no such user"]}
    assert service.send_report([ALICE, BOB], "Audit", PAGE) is False
    assert str(service.last_error) == "Mail accepted for 1 of 2. alice@example.com: 550 5.1.1 no such user"
    assert [envelope.rcpt_tos for envelope in inbox.envelopes] == [[BOB]]


def test_where_nobody_can_get_it_nothing_is_sent(service: EmailService, inbox: Inbox) -> None:
    inbox.replies = {f"RCPT {ALICE}": ["550 5.1.1 no such user"]}
    assert service.send_report([ALICE], "Audit", PAGE) is False
    assert "DATA" not in inbox.commands


def test_a_lost_connection_repeats_the_same_mail(
    service: EmailService, inbox: Inbox, naps: list[float]
) -> None:
    inbox.replies = {"DATA": ["250 taken and hang up"]}
    assert service.send_report([ALICE], "Audit", PAGE) is True
    assert naps == [1]
    assert letter(inbox, 0)["Message-ID"] == letter(inbox, 1)["Message-ID"]


def test_a_rude_farewell_sends_nothing_twice(service: EmailService, inbox: Inbox) -> None:
    inbox.replies = {"QUIT": ["451 stay"]}
    assert service.send_report([ALICE], "Audit", PAGE) is True
    assert len(inbox.envelopes) == 1


def test_the_server_s_own_size_limit_is_asked_first(serve: Serve, inbox: Inbox, connect: Connect) -> None:
    service = connect(serve(inbox, data_size_limit=2000))
    assert service.send_report([ALICE], "Audit", "<p>" + "long " * 2000) is False
    assert isinstance(service.last_error, DeliveryError)
    assert service.last_error.report.refused[ALICE].code == 552
    assert "DATA" not in inbox.commands


@pytest.mark.parametrize(
    ("mail", "named"),
    [
        (Mail(to=[ALICE, "bob at example.com"], subject="A", html=PAGE), "recipient: “bob at example.com”"),
        (Mail(to=[ALICE], cc=["x@example.com\r\nBcc: y@z.org"], subject="A", html=PAGE), "cc: “x@example.com"),
        (Mail(to=[ALICE], subject="A\r\nBcc: y@z.org", html=PAGE), "subject: holds the character U+000D"),
        (Mail(to=[ALICE], subject="A", html=PAGE, attachments=[("a\n.txt", b"", "text/plain")]), "U+000A"),
        (Mail(to=[ALICE], subject="A", html=PAGE, attachments=["/nowhere/at.all"]), "/nowhere/at.all"),
        (Mail(to=[], subject="A", html=PAGE), "at least one"),
        (Mail(to=[f"p{n}@example.com" for n in range(51)], subject="A", html=PAGE), "51 are too many"),
        (Mail(to=[ALICE], subject="A", html=PAGE, attachments=[("a.bin", bytes(9_000_000), "a/b")]), "12.3 MB"),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_never_reaches_the_server(
    service: EmailService, inbox: Inbox, mail: Mail, named: str
) -> None:
    with pytest.raises(InputError) as caught:
        service.mailer.send(mail)
    assert named in str(caught.value)
    assert inbox.commands == []


def test_a_domain_that_is_not_allowed_never_reaches_the_server(
    serve: Serve, inbox: Inbox, connect: Connect
) -> None:
    service = connect(serve(inbox), allowed_domains=["example.com"])
    with pytest.raises(
        RefusedError, match=r"mail may not go to x@evil-example\.com, y@example\.com\.evil\.org: "
    ):
        service.send_report([ALICE, "x@evil-example.com"], "Audit", PAGE, bcc="y@example.com.evil.org")
    assert inbox.commands == []
    assert service.send_report([ALICE, "team@eu.example.com"], "Audit", PAGE) is True


def test_an_exported_file_is_handed_over_by_mail(service: EmailService, inbox: Inbox) -> None:
    file = ExportedFile(
        name="r.json", media_type="application/json", size=2, sha256="", content=BytesIO(b"{}")
    )
    delivery = MailDelivery(service.mailer, Mail(to=[ALICE], subject="Audit", html=PAGE))
    delivery.deliver(file)
    assert delivery.report is not None
    assert delivery.report.accepted == (ALICE,)
    assert [part.get_content() for part in letter(inbox).iter_attachments()] == [b"{}"]


def test_a_file_too_large_for_a_mail_is_not_even_read(service: EmailService, inbox: Inbox) -> None:
    content = BytesIO(b"")
    file = ExportedFile(name="r.html", media_type="text/html", size=20_000_000, sha256="", content=content)
    with pytest.raises(InputError, match=r"r\.html has 20\.0 MB"):
        MailDelivery(service.mailer, Mail(to=[ALICE], subject="Audit", html=PAGE)).deliver(file)
    assert inbox.commands == []


def test_an_alert_rings(service: EmailService, inbox: Inbox) -> None:
    finding = {
        "title": "S3 Bucket Public Access",
        "resource": "arn:aws:s3:::company-data",
        "description": "Everyone can read it.",
        "remediation": "Block public access.",
    }
    assert service.send_critical_alert([ALICE], finding, escalation_level="CRITICAL") is True
    message = letter(inbox)
    assert message["Subject"] == "[CRITICAL] S3 Bucket Public Access"
    assert (message["X-Priority"], message["Importance"]) == ("1 (Highest)", "high")
    for text in bodies(message):
        assert "Act now." in text
        assert "arn:aws:s3:::company-data" in text
        assert "Block public access." in text


def test_a_report_file_is_attached_as_what_it_is(service: EmailService, inbox: Inbox, tmp_path: Path) -> None:
    (tmp_path / "audit.pdf").write_bytes(b"%PDF-1.7")
    (tmp_path / "audit").write_bytes(b"a,b")
    assert service.send_report_with_attachment([ALICE], "Audit", PAGE, tmp_path / "audit.pdf")
    assert service.send_report_with_attachment([ALICE], "Audit", PAGE, str(tmp_path / "audit"), "tracker")
    kinds = [next(letter(inbox, number).iter_attachments()).get_content_type() for number in range(2)]
    assert kinds == ["application/pdf", "text/csv"]


def test_the_password_shows_nowhere(service: EmailService, inbox: Inbox) -> None:
    assert service.send_report([ALICE], "Audit", PAGE)
    assert PASSWORD not in repr(service) + repr(vars(service)) + repr(service.mailer)
