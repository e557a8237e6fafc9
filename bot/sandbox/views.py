"""Open modals, stacked per person, and published App Homes."""

import itertools
import secrets
from dataclasses import replace

from bot.sandbox.records import View
from bot.sandbox.shapes import Json

STACK_LIMIT = 3  # Slack's: a modal, and two pushed onto it


class ViewStore:
    """Every view people can see now. The owner's lock protects it (see `state.State`)."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._open: dict[str, View] = {}
        self._homes: dict[str, View] = {}

    def open(self, user: str, payload: Json) -> View:
        """Show a modal instead of whatever modals the person had open."""
        self.clear(user)
        view_id = self._new_id()
        return self._put(View(view_id, user, self._new_hash(), payload, root_id=view_id))

    def push(self, below: View, payload: Json) -> View:
        """Show a modal on top of `below`."""
        fresh = View(
            self._new_id(), below.user, self._new_hash(), payload, below.root_id, previous_id=below.id
        )
        return self._put(fresh)

    def update(self, view: View, payload: Json) -> View:
        """Replace the content of a view; what the person typed stays where block and action ids stay."""
        return self._put(replace(view, payload=payload, hash=self._new_hash()))

    def remember(self, view: View, values: Json) -> View:
        """Keep what the person chose so far, as Slack's `state.values`."""
        return self._put(replace(view, values=values))

    def publish(self, user: str, payload: Json) -> View:
        """Set a person's App Home."""
        known = self._homes.get(user)
        view_id = known.id if known else self._new_id()
        return self._put(View(view_id, user, self._new_hash(), payload, root_id=view_id))

    def home(self, user: str) -> View | None:
        return self._homes.get(user)

    def stack(self, user: str) -> list[View]:
        """The person's open modals, the one on top last."""
        return [view for view in self._open.values() if view.user == user]

    def get(self, view_id: str, external_id: str = "") -> View:
        """An open view by its id or the bot's external id; raises LookupError."""
        for view in (*self._open.values(), *self._homes.values()):
            if view.id == view_id or (external_id and view.payload.get("external_id") == external_id):
                return view
        raise LookupError(f"no open view {view_id or external_id}")

    def close(self, view: View) -> None:
        """Close one modal; the one below it shows again."""
        self._open.pop(view.id, None)

    def clear(self, user: str) -> None:
        """Close every modal of a person."""
        for view in self.stack(user):
            del self._open[view.id]

    def _put(self, view: View) -> View:
        if view.payload.get("type") == "home":
            self._homes[view.user] = view
        else:
            self._open[view.id] = view
        return view

    def _new_id(self) -> str:
        return f"V{next(self._ids):05d}{secrets.token_hex(4).upper()}"  # unique for ever, as Slack's are

    def _new_hash(self) -> str:
        return f"{next(self._ids)}.hash"
