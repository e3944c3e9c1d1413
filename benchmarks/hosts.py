"""The app on several hosts, in virtual time: the real loop and the real SDK pipeline against the simulated Azure, with
messages taken as the Functions host takes them."""

import asyncio
import heapq
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from benchmarks.virtual_time import LoopClock
from shared.act.actor import ArmActor
from shared.arm.client import ArmClient
from shared.domain.alerts import Alert
from shared.domain.conditions import READY
from shared.domain.fleet import Scope
from shared.domain.ids import ClusterId
from shared.domain.profile import Configuration, ProtectionProfile, Rule, Selector, VaultSettings
from shared.domain.record import ReconcileRequest, Record
from shared.observe.ended_jobs_graph import ResourceGraphJobs
from shared.observe.fleet import GraphFleetReader
from shared.observe.job_details import JobDetails
from shared.observe.reader import ArmReader
from shared.plan.compliance.catalogue import CONTROLS
from shared.reconcile import reconcile
from shared.record.sweeps import Sweeps
from shared.wake import request_look
from shared.world import World
from simulator.cloud import FIRST_SUBSCRIPTION, Cloud
from simulator.timings import Timings
from simulator.transport import SimulatedCredential, SimulatedTransport
from tests.fakes.channels import FakeChannels
from tests.fakes.queue import FakeNotifyQueue
from tests.fakes.storage import (
    FakeAlertBook,
    FakeAuditTrail,
    FakeDestinations,
    FakeJobHistory,
    FakeOutbox,
    FakeQuota,
    FakeRecords,
    FakeRepairBreaker,
    FakeRollouts,
    FakeSweepRows,
    FakeWatermarks,
)

BATCH, THRESHOLD = 16, 8
"""host.json's batchSize and newBatchThreshold: one host works on at most 24 messages at a time."""
POLLING = 2.0
"""host.json's maxPollingInterval, seconds: how long a message may lie before an idle host looks."""
ARM_LATENCY = 0.2
"""Seconds one call to ARM takes (assumed): the simulated Azure itself answers at once."""


class _Transport(SimulatedTransport):
    """With the time that a call's way to Azure and back takes."""

    async def send(self, request: Any, **options: Any) -> Any:
        await asyncio.sleep(ARM_LATENCY)
        return await super().send(request, **options)


class _Records(FakeRecords):
    """Also notes when a cluster was first seen Ready."""

    def __init__(self, clock: LoopClock) -> None:
        super().__init__()
        self._clock = clock
        self.ready_at: dict[str, datetime] = {}

    async def save(self, record: Record) -> Record:
        saved = await super().save(record)
        ready = record.conditions.get(READY)
        if ready is not None and ready.status == "True" and isinstance(record.subject, ClusterId):
            self.ready_at.setdefault(record.subject.arm_id.lower(), self._clock.now())
        return saved


class AlertBook(FakeAlertBook):
    """Also notes when an alert was first shown."""

    def __init__(self, clock: LoopClock) -> None:
        super().__init__()
        self._clock = clock
        self.shown_at: dict[str, datetime] = {}

    async def show(self, alerts: Sequence[Alert]) -> None:
        await super().show(alerts)
        for alert in alerts:
            self.shown_at.setdefault(alert.subject, self._clock.now())


class _Queue:
    """`ports.WorkQueue` for thousands of messages, and the hosts' end of it."""

    def __init__(self, clock: LoopClock) -> None:
        self._clock, self._numbers = clock, itertools.count()
        self._messages: list[tuple[datetime, int, ReconcileRequest]] = []

    async def send(self, request: ReconcileRequest, delay: float = 0) -> None:
        visible_at = self._clock.now() + timedelta(seconds=delay)
        heapq.heappush(self._messages, (visible_at, next(self._numbers), request))

    def take(self, most: int) -> list[ReconcileRequest]:
        now, taken = self._clock.now(), list[ReconcileRequest]()
        while self._messages and len(taken) < most and self._messages[0][0] <= now:
            taken.append(heapq.heappop(self._messages)[2])
        return taken


def enforcing() -> Configuration:
    """Every cluster is protected, with an ordinary profile."""
    profile = ProtectionProfile("standard", VaultSettings("AlwaysOn"), mode="enforce", digest="profile")
    return Configuration(1, {profile.name: profile}, (Rule(Selector(), profile.name),), digest="configuration")


