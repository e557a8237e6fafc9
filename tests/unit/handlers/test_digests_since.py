"""What a digest counts and compares since the last: since the last that went the same way, whatever became of the other."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from audit.findings import Severity
from bot.sandbox.inbox import Inbox
from exporters.schedules import Schedule
from tests.unit.handlers.house import DOOR, House
from tests.unit.handlers.test_digests_sent import house, made, scored, sent
from tests.unit.handlers.test_schedule_delivery import NOWHERE, change, closed_port, mail_through

__all__ = ["house"]
CRITICAL = replace(DOOR, severity=Severity.CRITICAL)
CISO = "ciso@northwind.example"


def run(house: House, schedule: Schedule) -> None:
    """Have it sent to whom it reaches."""
    house.command("ana", f"/schedule run {schedule.schedule_id}")


@contextmanager
def mailing(house: House) -> Iterator[Inbox]:
    with Inbox.start() as inbox:
        mail_through(house, inbox.port)
        yield inbox


def test_a_channel_hears_what_is_new_since_it_heard_last_though_mails_went_out_since(house: House) -> None:
    with mailing(house) as inbox:
        scored(house, 2, of=CRITICAL)
        schedule = made(house, f"#security {CISO} csv")
        assert "New or regressed criticals\n2" in sent(house, schedule).words.replace("*", "")
        told_at = f"{house.now:%Y-%m-%d %H:%M} UTC"
        change(house, channel=NOWHERE)
        scored(house, 3, of=CRITICAL)
        run(house, schedule)
        assert len(inbox.mails()) == 2
        change(house, channel="C0SECURITY")
        digest = sent(house, schedule).words.replace("*", "")
    assert "New or regressed criticals\n1" in digest
    assert "25 of 100, ▼ down 25.0 from 50 in the digest of" in digest
    assert told_at in digest


def test_a_mail_is_compared_with_the_last_mail_though_the_channel_heard_since(house: House) -> None:
    scored(house, 3)
    schedule = made(house, f"#security {CISO} csv")
    with mailing(house) as inbox:
        run(house, schedule)
        assert len(inbox.mails()) == 1
    mail_through(house, closed_port())
    scored(house, 2)
    sent(house, schedule)
    scored(house, 1)
    with mailing(house) as inbox:
        digest = sent(house, schedule).words
        (mail,) = inbox.mails()
    assert "75 of 100, ▲ up 25.0 from 50 in the digest of" in digest
    assert "Security score: 50 points up since" in " ".join(mail.text.split())


def test_a_channel_that_gets_it_for_the_first_time_hears_what_the_first_hear(house: House) -> None:
    with mailing(house) as inbox:
        scored(house, 3, of=CRITICAL)
        schedule = made(house, f"{CISO} csv")
        run(house, schedule)
        assert len(inbox.mails()) == 1
        change(house, channel="C0SECURITY")
        digest = sent(house, schedule).words.replace("*", "")
    assert "New or regressed criticals\n3" in digest
