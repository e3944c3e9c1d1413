"""Resource Graph's own throttle: 15 queries in five seconds a user (documented), told in every answer (recorded)."""

import math
from collections import deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from simulator.arm.errors import ArmError

if TYPE_CHECKING:
    from simulator.cloud import Cloud

QUERIES = 15


class Quota:
    """Queries of each principal within the window (a timing). Assumed: the window slides."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._asked: dict[str, deque[datetime]] = {}

    def spend(self, principal_id: str) -> dict[str, str]:
        """The headers of an answer. Raises ArmError 429 with Retry-After when there is nothing left."""
        clock = self._cloud.clock
        now, window = clock.now(), timedelta(seconds=clock.shorten(self._cloud.timings.resource_graph_window))
        if not window:
            return _headers(QUERIES, 0)  # no quota, for measurements
        asked = self._asked.setdefault(principal_id, deque())
        while asked and asked[0] <= now - window:
            asked.popleft()
        if len(asked) >= QUERIES:
            wait = max(1, math.ceil((asked[0] + window - now).total_seconds()))
            raise ArmError(
                429,
                "RateLimiting",
                "Please provide below info when asking for support: you are sending too many requests. "
                f"Please try again after {wait} seconds.",  # assumed
                headers={"Retry-After": str(wait), **_headers(0, wait)},
            )
        asked.append(now)
        return _headers(QUERIES - len(asked), math.ceil((asked[0] + window - now).total_seconds()))


def _headers(left: int, seconds: int) -> dict[str, str]:
    minutes, seconds = divmod(seconds, 60)
    return {
        "x-ms-user-quota-remaining": str(left),
        "x-ms-user-quota-resets-after": f"00:{minutes:02}:{seconds:02}",
        "x-ms-ratelimit-remaining-tenant-resource-requests": str(left),
    }
