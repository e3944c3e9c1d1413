"""AKS's own token buckets, on top of ARM's: sizes and refill as published on its quotas page ("Throttling limits on
AKS resource provider APIs"); code and message as on its troubleshooting page."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.arm.headers import retry_after
from simulator.arm.route import Call, Handler
from simulator.arm.throttle import TokenBucket
from simulator.http import Response
from simulator.providers.container_service.refusals import refused

if TYPE_CHECKING:
    from simulator.cloud import Cloud


@dataclass(frozen=True, slots=True)
class Limit:
    """A bucket for each combination of the path parameters in `per`. `handler` is what the refusal names (all but the
    PUT's are assumed)."""

    handler: str
    size: int
    refill_per_second: float
    per: tuple[str, ...] = ("subscription",)


LIST_BY_SUBSCRIPTION = Limit("ListManagedClustersHandler.GET", 500, 1)
LIST_BY_GROUP = Limit("ListManagedClustersByResourceGroupHandler.GET", 60, 1, ("subscription", "group"))
GET_CLUSTER = Limit("GetManagedClusterHandler.GET", 60, 1, ("subscription", "group", "cluster"))
PUT_CLUSTER = Limit("PutManagedClusterHandler.PUT", 20, 1 / 60, ("subscription", "group", "cluster"))
OPERATION_STATUS = Limit("GetOperationStatusHandler.GET", 200, 2)
ALL_OTHER = Limit("other", 60, 1)


class Throttles:
    """The buckets, each made when it is first drawn from."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._buckets: dict[tuple[str, ...], TokenBucket] = {}

    def under(self, limit: Limit, handler: Handler) -> Handler:
        """The handler behind that limit: with an empty bucket the call raises ArmError 429 with Retry-After."""

        def limited(call: Call) -> Response | Awaitable[Response]:
            self._draw(limit, call.params)
            return handler(call)

        return limited

    def _draw(self, limit: Limit, params: Mapping[str, str]) -> None:
        clock = self._cloud.clock
        now = clock.now()
        key = (limit.handler, *(params[name].lower() for name in limit.per))
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = TokenBucket(limit.size, limit.refill_per_second, clock.shorten, limit.size, now)
            self._buckets[key] = bucket
        bucket.fill(now)
        wait = bucket.seconds_to_token()
        if wait > 1e-9:
            seconds = retry_after(clock, wait)
            error = refused(
                429,
                "Throttled",
                f"The {limit.handler} request limit has been exceeded for SubID='{params['subscription']}', please "
                f"retry again in {seconds} seconds. For more information, please visit aka.ms/aks/throttling",
                subcode="Throttled",
            )
            error.headers["Retry-After"] = seconds
            raise error
        bucket.tokens -= 1
