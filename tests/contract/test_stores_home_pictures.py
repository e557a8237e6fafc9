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
    assert stores.home_pictures.find("one", NOW) == ""
    assert begun(stores) == HomePicture(digest="one", since=NOW, due_at=NOW + PICTURE_LOST_AFTER)
    stores.home_pictures.keep(HomePicture(digest="one", file_id="F1", since=NOW, due_at=SOON))
    assert stores.home_pictures.find("one", SOON) == ""
    stores.home_pictures.keep(HomePicture(digest="one", file_id="F1", is_ready=True, since=NOW))
    assert stores.home_pictures.find("one", SOON) == "F1"
    assert stores.home_pictures.find("two", SOON) == ""


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


def test_one_that_slack_refused_is_not_shown_for_a_while(stores: AnyStores) -> None:
    stores.home_pictures.keep(replace(made(stores), due_at=SOON))
    assert stores.home_pictures.find("one", NOW) == ""
    assert stores.home_pictures.begin("one", NOW) is None
    assert stores.home_pictures.find("one", SOON) == "F1"
    assert not stores.home_pictures.is_due(LONG_AFTER)


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


def test_things_may_be_again_as_they_were(stores: AnyStores) -> None:
    made(stores)
    made(stores, "two", file_id="F2")
    assert stores.home_pictures.begin("one", NOW) is None
    assert [each.digest for each in stores.home_pictures.replaced(LONG_AFTER)] == ["two"]
    assert stores.home_pictures.find("one", NOW) == "F1"
