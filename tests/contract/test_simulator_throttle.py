"""Token buckets with ARM's sizes: what is left is told, empty is 429, and time fills them again."""

from datetime import timedelta

import pytest

from simulator.arm.errors import ArmError
from simulator.arm.route import Bucket
from simulator.arm.throttle import Throttles
from simulator.clock import VirtualClock
from tests.contract.arm_caller import SUBSCRIPTION, ArmCaller, code

SUB = SUBSCRIPTION.split("/")[2]


class FastClock(VirtualClock):
    """A clock on which Azure's seconds pass sixty times as fast."""

    def shorten(self, seconds: float) -> float:
        return seconds / 60


def spend_all(throttles: Throttles, method: str, principal: str = "p", bucket: Bucket | None = None) -> int:
    """Call until refused; how often it was allowed."""
    for count in range(100_000):
        try:
            throttles.spend(SUB, principal, method, bucket)
        except ArmError:
            return count
    raise AssertionError("never refused")


@pytest.mark.parametrize(
    ("method", "size"), [("GET", 250), ("HEAD", 250), ("PUT", 200), ("PATCH", 200), ("POST", 200), ("DELETE", 200)]
)
@pytest.mark.parametrize("subscription", [SUB, None])
def test_the_buckets_have_arms_sizes(method: str, size: int, subscription: str | None) -> None:
    throttles = Throttles(VirtualClock())
    for _ in range(size):
        throttles.spend(subscription, "p", method, None)
    with pytest.raises(ArmError) as refused:
        throttles.spend(subscription, "p", method, None)
    assert refused.value.status == 429
    assert refused.value.headers["Retry-After"] == "1"


def test_kinds_and_principals_and_subscriptions_have_buckets_of_their_own() -> None:
    throttles = Throttles(VirtualClock())
    assert spend_all(throttles, "PUT") == 200
    assert spend_all(throttles, "POST") == 0
    assert spend_all(throttles, "DELETE") == 200
    assert spend_all(throttles, "PUT", "q") == 200
    throttles.spend("another", "p", "PUT", None)


async def test_they_refill_at_arms_pace() -> None:
    clock = VirtualClock()
    throttles = Throttles(clock)
    spend_all(throttles, "GET")
    await clock.advance(2)
    assert spend_all(throttles, "GET") == 50
    spend_all(throttles, "PUT")
    await clock.advance(2)
    assert spend_all(throttles, "PUT") == 20
    await clock.advance(3600)
    assert spend_all(throttles, "GET") == 250


async def test_refill_follows_the_clocks_speed() -> None:
    clock = FastClock()
    throttles = Throttles(clock)
    spend_all(throttles, "PUT")
    await clock.advance_to(clock.now() + timedelta(seconds=1))
    assert spend_all(throttles, "PUT") == 200
    await clock.advance_to(clock.now() + timedelta(seconds=0.1))
    assert spend_all(throttles, "PUT") == 60


def test_all_principals_together_have_fifteen_times_as_much() -> None:
    throttles = Throttles(VirtualClock())
    assert sum(spend_all(throttles, "PUT", f"p{number}") for number in range(16)) == 15 * 200


def test_a_refused_call_takes_no_token() -> None:
    throttles = Throttles(VirtualClock())
    small = Bucket("small", 3, 1.0)
    assert spend_all(throttles, "PUT", bucket=small) == 3
    assert spend_all(throttles, "PUT") == 197


def test_a_providers_bucket_is_shared_by_principals_and_tells_of_itself() -> None:
    throttles = Throttles(VirtualClock())
    small = Bucket("small", 3, 0.1)
    headers = throttles.spend(SUB, "p", "GET", small)
    assert headers == {"x-ms-ratelimit-remaining-subscription-resource-requests": "2"}
    throttles.spend(SUB, "q", "GET", small)
    throttles.spend(SUB, "p", "PUT", small)
    with pytest.raises(ArmError) as refused:
        throttles.spend(SUB, "r", "GET", small)
    assert refused.value.headers["Retry-After"] == "10"


async def test_the_answers_tell_what_is_left() -> None:
    arm = ArmCaller()
    read = await arm.call("GET", f"{SUBSCRIPTION}/resourceGroups")
    assert read.headers["x-ms-ratelimit-remaining-subscription-reads"] == "249"
    assert read.headers["x-ms-ratelimit-remaining-subscription-global-reads"] == "3749"
    again = await arm.call("GET", f"{SUBSCRIPTION}/resourceGroups", principal=arm.cloud.identity.app)
    assert again.headers["x-ms-ratelimit-remaining-subscription-reads"] == "249"
    assert again.headers["x-ms-ratelimit-remaining-subscription-global-reads"] == "3748"
    write = await arm.call("PUT", f"{SUBSCRIPTION}/resourceGroups/rg", {"location": "westeurope"})
    assert write.headers["x-ms-ratelimit-remaining-subscription-writes"] == "199"
    delete = await arm.call("DELETE", f"{SUBSCRIPTION}/resourceGroups/rg")
    assert delete.headers["x-ms-ratelimit-remaining-subscription-deletes"] == "199"
    tenant = await arm.call("GET", "/tenants")
    assert tenant.headers["x-ms-ratelimit-remaining-tenant-reads"] == "249"


async def test_over_the_limit_is_429_in_arms_words_and_changes_nothing() -> None:
    arm = ArmCaller()
    path = f"{SUBSCRIPTION}/resourceGroups/"
    for number in range(200):
        assert (await arm.call("PUT", f"{path}rg{number}", {"location": "westeurope"})).status == 201
    refused = await arm.call("PUT", f"{path}one-more", {"location": "westeurope"})
    assert (refused.status, code(refused)) == (429, "SubscriptionRequestsThrottled")
    assert int(refused.headers["Retry-After"]) >= 1
    assert (await arm.call("GET", f"{path}one-more")).status == 404
    await arm.clock.advance(int(refused.headers["Retry-After"]))
    assert (await arm.call("PUT", f"{path}one-more", {"location": "westeurope"})).status == 201