@dataclass
class Hosts:
    """`count` hosts on one storage account and one Azure. Use inside `virtual_time.run`."""

    count: int = 1
    timings: Timings = field(default_factory=Timings)
    configuration: Configuration = field(default_factory=enforcing)
    seed: int = 0
    scope: Scope = field(default_factory=lambda: Scope((FIRST_SUBSCRIPTION,)))

    def __post_init__(self) -> None:
        self.clock = LoopClock()
        self.cloud = Cloud(self.clock, seed=self.seed, timings=self.timings)
        self.records, self._queue = _Records(self.clock), _Queue(self.clock)
        self._quota, self._rollouts, self._trail = FakeQuota(), FakeRollouts(), FakeAuditTrail()
        self.history, self.alert_book, self.outbox = FakeJobHistory(), AlertBook(self.clock), FakeOutbox()
        self.channels, self.notify_queue = FakeChannels(), FakeNotifyQueue(self.clock)
        self._destinations, self._watermarks = FakeDestinations(), FakeWatermarks()
        self.sweep_rows, self._breaker = FakeSweepRows(), FakeRepairBreaker()
        self._random, self._ids = random.Random(self.seed), itertools.count()
        self.worlds = [self._world(f"host-{number}") for number in range(self.count)]
        self._running = [asyncio.create_task(self._host(world)) for world in self.worlds]
        self.passes, self.failures = 0, list[Exception]()

    def _world(self, instance: str) -> World:
        arm = ArmClient(
            "http://127.0.0.1",
            SimulatedCredential(self.cloud),
            ("https://management.azure.com/.default",),
            quota=self._quota,
            clock=self.clock,
            instance=instance,
            transport=_Transport(self.cloud),
        )
        return World(
            clock=self.clock,
            reader=ArmReader(arm, self.clock),
            actor=ArmActor(arm, self._trail, self.clock, tenant_id=self.cloud.identity.tenant_id),
            records=self.records,
            rollouts=self._rollouts,
            queue=self._queue,
            history=self.history,
            alert_book=self.alert_book,
            outbox=self.outbox,
            destinations=self._destinations,
            notify_queue=self.notify_queue,
            channels=self.channels,
            watermarks=self._watermarks,
            job_sources=(ResourceGraphJobs(arm),),
            job_reader=JobDetails(arm),
            topic=None,
            fleet=GraphFleetReader(arm, self.clock),
            sweeps=Sweeps(self.sweep_rows),
            breaker=self._breaker,
            audit=self._trail,
            scope=self.scope,
            controls=CONTROLS,
            configuration=self.configuration,
            jitter=self._random.random,
            new_id=lambda: f"id-{next(self._ids)}",
        )

    async def _host(self, world: World) -> None:
        """Takes messages as the Functions host does: a batch whenever few are left, else it looks now and then."""
        running: set[asyncio.Task[None]] = set()
        await asyncio.sleep(self._random.random() * POLLING)
        while True:
            batch = self._queue.take(BATCH)
            running |= {asyncio.create_task(self._work(request, world)) for request in batch}
            while len(running) > THRESHOLD:
                _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            if not batch:
                await asyncio.sleep(POLLING)
                running = {task for task in running if not task.done()}

    async def _work(self, request: ReconcileRequest, world: World) -> None:
        self.passes += 1
        try:
            await reconcile(request, world)
        except Exception as error:  # noqa: BLE001 - the message comes back, as it does from the real queue
            self.failures.append(error)
            await self._queue.send(request, 30)

    def create_clusters(self, count: int, subscription_id: str, location: str = "westeurope") -> list[ClusterId]:
        """Clusters that have just come to rest, as the write event of a finished creation finds them."""
        create = self.cloud.container_service.create_cluster
        return [ClusterId.parse(create(location, subscription_id, {"settled": True})) for _ in range(count)]

    async def notice(self, clusters: Sequence[ClusterId]) -> None:
        """What the Event Grid trigger does with their events."""
        for number, cluster in enumerate(clusters):
            await request_look(cluster, self.worlds[number % self.count])

    async def protect(self, clusters: Sequence[ClusterId], *, seconds: float = 86400) -> list[float]:
        """Notice them all at once; how long each took until the Guard knew it protected, recovery point included.
        Raises TimeoutError."""
        start, wanted = self.clock.now(), {cluster.arm_id.lower() for cluster in clusters}
        await self.notice(clusters)
        async with asyncio.timeout(seconds):
            while not wanted <= self.records.ready_at.keys():  # noqa: ASYNC110 - in virtual time
                await asyncio.sleep(0.5)
        return [(self.records.ready_at[arm_id] - start).total_seconds() for arm_id in sorted(wanted)]

    async def close(self) -> None:
        for host in self._running:
            host.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
