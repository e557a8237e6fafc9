"""What every `HomePictures` does."""

from dataclasses import replace
from datetime import timedelta

from remediation.home_pictures import KEPT_AFTER_REPLACED, PICTURE_LOST_AFTER, HomePicture
from storage import Stores
from tests.fakes.samples import NOW
from tests.fakes.stores import MemoryStores

AnyStores = Stores | MemoryStores
SOON = NOW + timedelta(seconds=2)
LONG_AFTER = NOW + KEPT_AFTER_REPLACED


def begun(stores: AnyStores, digest: str = "one") -> HomePicture:
    picture = stores.home_pictures.begin(digest, NOW)
    assert picture is not None
    return picture


def made(stores: AnyStores, digest: str = "one", *, file_id: str = "F1") -> HomePicture:
    picture = replace(begun(stores, digest), file_id=file_id, is_ready=True, due_at=None)
    stores.home_pictures.keep(picture)
    return picture


def test_a_picture_is_shown_once_it_is_ready(stores: AnyStores) -> None:
    assert stores.home_pictures.find("one") == ""
    assert begun(stores) == HomePicture(digest="one", since=NOW, due_at=NOW + PICTURE_LOST_AFTER)
    stores.home_pictures.keep(HomePicture(digest="one", file_id="F1", since=NOW, due_at=SOON))
    assert stores.home_pictures.find("one") == ""
    stores.home_pictures.keep(HomePicture(digest="one", file_id="F1", is_ready=True, since=NOW))
    assert stores.home_pictures.find("one") == "F1"
    assert stores.home_pictures.find("two") == ""


def test_one_alone_makes_it_until_they_are_taken_for_lost(stores: AnyStores) -> None:
    begun(stores)
    assert stores.home_pictures.begin("one", NOW) is None
    assert not stores.home_pictures.is_due(SOON)
    later = NOW + PICTURE_LOST_AFTER
    assert stores.home_pictures.is_due(later)
    assert stores.home_pictures.begin("one", later)


def test_what_was_uploaded_is_asked_about_when_it_says(stores: AnyStores) -> None:
    uploaded = replace(begun(stores), file_id="F1", due_at=SOON)
    stores.home_pictures.keep(uploaded)
    assert stores.home_pictures.begin("one", NOW) is None
    assert stores.home_pictures.begin("one", SOON) == replace(uploaded, due_at=SOON + PICTURE_LOST_AFTER)


def test_nothing_is_to_be_done_about_one_that_is_ready(stores: AnyStores) -> None:
    made(stores)
    assert stores.home_pictures.begin("one", LONG_AFTER) is None
    assert not stores.home_pictures.is_due(LONG_AFTER)


def test_one_that_slack_refused_is_looked_at_again_later(stores: AnyStores) -> None:
    refused = replace(made(stores), is_ready=False, due_at=SOON)
    stores.home_pictures.keep(refused)
    assert stores.home_pictures.find("one") == ""
    assert stores.home_pictures.begin("one", NOW) is None
    assert stores.home_pictures.begin("one", SOON) == replace(refused, due_at=SOON + PICTURE_LOST_AFTER)


def test_where_nothing_is_to_be_shown_all_are_removed(stores: AnyStores) -> None:
    old = made(stores)
    stores.home_pictures.retire(NOW)
    assert not stores.home_pictures.is_due(SOON)
    assert stores.home_pictures.replaced(LONG_AFTER) == [old]


def test_what_was_replaced_is_removed_once_no_home_shows_it(stores: AnyStores) -> None:
    old = made(stores)
    made(stores, "two", file_id="F2")
    assert stores.home_pictures.replaced(SOON) == []
    assert stores.home_pictures.is_due(LONG_AFTER)
    assert stores.home_pictures.replaced(LONG_AFTER) == [old]
    stores.home_pictures.forget("one")
    assert stores.home_pictures.replaced(LONG_AFTER) == []
    assert not stores.home_pictures.is_due(LONG_AFTER)


def test_a_removal_that_failed_waits(stores: AnyStores) -> None:
    old = replace(made(stores), due_at=LONG_AFTER + timedelta(seconds=2))
    made(stores, "two", file_id="F2")
    stores.home_pictures.keep(old)
    assert stores.home_pictures.replaced(LONG_AFTER) == []
    assert not stores.home_pictures.is_due(LONG_AFTER)
    assert stores.home_pictures.replaced(LONG_AFTER + timedelta(seconds=2)) == [old]


def test_what_was_uploaded_too_late_is_removed_all_the_same(stores: AnyStores) -> None:
    late = begun(stores)
    begun(stores, "two")
    stores.home_pictures.keep(replace(late, file_id="F1", due_at=SOON))
    assert [each.file_id for each in stores.home_pictures.replaced(LONG_AFTER)] == ["F1"]


def test_where_things_are_again_as_they_were_the_old_file_is_asked_about(stores: AnyStores) -> None:
    old = made(stores)
    made(stores, "two", file_id="F2")
    assert stores.home_pictures.find("one") == "", "it may be removed at any time"
    assert begun(stores) == replace(old, is_ready=False, due_at=NOW + PICTURE_LOST_AFTER)
    assert [each.digest for each in stores.home_pictures.replaced(LONG_AFTER)] == ["two"]
