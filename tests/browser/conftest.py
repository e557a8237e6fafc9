"""A headless Chromium for the browser tests; they skip, loudly, where it is not installed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.patience import give_patience
from tests.browser.pictures import KeepPicture, shrink
from tests.browser.stage import Stage
from tests.browser.visitor import heed_errors
from tests.browser.waiting import Waiting
from tests.conftest import need

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Play what waits for something last: what it waits for was begun before the others."""
    items.sort(key=lambda item: "waiting" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    need(CHROMIUM, "apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """Open a window in which any error of the page's own scripts fails the test."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    give_patience(context)
    window = context.new_page()
    errors = heed_errors(window)
    yield window
    context.close()
    assert errors == []


@pytest.fixture(scope="session")
def playing(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, Waiting]]:
    """Put up the stage that the scenarios share, with what takes its time begun at once."""
    with Stage.set_up(chromium, tmp_path_factory.mktemp("stage")) as stage:
        yield stage, Waiting.begin(stage)
        assert "Traceback" not in stage.log


@pytest.fixture
def stage(playing: tuple[Stage, Waiting]) -> Stage:
    """Return the shared stage, with nothing open on its page."""
    playing[0].tidy()
    return playing[0]


@pytest.fixture
def waiting(playing: tuple[Stage, Waiting]) -> Waiting:
    """Return what was begun when the stage was put up."""
    return playing[1]


@pytest.fixture
def keep_picture(request: pytest.FixtureRequest) -> KeepPicture:
    """Return a function that keeps a PNG under a name, where `--pictures` asks for it.

    A document has to show it, so that taking the pictures anew changes them and leaves nothing behind.
    """
    folder: Path | None = request.config.getoption("--pictures")

    def keep(name: str, picture: bytes) -> None:
        shown = [document for document in DOCUMENTS if f"images/{name}.png" in document.read_text("utf-8")]
        assert shown, f"no document shows {name}.png"
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            browser: Browser = request.getfixturevalue("chromium")
            (folder / f"{name}.png").write_bytes(shrink(browser, picture))

    return keep


@pytest.fixture
def take_picture(keep_picture: KeepPicture) -> Callable[[Page, str], None]:
    """Return a function that keeps a picture of the window, with what is still fading in already there."""

    def take(window: Page, name: str) -> None:
        window.mouse.move(0, 0)  # what the pointer lights up is not part of the picture
        keep_picture(name, window.screenshot(animations="disabled"))

    return take
