"""Pictures of parts of the page, in light and in dark; what is cut off at its edges fails whoever takes one."""

import math
import re
from dataclasses import dataclass

from playwright.sync_api import ElementHandle, FloatRect, Locator, Page, expect

from tests.browser.pictures import KeepPicture

CUT_OFF = """node => [node, ...node.querySelectorAll("*")].filter((each) => {
  if (!each.checkVisibility() || each.closest("select, textarea, input, iframe, .suggestions")) return false;
  const style = getComputedStyle(each);
  if (["auto", "scroll"].includes(style.overflowX) || style.display === "inline") return false;
  return each.scrollWidth > each.clientWidth + 1;
}).map((each) => `${each.tagName} ${each.className}: ${each.textContent.slice(0, 80)}`)"""

COME_TO_REST = """node => {
  const ends = (moving) => Number.isFinite(moving.effect.getComputedTiming().endTime);
  document.getAnimations().filter(ends).forEach((moving) => moving.finish());
  node.scrollIntoViewIfNeeded();
}"""


@dataclass(frozen=True)
class Studio:
    """Takes pictures of what is on the page."""

    page: Page
    keep: KeepPicture

    def take(self, name: str, what: Locator, *, in_dark: bool = False) -> None:
        """Keep a picture of a part of the page under a name; with `in_dark` a second one, `NAME-dark`."""
        self._shoot(name, what)
        if in_dark:
            self.page.emulate_media(color_scheme="dark")
            self._shoot(f"{name}-dark", what)
            self.page.emulate_media(color_scheme="light")

    def _shoot(self, name: str, what: Locator) -> None:
        expect(what).to_be_visible()
        # Where the pointer is and what a click has lit up is not part of the picture.
        self.page.mouse.move(0, 0)
        expect(self.page.locator(".busy")).to_have_count(0)
        picture = None
        while picture is None:
            picture = self._still(name, what.element_handle())
        self.keep(name, picture)

    def _still(self, name: str, what: ElementHandle) -> bytes | None:
        """Return a picture of it; None where it was drawn anew meanwhile."""
        assert what.evaluate(CUT_OFF) == [], name
        what.evaluate(COME_TO_REST)
        box = what.bounding_box()
        picture = self.page.screenshot(animations="disabled", clip=_inside(box)) if box else None
        return picture if what.evaluate("node => node.isConnected") else None


def _inside(box: FloatRect) -> FloatRect:
    """Return where it is in whole pixels, with nothing of its neighbours in them."""
    left, top = math.ceil(box["x"]), math.ceil(box["y"])
    right, bottom = math.floor(box["x"] + box["width"]), math.floor(box["y"] + box["height"])
    return {"x": left, "y": top, "width": right - left, "height": bottom - top}


def newest(where: Locator, *words: str | re.Pattern[str]) -> Locator:
    """Return the newest message that holds all these words, private or not."""
    messages = where.locator("article.message")
    for each in words:
        messages = messages.filter(has_text=each)
    return messages.last
