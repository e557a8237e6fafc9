"""How long a browser test waits for what must come: long, for a slow machine may be busy with other things."""

from playwright.sync_api import BrowserContext, expect

PATIENCE_S = 150
PATIENCE_MS = PATIENCE_S * 1000
expect.set_options(timeout=PATIENCE_MS)


def give_patience(context: BrowserContext) -> None:
    """Let whatever is done in the context's windows wait as long as what is expected there."""
    context.set_default_timeout(PATIENCE_MS)
