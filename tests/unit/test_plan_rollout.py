"""How a changed profile reaches the fleet, as tables."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.ids import ClusterId
from shared.domain.profile import Ring, Rollout, Selector
from shared.domain.time import Moment
from shared.plan.rollout import Progress, counted, may_change, ring_opens
from tests.unit.test_plan_selection import CLUSTER, SUBSCRIPTION

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RINGS = (
    Ring("canary", Selector(names=("canary-*",))),
    Ring("test", Selector(resource_groups=("*-test",)), wait=3600),
    Ring("all", Selector(), wait=86400),
)


def cluster(name: str = "shop", group: str = "apps") -> ClusterId:
    return ClusterId(SUBSCRIPTION, group, name)


def progress(changed: int = 0, this_hour: int = 0, *, since: float = 0, hour: float = 0) -> Progress:
    """`since` and `hour` began so many seconds ago."""
    return Progress(NOW - timedelta(seconds=since), changed, NOW - timedelta(seconds=hour), this_hour)


@pytest.mark.parametrize(
    ("who", "opens"),
    [
        (cluster("canary-1"), 0),
        (cluster("shop", "apps-test"), 3600),
        (cluster("canary-2", "apps-test"), 0),
        (cluster("shop"), 90000),
    ],
)
def test_a_ring_opens_when_the_waits_up_to_it_have_passed(who: ClusterId, opens: float) -> None:
    assert ring_opens(Rollout(RINGS), who, CLUSTER) == opens


def test_a_cluster_in_no_ring_comes_with_the_last() -> None:
    assert ring_opens(Rollout(RINGS[:2]), cluster("shop"), CLUSTER) == 3600
    assert ring_opens(Rollout(), cluster("shop"), CLUSTER) == 0


@pytest.mark.parametrize(
    ("rollout", "state", "reason", "seconds"),
    [
        (Rollout(), progress(), None, 0),
        (Rollout(stop_after=3), progress(2), None, 0),
        (Rollout(stop_after=3), progress(3), "CircuitBreakerOpen", 900),
        (Rollout(clusters_per_hour=2), progress(5, 1, hour=600), None, 0),
        (Rollout(clusters_per_hour=2), progress(5, 2, hour=600), "RolloutPaced", 3000),
        (Rollout(clusters_per_hour=2), progress(5, 2, hour=3600), None, 0),
        (Rollout(RINGS), progress(since=80000), "WaitingForRing", 10000),
        (Rollout(RINGS), progress(since=90000), None, 0),
        (Rollout(RINGS, stop_after=0), progress(since=80000), "CircuitBreakerOpen", 900),
    ],
)
def test_what_a_cluster_waits_for(rollout: Rollout, state: Progress, reason: str | None, seconds: float) -> None:
    wait = may_change(rollout, state, cluster(), CLUSTER, Moment(NOW))
    assert (wait.reason if wait else None) == reason
    if wait:
        assert wait.seconds == seconds
        assert wait.message


def test_an_open_circuit_breaker_asks_for_a_person() -> None:
    wait = may_change(Rollout(stop_after=1), progress(1), cluster(), CLUSTER, Moment(NOW))
    assert wait is not None
    assert "stop_after" in wait.recommended_action


def test_counting_begins_a_new_hour_when_the_last_is_over() -> None:
    assert counted(progress(4, 2, hour=60), Moment(NOW)) == progress(5, 3, hour=60)
    assert counted(progress(4, 2, hour=3600), Moment(NOW)) == progress(5, 1)
