"""The whole app in virtual time: the real loop, the real SDK pipelines, the simulator, and storage that behaves, in one
process. Weeks pass in seconds, always in the same order."""

import asyncio
import itertools
import random
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from shared.act.actor import ArmActor
from shared.arm.client import ArmClient
from shared.arm.throttle import ThrottleSettings
from shared.deliver import deliver, kick
from shared.domain.conditions import Condition
from shared.domain.fleet import Scope
from shared.domain.ids import ClusterId, Subject
from shared.domain.profile import Configuration, ProtectionProfile, Rule, Selector, VaultSettings
from shared.domain.record import Record
from shared.events.job_events import parse_job_event
from shared.hand_on import take_in
from shared.job_watch import watch_jobs
from shared.observe.ended_jobs_graph import ResourceGraphJobs
from shared.observe.fleet import GraphFleetReader
from shared.observe.job_details import JobDetails
from shared.observe.reader import ArmReader
from shared.plan.compliance.catalogue import CONTROLS
from shared.reconcile import reconcile, requeue_overdue, set_aside
from shared.record.messages import parse_notification, parse_request
from shared.record.sweeps import Sweeps
from shared.sweep import Swept, notice_approval, roll_call, sweep, told
from shared.wake import request_look
from shared.world import World
from simulator.arm.faults import Fault
from simulator.clock import VirtualClock
from simulator.cloud import Cloud
from simulator.timings import Timings
from simulator.transport import SimulatedCredential
from tests.fakes.channels import FakeChannels
from tests.fakes.queue import FakeNotifyQueue, FakeQueue, Message
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
from tests.fakes.topic import FakeTopic
from tests.virtual.azure import SUBSCRIPTION, Operator
from tests.virtual.effects import (
    Effects,
    Killed,
    Life,
    MortalQueue,
    MortalQuota,
    MortalRecords,
    MortalRollouts,
    MortalTrail,
    MortalTransport,
)
from tests.virtual.mortal import Mortal
from tests.virtual.rights import LONG_BEFORE, Deployed, Rights, requested_by_the_app

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOPIC_EFFECTS = ("publish_news", "publish_announcements", "publish_changes", "publish_sweep")
QUICK = Timings(
    cluster_write=20,
    cluster_power=10,
    trusted_access_write=2,
    trusted_access_effect=5,
    extension_install=10,
    role_propagation=10,
    provider_registration=5,
    storage_account_write=2,
    validate_for_backup=5,
    configure_protection=5,
    backup_job=10,
)
"""An Azure in a hurry: the same things happen, in fewer passes."""


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
class Timer:
    """A timer function: every so many seconds, next at that moment."""

    every: float
    at: datetime
    run: Callable[[], Awaitable[None]]


