"""What came of a request, told to whoever asked in our conversation with them."""

from handlers.blocks.parts import Message, context, section
from handlers.blocks.states import headline, status_sentence
from handlers.blocks.texts import code, escape, mention, place
from remediation.execution import PlaybookExecution, Verdict

_BY = {
    Verdict.APPROVE: "Approved by",
    Verdict.REJECT: "Rejected by",
    Verdict.ROLL_BACK: "Rollback ordered by",
}


def build_outcome(execution: PlaybookExecution) -> Message:
    """Return the message: what it was, how it ended, who decided, and where its card is."""
    finding = execution.finding
    about = f"{escape(finding.title, 300)} {code(finding.handle, 40)}"
    resource = f"\n{code(finding.resource, 300)}" if finding.resource else ""
    words = f"*{escape(headline(execution), 300)}*\n{about}{resource}\n{status_sentence(execution)}{_decision(execution)}"
    where = f"Its card is in {place(execution.channel)}  ·  " if execution.channel else ""
    text = f"{escape(headline(execution), 300)}: {escape(finding.title, 300)}. {status_sentence(execution, room=400)}"
    return Message(text, (section(words), context(f"{where}{code(execution.execution_id, 80)}")))


def _decision(execution: PlaybookExecution) -> str:
    """Return who decided last, and why where they said so."""
    if not execution.decisions:
        return ""
    last = execution.decisions[-1]
    reason = f": {escape(last.reason, 500)}" if last.reason else ""
    return f"\n{_BY[last.verdict]} {mention(last.actor)}{reason}" if last.verdict in _BY else ""
