"""Questions to Resource Graph of one sweep, each with what its answer can be traced by."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.arm.client import ArmClient
from shared.arm.resource_graph import INCOMPLETE, ResourceGraph
from shared.domain.errors import GuardError, TransientError
from shared.domain.facts import Unobserved
from shared.domain.fleet import Source

SUBSCRIPTIONS_AT_ONCE = 300
"""In one query, as the throttling guidance recommends."""
_READINGS = 4
_LONGEST_PAUSE = 10.0
"""Seconds on the wall that a throttle is waited for: the quota is of five seconds, and other programs share it."""


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, or why there is none (`source.error`)."""

    rows: Sequence[Any]
    source: Source


class Questions:
    """Asked one after another. Rows that became fewer while they were read are read again, a throttle that passes soon
    is waited for; what fails then, fails."""

    def __init__(self, arm: ArmClient) -> None:
        self._arm, self._graph = arm, ResourceGraph(arm, _LONGEST_PAUSE)

    async def ask(
        self,
        name: str,
        text: str,
        subscriptions: Sequence[str] = (),
        management_groups: Sequence[str] = (),
        **how: Any,
    ) -> Told:
        """`how` is as `ResourceGraph.ask` has it. Raises GuardError."""
        for left in reversed(range(_READINGS)):
            try:
                found = await self._graph.ask(text, subscriptions, management_groups, **how)
            except TransientError as error:
                if error.code != INCOMPLETE or not left:
                    raise
            else:
                return Told(found.rows, Source(name, found.at, found.request_ids, len(found.rows)))
        raise AssertionError("unreachable: the last reading raises")

    async def try_to_ask(self, name: str, text: str, subscriptions: Sequence[str] = (), **how: Any) -> Told:
        """As `ask`, with an error in place of an answer."""
        try:
            return await self.ask(name, text, subscriptions, **how)
        except GuardError as error:
            return Told((), self.failed(name, error))

    def failed(self, name: str, error: GuardError) -> Source:
        ids = (error.request_id,) if error.request_id else ()
        return Source(name, self._arm.now(), ids, 0, in_words(error))


def in_words(error: GuardError) -> str:
    return f"{error.code}: {error.message}".rstrip(".")


def unobserved(source: Source) -> Unobserved:
    return Unobserved(source.error or "not read yet")
