"""Large results kept for the pages that follow, so that a page does not cost what the whole result costs.

Whether Azure keeps a snapshot for its skip tokens is not known. Here a page shows what has changed since the page
before: a result is good only for as long as no row of its tables has. A query that asks for the time of day (`ago`,
`now`) keeps that of its first page for as long."""

from collections import OrderedDict
from collections.abc import Callable, Hashable

from simulator.kql.tables import Result

_ROWS = 2_000  # smaller results cost less than they would weigh
_MOST = 8


class Kept:
    """The newest large results."""

    def __init__(self) -> None:
        self._results: OrderedDict[Hashable, tuple[Hashable, Result]] = OrderedDict()

    def result(self, question: Hashable, state: Hashable, following: bool, ask: Callable[[], Result]) -> Result:
        """The result of a question asked of tables in that state; `following`: it is asked for a further page."""
        held = self._results.get(question)
        if held is not None and held[0] == state and (following or not held[1].by_the_clock):
            self._results.move_to_end(question)
            return held[1]
        self._results.pop(question, None)
        result = ask()
        if len(result.found) > _ROWS:
            self._results[question] = state, result
            if len(self._results) > _MOST:
                self._results.popitem(last=False)
        return result
