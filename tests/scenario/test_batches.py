"""A batch on the real bot: asked for by a search, chosen from, approved once, killed in between, put back by its button."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.sandbox.cloud import FLAGS, PUBLIC_BUCKET, UNGUARDED, DemoCloud, demo_cloud
from bot.sandbox.delivery import Delivery
from bot.sandbox.demo import bot_environment, running_bot
from bot.sandbox.payloads import block_action
from bot.sandbox.records import Message, View
from bot.sandbox.standin import SlackStandIn
from tests.scenario.conftest import CHANNEL, PATIENCE_S
from tests.shell import run_in

pytestmark = [pytest.mark.process, pytest.mark.slow]
ASK = "/playbook run AWS-PUBLIC-S3 check:s3_bucket_public_access,s3_bucket_level_public_access_block"
ONCE_AN_ITEM = ("execution.approved", "execution.started", "action.started", "rollback.started")
BUCKETS = (PUBLIC_BUCKET, UNGUARDED, "northwind-backups")


def switches(cloud: DemoCloud, bucket: str) -> list[str]:
    return [row.value for row in cloud.rows() if row.group == bucket]


def card_saying(slack: SlackStandIn, *words: str) -> Message:
    def see() -> Message | None:
        cards = [m for m in slack.messages(CHANNEL) if not m.only_for and "at once" in m.words]
        return next((card for card in cards if all(word in card.words for word in words)), None)

    return slack.wait_for(see, PATIENCE_S)


def window(slack: SlackStandIn, user: str, card: Message, action_id: str) -> View:
    assert slack.click(user, card, action_id).ok
    return slack.wait_for(lambda: next(iter(slack.views(user)[::-1]), None), PATIENCE_S)


def click_twice(slack: SlackStandIn, user: str, card: Message, action_id: str) -> None:
    """Deliver one click two times, as Slack may."""
    person = slack.workspace.person(user)
    for block in card.blocks:
        for element in block.get("elements", []):
            if element.get("action_id") == action_id:
                payload = slack.new_interaction(person, card, "block_actions")
                payload |= {"actions": [block_action(block, element, {})], "state": {"values": {}}}
                deliveries = [Delivery("interactive", payload) for _ in range(2)]
                with ThreadPoolExecutor(2) as pool:
                    assert all(ack.ok for ack in pool.map(slack.deliver, deliveries))
                return
    raise LookupError(action_id)


def told(slack: SlackStandIn, user: str, words: str) -> Message:
    def see() -> Message | None:
        mine = [m for m in slack.messages(CHANNEL, as_user=user) if m.only_for]
        return next((m for m in mine if words in m.words), None)

    return slack.wait_for(see, PATIENCE_S)


def kinds(environment: dict[str, str]) -> Counter[str]:
    """Return how often each of the kinds that must happen once an item stands in the trail."""
    lines = run_in(environment, "trail", "export").stdout.splitlines()
    return Counter(
        {kind: sum(f'"{kind}"' in line for line in lines) for kind in (*ONCE_AN_ITEM, "batch.approved")}
    )


def offered(form: View) -> dict[str, str]:
    """Return the items of a form of ticks, by name."""
    options = [each for block in form.blocks for each in block.get("element", {}).get("options", [])]
    return {option["text"]["text"]: option["value"] for option in options}


def ask_at_a_shell(slack: SlackStandIn, environment: dict[str, str], card: Message) -> None:
    """Ask for the same at a shell: the card is drawn by the served bot, which finds it by itself."""
    handles = dict.fromkeys(re.findall(r"f-[0-9a-f]{8}", card.words))
    words = ("playbook", "run", "AWS-PUBLIC-S3", *handles, "--as", "ana@northwind.example")
    done = run_in(environment, *words)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"b-[0-9a-f]{12}: 3 PENDING\n", done.stdout)
    assert "is about the same resource" in done.stderr
    asked = card_saying(slack, "3 at once", "ana@northwind.example")
    slack.click("ana", asked, "batch_approve")
    told(slack, "ana", "somebody else")


def test_a_batch_outlives_its_bot_and_every_item_runs_once(tmp_path: Path) -> None:
    with demo_cloud() as cloud, SlackStandIn.start() as slack:
        before = {bucket: switches(cloud, bucket) for bucket in BUCKETS}
        with running_bot(slack, cloud, tmp_path) as child:
            assert slack.command(user="ana", channel=CHANNEL, text=ASK).ok
            card = card_saying(slack, "3 at once", *BUCKETS)
            child.kill()
        assert "batch_approve" in card.action_ids

        with running_bot(slack, cloud, tmp_path) as child:
            slack.click("ana", card, "batch_approve")
            told(slack, "ana", "somebody else")
            slack.click("otto", card, "batch_approve")
            told(slack, "otto", "not among the approvers")
            form = window(slack, "priya", card, "batch_choose")
            kept = [value for name, value in offered(form).items() if name != "northwind-backups"]
            with ThreadPoolExecutor(4) as pool:
                clicks = [pool.submit(click_twice, slack, "omar", card, "batch_approve") for _ in range(3)]
                choice = pool.submit(
                    slack.submit_view, "priya", form, {"kept_0": kept, "reason": "needed until Friday"}
                )
                assert all(click.result() is None for click in clicks)
                assert choice.result().accepted
            left = card_saying(slack, "<@U0")
            decided = slack.wait_for(lambda: _decided(slack, left), PATIENCE_S)
            if "needed until Friday" in decided.words:  # the choice won: the rest waits for a new signature
                slack.click("omar", decided, "batch_approve")
            done = slack.wait_for(lambda: _finished(slack, card), PATIENCE_S)
            fixed = [bucket for bucket in BUCKETS if switches(cloud, bucket) == ["on"] * len(FLAGS)]
            assert len(fixed) == (2 if "needed until Friday" in done.words else 3)
            child.kill()

        with running_bot(slack, cloud, tmp_path):
            environment = bot_environment(slack, cloud, tmp_path)
            slack.click("omar", done, "batch_rollback")
            back = card_saying(slack, "Rolled back", f"{len(fixed)} rolled back")
            assert {bucket: switches(cloud, bucket) for bucket in BUCKETS} == before
            assert "batch_rollback" not in back.action_ids
            assert len([m for m in slack.messages(CHANNEL) if "at once" in m.words and not m.only_for]) == 1
            assert len(slack.thread(CHANNEL, card.ts)[1:]) == 1
            counted = kinds(environment)
            for kind in ONCE_AN_ITEM:
                assert counted[kind] == len(fixed), (kind, counted)
            assert counted["batch.approved"] == 1
            assert run_in(environment, "trail", "verify").returncode == 0
            ask_at_a_shell(slack, environment, card)
        outcomes = [m for m in slack.messages("@ana") if "Fix Public S3 Bucket" in m.words]
        assert len(outcomes) == 2, "once when it was over, once when it was put back"
        assert slack.violations == ()


def _decided(slack: SlackStandIn, card: Message) -> Message | None:
    now = slack.message(CHANNEL, card.ts)
    return now if "2 at once" in now.words or "batch_approve" not in now.action_ids else None


def _finished(slack: SlackStandIn, card: Message) -> Message | None:
    now = slack.message(CHANNEL, card.ts)
    return now if "batch_rollback" in now.action_ids else None
