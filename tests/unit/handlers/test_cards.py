"""Cards, threads and forms: as on file, within Slack's limits, and safe whatever a stranger writes."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.blocks.card import CardRules, build_card, build_plain_card, build_superseded_card
from handlers.blocks.changes import compare, restored
from handlers.blocks.modals import build_reject_form
from handlers.blocks.names import CardRef
from handlers.blocks.parts import Message
from handlers.blocks.states import rollback_fact
from handlers.blocks.thread import build_progress, build_superseded_progress, has_progress
from remediation.execution import ActionResult, PlaybookExecution, Verdict
from remediation.plan import Change, Plan
from remediation.states import ActionStatus, PlaybookStatus
from tests.examples import share
from tests.unit.handlers import cards
from tests.unit.handlers.golden import check_golden, check_golden_view, to_checked

RULES = CardRules(required_approvals=1, environment="production")


def words_of(message: Message) -> str:
    return json.dumps(message.to_dict(), ensure_ascii=False)


def action_ids(message: Message) -> list[str]:
    return re.findall(r'"action_id": "(\w+)"', words_of(message))


@pytest.mark.parametrize("status", PlaybookStatus, ids=lambda status: status.value.lower())
def test_card_in_every_state(status: PlaybookStatus) -> None:
    check_golden(f"card_{status.value.lower()}", build_card(cards.in_state(status), RULES))


@pytest.mark.parametrize("status", PlaybookStatus, ids=lambda status: status.value.lower())
def test_thread_in_every_state(status: PlaybookStatus) -> None:
    execution = cards.in_state(status)
    if has_progress(execution):
        check_golden(f"thread_{status.value.lower()}", build_progress(execution))
    else:
        assert status in {PlaybookStatus.PENDING, PlaybookStatus.EXPIRED}


def test_card_after_drift() -> None:
    check_golden("card_drifted", build_card(cards.drifted(), RULES))


def test_superseded_card_and_thread() -> None:
    check_golden("card_superseded", build_superseded_card(cards.drifted()))
    check_golden("thread_superseded", build_superseded_progress())


def test_reject_form() -> None:
    check_golden_view("reject_form", build_reject_form(CardRef("x-0123456789ab", 1), channel="C0SECURITY"))


def test_card_in_words_alone_has_no_buttons() -> None:
    card = build_plain_card(cards.pending())
    to_checked(card)
    assert action_ids(card) == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (PlaybookStatus.PENDING, ["approve", "reject"]),
        (PlaybookStatus.APPROVED, []),
        (PlaybookStatus.REJECTED, []),
        (PlaybookStatus.EXPIRED, []),
        (PlaybookStatus.RUNNING, []),
        (PlaybookStatus.COMPLETED, ["rollback"]),
        (PlaybookStatus.FAILED, ["rollback"]),
        (PlaybookStatus.INTERRUPTED, ["found_done", "found_not_done", "try_again", "rollback"]),
        (PlaybookStatus.ROLLING_BACK, []),
        (PlaybookStatus.ROLLED_BACK, []),
        (PlaybookStatus.ROLLBACK_FAILED, ["rollback"]),
    ],
)
def test_buttons_by_state(status: PlaybookStatus, expected: list[str]) -> None:
    assert action_ids(build_card(cards.in_state(status), RULES)) == expected


def test_a_failure_before_the_first_write_says_that_nothing_was_changed() -> None:
    failed = cards.pending(status=PlaybookStatus.FAILED, error="denied", decisions=(cards.APPROVAL,))
    card = build_card(failed, RULES)
    assert "Nothing was changed" in words_of(card)
    assert action_ids(card) == []


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (PlaybookStatus.PENDING, ("Can be rolled back", "Yes, exactly as it was")),
        (PlaybookStatus.RUNNING, ("Can be rolled back", "Yes, exactly as it was")),
        (PlaybookStatus.REJECTED, ("Rollback", "Not needed: nothing was changed")),
        (PlaybookStatus.EXPIRED, ("Rollback", "Not needed: nothing was changed")),
        (PlaybookStatus.COMPLETED, ("Can be rolled back", "Yes, exactly as it was")),
        (PlaybookStatus.FAILED, ("Can be rolled back", "Yes, exactly as it was")),
        (PlaybookStatus.ROLLING_BACK, ("Rollback", "Under way")),
        (PlaybookStatus.ROLLED_BACK, ("Rollback", "Done, exactly as it was")),
        (
            PlaybookStatus.ROLLBACK_FAILED,
            ("Rollback", "Failed. It can be tried again once the reason is mended"),
        ),
    ],
)
def test_what_a_card_says_of_the_rollback_is_true_of_its_state(
    status: PlaybookStatus, says: tuple[str, str]
) -> None:
    assert rollback_fact(cards.in_state(status), approvals=1) == says


@pytest.mark.parametrize(
    "status", [PlaybookStatus.COMPLETED, PlaybookStatus.FAILED, PlaybookStatus.INTERRUPTED]
)
def test_where_nothing_was_written_there_is_nothing_to_put_back(status: PlaybookStatus) -> None:
    execution = replace(cards.in_state(status), actions=cards.pending().actions)
    assert rollback_fact(execution, approvals=1) == ("Rollback", "Not needed: nothing was changed")


def test_what_cannot_be_put_back_says_so_before_and_after() -> None:
    plan = cards.a_plan(replace(cards.ACTION, reversible=False))
    for status in (PlaybookStatus.PENDING, PlaybookStatus.COMPLETED):
        assert rollback_fact(replace(cards.in_state(status), plan=plan), approvals=1)[1] == "*No*"
        forbidden = replace(
            cards.in_state(status), playbook={**cards.pending().playbook, "rollback_enabled": False}
        )
        assert rollback_fact(forbidden, approvals=1)[1] == "No, the playbook forbids it"


def test_buttons_carry_execution_and_revision_and_nothing_else() -> None:
    values = re.findall(r'"value": "([^"]*)"', words_of(build_card(cards.drifted(), RULES)))
    assert values == ["x-0123456789ab:2"] * 2


def test_not_set_and_off_read_differently() -> None:
    words = words_of(build_card(cards.drifted(), RULES))
    assert "BlockPublicPolicy      off → on" in words
    assert "BlockPublicPolicy      not set → off" in words


def test_values_that_words_cannot_tell_apart_are_spelled() -> None:
    changes = [
        Change(setting="kind", before="on", after=True),
        Change(setting="space", before="a  b", after="a b"),
        Change(setting="hidden", before="a\u200bb", after="a\u200cb"),
        Change(setting="gone", before="not set", after=None),
    ]
    text = compare(changes, room=2000).text
    assert '"on" → true' in text
    assert '"a \\u0020b" → "a b"' in text
    assert '"a\\u200bb" → "a\\u200cb"' in text
    assert '"not set" → not set' in text


def test_several_signatures_are_counted() -> None:
    once = cards.pending(decisions=(cards.APPROVAL,))
    assert "1 of 2 approvals" in words_of(build_card(once, replace(RULES, required_approvals=2)))


def test_self_approval_is_announced_while_it_matters() -> None:
    lax = replace(RULES, allows_self_approval=True)
    assert "approve their own fixes" in words_of(build_card(cards.pending(), lax))
    assert "approve their own fixes" not in words_of(build_card(cards.pending(), RULES))


def test_a_plan_that_cannot_be_shown_whole_cannot_be_approved() -> None:
    huge = replace(cards.ACTION, before={"Policy": None}, after={"Policy": "x" * 5000})
    card = build_card(cards.pending(plan=cards.a_plan(huge)), RULES)
    to_checked(card)
    assert action_ids(card) == ["reject"]
    assert "(5,000 characters)" in words_of(card)
    assert "too large to be shown whole" in words_of(card)


def test_too_many_settings_cannot_be_approved_either() -> None:
    many = {f"Setting{number:03}": "value" * 4 for number in range(300)}
    plan = cards.a_plan(replace(cards.ACTION, before=dict.fromkeys(many), after=many))
    card = build_card(cards.pending(plan=plan), RULES)
    to_checked(card)
    assert action_ids(card) == ["reject"]
    assert "more settings" in words_of(card)


def test_a_resource_too_long_to_show_cannot_be_approved() -> None:
    endless = replace(cards.ACTION.target, resource="arn:aws:s3:::" + "x" * 900)
    finding = replace(cards.FINDING, resource=endless.resource)
    plan = cards.a_plan(replace(cards.ACTION, target=endless))
    assert action_ids(build_card(cards.pending(plan=plan, finding=finding), RULES)) == ["reject"]


def test_too_many_actions_cannot_be_approved_either() -> None:
    actions = [replace(cards.ACTION, action_name=f"step_{number}") for number in range(30)]
    card = build_card(cards.pending(plan=cards.a_plan(*actions)), RULES)
    to_checked(card)
    assert "more actions" in words_of(card)
    assert action_ids(card) == ["reject"]


def test_a_card_that_would_be_too_large_gets_less_room() -> None:
    quotes = '"\\' * 700
    actions = [
        replace(cards.ACTION, action_name=quotes, before={quotes: quotes}, after={quotes: f"{number}"})
        for number in range(6)
    ]
    execution = cards.pending(
        plan=cards.a_plan(*(replace(action, untouched=(quotes,), notes=(quotes,) * 9) for action in actions)),
        finding=replace(cards.FINDING, title=quotes, resource=quotes),
    )
    assert len(to_checked(build_card(execution, RULES))["blocks"]) > 5


def test_many_ordinary_settings_are_shown_whole() -> None:
    many = {f"Setting{number:02}": True for number in range(40)}
    plan = cards.a_plan(replace(cards.ACTION, before=dict.fromkeys(many), after=many))
    card = build_card(cards.pending(plan=plan), RULES)
    assert action_ids(card) == ["approve", "reject"]
    assert all(name in words_of(card) for name in many)


def test_the_rollback_dialog_says_what_is_restored() -> None:
    said = restored(cards.in_state(PlaybookStatus.COMPLETED))
    assert said == (
        "northwind-exports: BlockPublicAcls, BlockPublicPolicy, IgnorePublicAcls and RestrictPublicBuckets "
        "back to not set (we set on). It is read once more first: what somebody changed since is not overwritten."
    )


def test_a_long_rollback_dialog_points_to_the_card() -> None:
    settings_ = {f"AVeryLongSettingNumber{number}": number for number in range(30)}
    plan = cards.a_plan(replace(cards.ACTION, before=settings_, after=dict.fromkeys(settings_, True)))
    done = replace(cards.DONE, before=settings_)
    said = restored(cards.pending(plan=plan, status=PlaybookStatus.COMPLETED, actions=(done,)))
    assert len(said) <= 300
    assert said.endswith("… The card lists every setting.")


def test_signatures_voided_by_drift_are_marked() -> None:
    assert "void: the plan has changed since" in words_of(build_card(cards.drifted(), RULES))


_NASTY = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "<!channel> look",
            "<!here|here> <@U0ANA> <#C0GENERAL> <!subteam^S0SEC> @channel @everyone",
            "```*bold*``` `code` _x_ ~y~ <https://evil.example|click>",
            "&lt;!everyone&gt; &amp; &",
            '"\\' * 700,
            "<" * 1500,
            "&" * 1500,
            "\u202egnp.exe\u2066 \x00\x07\ud800 \u200b",
            "漢字" * 700,
            "a\n\n*Approved by* <@U0OMAR>\n",
            "",
            " ",
        ]
    ),
)
_VALUES = st.one_of(st.none(), st.booleans(), st.integers(), _NASTY)
_STATES = st.dictionaries(_NASTY, _VALUES, max_size=8)
# Markup that our own builders write; anything else in angle brackets came from a stranger.
_OURS = re.compile(r"<@(U0ANA|U0OMAR)>|<!date\^\d+\^\{date_short_pretty\} \{time\}\|[-\d: ]+UTC>")


@st.composite
def _hostile(draw: st.DrawFn) -> PlaybookExecution:
    status = draw(st.sampled_from(list(PlaybookStatus)))
    base = cards.in_state(status)
    count = draw(st.sampled_from([0, 1, 2, 14]))
    actions = [
        replace(
            cards.ACTION,
            action_name=draw(_NASTY),
            target=replace(cards.ACTION.target, resource=draw(_NASTY), region=draw(_NASTY)),
            before=draw(_STATES),
            after=draw(_STATES),
            untouched=tuple(draw(st.lists(_NASTY, max_size=3))),
            notes=tuple(draw(st.lists(_NASTY, max_size=12))),
        )
        for _ in range(count)
    ]
    plan = Plan(
        playbook_id="P", playbook_version="v", policy_digest="d", finding_id="f", actions=tuple(actions)
    )
    results = tuple(
        ActionResult(
            action.action_name,
            draw(st.sampled_from(ActionStatus)),
            draw(_NASTY),
            draw(_NASTY),
            action.before,
        )
        for action in actions
    )
    decisions = tuple(
        cards.decided(Verdict.REJECT, reason=draw(_NASTY)) for _ in range(draw(st.integers(0, 9)))
    )
    return replace(
        base,
        playbook={"playbook_id": draw(_NASTY), "name": draw(_NASTY)},
        finding=replace(base.finding, title=draw(_NASTY), resource=draw(_NASTY), account_id=draw(_NASTY)),
        requester=replace(base.requester, slack_id=draw(st.sampled_from(["U0ANA", ""])), email=draw(_NASTY)),
        plan=draw(st.sampled_from([plan, None])),
        actions=results,
        decisions=decisions,
        drift=tuple(
            Change(setting=draw(_NASTY), before=draw(_VALUES), after=draw(_VALUES)) for _ in range(3)
        ),
        error=draw(st.one_of(st.none(), _NASTY)),
    )


@settings(max_examples=share(60), deadline=None)
@given(_hostile())
def test_nothing_a_stranger_writes_becomes_markup_or_breaks_a_limit(execution: PlaybookExecution) -> None:
    for message in (
        build_card(execution, RULES),
        build_superseded_card(execution),
        build_plain_card(execution),
        build_progress(execution),
    ):
        sent = to_checked(message)
        assert not re.search("[<>]", _OURS.sub("", " ".join(_texts(sent, but=()))))
        assert not any(text.count("```") % 2 for text in _texts(sent, but=("plain_text",)))


def _texts(sent: object, *, but: tuple[str, ...]) -> list[str]:
    """Return every text but those of these types; a fence is markup to Slack, though not in plain text."""
    if isinstance(sent, list):
        return [text for entry in sent for text in _texts(entry, but=but)]
    if not isinstance(sent, dict):
        return []
    own = [sent["text"]] if isinstance(sent.get("text"), str) and sent.get("type") not in but else []
    return own + [text for entry in sent.values() for text in _texts(entry, but=but)]


def test_a_rollback_that_comes_by_itself_is_signed_for_in_the_open() -> None:
    waiting = cards.in_state(PlaybookStatus.PENDING)
    by_itself = replace(waiting, playbook={**waiting.playbook, "rollback_on_failure": True})
    assert rollback_fact(by_itself, approvals=1)[1] == "Yes, exactly as it was, and by itself if a step fails"
    assert rollback_fact(by_itself, approvals=2)[1] == "Yes, exactly as it was", "others have to sign it then"
    two = replace(RULES, rollback_approvals=2)
    assert "by itself if a step fails" in str(build_card(by_itself, RULES))
    assert "by itself if a step fails" not in str(build_card(by_itself, two))
