"""Any set of clusters and profiles, news of them in any order, converges; and to the same world as clean news."""

import os
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.ids import ClusterId
from shared.domain.profile import ProtectionProfile, Retention, VaultSettings
from shared.plan.selection import EXEMPT_TAG, PROFILE_TAG
from tests.virtual.world import QUICK, VirtualWorld, configuration_of, enforcing

RUNS = 25 if os.environ.get("HYPOTHESIS_PROFILE") == "deep" else 6

KINDS: dict[str, tuple[dict[str, Any], str]] = {
    "plain": ({}, "Protected"),
    "of a user-assigned identity": ({"identity": "UserAssigned"}, "Protected"),
    "another profile": ({"tags": {PROFILE_TAG: "vaulted"}}, "Protected"),
    "another vault class": ({"tags": {PROFILE_TAG: "strict"}}, "Protected"),
    "an account of its own": ({"tags": {PROFILE_TAG: "isolated"}}, "Protected"),
    "a shaky extension": ({"extension_failure": "DNS", "extension_failure_times": 1}, "Protected"),
    "audited": ({"tags": {PROFILE_TAG: "audited"}}, "AuditMode"),
    "stopped": ({"power": "Stopped"}, "ClusterStopped"),
    "a service principal": ({"identity": "ServicePrincipal"}, "ServicePrincipalCluster"),
    "no snapshot controller": ({"snapshot_controller": False}, "SnapshotControllerDisabled"),
    "exempt": ({"tags": {EXEMPT_TAG: "test"}}, "Exempt"),
    "an unknown profile": ({"tags": {PROFILE_TAG: "gold"}}, "UnknownProfile"),
}
PROFILES: tuple[ProtectionProfile, ...] = (
    enforcing(),
    enforcing(name="vaulted", retention=Retention(7, 60), digest="vaulted"),
    enforcing(name="strict", vault=VaultSettings("AlwaysOn", "strict"), digest="strict"),
    enforcing(name="isolated", isolation="account-per-cluster", digest="isolated"),
    enforcing(name="audited", mode="audit", digest="audited"),
)


@dataclass(frozen=True)
class News:
    """Of one cluster: how many copies of its event come, how late. None at all is a lost event."""

    kind: str
    location: str
    copies: int
    seconds_late: int


fleets = st.lists(
    st.builds(
        News,
        st.sampled_from(list(KINDS)),
        st.sampled_from(["westeurope", "northeurope"]),
        st.sampled_from([0, 1, 1, 2, 5]),
        st.sampled_from([0, 0, 1, 30, 200, 900]),
    ),
    min_size=1,
    max_size=4,
)


async def come_to_rest(fleet: list[News], *, seed: int, together: bool) -> tuple[VirtualWorld, list[ClusterId]]:
    """The world after two hours of the news, and then the timer alone."""
    world = VirtualWorld(configuration_of(*PROFILES), timings=replace(QUICK, role_propagation=60), seed=seed)
    world.start_timer()
    clusters = [
        world.create_cluster(news.location, settled=True, name=f"aks-{n}", **KINDS[news.kind][0])
        for n, news in enumerate(fleet)
    ]
    arrivals = sorted((news.seconds_late + 7 * copy, n) for n, news in enumerate(fleet) for copy in range(news.copies))
    started = world.clock.now()
    for late, n in arrivals:
        await world.run(seconds=max(0.0, late - (world.clock.now() - started).total_seconds()), together=together)
        await world.notice(clusters[n])

    async def settled() -> bool:
        records = [world.record(cluster) for cluster in clusters]
        said = [record.conditions.get("Ready") if record else None for record in records]
        return [ready.reason if ready else "" for ready in said] == [KINDS[news.kind][1] for news in fleet]

    await world.run(settled, seconds=3 * 3600, together=together)
    return world, clusters


@settings(max_examples=RUNS)
@given(fleets, st.integers(0, 2**16), st.booleans())
async def test_any_fleet_comes_to_rest_and_however_the_news_travels_it_is_the_same_world(
    fleet: list[News], seed: int, together: bool
) -> None:
    world, clusters = await come_to_rest(fleet, seed=seed, together=together)
    for cluster, news in zip(clusters, fleet, strict=True):
        said = world.condition(cluster)
        assert said.reason == KINDS[news.kind][1], (news, said)
        assert (said.status == "True") == (said.reason == "Protected")

    clean = [replace(news, copies=1, seconds_late=0) for news in fleet]
    expected, same = await come_to_rest(clean, seed=seed, together=False)
    assert clusters == same
    for cluster in clusters:
        assert await world.operator.protection(cluster) == await expected.operator.protection(cluster)


@settings(max_examples=RUNS)
@given(fleets, st.integers(0, 2**16))
async def test_a_fleet_at_rest_is_not_changed_any_more(fleet: list[News], seed: int) -> None:
    world, _ = await come_to_rest(fleet, seed=seed, together=True)
    await world.run(seconds=1800, together=True)
    world.cloud.front_door.calls.clear()

    await world.run(seconds=30 * 3600, together=True)

    assert not world.operator.changes_by_the_app()
