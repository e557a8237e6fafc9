"""What somebody does on the demo's page, and what they see there. Everything waits for what is to be seen, nothing for a time."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from tests.browser.patience import PATIENCE_MS, give_patience

Words = str | re.Pattern[str]
_ASKED_AT_MOST = 60
_NEXT_TOAST = """(patience) => ({ words: new Promise((hear) => {
  const corner = document.getElementById("toasts");
  const watch = (changes) => { if (changes.some((each) => each.addedNodes.length)) hear(corner.lastChild.textContent); };
  new MutationObserver(watch).observe(corner, { childList: true });
  setTimeout(() => hear(""), patience);
}) })"""


@contextmanager
def opened_window(browser: Browser, address: str, *, scheme: str = "light") -> Iterator[Page]:
    """Open a window in front of the page; an error of the page's own scripts fails whoever opened it."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    give_patience(context)
    window = context.new_page()
    errors = heed_errors(window)
    window.goto(address)
    expect(window.locator("#channel-head h1")).to_be_visible()
    yield window
    context.close()
    assert errors == []


def heed_errors(window: Page) -> list[str]:
    """Return where the errors of the page's own scripts, and what it could not load, will be found."""
    errors: list[str] = []

    def heed(said: ConsoleMessage) -> None:
        if said.type == "error":
            errors.append(f"{said.text} ({said.location.get('url', '')})")

    window.on("pageerror", lambda error: errors.append(str(error)))
    window.on("console", heed)
    return errors


class Visitor:
    """Somebody in front of the page, as one of the cast at a time."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.composer = page.locator("#composer-text")
        self.stream = page.locator("#stream")
        self.private = self.stream.locator("article.private")
        self.form = page.locator("#view[open]")
        self.question = page.locator("#confirm[open]")

    def be(self, name: str) -> None:
        """Become one of the cast."""
        self.page.get_by_role("radio", name=re.compile(f"^{name}")).click()
        expect(self.composer).to_have_attribute("placeholder", re.compile(f"as {name}$"))

    def go_to(self, channel: str) -> None:
        """Open a channel."""
        self.page.locator("#sidebar").get_by_role("link", name=channel).click()
        expect(self.composer).to_have_attribute("placeholder", re.compile(f"Message #?{channel} "))

    def type(self, text: str) -> None:
        """Send a message or a command."""
        self.composer.fill(text)
        self.composer.press("Escape")
        self.composer.press("Enter")

    def ask(self, text: str) -> Locator:
        """Send a command; return the answer, which this person alone sees."""
        return self.answer_to(lambda: self.type(text))

    def ask_until(self, text: str, words: re.Pattern[str]) -> Locator:
        """Send a command again and again until its answer holds the words: what it tells of is still under way."""
        for _ in range(_ASKED_AT_MOST):
            answer = self.ask(text)
            if words.search(answer.inner_text()):
                break
        expect(answer).to_contain_text(words)
        return answer

    def answer_to(self, act: Callable[[], None]) -> Locator:
        """Do something; return the private message that it is answered with, none that was there before."""
        before = time.time()
        act()
        return self._known(self._since(before).and_(self.private).first)

    def warning_of(self, act: Callable[[], None]) -> str:
        """Do something; return what the page then says in its corner, however short a time it stands there."""
        heard = self.page.evaluate_handle(_NEXT_TOAST, PATIENCE_MS)
        act()
        return str(heard.evaluate("heard => heard.words"))

    def post_of(self, act: Callable[[], None], *words: Words) -> Locator:
        """Do something; return the message for everybody that comes of it and holds all these words."""
        before = time.time()
        act()
        return self._known(_holding(self._since(before).and_(self._public()), words).first)

    def posted(self, *words: Words) -> Locator:
        """Return the newest message for everybody that holds all these words, as soon as there is one."""
        newest = _holding(self._public(), words).last
        expect(newest).to_be_visible()
        return newest

    def _public(self) -> Locator:
        return self.stream.locator("article.message:not(.private)")

    def _since(self, moment: float) -> Locator:
        """Return what was posted after a moment: a message's name is its time."""
        return self.stream.locator(f"xpath=.//article[number(@data-target) > {moment:.6f}]")

    def _known(self, message: Locator) -> Locator:
        """Return a message by its name, as soon as it is there: whatever it comes to say, it stays the same one."""
        expect(message).to_be_visible()
        return self.stream.locator(f"article[data-target='{message.get_attribute('data-target')}']")

    def press(self, where: Locator, button: str) -> None:
        """Press a button in a message, a form or the side."""
        where.get_by_role("button", name=re.compile(f"^{re.escape(button)}")).last.click()

    def confirm(self, button: str) -> str:
        """Answer the question that a button asked; return its words."""
        expect(self.question).to_be_visible()
        words = self.question.inner_text()
        self.question.get_by_role("button", name=button, exact=True).click()
        return words

    def tab(self, name: str) -> Locator:
        """Open a tab beside the chat; return what is in it."""
        self.page.get_by_role("tab", name=re.compile(f"^{name}")).click()
        body = self.page.locator("#side-body")
        expect(body).to_have_attribute("aria-label", name)
        return body

    def pick(self, label: Words, query: str, option: Words) -> None:
        """Type into a picker of the open form and take what is offered."""
        field = self.form.get_by_label(label)
        field.fill(query)
        self.form.get_by_role("option").filter(has_text=option).first.click()

    def submit(self, button: str) -> None:
        """Send the open form."""
        self.form.get_by_role("button", name=button, exact=True).click()

    def tidy(self) -> None:
        """Begin anew: no window, thread or mail is open, and the channel is the one that everything is posted in."""
        if self.page.locator("dialog[open], #thread:not([hidden]), article.mail").count():
            self.page.reload()
            expect(self.page.locator("#channel-head h1")).to_be_visible()
        if not self.page.url.endswith("#C0SECURITY"):
            self.go_to("security")

    def has_gone(self, where: Locator) -> None:
        """Wait until something is not there any more."""
        expect(where).to_have_count(0)


def _holding(messages: Locator, words: tuple[Words, ...]) -> Locator:
    for each in words:
        messages = messages.filter(has_text=each)
    return messages
