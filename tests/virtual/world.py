"""The whole app in virtual time: the real loop, the real SDK pipelines, the simulator, and storage that behaves, in one
process. Weeks pass in seconds, always in the same order."""

import itertools
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from shared.act.actor import ArmActor
from shared.arm.client import ArmClient
from shared.arm.throttle import ThrottleSettings
from shared.domain.ids import ClusterId
from shared.domain.profile import Configuration, ProtectionProfile, Rule, Selector, VaultSettings
from shared.domain.record import Record
from shared.observe.reader import ArmReader
from shared.reconcile import reconcile, request_look, requeue_overdue, set_aside
from shared.record.request_message import parse_request
from shared.world import World
from simulator.clock import VirtualClock
from simulator.cloud import Cloud
from simulator.http import Request
from simulator.timings import Timings
from simulator.transport import SimulatedCredential, SimulatedTransport
from tests.fakes.queue import FakeQueue
from tests.fakes.storage import FakeAuditTrail, FakeQuota, FakeRecords, FakeRollouts

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"


def enforcing(**changes: Any) -> ProtectionProfile:
    """A profile that acts, with whatever a test changes about it."""
    profile = ProtectionProfile("standard", VaultSettings("AlwaysOn"), mode="enforce", digest="first")
    return replace(profile, **changes)


def configuration_of(*profiles: ProtectionProfile, **changes: Any) -> Configuration:
    """Every cluster has the first profile, unless a tag says otherwise."""
    configuration = Configuration(
        1, {p.name: p for p in profiles}, (Rule(Selector(), profiles[0].name),), digest="configuration-1"
    )
    return replace(configuration, **changes)


@dataclass
class VirtualWorld:
    """One Azure, one storage account, and as many hosts as a test likes."""

    configuration: Configuration = field(default_factory=lambda: configuration_of(enforcing()))
    timings: Timings = field(default_factory=Timings)
    seed: int = 0
    stopped: bool = False
    throttle: ThrottleSettings | None = None

    def __post_init__(self) -> None:
        self.clock = VirtualClock(datetime(2026, 3, 1, 12, tzinfo=UTC))
        self.cloud = Cloud(self.clock, seed=self.seed, timings=self.timings)
        self.records, self.trail = FakeRecords(), FakeAuditTrail()
        self.quota, self.rollouts = FakeQuota(), FakeRollouts()
        self.queue = FakeQueue(self.clock)
        self.random = random.Random(self.seed)  # noqa: S311 - chance that a seed repeats
        self._ids = itertools.count(1)
        self.host = self.new_host()

    def new_host(self, instance: str = "host-1") -> World:
        """A host of its own: what it kept in memory before is forgotten, as after a kill."""
        arm = ArmClient(
            "http://127.0.0.1",
            SimulatedCredential(self.cloud),
            ("https://management.azure.com/.default",),
            quota=self.quota,
            clock=self.clock,
            instance=instance,
            transport=SimulatedTransport(self.cloud),
            throttle=self.throttle,
            sleep=_no_wait,
        )
        return World(
            clock=self.clock,
            reader=ArmReader(arm, self.clock),
            actor=ArmActor(arm, self.trail, self.clock, tenant_id=self.cloud.identity.tenant_id),
            records=self.records,
            rollouts=self.rollouts,
            queue=self.queue,
            configuration=self.configuration,
            jitter=self.random.random,
            new_id=lambda: f"id-{next(self._ids)}",
            stopped=self.stopped,
        )

    def create_cluster(self, location: str = "westeurope", **overrides: Any) -> ClusterId:
        """As a person would; `settled=True` skips the minutes of its creation."""
        return ClusterId.parse(self.cloud.container_service.create_cluster(location, SUBSCRIPTION, overrides))

    async def notice(self, cluster: ClusterId) -> None:
        """What the Event Grid trigger does."""
        await request_look(cluster, self.host)

    async def step(self) -> bool:
        """Handle the next message, waiting for it in virtual time. False when there is nothing left to wait for."""
        message = self.queue.receive()
        if message is None:
            moments = [m for m in (self.queue.next_visible_at(), self.clock.next_due()) if m is not None]
            if not moments:
                return False
            await self.clock.advance_to(max(min(moments), self.clock.now()))
            return True
        try:
            await reconcile(parse_request(message.text), self.host)
        except Exception:
            self.queue.fail(message)
            raise
        self.queue.delete(message)
        return True

    async def run(self, until: Callable[[], Awaitable[bool]] | None = None, *, seconds: float = 86000) -> bool:
        """Let things happen until `until` holds (looked at after each step). False when `seconds` passed first."""
        end = self.clock.after(seconds)
        while self.clock.now() < end:
            if until is not None and await until():
                return True
            upcoming = [m for m in (self.queue.next_visible_at(), self.clock.next_due()) if m is not None]
            if not upcoming or min(upcoming) > end:
                return until is None
            await self.step()
        return until is None

    async def run_until_ready(self, *clusters: ClusterId, seconds: float = 86000) -> bool:
        async def ready() -> bool:
            return all(self.is_ready(cluster) for cluster in clusters)

        return await self.run(ready, seconds=seconds)

    def is_ready(self, cluster: ClusterId) -> bool:
        record = self.record(cluster)
        condition = record.conditions.get("Ready") if record else None
        return condition is not None and condition.status == "True"

    def record(self, cluster: ClusterId) -> Record | None:
        return next((r for r in self.records.all_now() if r.subject == cluster), None)

    async def requeue_overdue(self) -> int:
        return await requeue_overdue(self.host)

    async def set_aside(self, text: str) -> None:
        await set_aside(parse_request(text), self.host, "it failed")

    async def get(self, path: str, api_version: str) -> Any:
        """Read over ARM as the operator."""
        token = self.cloud.identity.token(self.cloud.identity.operator)
        request = Request(
            "GET", path, query={"api-version": api_version}, headers={"authorization": f"Bearer {token}"}
        )
        response = await self.cloud.respond(request)
        return response.body if response.status == 200 else None


async def _no_wait(_seconds: float) -> None:
    """The short retries inside an invocation take no virtual time."""
