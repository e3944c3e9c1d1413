"""Manners towards Azure's quotas, without sleeping: who must wait is told for how long, and comes back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.arm.quota_estimate import (
    ARM_BUCKETS,
    PROVIDER_BUCKET,
    BucketEstimate,
    BucketSize,
    Kind,
    QuotaEstimate,
    remaining_tokens,
    resource_type,
)
from shared.domain.errors import RecordConflict, TransientError
from shared.ports import Clock, QuotaRow, SharedQuota
from shared.telemetry import count
from shared.telemetry.catalogue import THROTTLES

CLIENT_THROTTLED = "ClientThrottled"
_CODES_OF_ARM = frozenset({"subscriptionrequeststhrottled", "tenantrequeststhrottled", "toomanyrequests", ""})


@dataclass(frozen=True, slots=True)
class ThrottleSettings:
    """`max_in_flight` calls of all instances together, per subscription. `reserve` tokens of each bucket are left for
    people and other programs. `longest_wait` is in Azure's seconds; the rest are seconds on the wall."""

    max_in_flight: int = 64
    reserve: float = 5
    longest_wait: float = 120
    row_cached_for: float = 3
    share_lasts: float = 90
    share_renewed_every: float = 30
    buckets: Mapping[Kind, BucketSize] = field(default_factory=lambda: ARM_BUCKETS)
    provider_bucket: BucketSize = PROVIDER_BUCKET


class _InFlight:
    """Bounds the calls of this instance to one subscription; the bound may change while calls are under way."""

    def __init__(self) -> None:
        self.limit = 1
        self._running = 0
        self._waiting: list[asyncio.Future[None]] = []

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        while self._running >= self.limit:
            woken = asyncio.get_running_loop().create_future()
            self._waiting.append(woken)
            await woken
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            self.wake()

    def wake(self) -> None:
        """Let everybody who waits look again."""
        waiting, self._waiting = self._waiting, []
        for woken in waiting:
            if not woken.done():
                woken.set_result(None)


@dataclass(slots=True)
class _Subscription:
    """What this instance knows of one subscription."""

    estimate: QuotaEstimate
    in_flight: _InFlight
    row: QuotaRow | None = None
    row_read_at: datetime | None = None
    share_renewed_at: datetime | None = None


