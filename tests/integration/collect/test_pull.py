"""Security Hub's findings are fetched page by page from moto's server, and an interrupted fetch goes on where it stopped."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from audit.actor import Actor
from audit.errors import ActionError, InputError, NothingFoundError, StateError, TrailError
from audit.findings import Severity
from audit.ports import Ingested
from audit.pulling import Pull, PullRequest
from bot.cli import app
from bot.pulling import GOOD_FOR, SecurityHub, filters, pull
from storage import Stores
from tests.conftest import NOW
from tests.databases import stores_in_memory
from tests.integration.collect.hub import Hub, new_keys

ANA = Actor(email="ana@northwind.example")


@pytest.fixture
def hub(moto_endpoint: str) -> Hub:
    return Hub(moto_endpoint, keys=new_keys(moto_endpoint))


LATER = Pull(key="", began_at=NOW + timedelta(minutes=1))


@pytest.fixture
def stores() -> Iterator[Stores]:
    opened = stores_in_memory()
    yield opened
    opened.close()


def fetch(
    hub: Hub, stores: Stores, request: PullRequest, *, now: Any = NOW, say: Any = lambda _: None
) -> Any:
    return pull(hub, request, pulls=stores.pulls, reports=stores.reports, actor=ANA, now=now, say=say)


def test_all_pages_become_one_report(hub: Hub, stores: Stores) -> None:
    hub.fill(250)
    heard: list[int] = []
    done = fetch(hub, stores, PullRequest(region=hub.region), say=heard.append)
    assert done.is_new
    assert done.header.summary["total_findings"] == done.header.summary["high"] == 250
    assert done.header.source == "AWS Security Finding Format"
    assert done.header.generated_at == NOW, "as of the fetch, not as of its first finding"
    assert heard[:3] == [1, 2, 3]
    assert set(heard) == {1, 2, 3}, "and again while what came is read"
    entry = stores.trail.head()
    assert entry is not None
    assert all(word in entry.body for word in (b"report.ingested", b"ana@northwind.example"))
    fresh = Pull(key=PullRequest(region=hub.region).key, began_at=NOW)
    assert stores.pulls.open(fresh, not_before=NOW) == fresh, "nothing is left lying"
    stores.pulls.close(fresh)
    again = fetch(hub, stores, PullRequest(region=hub.region), now=NOW + timedelta(hours=1))
    assert not again.is_new


def test_an_interrupted_fetch_goes_on_where_it_stopped(hub: Hub, stores: Stores) -> None:
    hub.fill(250)
    hub.fails_at = 3
    request = PullRequest(region=hub.region)
    with pytest.raises(ActionError, match="get findings"):
        fetch(hub, stores, request)
    assert stores.reports.list_reports() == []
    done = fetch(hub, stores, request, now=NOW + timedelta(minutes=5))
    assert done.header.summary["total_findings"] == 250
    assert len(hub.asked) == 4, "two pages, a failure, and the last page"
    assert hub.asked[3]["NextToken"] == hub.asked[2]["NextToken"]
    assert hub.asked[3]["Filters"] == hub.asked[0]["Filters"]
    assert done.header.generated_at == NOW


def test_one_that_is_too_old_begins_anew(hub: Hub, stores: Stores) -> None:
    hub.fill(150)
    hub.fails_at = 2
    request = PullRequest(region=hub.region)
    with pytest.raises(ActionError):
        fetch(hub, stores, request)
    later = NOW + GOOD_FOR + timedelta(seconds=1)
    done = fetch(hub, stores, request, now=later)
    assert "NextToken" not in hub.asked[2]
    assert (done.header.summary["total_findings"], done.header.generated_at) == (150, later)


def test_one_that_began_by_a_clock_that_was_ahead_begins_anew(hub: Hub, stores: Stores) -> None:
    hub.fill(150)
    hub.fails_at = 2
    request = PullRequest(region=hub.region)
    with pytest.raises(ActionError):
        fetch(hub, stores, request, now=NOW + timedelta(days=9))
    done = fetch(hub, stores, request)
    assert "NextToken" not in hub.asked[2]
    assert done.header.generated_at == NOW


def test_a_place_that_aws_has_forgotten_begins_anew(hub: Hub, stores: Stores) -> None:
    hub.fill(150)
    hub.fails_at = 2
    request = PullRequest(region=hub.region)
    with pytest.raises(ActionError):
        fetch(hub, stores, request)
    hub.fails_at, hub.code = 3, "InvalidInputException"
    later = NOW + timedelta(minutes=5)
    done = fetch(hub, stores, request, now=later)
    assert ["NextToken" in asked for asked in hub.asked] == [False, True, True, False, True]
    assert (done.header.summary["total_findings"], done.header.generated_at) == (150, later)


def test_nothing_to_fetch_is_said_and_forgotten(hub: Hub, stores: Stores) -> None:
    request = PullRequest(region=hub.region)
    with pytest.raises(NothingFoundError, match="no findings in it"):
        fetch(hub, stores, request)
    hub.fill(1)
    assert fetch(hub, stores, request).header.summary["total_findings"] == 1


def test_a_report_that_cannot_be_stored_leaves_its_pages(hub: Hub, stores: Stores) -> None:
    class Full:
        def ingest(self, *_: Any, **__: Any) -> Ingested:
            raise TrailError("the database is full")

    hub.fill(150)
    request = PullRequest(region=hub.region)
    with pytest.raises(TrailError):
        pull(hub, request, pulls=stores.pulls, reports=Full(), actor=ANA, now=NOW)  # type: ignore[arg-type]
    assert fetch(hub, stores, request).header.summary["total_findings"] == 150
    assert len(hub.asked) == 2, "nothing is fetched again"


def test_where_security_hub_is_off_it_says_so(hub: Hub, stores: Stores) -> None:
    hub.fails_at, hub.code = 1, "InvalidAccessException"
    with pytest.raises(ActionError, match="Is Security Hub switched on"):
        fetch(hub, stores, PullRequest(region=hub.region))


def test_filters_are_what_was_asked_for() -> None:
    plain = filters(PullRequest(), NOW)
    assert plain == {"RecordState": [{"Value": "ACTIVE", "Comparison": "EQUALS"}]}
    request = PullRequest(severities=(Severity.HIGH, Severity.INFO), with_archived=True, since_days=7)
    assert filters(request, NOW) == {
        "SeverityLabel": [
            {"Value": "HIGH", "Comparison": "EQUALS"},
            {"Value": "INFORMATIONAL", "Comparison": "EQUALS"},
        ],
        "UpdatedAt": [{"Start": "2026-11-17T09:00:00.000Z", "End": "2026-11-24T09:00:00.000Z"}],
    }


def test_two_who_fetch_the_same_do_not_mix_their_pages(stores: Stores) -> None:
    pull = Pull(key="k", began_at=NOW)
    mine = stores.pulls.open(pull, not_before=NOW)
    theirs = stores.pulls.open(pull, not_before=NOW)
    mine = stores.pulls.add(mine, [{"Id": "1"}], cursor="next")
    with pytest.raises(StateError, match="somebody else"):
        stores.pulls.add(theirs, [{"Id": "1"}], cursor="next")
    assert list(stores.pulls.pages(mine)) == [b'[{"Id":"1"}]']
    stores.pulls.close(theirs)
    assert list(stores.pulls.pages(mine)) == [b'[{"Id":"1"}]'], "nobody closes what another has gone on with"
    stores.pulls.close(mine)
    with pytest.raises(StateError):
        stores.pulls.add(mine, [], cursor="")


@pytest.mark.parametrize("begins_anew", [False, True])
def test_what_another_has_closed_meanwhile_is_neither_nothing_nor_a_part(
    hub: Hub, stores: Stores, *, begins_anew: bool
) -> None:
    class Closing:
        """Somebody else, too, has read the pages to the end, a moment earlier."""

        open, add, close = stores.pulls.open, stores.pulls.add, stores.pulls.close

        def pages(self, pull: Pull) -> Iterator[bytes]:
            pages = stores.pulls.pages(pull)
            yield next(pages)
            stores.pulls.close(pull)
            if begins_anew:
                theirs = stores.pulls.open(replace(LATER, key=pull.key), not_before=LATER.began_at)
                for cursor in ("next", "", ""):
                    theirs = stores.pulls.add(theirs, [], cursor=cursor)
            yield from pages

    hub.fill(250)
    request, ways = PullRequest(region=hub.region), {"reports": stores.reports, "actor": ANA, "now": NOW}
    with pytest.raises(StateError, match="somebody else"):
        pull(hub, request, pulls=Closing(), **ways)  # type: ignore[arg-type]
    assert stores.reports.list_reports() == []


@pytest.mark.parametrize("request_", [PullRequest(account_id="123"), PullRequest(since_days=-1)])
def test_what_cannot_be_asked_for_is_refused(request_: PullRequest, stores: Stores) -> None:
    class Nobody:
        def account_id(self) -> str:
            raise AssertionError

        client = account_id

    with pytest.raises(InputError):
        SecurityHub(Nobody(), stores.pulls, stores.reports)(request_, actor=ANA, now=NOW)  # type: ignore[arg-type]


def test_the_command_fetches_and_says_what_came(
    moto_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Hub(moto_endpoint, "eu-south-1").fill(3)
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'test.db'}")
    shell = CliRunner()
    assert shell.invoke(app, ["db", "upgrade"]).exit_code == 0
    words = ["report", "pull", "aws", "--region", "eu-south-1"]
    done = shell.invoke(app, words)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "3 findings from securityhub-eu-south-1" in done.stdout
    again = json.loads(shell.invoke(app, [*words, "--json"]).stdout)
    assert again["is_new"] is False
    wrong = shell.invoke(app, [*words, "--severity", "BAD"])
    assert wrong.exit_code == 1
    assert "is not a severity" in wrong.stderr
