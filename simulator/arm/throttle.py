"""ARM's token buckets: per subscription (or tenant), principal and kind of call, with the sizes Azure publishes.

Sizes and refill: "Understand how Azure Resource Manager throttles requests" (the token bucket model of 2024). The
wording of the 429 and the width of a provider's own buckets are assumed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from simulator.arm.errors import ArmError
from simulator.arm.headers import retry_after
from simulator.arm.route import Bucket
from simulator.clock import Clock

SIZES = {"reads": (250, 25.0), "writes": (200, 10.0), "deletes": (200, 10.0)}
"""Kind of call -> bucket size, tokens a second; the same for a subscription and for the tenant."""

GLOBAL_FACTOR = 15
"""All principals of a subscription together may do this many times what one may."""

_KINDS = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}


def kind_of(method: str) -> str:
    """`reads`, `deletes` or `writes`: PUT, PATCH and POST are writes (recorded: POST counts the writes down)."""
    return _KINDS.get(method, "writes")


@dataclass(slots=True)
class TokenBucket:
    """`refill` is tokens a second of the real Azure; `shorten` is the clock's."""

    size: float
    refill: float
    shorten: Callable[[float], float]
    tokens: float
    filled_at: datetime

    def fill(self, now: datetime) -> None:
        seconds = (now - self.filled_at).total_seconds() / self.shorten(1.0)
        self.tokens = min(self.size, self.tokens + seconds * self.refill)
        self.filled_at = now

    def seconds_to_token(self) -> float:
        """Azure's seconds until one token is there; 0 when there is one."""
        return max(0.0, (1 - self.tokens) / self.refill)


@dataclass(slots=True)
class Throttles:
    """Every bucket, made when first used."""

    clock: Clock
    _buckets: dict[tuple[str, ...], TokenBucket] = field(default_factory=dict)

    def spend(
        self, subscription_id: str | None, principal_id: str, method: str, bucket: Bucket | None
    ) -> dict[str, str]:
        """Take one token from each bucket the call falls under and return the headers that tell what is left.
        Raises ArmError 429 with Retry-After, taking none, when one of them is empty."""
        kind = kind_of(method)
        size, refill = SIZES[kind]
        place = "subscription" if subscription_id else "tenant"
        owner = (subscription_id or "").lower()
        own = self._bucket((place, owner, principal_id, kind), size, refill)
        everyone = self._bucket((place, owner, "", kind), size * GLOBAL_FACTOR, refill * GLOBAL_FACTOR)
        spent = [own, everyone]
        headers: dict[str, TokenBucket] = {}
        if bucket is not None and subscription_id:
            provider = self._bucket((place, owner, "provider", bucket.name), bucket.size, bucket.refill_per_second)
            spent.append(provider)
            # recorded: a provider that counts for itself shows its own header instead of ARM's
            headers[f"x-ms-ratelimit-remaining-{place}-resource-requests"] = provider
        else:
            headers[f"x-ms-ratelimit-remaining-{place}-{kind}"] = own
            headers[f"x-ms-ratelimit-remaining-{place}-global-{kind}"] = everyone
        wait = max(each.seconds_to_token() for each in spent)
        if wait > 1e-9:
            raise self._refusal(place, subscription_id, principal_id, kind, wait)
        for each in spent:
            each.tokens = max(0.0, each.tokens - 1)
        return {name: str(int(each.tokens)) for name, each in headers.items()}

    def _bucket(self, key: tuple[str, ...], size: float, refill: float) -> TokenBucket:
        now = self.clock.now()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(size, refill, self.clock.shorten, size, now)
        bucket.fill(now)
        return bucket

    def _refusal(self, place: str, subscription_id: str | None, principal_id: str, kind: str, wait: float) -> ArmError:
        seconds = retry_after(self.clock, wait)
        whose = f"{place} '{subscription_id}'" if subscription_id else place
        return ArmError(
            429,
            f"{place.capitalize()}RequestsThrottled",
            f"Number of '{kind.removesuffix('s')}' requests for {whose} actor '{principal_id}' exceeded. Please try "
            f"again after '{seconds}' seconds after additional tokens are available. Refer to "
            "https://aka.ms/arm-throttling for additional information.",
            headers={"Retry-After": seconds},
        )
