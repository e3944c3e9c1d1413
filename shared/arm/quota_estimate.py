"""What is left of Azure's token buckets, as far as its answers tell: pure bookkeeping, no clock of its own."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

Kind = Literal["reads", "writes", "deletes"]

_SUBSCRIPTION_KIND = re.compile(r"^x-ms-ratelimit-remaining-subscription-(reads|writes|deletes)$")
PROVIDER_HEADER = "x-ms-ratelimit-remaining-subscription-resource-requests"


def kind_of(method: str) -> Kind:
    """Which of ARM's buckets a call falls under: POST and PATCH count as writes."""
    if method in ("GET", "HEAD"):
        return "reads"
    return "deletes" if method == "DELETE" else "writes"


def resource_type(path: str) -> str:
    """The type an ARM path is about, lower-case: resource providers count calls for themselves, by type."""
    _, _, tail = path.lower().rpartition("/providers/")
    namespace, *rest = tail.split("/")
    return "/".join((namespace, *rest[::2]))


@dataclass(frozen=True, slots=True)
class BucketSize:
    """`tokens` when full; `refill` is tokens per second of Azure's time."""

    tokens: float
    refill: float


ARM_BUCKETS: Mapping[Kind, BucketSize] = {
    "reads": BucketSize(250, 25),
    "writes": BucketSize(200, 10),
    "deletes": BucketSize(200, 10),
}
"""Per subscription and principal, as ARM publishes them (ARM throttling page)."""

PROVIDER_BUCKET = BucketSize(100, 1)
"""Assumed: the ARM throttling page does not tell the windows of the providers' own buckets. Each answer corrects it."""

_FASTER, _SLOWER, _FASTEST = 1.05, 0.8, 25.0


@dataclass(slots=True)
class BucketEstimate:
    """One bucket. `scale` is how much faster than Azure's the world runs. A caller that is refused is told when its
    turn comes: turns are one refill apart, so that those who wait come back one by one and not all at once.

    A provider that refuses without ever having said what is left is `silent`: its refill is felt for, a little up with
    every answer and down with every refusal."""

    size: BucketSize
    reserve: float
    scale: float
    tokens: float
    filled_at: datetime
    next_turn: datetime
    silent: bool = False
    refill: float = 0
    in_flight: int = 0
    still_until: datetime | None = None

    def __post_init__(self) -> None:
        self.refill = self.refill or self.size.refill

    def fill(self, now: datetime) -> None:
        passed = max(0.0, (now - self.filled_at).total_seconds()) * self.scale
        self.tokens = min(self.size.tokens, self.tokens + passed * self.refill)
        self.filled_at = now

    def has_room(self, now: datetime) -> bool:
        self.fill(now)
        return self.tokens - 1 >= self.reserve and (self.still_until is None or self.still_until <= now)

    def spend(self) -> None:
        self.tokens -= 1
        self.in_flight += 1

    def answered(self, remaining: float | None, now: datetime) -> None:
        """One call came back and said what was left; the calls still under way were not all counted in it."""
        self.in_flight = max(0, self.in_flight - 1)
        if remaining is not None:
            self.silent = False
            self.fill(now)
            self.size = BucketSize(max(self.size.tokens, remaining), self.size.refill)
            self.tokens = remaining - self.in_flight
        elif self.silent:
            self.refill = min(self.refill * _FASTER, _FASTEST)

    def refused(self, wait: float, now: datetime) -> None:
        """Azure answered 429 and asked for `wait` seconds on the wall."""
        self.fill(now)
        self.tokens = min(self.tokens, self.reserve)
        self.still_until = now + timedelta(seconds=wait)
        if self.silent:
            self.refill *= _SLOWER

    def turn(self, now: datetime, earliest: datetime) -> datetime:
        """When the next caller that found no room may come back."""
        room = now + timedelta(seconds=max(0.0, (self.reserve + 1 - self.tokens) / self.refill) / self.scale)
        return max(room, self.next_turn, self.still_until or now, earliest)

    def give_turn(self, turn: datetime) -> None:
        self.next_turn = turn + timedelta(seconds=1 / self.refill / self.scale)


@dataclass(slots=True)
class QuotaEstimate:
    """All buckets of one subscription: ARM's own by kind of call, and those a provider shows for a type."""

    arm: dict[Kind, BucketEstimate]
    providers: dict[tuple[str, Kind], BucketEstimate] = field(default_factory=dict)

    def of(self, kind: Kind, path: str) -> Iterator[BucketEstimate]:
        yield self.arm[kind]
        if provider := self.providers.get((resource_type(path), kind)):
            yield provider


def remaining_tokens(headers: Mapping[str, str]) -> tuple[float | None, float | None]:
    """What ARM and what the resource provider say is left after the call, None each when it says nothing."""
    arm = next((_number(value) for name, value in headers.items() if _SUBSCRIPTION_KIND.match(name)), None)
    return arm, _number(headers.get(PROVIDER_HEADER, ""))


def _number(value: str) -> float | None:
    """`Microsoft.Compute/x;12` style lists are not ours; a plain count is."""
    return float(value) if value.strip().isdigit() else None
