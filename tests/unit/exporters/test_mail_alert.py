import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import InputError
from exporters.brand import Brand
from exporters.email_service import EmailService
from exporters.mail_alert import EscalationLevel, alert_mail
from exporters.mail_letter import MailRules, Sender, write_letter
from exporters.mail_model import Mail
from exporters.mail_text import html_to_text
from tests.conftest import NOW


def alert(finding: object, level: str = "HIGH") -> Mail:
    return alert_mail(
        "a@example.com", finding, level=EscalationLevel.named(level), brand=Brand(name="Zwölf & Co")
    )


@pytest.mark.parametrize(
    ("word", "headers"),
    [
        ("LOW", {"X-Priority": "5 (Lowest)", "Importance": "low"}),
        ("medium", {"X-Priority": "3 (Normal)", "Importance": "normal"}),
        (" High ", {"X-Priority": "2 (High)", "Importance": "high"}),
        ("CRITICAL", {"X-Priority": "1 (Highest)", "Importance": "high"}),
    ],
)
def test_a_level_decides_how_it_rings(word: str, headers: dict[str, str]) -> None:
    mail = alert({"title": "Bucket is public"}, word)
    assert mail.headers == headers
    assert mail.subject == f"[{word.strip().upper()}] Bucket is public"
    assert EscalationLevel.named(word).call in mail.html


@pytest.mark.parametrize("word", ["URGENT", "", "colour", None, 3])
def test_another_level_gets_the_list(word: str) -> None:
    service = EmailService("mail.example.com", 587, "bot@example.com", "secret")
    with pytest.raises(InputError, match="is none of LOW, MEDIUM, HIGH, CRITICAL"):
        service.send_critical_alert(["a@example.com"], {"title": "x"}, word)


@pytest.mark.parametrize("finding", [{}, {"title": ""}, {"title": None}, {"title": " \n"}, None, [], "title"])
def test_an_alert_needs_a_title(finding: object) -> None:
    with pytest.raises(InputError, match="an alert needs a finding with a title"):
        alert(finding)


def test_an_alert_reads_well_as_text() -> None:
    finding = {
        "title": "S3 Bucket Public Access",
        "severity": "CRITICAL",
        "resource": "arn:aws:s3:::company-data",
        "account_id": 123456789012,
        "region": None,
        "description": "Everyone on the internet can read it.",
        "remediation": "Block public access.",
        "reference_url": "https://docs.example.com/s3",
    }
    assert html_to_text(alert(finding, "CRITICAL").html) == (
        "Zwölf & Co\n"
        "CRITICAL alert. Act now.\n\n"
        "S3 Bucket Public Access\n=======================\n\n"
        "Severity | CRITICAL\nResource | arn:aws:s3:::company-data\nAccount | 123456789012\n\n"
        "What is wrong\n-------------\n\nEveryone on the internet can read it.\n\n"
        "How to fix it\n-------------\n\nBlock public access.\n\n"
        "Read more <https://docs.example.com/s3>\n\n"
        "This alert is about the security of your cloud: forward it only to people who\n"
        "need it. It was sent automatically; Zwölf & Co never asks for a password by\nmail.\n"
    )


def test_a_link_that_is_no_web_address_is_left_out() -> None:
    assert "javascript" not in alert({"title": "x", "reference_url": "javascript:alert(1)"}).html


def test_a_brand_has_its_logo() -> None:
    brand = Brand(name="Northwind", logo_url="https://cdn.example.com/logo.png")
    mail = alert_mail("a@example.com", {"title": "x"}, level=EscalationLevel.LOW, brand=brand)
    assert '<img src="https://cdn.example.com/logo.png" alt="Northwind"' in mail.html


@given(st.dictionaries(st.sampled_from(["title", "resource", "description", "remediation", "id", "reference_url"]), st.text()))  # fmt: skip
@settings(deadline=None)
def test_no_finding_holds_an_alert_back(finding: dict[str, str]) -> None:
    mail = alert({**finding, "title": f"Bucket {finding.get('title', '')}"})
    letter = write_letter(mail, sender=Sender("bot@example.com"), rules=MailRules(), now=NOW)
    assert letter.recipients == ("a@example.com",)


def test_a_hostile_finding_is_text() -> None:
    hostile = "<script>alert(1)</script>\r\nBcc: x@evil.org \u202eexe.pdf" + "long " * 100_000
    mail = alert(dict.fromkeys(("title", "resource", "description", "remediation", "evidence"), hostile))
    assert "<script" not in mail.html
    assert "&lt;script&gt;alert(1)" in mail.html
    assert "\u202e" not in mail.html + mail.subject
    assert len(mail.subject) <= 200
    assert len(mail.html) < 60_000
    assert "\n" not in mail.subject
