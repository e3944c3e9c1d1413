"""A fleet in virtual time that is protected, then swept. Each subscription is a batch of its own."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from shared.domain.alerts import THE_APP, Alert
from shared.domain.compliance import Finding, JudgedCluster, SweepSummary, Verdict
from shared.domain.errors import BlockedError, GuardError, TransientError
from shared.domain.fleet import FleetBatch, FleetScope, Scope, SharedFacts, Source
from shared.domain.ids import ClusterId
from shared.ports import FleetReader
from shared.sweep import Swept
from shared.world import World
from tests.fakes.topic import FakeTopic
from tests.virtual.azure import AKS, BACKUP, SUBSCRIPTION
from tests.virtual.world import QUICK, VirtualWorld

OTHER = "00000000-0000-0000-0000-000000000002"
DAY = 86400.0
DENIED = BlockedError("AuthorizationFailed", "no right", recommended_action="Give Reader.")
DOWN = TransientError("ServiceUnavailable", "down")


class Reader:
    """`ports.FleetReader` of one host, which fails, is slow, or hides clusters at will."""

    def __init__(self, reader: FleetReader, fleet: "SweptWorld") -> None:
        self._reader, self._fleet = reader, fleet

    async def scope(self, scope: Scope) -> FleetScope:
        return await self._recorded(("scope", scope), lambda: self._reader.scope(scope))

    async def shared(self) -> SharedFacts:
        return await self._recorded(("shared",), self._reader.shared)

    async def batch(self, subscriptions: Sequence[str]) -> FleetBatch:
        self._fleet.asked.append(tuple(subscriptions))
        await self._fleet.clock.advance(self._fleet.seconds_a_batch)
        for subscription in subscriptions:
            if (error := self._fleet.unreadable.get(subscription)) is not None:
                raise error
        batch = await self._recorded(("batch", *subscriptions), lambda: self._reader.batch(subscriptions))
        seen = tuple(each for each in batch.clusters if each.cluster_id not in self._fleet.hidden)
        return replace(batch, clusters=seen)

    async def _recorded[T](self, key: tuple[object, ...], ask: Callable[[], Awaitable[T]]) -> T:
        """In a world that replays, what another one just like it was answered at the same stage."""
        if self._fleet.replays is None:
            return await ask()
        key = (self._fleet.stage, *key)
        if key not in self._fleet.replays:
            self._fleet.replays[key] = await ask()
        answer: T = self._fleet.replays[key]
        return answer

    async def cluster_ids(self, subscriptions: Sequence[str]) -> Sequence[ClusterId]:
        return await self._reader.cluster_ids(subscriptions)

    async def matching(self, query: str, subscriptions: Sequence[str]) -> tuple[Mapping[str, str], Source]:
        return await self._reader.matching(query, subscriptions)

    async def diagnosed(self, vault_id: str) -> bool:
        return await self._reader.diagnosed(vault_id)

    async def exists(self, cluster: ClusterId) -> bool:
        self._fleet.confirmed.append(cluster)
        if (error := self._fleet.unreadable.get(cluster.arm_id)) is not None:
            raise error
        return await self._reader.exists(cluster)


class SweptWorld(VirtualWorld):
    """`unreadable` are errors by subscription or cluster id; `hidden` clusters Resource Graph does not list. Worlds in
    which the same happened up to a `stage` may share what Resource Graph answers then (`replays`)."""

    others = MappingProxyType({OTHER: "The second"})

    def __init__(self, *, replays: dict[tuple[object, ...], Any] | None = None, **given: Any) -> None:
        self.replays, self.stage = replays, 0
        self.unreadable: dict[str, GuardError] = {}
        self.hidden: set[ClusterId] = set()
        self.asked: list[tuple[str, ...]] = []
        self.confirmed: list[ClusterId] = []
        self.seconds_a_batch = 0.0
        self.pass_seconds = 240.0
        super().__init__(**{"timings": QUICK, "topic": FakeTopic(), "scope": Scope((SUBSCRIPTION, OTHER)), **given})

    def new_host(self, instance: str = "host-1") -> World:
        host = super().new_host(instance)
        return replace(host, fleet=Reader(host.fleet, self), pass_seconds=self.pass_seconds)

    def cluster(self, name: str, subscription: str = SUBSCRIPTION, **overrides: Any) -> ClusterId:
        overrides = {"settled": True, "name": name, **overrides}
        return ClusterId.parse(self.cloud.container_service.create_cluster("westeurope", subscription, overrides))

    async def protected(self, *names: str, subscription: str = SUBSCRIPTION, **overrides: Any) -> list[ClusterId]:
        """Clusters that are Ready, and that Resource Graph knows to be."""
        clusters = [self.cluster(name, subscription, **overrides) for name in names]
        await self.notice(*clusters)
        assert await self.run_until_ready(*clusters, seconds=4 * 3600, together=True)
        await self.clock.advance(600)
        return clusters

    async def swept(self) -> SweepSummary:
        """One sweep to its end, by one host after the other if need be, and then everything that comes of it."""
        before = await self.host.sweeps.latest()
        for _ in range(30):
            await self.survives(self.sweep())
            summary = await self.host.sweeps.latest()
            run = await self.host.sweeps.run()
            if summary is not None and summary != before and run is not None and run.stage == "done":
                await self.survives(self.overdue_timer())
                await self.run(seconds=1200, together=True)
                return summary
            await self.clock.advance(450)
        raise AssertionError("the sweep does not end")

    async def survives(self, work: Awaitable[object]) -> bool:
        return await self._survives(work)

    async def judged(self, summary: SweepSummary | None = None) -> dict[str, JudgedCluster]:
        """By name, of the sweep or of the newest one."""
        summary = summary or await self.host.sweeps.latest()
        assert summary is not None
        found = [each async for each in self.host.sweeps.clusters(summary.sweep_id)]
        assert len({each.cluster_id for each in found}) == len(found)
        assert summary.overall.clusters == len(found)
        return {each.name: each for each in found}

    async def own_alerts(self, *, open_only: bool = True) -> dict[str, Alert]:
        return {alert.cause.key: alert async for alert in self.alert_book.all_of(THE_APP, open_only=open_only)}

    async def alerts(self, cluster: ClusterId) -> dict[str, Alert]:
        return {alert.cause.key: alert async for alert in self.alert_book.all_of(cluster.key, open_only=True)}

    def events(self, kind: str) -> list[Any]:
        assert self.topic is not None
        return [event for event in self.topic.published if event.type == f"AksBackupGuard.{kind}"]

    async def stop_protection(self, cluster: ClusterId) -> None:
        """As somebody with the right to do it: the loop leaves it so unless its profile says otherwise."""
        (instance,) = await self.operator.instances(cluster)
        await self.operator.do("POST", f"{instance['id']}/stopProtection", BACKUP)
        await self.clock.advance(600)

    async def resume_protection(self, cluster: ClusterId) -> None:
        (instance,) = await self.operator.instances(cluster)
        await self.operator.do("POST", f"{instance['id']}/resumeProtection", BACKUP)
        await self.clock.advance(600)

    async def unbind(self, cluster: ClusterId) -> None:
        """Somebody takes trusted access away."""
        for binding in await self.operator.bindings(cluster):
            await self.operator.do("DELETE", f"{cluster}/trustedAccessRoleBindings/{binding['name']}", AKS)
        await self.clock.advance(600)

    async def uninstall(self, cluster: ClusterId) -> None:
        """Somebody takes the extension away."""
        for extension in await self.operator.extensions(cluster):
            await self.operator.do("DELETE", extension["id"], "2025-03-01")
        await self.clock.advance(900)

    async def drop_quietly(self, cluster: ClusterId) -> None:
        """The cluster is deleted and the event of it is lost."""
        await self.operator.delete_cluster(cluster)
        await self.clock.advance(600)


def verdict_of(judged: JudgedCluster, control: str) -> Verdict:
    return next(verdict for verdict in judged.verdicts if verdict.control == control)


def finding_of(summary: SweepSummary, control: str) -> Finding | None:
    found = [finding for finding in summary.findings if finding.control == control]
    assert len(found) <= 1, found
    return found[0] if found else None


async def until_swept(world: SweptWorld, once: Callable[[], Awaitable[Swept | None]]) -> int:
    """How many invocations it took."""
    for count in range(1, 40):
        swept = await once()
        if swept is not None and swept.complete:
            return count
    raise AssertionError("the sweep does not end")
