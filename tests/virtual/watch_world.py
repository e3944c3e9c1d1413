"""A world whose jobs come from the test: sources, jobs API and topic can be as late and as wrong as it likes."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from shared.domain.alerts import THE_APP, Alert
from shared.domain.errors import BlockedError, GuardError, MalformedEventError, TransientError
from shared.domain.ids import ClusterId
from shared.domain.jobs import EndedJob, JobIssue, OutOfMemorySign
from shared.domain.observed import ObservedCluster
from shared.domain.record import Record
from shared.job_watch import Watched, watch_jobs
from shared.ports import Clock, News
from shared.world import World
from tests.fakes.topic import FakeTopic
from tests.virtual.world import VirtualWorld

ROOT = "/subscriptions/00000000-0000-0000-0000-000000000001"
VAULT = f"{ROOT}/resourceGroups/backup/providers/Microsoft.DataProtection/backupVaults/kv"
DAY = 86400.0
REFUSED = BlockedError("Forbidden", "no right", recommended_action="Give EventGrid Data Sender.")
DOWN = TransientError("ServiceUnavailable", "down")
THROTTLED = TransientError("TooManyRequests", "slow down", retry_after=60)


def cluster(number: int) -> ClusterId:
    return ClusterId.parse(f"{ROOT}/resourceGroups/apps/providers/Microsoft.ContainerService/managedClusters/c{number}")


def job_id(number: int) -> str:
    return f"{VAULT}/backupJobs/{number:08x}-4d8d-42bd-a8d9-309923d7d994"


@dataclass
class Source:
    """`ports.JobSource`: rows appear when they are visible, and are forgotten after `keeps` seconds."""

    clock: Clock
    name: str = "graph"
    keeps: float = 14 * DAY
    overlap: float = 3600.0
    rows: list[tuple[datetime, News]] = field(default_factory=list)
    error: Exception | None = None
    asked: list[datetime] = field(default_factory=list)

    async def ended_since(self, since: datetime) -> AsyncIterator[News]:
        self.asked.append(since)
        if self.error is not None:
            raise self.error
        now = self.clock.now()
        oldest = max(since, now - timedelta(seconds=self.keeps))
        for visible_at, news in self.rows:
            if visible_at <= now and oldest <= (news.at if isinstance(news, OutOfMemorySign) else news.ended_at):
                yield news


@dataclass
class JobsApi:
    """`ports.JobReader`."""

    jobs: dict[str, EndedJob] = field(default_factory=dict)
    errors: dict[str, Exception] = field(default_factory=dict)
    error: GuardError | None = None
    asked: list[str] = field(default_factory=list)

    async def read(self, job_id: str) -> EndedJob | None:
        self.asked.append(job_id)
        if (error := self.error or self.errors.get(job_id)) is not None:
            raise error
        return self.jobs.get(job_id.lower())


class Topic(FakeTopic):
    """One that can refuse."""

    error: GuardError | None = None

    async def publish_news(self, news: Sequence[News]) -> None:
        if self.error is not None:
            raise self.error
        await super().publish_news(news)


class Watch(VirtualWorld):
    """A world whose jobs come from here. `loses`: what Event Grid takes never arrives."""

    loses = False

    def __init__(self, **given: Any) -> None:
        self.sources: list[Source] = []
        self.api = JobsApi()
        super().__init__(**{"topic": Topic(), **given})
        self.add_source()

    def add_source(self, **given: Any) -> Source:
        self.sources.append(Source(self.clock, **given))
        self.host = self.new_host()
        return self.sources[-1]

    def new_host(self, instance: str = "host-1") -> World:
        return replace(super().new_host(instance), job_sources=tuple(self.sources), job_reader=self.api)

    def ends(self, number: int = 1, status: str = "completed", *, late: float = 0, **changes: Any) -> EndedJob:
        """A job of a cluster of its own ends now, and every source tells of it `late` seconds from now; the jobs API
        knows the details at once."""
        now = self.clock.now()
        job = EndedJob(
            arm_id=job_id(number),
            cluster=cluster(number),
            instance_id=f"{VAULT}/backupInstances/c{number}",
            operation="Backup",
            status=status,
            user_triggered=False,
            started_at=now - timedelta(minutes=5),
            ended_at=now,
        )
        job = replace(job, **changes)
        self.has_record(number)
        detailed = replace(job, detailed=True, warnings=(JobIssue("PVSnapshotLimit", resource=f"pvc-{number}"),))
        self.api.jobs[job.arm_id.lower()] = (
            detailed if status == "completedwithwarnings" else replace(job, detailed=True)
        )
        for source in self.sources:
            source.rows.append((now + timedelta(seconds=late), job))
        return job

    def has_record(self, number: int) -> None:
        """The cluster is one of the fleet."""
        if self.record(cluster(number)) is None:
            self.records.put(Record(cluster(number), self.clock.now(), ObservedCluster()))

    async def watch(self) -> Watched | None:
        """One run of the timer, and Event Grid brings what was published."""
        watched: Watched | None = None

        async def run() -> None:
            nonlocal watched
            watched = await watch_jobs(self.host)

        await self._survives(run())
        if self.topic is not None:
            if self.loses:
                self.topic.lose_everything()
            while (event := self.topic.next_event()) is not None:
                with suppress(MalformedEventError):  # the function drops it
                    if not await self._survives(self._hear(event)):
                        continue
                self.topic.heard(event)
        return watched

    async def watch_for(self, seconds: float, every: float = 300) -> None:
        end = self.clock.after(seconds)
        while self.clock.now() < end:
            await self.clock.advance(every)
            await self.watch()

    def known(self, number: int = 1) -> EndedJob | None:
        """The job, when the history has it and its cluster was woken for it."""
        record = self.record(cluster(number))
        if record is None or record.news_at is None or not len(self.queue):
            return None
        found = [job for job in self.history.all_now() if isinstance(job, EndedJob) and job.arm_id == job_id(number)]
        assert len(found) <= 1
        return found[0] if found else None

    def published(self) -> list[str]:
        assert self.topic is not None
        return [event.id for event in self.topic.published if ".BackupJob" in event.type]

    async def outgoing(self) -> int:
        return len([entry async for entry in self.outbox.outgoing_news()])

    async def own_alerts(self) -> dict[str, Alert]:
        return {alert.cause.key: alert async for alert in self.alert_book.all_of(THE_APP)}