class Throttle:
    """One per instance of the app. `instance` names it in the shared row; `scale` as in `shared.domain.time.Moment`."""

    def __init__(
        self,
        quota: SharedQuota,
        clock: Clock,
        instance: str,
        *,
        scale: float = 1.0,
        settings: ThrottleSettings | None = None,
    ) -> None:
        self._quota, self._clock, self._instance, self._scale = quota, clock, instance, scale
        self._settings = settings or ThrottleSettings()
        self._subscriptions: dict[str, _Subscription] = {}
        self._row_lock = asyncio.Lock()

    @asynccontextmanager
    async def admitted(self, subscription_id: str, kind: Kind, path: str) -> AsyncIterator[None]:
        """Run one call inside. Raises TransientError `ClientThrottled` with `retry_after` in Azure's seconds, before
        anything is sent, when the quota is (nearly) used up; waits only for calls of this instance to come back."""
        subscription = self._known(subscription_id)
        await self._renew(subscription_id, subscription)
        async with subscription.in_flight.slot():
            self._spend(subscription, kind, path)
            yield

    def answered(self, subscription_id: str, kind: Kind, path: str, headers: Mapping[str, str]) -> None:
        """Learn from an answer (empty headers: the call got none)."""
        subscription, now = self._known(subscription_id), self._clock.now()
        arm, provider = remaining_tokens(headers)
        subscription.estimate.arm[kind].answered(arm, now)
        key = (resource_type(path), kind)
        known = subscription.estimate.providers.get(key)
        if known is not None:
            known.answered(provider, now)
        elif provider is not None:
            fresh = self._bucket(self._settings.provider_bucket, now)
            fresh.answered(provider, now)
            subscription.estimate.providers[key] = fresh

    async def refused(self, subscription_id: str, kind: Kind, path: str, code: str, wait: float) -> None:
        """Azure answered 429 and asked for `wait` seconds on the wall. When it was a resource provider (one that is
        known to count for itself, or by the code), calls to that type keep still, in this instance; when it was ARM,
        the whole subscription does, in every instance."""
        subscription, now = self._known(subscription_id), self._clock.now()
        key = (resource_type(path), kind)
        provider = subscription.estimate.providers.get(key)
        if provider is None and code.lower() not in _CODES_OF_ARM:
            provider = self._bucket(self._settings.provider_bucket, now)
            provider.silent, provider.reserve = True, 0
            subscription.estimate.providers[key] = provider
        count(THROTTLES, quota=kind if provider is None else "provider", by="azure")
        if provider is not None:
            provider.refused(wait, now)
            return
        subscription.estimate.arm[kind].refused(wait, now)
        until = now + timedelta(seconds=wait)

        def keep_still(row: QuotaRow) -> QuotaRow | None:
            return None if row.not_before and row.not_before >= until else replace(row, not_before=until)

        await self._change(subscription_id, subscription, keep_still)

    def _known(self, subscription_id: str) -> _Subscription:
        found = self._subscriptions.get(subscription_id)
        if found is None:
            now = self._clock.now()
            buckets = {kind: self._bucket(size, now) for kind, size in self._settings.buckets.items()}
            found = self._subscriptions[subscription_id] = _Subscription(QuotaEstimate(buckets), _InFlight())
        return found

    def _bucket(self, size: BucketSize, now: datetime) -> BucketEstimate:
        reserve = min(self._settings.reserve, size.tokens / 10)
        return BucketEstimate(size, reserve, self._scale, size.tokens, now, next_turn=now)

    def _spend(self, subscription: _Subscription, kind: Kind, path: str) -> None:
        now = self._clock.now()
        not_before = subscription.row.not_before if subscription.row else None
        earliest = max(now, not_before or now)
        buckets = list(subscription.estimate.of(kind, path))
        full = [bucket for bucket in buckets if not bucket.has_room(now)]
        if earliest <= now and not full:
            for bucket in buckets:
                bucket.spend()
            return
        queue = max(full or buckets, key=lambda bucket: bucket.turn(now, earliest))
        longest = now + timedelta(seconds=self._settings.longest_wait / self._scale)
        turn = min(queue.turn(now, earliest), longest)
        queue.give_turn(turn)
        wait = (turn - now).total_seconds() * self._scale
        count(THROTTLES, quota=kind if queue is subscription.estimate.arm[kind] else "provider", by="guard")
        raise TransientError(
            CLIENT_THROTTLED,
            f"Held back: the subscription's quota for {kind} is used up, next turn in {wait:.1f} s.",
            retry_after=wait,
        )

    async def _renew(self, subscription_id: str, subscription: _Subscription) -> None:
        """Read the shared row when what is cached is old, and renew this instance's share now and then."""
        now = self._clock.now()
        if self._share_is_due(subscription, now):
            async with self._row_lock:
                if self._share_is_due(subscription, now):
                    await self._change(subscription_id, subscription, self._with_own_share)
                    subscription.share_renewed_at = now
        elif self._row_is_old(subscription, now):
            async with self._row_lock:
                if self._row_is_old(subscription, now):
                    self._remember(subscription, await self._quota.get(subscription_id))

    def _share_is_due(self, subscription: _Subscription, now: datetime) -> bool:
        return _older(subscription.share_renewed_at, now, self._settings.share_renewed_every)

    def _row_is_old(self, subscription: _Subscription, now: datetime) -> bool:
        return _older(subscription.row_read_at, now, self._settings.row_cached_for)

    def _with_own_share(self, row: QuotaRow) -> QuotaRow:
        """This instance's part: no more than an equal one, no more than the others leave, but always one call."""
        now, total = self._clock.now(), self._settings.max_in_flight
        others = {
            instance: (calls, until)
            for instance, (calls, until) in row.in_flight.items()
            if instance != self._instance and until > now
        }
        left = total - sum(calls for calls, _ in others.values())
        share = max(1, min(left, total // (len(others) + 1)))
        until = now + timedelta(seconds=self._settings.share_lasts)
        return replace(row, in_flight={**others, self._instance: (share, until)})

    async def _change(self, subscription_id: str, subscription: _Subscription, change: "_Change") -> None:
        """Write the shared row; after a lost race read it again, three times at most: the next call tries anew."""
        for _ in range(3):
            row = await self._quota.get(subscription_id)
            changed = change(row)
            if changed is None:
                self._remember(subscription, row)
                return
            try:
                self._remember(subscription, await self._quota.save(changed))
            except RecordConflict:
                continue
            return

    def _remember(self, subscription: _Subscription, row: QuotaRow) -> None:
        subscription.row, subscription.row_read_at = row, self._clock.now()
        own, _ = row.in_flight.get(self._instance, (1, row.not_before))
        subscription.in_flight.limit = max(1, own)
        subscription.in_flight.wake()


type _Change = Callable[[QuotaRow], QuotaRow | None]


def _older(moment: datetime | None, now: datetime, seconds: float) -> bool:
    return moment is None or (now - moment).total_seconds() >= seconds
