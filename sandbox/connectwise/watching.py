"""Who is told of changes of the store: several changes of one record within one request count as one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

Action = Literal["added", "updated", "deleted"]


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to a record; `by` is the member who did it, `record` the stored record."""

    collection: str
    record_id: int
    action: Action
    by: str
    record: dict[str, Any]


class Watch:
    """Hands every change to `listener`, if there is one."""

    def __init__(self) -> None:
        """Nobody listens yet."""
        self.listener: Callable[[Change], None] | None = None
        self._held: dict[tuple[str, int], Change] | None = None

    def note(self, change: Change) -> None:
        """Tell of a change, at once or when `one_change` ends."""
        if self.listener is None:
            return
        if self._held is None:
            self.listener(change)
            return
        key = (change.collection, change.record_id)
        earlier = self._held.get(key)
        if earlier is not None and earlier.action == "added" and change.action == "updated":
            change = replace(change, action="added")
        self._held[key] = change

    @contextmanager
    def one_change(self, *, told: bool = True) -> Iterator[None]:
        """Tell of everything done inside as one change for each record; `told` False: tell nobody.

        Nothing may wait inside: it would hold back the changes of others.
        """
        self._held, before = {}, self._held
        try:
            yield
        finally:
            held, self._held = self._held, before
        for change in held.values() if told else ():
            self.note(change)
