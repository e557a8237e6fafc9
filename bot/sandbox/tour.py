"""What the demo's page shows beside Slack: the cloud as it is now, and a tour through the demo's report."""

from contextlib import AbstractContextManager
from importlib import resources
from pathlib import Path

from audit.errors import NotFoundError
from audit.findings import Finding
from audit.ingest import read_report
from bot.sandbox.cloud import ACCOUNT, PUBLIC_BUCKET, DemoCloud
from bot.sandbox.inbox import Inbox
from bot.sandbox.pagesetup import Command, MessageShortcut, PageSetup, Panel, PanelAction, TourStep
from handlers.vocabulary import COMMANDS, IMPORT_REPORT, SHORTCUTS

READER = "ciso@northwind.example"
_ASK_FOR_SEVERAL = (
    "/playbook run AWS-PUBLIC-S3 check:s3_bucket_public_access,s3_bucket_level_public_access_block"
)


def page_setup(cloud: DemoCloud, inbox: Inbox | None = None) -> PageSetup:
    """Return what the page shows beside Slack."""
    meddle = PanelAction(
        id="meddle",
        label="Change one setting by hand",
        description=f"Flips BlockPublicAcls of {PUBLIC_BUCKET}, as a colleague in the AWS console might: "
        "the bot has to notice.",
        run=cloud.change_from_outside,
    )
    panel = Panel(
        id="s3",
        title=f"AWS account {ACCOUNT}: what the cloud looks like now",
        read=cloud.rows,
        actions=(meddle,),
    )
    commands = tuple(
        Command(entry.name, entry.description, entry.usage_hint, tuple(word.name for word in entry.words))
        for entry in COMMANDS
    )
    shortcuts = tuple(MessageShortcut(entry.callback_id, entry.name) for entry in SHORTCUTS)
    roles = {"ana": "analyst", "omar": "approver", "otto": "outsider"}
    return PageSetup(
        commands=commands, shortcuts=shortcuts, panels=(panel,), tour=_tour(), roles=roles, inbox=inbox
    )


def _tour() -> tuple[TourStep, ...]:
    return (
        TourStep("See what was found", "A Prowler report is already in.", "ana", "/report show"),
        TourStep("Hand it on", "As HTML, CSV or JSON.", "ana", "/report export html"),
        TourStep("Mail it", "It lands in the Mail tab, nowhere else.", "ana", f"/report email {READER}"),
        TourStep(
            "Ask for a fix",
            "The card shows exactly what would change.",
            "ana",
            f"/playbook run AWS-PUBLIC-S3 {_public_finding().handle}",
        ),
        TourStep("Approve it yourself?", "Press Approve as Ana: you may not.", "ana"),
        TourStep("Approve as somebody else", "Press Approve as Omar and watch the cloud.", "omar"),
        TourStep("Put it back", "Press Roll back as Omar: exactly as it was.", "omar"),
        TourStep("Ask for several", "One card shows every bucket.", "ana", _ASK_FOR_SEVERAL),
        TourStep("Approve exactly these", "Press Approve all as Omar: all of them, or none.", "omar"),
        TourStep(
            "Take a file in",
            f"Press {IMPORT_REPORT.name} as Omar, under More actions on Ana's file.",
            "omar",
        ),
        TourStep("Have it come by itself", "A form asks what, when and where to.", "ana", "/schedule"),
    )


def _public_finding() -> Finding:
    """Return the demo report's finding about the bucket that everyone can read."""
    with demo_report() as path, path.open("rb") as stream:
        for item in read_report(stream, path.name).items:
            if isinstance(item, Finding) and item.is_open and item.resource.endswith(PUBLIC_BUCKET):
                return item
    raise NotFoundError(f"the demo report says nothing about {PUBLIC_BUCKET}")


def demo_report() -> AbstractContextManager[Path]:
    """Return the demo's report as a file: written for the demo, in the format that Prowler 5 writes."""
    return resources.as_file(resources.files("bot.sandbox") / "demo_report.ocsf.json")
