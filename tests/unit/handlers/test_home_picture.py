"""The picture in everybody's home: one upload for each state of the trend; whatever goes wrong, bars and numbers stay."""

import hashlib
import io
import math
import sys
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from audit.findings import FindingStatus
from bot.sandbox import View
from exporters.pdf_process import is_typst_here
from exporters.ports import ExportedFile
from exporters.trend_chart import describe_trend, digest_trend
from handlers.delivery import upload
from handlers.home_picture import REFUSED_FOR, read_points
from handlers.slack_client import Line, SlackClient
from remediation.audience import HOME_EVERY
from remediation.home_pictures import KEPT_AFTER_REPLACED, PICTURE_LOST_AFTER
from storage.home_tables import HomePictureRow
from tests.conftest import need
from tests.databases import stores_in_memory
from tests.unit.handlers.conftest import MakeHouse
from tests.unit.handlers.house import DOOR, House
from tests.unit.handlers.test_home import home_of, look, pass_time

PNG = b"\x89PNG\r\n\x1a\n"
PASSED = replace(DOOR, id="F-2", check_id="x", status=FindingStatus.PASS)
FAILED = replace(DOOR, id="F-3", check_id="y")
TWO, THREE = "the last 2 reports from", "the last 3 reports from"


@pytest.fixture
def kept(make_house: MakeHouse) -> House:
    """Return a house with two reports, in a Slack that processes files at once, with a client that does not wait."""
    need("typst", "pip install 'countersign[pdf]'") if not is_typst_here() else None
    house = make_house(stores=stores_in_memory())
    house.services = replace(house.services, client=an_eager_client(house))
    house.slack.state.processing_s = 0
    house.ingest(DOOR, PASSED)
    report_again(house, FAILED)
    return house


def an_eager_client(house: House) -> SlackClient:
    """Return the client that a bot has, without repeating anything, and without limits that it knows of."""
    return SlackClient(
        line=Line(), token=house.client.token, base_url=house.client.base_url, timeout=5, retry_handlers=[]
    )


def report_again(house: House, *findings: object) -> None:
    house.now += timedelta(days=1)
    house.ingest(DOOR, PASSED, *findings)  # type: ignore[arg-type]


def shown(view: View) -> list[str]:
    """Return the files that a home shows."""
    return [block["slack_file"]["id"] for block in view.blocks if block["type"] == "image"]


def words(view: View) -> str:
    """Return what a home says beside the picture."""
    return str([block for block in view.blocks if block["type"] != "image"])


def put_ready(house: House) -> str:
    """Have the newest reports' picture ready without drawing it; return its file."""
    points = read_points(house.services, house.services.tracker.rows())
    digest = digest_trend(points, name=points[-1].name)
    file = ExportedFile(
        name="trend.png",
        media_type="image/png",
        size=len(PNG),
        sha256=hashlib.sha256(PNG).hexdigest(),
        content=io.BytesIO(PNG),
    )
    file_id = upload(house.client, file, alt_text=describe_trend(points))
    picture = house.stores.home_pictures.begin(digest, house.now)
    assert picture is not None
    house.stores.home_pictures.keep(replace(picture, file_id=file_id, is_ready=True, due_at=None))
    return file_id


def test_a_home_is_drawn_with_bars_first_and_with_the_picture_then(kept: House) -> None:
    first = look(kept, "otto")
    assert shown(first) == []
    assert TWO in words(first)
    pass_time(kept)
    (file,) = kept.slack.files()
    then = home_of(kept, "otto")
    assert shown(then) == [file.id]
    assert TWO in words(then), "the numbers stay beside it"
    assert file.content.startswith(b"\x89PNG")  # type: ignore[union-attr]
    (image,) = [block for block in then.blocks if block["type"] == "image"]
    for said in (file.alt_text, image["alt_text"]):
        assert "over 2 reports" in said
        assert said.index("1 high, score 50 of 100") > said.index("2 high, score 33"), "newest first"
    methods = [call.method for call in kept.slack.calls]
    assert methods.index("views.publish") < methods.index("files.getUploadURLExternal"), "nobody waits for it"


