"""Manners towards quotas: nobody sleeps, those who must wait are told their turn, and instances share one row."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from shared.arm.quota_estimate import ARM_BUCKETS, kind_of, remaining_tokens, resource_type
from shared.arm.throttle import CLIENT_THROTTLED, Throttle, ThrottleSettings
from shared.domain.errors import RecordConflict, TransientError
from shared.ports import QuotaRow
from tests.fakes.clock import VirtualClock
from tests.fakes.storage import FakeQuota

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
PATH = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
INSTANCES = f"{PATH}/providers/Microsoft.DataProtection/backupVaults/v/backupInstances"
WRITES = "x-ms-ratelimit-remaining-subscription-writes"
OWN = "x-ms-ratelimit-remaining-subscription-resource-requests"


async def call(
    throttle: Throttle, headers: dict[str, str] | None = None, path: str = PATH, kind: str = "writes"
) -> None:
    """One admitted call that Azure answered with these headers."""
    assert kind in ("reads", "writes", "deletes")
    async with throttle.admitted(SUBSCRIPTION, kind, path):  # type: ignore[arg-type]
        pass
    throttle.answered(SUBSCRIPTION, kind, path, headers or {})  # type: ignore[arg-type]


async def wait_of(throttle: Throttle, path: str = PATH, kind: str = "writes") -> float:
    """How long a caller is told to wait, in Azure's seconds."""
    with pytest.raises(TransientError) as raised:
        await call(throttle, path=path, kind=kind)
    assert raised.value.code == CLIENT_THROTTLED
    assert raised.value.retry_after is not None
    return raised.value.retry_after


async def test_a_nearly_empty_bucket_refuses_before_anything_is_sent_and_fills_again() -> None:
    clock = VirtualClock()
    throttle = Throttle(FakeQuota(), clock, "one")
    await call(throttle, {WRITES: "5"})
    assert await wait_of(throttle) == pytest.approx(0.1)
    clock.advance(0.2)
    await call(throttle)


async def test_those_who_wait_come_back_one_by_one() -> None:
    clock = VirtualClock()
    throttle = Throttle(FakeQuota(), clock, "one")
    await call(throttle, {WRITES: "0"})
    waits = [await wait_of(throttle) for _ in range(50)]
    assert waits == sorted(waits)
    assert waits[-1] - waits[0] == pytest.approx(49 / ARM_BUCKETS["writes"].refill)
    start = clock.now()
    for wait in waits:
        clock.advance_to(start + timedelta(seconds=wait + 0.001))
        await call(throttle)  # each finds its token


async def test_the_wait_is_in_azures_seconds_when_the_world_is_in_a_hurry() -> None:
    clock = VirtualClock()
    throttle = Throttle(FakeQuota(), clock, "one", scale=60)
    await call(throttle, {WRITES: "0"})
    wait = await wait_of(throttle)
    assert wait == pytest.approx(0.6)
    clock.advance(wait / 60 + 0.0001)
    await call(throttle)


async def test_nobody_waits_longer_than_the_longest_wait() -> None:
    throttle = Throttle(FakeQuota(), VirtualClock(), "one", settings=ThrottleSettings(longest_wait=3))
    await call(throttle, {WRITES: "0"})
    assert max([await wait_of(throttle) for _ in range(100)]) == 3


async def test_reads_do_not_wait_for_writes_nor_one_subscription_for_another() -> None:
    throttle = Throttle(FakeQuota(), VirtualClock(), "one")
    await call(throttle, {WRITES: "0"})
    await wait_of(throttle)
    await call(throttle, kind="reads")
    async with throttle.admitted("22222222-2222-2222-2222-222222222222", "writes", PATH):
        pass


async def test_calls_under_way_count_against_what_an_answer_says_is_left() -> None:
    throttle = Throttle(FakeQuota(), VirtualClock(), "one")
    async with AsyncExitStack() as under_way:
        for _ in range(10):
            await under_way.enter_async_context(throttle.admitted(SUBSCRIPTION, "writes", PATH))
        throttle.answered(SUBSCRIPTION, "writes", PATH, {WRITES: "14"})
        await wait_of(throttle)  # 14 less the 9 that are not back leaves the reserve


async def test_a_429_of_arm_keeps_every_instance_still() -> None:
    clock, quota = VirtualClock(), FakeQuota()
    one, two = Throttle(quota, clock, "one"), Throttle(quota, clock, "two")
    await call(one)
    await call(two)
    await one.refused(SUBSCRIPTION, "writes", PATH, "SubscriptionRequestsThrottled", 17)
    assert await wait_of(one, kind="reads") == pytest.approx(17)
    clock.advance(4)  # what two has of the row is old by now
    assert await wait_of(two) == pytest.approx(13, abs=0.2)
    clock.advance(13.5)
    await call(two)
    assert (await quota.get(SUBSCRIPTION)).not_before is not None


async def test_a_shorter_retry_after_does_not_shorten_a_longer_one() -> None:
    clock, quota = VirtualClock(), FakeQuota()
    throttle = Throttle(quota, clock, "one")
    await call(throttle)
    await throttle.refused(SUBSCRIPTION, "writes", PATH, "", 60)
    await throttle.refused(SUBSCRIPTION, "reads", PATH, "", 5)
    assert (await quota.get(SUBSCRIPTION)).not_before == clock.now() + timedelta(seconds=60)


