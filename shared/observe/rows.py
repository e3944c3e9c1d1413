"""Rows of an answer, read one by one: one that cannot be read is told and counted, and stops no other."""

import logging
from collections.abc import Callable, Iterable, Iterator

from shared.observe.fields import JsonObject, UnreadableBodyError

log = logging.getLogger(__name__)
_SHOWN = 200


class Rows:
    """The rows of one source. `unreadable` counts those that could not be read, since the process began."""

    def __init__(self, source: str) -> None:
        self._source = source
        self.unreadable = 0

    def read[T](self, rows: Iterable[JsonObject], parse: Callable[[JsonObject], T | None]) -> Iterator[T]:
        """What `parse` makes of them; None leaves a row out, UnreadableBodyError counts it."""
        for row in rows:
            try:
                found = parse(row)
            except UnreadableBodyError as error:
                self.tell(error, dict(row))
                continue
            if found is not None:
                yield found

    def tell(self, error: UnreadableBodyError, row: object) -> None:
        """A row could not be read."""
        self.unreadable += 1
        shown = ascii(row)[:_SHOWN]
        log.warning("%s has a row that cannot be read (%d so far): %s: %s", self._source, self.unreadable, error, shown)