def test_a_smaller_report_of_another_account_does_not_take_its_place(kept: House) -> None:
    file_id = put_ready(kept)
    kept.now += timedelta(days=1)
    kept.ingest(replace(DOOR, id="F-9", account_id="210987654321"))
    home = look(kept, "otto")
    assert shown(home) == [file_id]
    assert TWO in words(home)
    assert "Elsewhere: prowler-ocsf, 210987654321: not known" in words(home)


def test_it_is_everybodys_and_uploaded_once(kept: House) -> None:
    file_id = put_ready(kept)
    for person in ("otto", "omar", "ana"):
        assert shown(look(kept, person)) == [file_id]
        kept.now += HOME_EVERY
    assert len(kept.slack.calls_of("files.getUploadURLExternal")) == 1


def test_it_shows_the_reports_that_the_numbers_are_of(kept: House) -> None:
    old = put_ready(kept)
    assert shown(look(kept, "otto")) == [old]
    report_again(kept, FAILED)
    fresh = look(kept, "otto")
    assert shown(fresh) == []
    assert THREE in words(fresh)


def test_a_report_without_a_score_is_in_the_picture_and_not_among_the_bars(kept: House) -> None:
    kept.now += timedelta(days=1)
    kept.ingest(DOOR)
    file_id = put_ready(kept)
    view = look(kept, "otto")
    assert shown(view) == [file_id]
    assert "the last 2 reports with a score from" in words(view)


def test_the_old_one_is_deleted_once_no_home_shows_it(kept: House) -> None:
    old = put_ready(kept)
    report_again(kept, FAILED)
    new = put_ready(kept)
    pass_time(kept)
    assert [file.id for file in kept.slack.files()] == [old, new]
    kept.now += KEPT_AFTER_REPLACED
    kept.sweep_homes()
    assert [file.id for file in kept.slack.files()] == [new]
    assert not kept.stores.home_pictures.is_due(kept.now)


@pytest.mark.parametrize(
    ("fault", "files"), [({"error": "cant_delete_file"}, 2), ({"status": 500}, 1), ({"drop": True}, 1)]
)
def test_a_deletion_is_tried_until_slack_has_answered(
    kept: House, fault: dict[str, object], files: int
) -> None:
    put_ready(kept)
    report_again(kept, FAILED)
    put_ready(kept)
    kept.slack.faults.add("files.delete", **fault)
    for wait in (KEPT_AFTER_REPLACED, REFUSED_FOR):
        kept.now += wait
        kept.sweep_homes()
    assert len(kept.slack.files()) == files
    assert not kept.stores.home_pictures.is_due(kept.now)


def test_a_file_that_is_not_processed_yet_is_in_no_home(kept: House) -> None:
    kept.slack.state.processing_s = math.inf
    look(kept, "otto")
    for _ in range(40):
        kept.now += timedelta(minutes=1)
        kept.sweep_homes()
        kept.work_off()
    assert shown(home_of(kept, "otto")) == []
    asked = len(kept.slack.calls_of("files.info"))
    assert 5 < asked < 15, "less and less often"
    kept.slack.state.processing_s = 0
    kept.now += timedelta(minutes=10)
    kept.sweep_homes()
    kept.work_off()
    pass_time(kept)
    assert len(shown(home_of(kept, "otto"))) == 1
    assert len(kept.slack.calls_of("files.getUploadURLExternal")) == 1


@pytest.mark.parametrize("code", ["invalid_blocks", "invalid_arguments"])
def test_a_picture_that_slack_refuses_leaves_bars_and_is_not_tried_for_a_while(
    kept: House, code: str
) -> None:
    file_id = put_ready(kept)
    kept.slack.faults.add("views.publish", error=code)
    view = look(kept, "otto")
    assert shown(view) == []
    assert TWO in words(view)
    assert shown(look(kept, "omar")) == [], "nor is it tried for anybody else"
    kept.now += REFUSED_FOR
    kept.sweep_homes()
    kept.work_off()
    pass_time(kept)
    assert shown(home_of(kept, "otto")) == [file_id]


