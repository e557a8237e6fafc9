"""The one list of commands and their words: for help, for the nearest match, for the manifest and the demo's completion."""

from dataclasses import dataclass

HELP = "help"


@dataclass(frozen=True, slots=True)
class Word:
    """What may follow a command: `arguments` as usage shows them, `most` how many words they can be."""

    name: str
    arguments: str
    description: str
    example: str
    least: int = 0
    most: int = 0


@dataclass(frozen=True, slots=True)
class CommandHelp:
    """A slash command: its description, the hint Slack shows while people type, and its words."""

    name: str
    description: str
    usage_hint: str
    words: tuple[Word, ...]

    def word(self, name: str) -> Word | None:
        """Return a word by name, in any case."""
        return next((word for word in self.words if word.name == name.lower()), None)

    def usage(self, word: Word) -> str:
        """Return how a word is written, such as `/report show [REPORT]`."""
        return " ".join(filter(None, (self.name, word.name, word.arguments)))


@dataclass(frozen=True, slots=True)
class ShortcutHelp:
    """An entry of a message's own menu: its id, its name there, and what it does."""

    callback_id: str
    name: str
    description: str


IMPORT_REPORT = ShortcutHelp(
    "import_report",
    "Import as audit report",
    "Take the report in this message's file in, and say what is in it",
)
SHORTCUTS: tuple[ShortcutHelp, ...] = (IMPORT_REPORT,)
REPORT = CommandHelp(
    "/report",
    "Look at security reports, and hand them on",
    "list | show [REPORT] | findings [WORDS] | compare A B | trend | export FORMAT [REPORT] | email ADDRESS… | pull aws | help",
    (
        Word("list", "", "the newest reports, with score and failing findings", "/report list"),
        Word(
            "show",
            "[REPORT]",
            "a report's worst findings, and the playbook that fixes each",
            "/report show",
            most=1,
        ),
        Word(
            "findings",
            "[WORDS…]",
            "what is open, by severity:, account:, region:, check:, status:, overdue, or any text",
            "/report findings severity:critical overdue",
            most=19,
        ),
        Word(
            "compare",
            "REPORT REPORT",
            "what is new, came back or was fixed between two reports",
            "/report compare r-1a2b3c4d5e latest",
            least=2,
            most=2,
        ),
        Word(
            "trend",
            "[REPORT]",
            "failing findings, score and time to fix over reports, with a picture",
            "/report trend",
            most=1,
        ),
        Word(
            "export",
            "FORMAT [REPORT]",
            "a report as a file, posted here",
            "/report export html",
            least=1,
            most=2,
        ),
        Word(
            "email",
            "ADDRESS… [FORMAT] [REPORT]",
            "a report as a mail, with the file attached",
            "/report email ciso@company.com",
            least=1,
            most=12,
        ),
        Word(
            "pull",
            "aws [REGION] [ACCOUNT] [SEVERITY…]",
            "findings straight from AWS Security Hub, as a new report",
            "/report pull aws eu-central-1",
            least=1,
            most=8,
        ),
        Word(HELP, "", "this page", "/report help"),
    ),
)
PLAYBOOK = CommandHelp(
    "/playbook",
    "Fix a finding, with a second person's approval",
    "list | show | run [PLAYBOOK] FINDING… | pending | history | status | approve | reject | rollback EXECUTION | exceptions | help",
    (
        Word("list", "", "the playbooks, and what each one fixes", "/playbook list"),
        Word(
            "show",
            "PLAYBOOK",
            "what a playbook does, step by step",
            "/playbook show AWS-PUBLIC-S3",
            least=1,
            most=1,
        ),
        Word(
            "run",
            "[PLAYBOOK] FINDING…|WORDS…",
            "plan a fix, or one for each of several findings, and ask for approval; nothing runs before",
            "/playbook run AWS-PUBLIC-S3 severity:critical",
            least=1,
            most=60,
        ),
        Word(
            "pending",
            "[mine] [WORDS…]",
            "what waits for a decision, all or mine, by severity:, account:, playbook:",
            "/playbook pending mine",
            most=19,
        ),
        Word(
            "history",
            "[FINDING|PLAYBOOK|BATCH]",
            "what was asked for, and what became of it",
            "/playbook history f-1a2b3c4d",
            most=1,
        ),
        Word(
            "status",
            "EXECUTION|BATCH",
            "where a fix, or each of several asked for together, stands",
            "/playbook status x-1a2b",
            least=1,
            most=1,
        ),
        Word(
            "approve",
            "EXECUTION|BATCH",
            "see a plan, or all of a batch, with a button that signs exactly that",
            "/playbook approve x-1a2b",
            least=1,
            most=1,
        ),
        Word(
            "reject",
            "EXECUTION|BATCH REASON",
            "say no to a fix, or to all that waits of a batch, and why",
            "/playbook reject x-1a2b The website needs it until Friday",
            least=2,
            most=149,
        ),
        Word(
            "rollback",
            "[EXECUTION|BATCH]",
            "see what would be put back, with a button that orders it; alone, which rollbacks wait",
            "/playbook rollback x-1a2b",
            most=1,
        ),
        Word(
            "exceptions",
            "[end ID]",
            "which findings are left as they are, until when, and who answers for that",
            "/playbook exceptions",
            most=2,
        ),
        Word(HELP, "", "this page", "/playbook help"),
    ),
)
_WHERE_TO = "[ZONE] [#CHANNEL] [ADDRESS…] [FORMAT] [account:ID] [pull aws …]"
SCHEDULE = CommandHelp(
    "/schedule",
    "Send digests and fetch findings by themselves",
    "list | daily TIME | weekly DAY TIME | cron LINE | pause | resume | remove | run NAME | help",
    (
        Word("list", "", "what is done when, and what became of it last", "/schedule list"),
        Word(
            "daily",
            f"TIME {_WHERE_TO}",
            "a digest every day, or findings fetched",
            "/schedule daily 09:00 Europe/Berlin #security pdf",
            least=1,
            most=20,
        ),
        Word(
            "weekly",
            f"DAY TIME {_WHERE_TO}",
            "a digest once a week, or findings fetched",
            "/schedule weekly monday 08:00 Europe/Berlin ciso@company.com",
            least=2,
            most=21,
        ),
        Word(
            "cron",
            f"LINE {_WHERE_TO}",
            "the same by a crontab line, in quotes; 0 and 7 are Sunday",
            '/schedule cron "0 6 * * 1-5" Europe/Berlin pull aws eu-central-1 critical',
            least=1,
            most=20,
        ),
        Word("pause", "NAME", "do nothing until it is resumed", "/schedule pause s-1a2b3c", least=1, most=1),
        Word("resume", "NAME", "go on, from now on", "/schedule resume s-1a2b3c", least=1, most=1),
        Word("remove", "NAME", "forget a schedule", "/schedule remove s-1a2b3c", least=1, most=1),
        Word("run", "NAME", "do it once now", "/schedule run s-1a2b3c", least=1, most=1),
        Word(HELP, "", "this page", "/schedule help"),
    ),
)
COMMANDS: tuple[CommandHelp, ...] = (REPORT, PLAYBOOK, SCHEDULE)