@dataclass
class VirtualWorld:
    """One Azure, one storage account, and as many hosts as a test likes."""

    others: ClassVar[Mapping[str, str]] = {}
    """Monitored subscriptions besides the first, and their names."""

    configuration: Configuration = field(default_factory=lambda: configuration_of(enforcing()))
    timings: Timings = field(default_factory=Timings)
    seed: int = 0
    stopped: bool = False
    throttle: ThrottleSettings | None = None
    effects: Effects = field(default_factory=Effects)
    topic: FakeTopic | None = None
    scope: Scope = field(default_factory=lambda: Scope((SUBSCRIPTION,)))
    rights: Rights = field(default_factory=Rights)

    def __post_init__(self) -> None:
        self.clock = VirtualClock(START - LONG_BEFORE)
        self.cloud = Cloud(self.clock, seed=self.seed, timings=self.timings)
        self.operator = Operator(self.cloud, self.clock)
        self.granted = Deployed(self.cloud, self.clock, self.operator, self.rights)
        self._deploy_rights()
        self.records, self.trail = FakeRecords(), FakeAuditTrail()
        self.quota, self.rollouts = FakeQuota(), FakeRollouts()
        self.queue = FakeQueue(self.clock)
        self.history, self.alert_book, self.outbox = FakeJobHistory(), FakeAlertBook(), FakeOutbox()
        self.destinations, self.watermarks = FakeDestinations(), FakeWatermarks()
        self.sweep_rows, self.breaker = FakeSweepRows(), FakeRepairBreaker()
        self.notify_queue, self.channels = FakeNotifyQueue(self.clock), FakeChannels()
        self.random = random.Random(self.seed)  # noqa: S311 - chance that a seed repeats
        self._ids = itertools.count(1)
        self.host = self.new_host()
        self._timers: dict[str, Timer] = {}

    def _deploy_rights(self) -> None:
        for subscription, name in self.others.items():
            self.cloud.resources.add_subscription(subscription, name)
        classes = {profile.vault.vault_class for profile in self.configuration.profiles.values()}
        self.granted.long_ago((SUBSCRIPTION, *self.others), sorted(classes), until=START)
        self.cloud.front_door.calls.clear()
        self.requested = requested_by_the_app(self.cloud)

    def new_host(self, instance: str = "host-1") -> World:
        """A host of its own: what it kept in memory before is forgotten, as after a kill."""
        life = Life(self.effects)
        arm = ArmClient(
            "http://127.0.0.1",
            SimulatedCredential(self.cloud),
            ("https://management.azure.com/.default",),
            quota=MortalQuota(self.quota, life),
            clock=self.clock,
            instance=instance,
            transport=MortalTransport(self.cloud, life),
            throttle=self.throttle,
            sleep=_no_wait,
        )

        def mortal(port: object, name: str, *effects: str) -> Any:
            return Mortal(port, name, life, effects)

        return World(
            clock=self.clock,
            reader=ArmReader(arm, self.clock),
            actor=ArmActor(arm, MortalTrail(self.trail, life), self.clock, tenant_id=self.cloud.identity.tenant_id),
            records=MortalRecords(self.records, life),
            rollouts=MortalRollouts(self.rollouts, life),
            queue=MortalQueue(self.queue, life),
            history=mortal(self.history, "history", "add"),
            alert_book=mortal(self.alert_book, "alerts", "show", "say"),
            outbox=mortal(self.outbox, "outbox", "put_news", "drop_news", "put", "delivered", "forget_delivered"),
            destinations=mortal(self.destinations, "destinations", "save"),
            watermarks=mortal(self.watermarks, "watermarks", "save"),
            notify_queue=mortal(self.notify_queue, "notify", "send"),
            channels=mortal(self.channels, "channels", "deliver"),
            job_sources=(ResourceGraphJobs(arm),),
            job_reader=JobDetails(arm),
            topic=self.topic and mortal(self.topic, "topic", *TOPIC_EFFECTS),
            fleet=GraphFleetReader(arm, self.clock),
            sweeps=Sweeps(mortal(self.sweep_rows, "sweeps", "write", "put", "delete")),
            breaker=mortal(self.breaker, "breaker", "hold", "approve"),
            audit=MortalTrail(self.trail, life),
            scope=self.scope,
            controls=CONTROLS,
            configuration=self.configuration,
            jitter=self.random.random,
            new_id=lambda: f"id-{next(self._ids)}",
            stopped=self.stopped,
        )

    def restart(self, configuration: Configuration | None = None, *, stopped: bool | None = None) -> None:
        """Another deployment, or the same after a kill."""
        self.configuration = configuration or self.configuration
        self.stopped = self.stopped if stopped is None else stopped
        self.host = self.new_host()

    def create_cluster(self, location: str = "westeurope", **overrides: Any) -> ClusterId:
        """As a person would; `settled=True` skips the minutes of its creation."""
        return ClusterId.parse(self.cloud.container_service.create_cluster(location, SUBSCRIPTION, overrides))

    async def notice(self, *clusters: ClusterId) -> None:
        """What the Event Grid trigger does, tried again as Event Grid does."""
        for cluster in clusters:
            await self.clock.advance(0.001)  # no event has the very moment of a look
            while not await self._survives(request_look(cluster, self.host)):
                await self.clock.advance(10)

    async def step(self) -> bool:
        """Handle the next message or event, waiting for it in virtual time. False when there is nothing left to wait
        for."""
        if (message := self.queue.receive()) is not None:
            await self.clock.advance(0.001)  # nor have two looks
            if await self._survives(self.handle(message)):
                self.queue.delete(message)
            return True
        if (message := self.notify_queue.receive()) is not None:
            if await self._survives(self._deliver(message)):
                self.notify_queue.delete(message)
            return True
        if self.topic is not None and (event := self.topic.next_event()) is not None:
            if await self._survives(self._hear(event)):
                self.topic.heard(event)
            return True
        return await self._wait()

    async def handle(self, message: Message) -> None:
        """One invocation; after an error the message comes back."""
        try:
            await reconcile(parse_request(message.text), self.host)
        except Exception:
            self.queue.fail(message)
            raise

    async def _deliver(self, message: Message) -> None:
        """What the function `notifications` does."""
        try:
            await deliver(parse_notification(message.text), self.host)
        except Exception:
            self.notify_queue.fail(message)
            raise

    async def _hear(self, event: str) -> None:
        """What the function `job_events` does."""
        job = parse_job_event(event, self.clock.now())
        if job is not None:
            await take_in(job, self.host)

    async def step_together(self, most: int = 16) -> bool:
        """As `step`, with all messages that are visible handled at once, as one host does with a batch."""
        messages = [m for _ in range(most) if (m := self.queue.receive()) is not None]
        if not messages:
            return await self.step()
        await self.clock.advance(0.001)
        survived = await asyncio.gather(*(self._survives(self.handle(message)) for message in messages))
        for message, fine in zip(messages, survived, strict=True):
            if fine:
                self.queue.delete(message)
        return True

    async def _survives(self, work: Awaitable[object]) -> bool:
        """Whether it ended well. After a death there is a new host; an error that no test asked for is raised."""
        try:
            await work
        except Killed:
            self.host = self.new_host()
            return False
        except Exception:
            if self.effects.failure is None:
                raise
            return False
        return True

    async def _wait(self) -> bool:
        moments = self._upcoming()
        if not moments:
            return False
        await self.clock.advance_to(max(min(moments), self.clock.now()))
        for timer in self._timers.values():
            if timer.at <= self.clock.now():
                timer.at = self.clock.after(timer.every)
                await self._survives(timer.run())
        return True

    def _upcoming(self) -> list[datetime]:
        timers = (timer.at for timer in self._timers.values())
        queues = (self.queue.next_visible_at(), self.notify_queue.next_visible_at(), self.clock.next_due())
        return [moment for moment in (*queues, *timers) if moment is not None]

    def start_timer(self, every: float = 300) -> None:
        """From now on the timer `requeue_overdue` runs every so many seconds."""
        self._timers["requeue_overdue"] = Timer(every, self.clock.after(every), self.overdue_timer)

    def start_job_watch(self, every: float = 300) -> None:
        """From now on the timer `job_watch` runs every so many seconds."""
        self._timers["job_watch"] = Timer(every, self.clock.after(every), self.job_watch)

    async def overdue_timer(self) -> None:
        await requeue_overdue(self.host)
        await kick(self.host)
        await roll_call(self.host)
        await notice_approval(self.host)
        await sweep(self.host, begin=False)
        await told(self.host)

    async def sweep(self) -> Swept | None:
        """What the timer `compliance_sweep` does."""
        return await sweep(self.host, begin=True)

    async def job_watch(self) -> None:
        await watch_jobs(self.host)

    async def run(
        self,
        until: Callable[[], Awaitable[bool]] | None = None,
        *,
        seconds: float = 86000,
        together: bool = False,
    ) -> bool:
        """Let things happen until `until` holds (looked at after each step). False when `seconds` passed first."""
        end = self.clock.after(seconds)
        while self.clock.now() < end:
            if until is not None and await until():
                return True
            upcoming = self._upcoming()
            if not upcoming or min(upcoming) > end:
                await self.clock.advance_to(end)
                return until is None
            await (self.step_together() if together else self.step())
        return until is None

    async def run_until_ready(self, *clusters: ClusterId, seconds: float = 86000, together: bool = False) -> bool:
        async def ready() -> bool:
            return all(self.is_ready(cluster) for cluster in clusters)

        return await self.run(ready, seconds=seconds, together=together)

    async def run_until_says(self, cluster: ClusterId, type: str, reason: str, *, seconds: float = 7200) -> Condition:
        """Let things happen until the condition has that reason; fails the test when it never has."""

        async def said() -> bool:
            record = self.record(cluster)
            return record is not None and type in record.conditions and record.conditions[type].reason == reason

        record = self.record(cluster)
        assert await self.run(said, seconds=seconds), record and {
            c.type: (c.status, c.reason, c.message) for c in record.conditions.values()
        }
        return self.condition(cluster, type)

    def is_ready(self, cluster: ClusterId) -> bool:
        record = self.record(cluster)
        condition = record.conditions.get("Ready") if record else None
        return condition is not None and condition.status == "True"

    def condition(self, cluster: ClusterId, type: str = "Ready") -> Condition:
        record = self.record(cluster)
        assert record is not None
        return record.conditions[type]

    def record(self, cluster: Subject) -> Record | None:
        try:
            return self.records.now_of(cluster.key)
        except KeyError:
            return None

    async def requeue_overdue(self) -> int:
        return await requeue_overdue(self.host)

    def fault(
        self, *, times: int | None = 1, nth: int = 1, method: str | None = None, path: str = "", **then: Any
    ) -> str:
        """Let ARM fail: `then` is status, code, retry_after, latency_seconds, reset or lose_answer."""
        fault_id = f"fault-{next(self._ids)}"
        pattern = re.compile(path, re.IGNORECASE) if path else None
        self.cloud.front_door.faults.add(Fault(fault_id, method, pattern, nth, times, **then))
        return fault_id

    def heal(self, fault_id: str) -> None:
        self.cloud.front_door.faults.remove(fault_id)

    async def set_aside(self, text: str) -> None:
        await set_aside(parse_request(text), self.host, "it failed")


async def _no_wait(_seconds: float) -> None:
    """The short retries inside an invocation take no virtual time."""