def test_blocks_that_are_refused_without_it_too_are_not_its_fault(kept: House) -> None:
    file_id = put_ready(kept)
    kept.slack.faults.add("views.publish", error="invalid_blocks", times=2)
    assert "could not be shown" in str(look(kept, "otto").payload)
    assert shown(look(kept, "omar")) == [file_id]


def test_a_file_that_somebody_deleted_is_uploaded_anew(kept: House) -> None:
    file_id = put_ready(kept)
    kept.client.files_delete(file=file_id)
    assert shown(look(kept, "otto")) == []
    kept.slack.state.violations.clear()  # that it is gone was for Slack to say
    for wait in (REFUSED_FOR, PICTURE_LOST_AFTER):
        kept.now += wait
        kept.sweep_homes()
        kept.work_off()
    pass_time(kept)
    (file,) = kept.slack.files()
    assert shown(home_of(kept, "otto")) == [file.id]


FAULTS: dict[str, tuple[dict[str, object], timedelta]] = {
    "limited": ({"status": 429, "retry_after": 90}, timedelta(seconds=90)),
    "scope": ({"error": "missing_scope"}, REFUSED_FOR),
    "broken": ({"status": 500}, PICTURE_LOST_AFTER),
    "cut off": ({"drop": True}, PICTURE_LOST_AFTER),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    "method", ["files.getUploadURLExternal", "files.completeUploadExternal", "files.info"]
)
def test_what_fails_leaves_bars_and_is_tried_again(kept: House, method: str, fault: str) -> None:
    (how, wait), start = FAULTS[fault], kept.now
    kept.slack.faults.add(method, **how)
    assert TWO in words(look(kept, "otto"))
    pass_time(kept)
    assert shown(home_of(kept, "otto")) == []
    assert not kept.stores.home_pictures.is_due(start + wait - timedelta(seconds=1))
    assert kept.stores.home_pictures.is_due(start + wait)
    if fault == "limited":
        kept.services = replace(
            kept.services, client=an_eager_client(kept)
        )  # the other keeps to it by the clock on the wall
    kept.now = start + wait
    kept.sweep_homes()
    kept.work_off()
    pass_time(kept)
    assert len(shown(home_of(kept, "otto"))) == 1
    assert len(kept.slack.calls_of("files.completeUploadExternal")) == 1, "what arrived is not sent again"


def test_what_was_uploaded_is_noted_before_slack_is_asked_about_it(kept: House) -> None:
    noted: list[list[str]] = []

    def look_up() -> None:
        if kept.slack.calls_of("files.info") and not noted:  # which has not been answered yet
            with kept.stores.database.reading() as session:  # type: ignore[union-attr]
                noted.append(list(session.exec(select(HomePictureRow.file_id))))

    kept.slack.state.listeners.append(look_up)
    look(kept, "otto")
    assert noted == [[kept.slack.files()[0].id]]


def test_without_typst_there_are_bars_alone(kept: House, monkeypatch: pytest.MonkeyPatch) -> None:
    put_ready(kept)
    monkeypatch.setitem(sys.modules, "typst", None)  # as if it were not installed
    view = look(kept, "otto")
    pass_time(kept)
    assert shown(view) == shown(home_of(kept, "otto")) == []
    assert TWO in words(view)
    assert ("picture", "trend") not in kept.hands.done


def test_where_there_is_nothing_to_draw_any_more_nothing_is_due(
    kept: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.slack.faults.add("files.getUploadURLExternal", error="missing_scope")
    look(kept, "otto")
    monkeypatch.setitem(sys.modules, "typst", None)
    kept.now += REFUSED_FOR
    assert kept.stores.home_pictures.is_due(kept.now)
    kept.sweep_homes()
    assert not kept.stores.home_pictures.is_due(kept.now)


def test_one_report_is_no_trend(make_house: MakeHouse) -> None:
    house = make_house(stores=stores_in_memory())
    house.ingest(DOOR, PASSED)
    look(house, "otto")
    assert ("picture", "trend") not in house.hands.done