async def test_a_providers_own_bucket_holds_back_its_type_only() -> None:
    clock, quota = VirtualClock(), FakeQuota()
    throttle = Throttle(quota, clock, "one")
    await call(throttle, {OWN: "0"}, f"{INSTANCES}/a")
    await wait_of(throttle, f"{INSTANCES}/b")
    await call(throttle, path=f"{PATH}/providers/Microsoft.Storage/storageAccounts/s")
    await throttle.refused(SUBSCRIPTION, "writes", f"{INSTANCES}/a", "SubscriptionRequestsThrottled", 30)
    assert await wait_of(throttle, f"{INSTANCES}/b") == pytest.approx(30, abs=5)
    assert (await quota.get(SUBSCRIPTION)).not_before is None


async def test_a_providers_answer_corrects_what_was_assumed_of_it() -> None:
    clock = VirtualClock()
    throttle = Throttle(FakeQuota(), clock, "one")
    await call(throttle, {OWN: "0"}, f"{INSTANCES}/a")
    clock.advance(120)
    await call(throttle, {OWN: "190"}, f"{INSTANCES}/a")


async def test_a_silent_provider_is_felt_for() -> None:
    """AKS never says what is left of its own buckets; the pace goes down with refusals and up with answers."""
    clock, quota = VirtualClock(), FakeQuota()
    throttle = Throttle(quota, clock, "one")
    await call(throttle)
    await throttle.refused(SUBSCRIPTION, "writes", PATH, "Throttled", 2)
    assert (await quota.get(SUBSCRIPTION)).not_before is None
    first = await wait_of(throttle)
    gap = await wait_of(throttle) - first
    assert first == pytest.approx(2)
    assert gap == pytest.approx(1.25)  # a fifth slower than one a second
    for _ in range(30):
        clock.advance(2)
        await call(throttle)
    await throttle.refused(SUBSCRIPTION, "writes", PATH, "Throttled", 1)
    first = await wait_of(throttle)
    assert await wait_of(throttle) - first < gap


async def test_instances_share_what_may_be_under_way() -> None:
    clock, quota = VirtualClock(), FakeQuota()
    settings = ThrottleSettings(max_in_flight=8)
    one, two = (Throttle(quota, clock, name, settings=settings) for name in ("one", "two"))
    await call(one)
    assert (await quota.get(SUBSCRIPTION)).in_flight["one"][0] == 8
    await call(two)  # nothing is left, but one call is always allowed
    clock.advance(61)
    await call(one)
    await call(two)
    shares = {name: calls for name, (calls, _) in (await quota.get(SUBSCRIPTION)).in_flight.items()}
    assert shares == {"one": 4, "two": 4}


async def test_an_instance_that_is_gone_gives_its_share_back() -> None:
    clock, quota = VirtualClock(), FakeQuota()
    settings = ThrottleSettings(max_in_flight=8)
    gone, stays = (Throttle(quota, clock, name, settings=settings) for name in ("gone", "stays"))
    await call(gone)
    clock.advance(200)
    await call(stays)
    assert {name: calls for name, (calls, _) in (await quota.get(SUBSCRIPTION)).in_flight.items()} == {"stays": 8}


async def test_more_calls_than_the_share_wait_for_one_to_come_back() -> None:
    throttle = Throttle(FakeQuota(), VirtualClock(), "one", settings=ThrottleSettings(max_in_flight=2))
    under_way, most, release = 0, 0, asyncio.Event()

    async def one_call() -> None:
        nonlocal under_way, most
        async with throttle.admitted(SUBSCRIPTION, "reads", PATH):
            under_way += 1
            most = max(most, under_way)
            await release.wait()
            under_way -= 1

    calls = [asyncio.create_task(one_call()) for _ in range(10)]
    for _ in range(20):
        await asyncio.sleep(0)
    assert under_way == 2
    calls[5].cancel()  # one that waits gives up, and hangs nobody
    release.set()
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert most == 2
    assert sum(isinstance(each, asyncio.CancelledError) for each in ended) == 1


async def test_the_row_is_written_rarely() -> None:
    clock, quota = VirtualClock(), FakeQuota()
    throttle = Throttle(quota, clock, "one")
    for _ in range(29):
        await call(throttle)
        clock.advance(1)
    assert (await quota.get(SUBSCRIPTION)).etag == 'W/"1"'


class BusyQuota(FakeQuota):
    """Somebody else always writes first."""

    async def save(self, row: QuotaRow) -> QuotaRow:
        raise RecordConflict(row.subscription_id)


async def test_a_race_that_is_always_lost_leaves_one_call_at_a_time() -> None:
    throttle = Throttle(BusyQuota(), VirtualClock(), "one")
    async with throttle.admitted(SUBSCRIPTION, "reads", PATH):
        second = asyncio.create_task(call(throttle, kind="reads"))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not second.done()
    await second


@pytest.mark.parametrize(
    ("method", "kind"),
    [("GET", "reads"), ("HEAD", "reads"), ("PUT", "writes"), ("POST", "writes"), ("DELETE", "deletes")],
)
def test_each_method_falls_under_its_bucket(method: str, kind: str) -> None:
    assert kind_of(method) == kind


def test_types_are_told_apart_and_names_are_not() -> None:
    assert resource_type(f"{INSTANCES}/a") == "microsoft.dataprotection/backupvaults/backupinstances"
    assert resource_type(f"{INSTANCES}/a/backup") == "microsoft.dataprotection/backupvaults/backupinstances/backup"
    assert resource_type(f"{INSTANCES}/A") == resource_type(f"{INSTANCES}/b")


def test_headers_that_are_no_counts_are_not_read() -> None:
    assert remaining_tokens({WRITES: "many", OWN: "Microsoft.Compute/x;12"}) == (None, None)
    assert remaining_tokens({"x-ms-ratelimit-remaining-subscription-global-reads": "3000"}) == (None, None)
    assert remaining_tokens({WRITES: "12", OWN: "7"}) == (12, 7)
