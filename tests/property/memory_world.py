"""One cluster whose extension may run out of memory, for tests of the ladder: its jobs, its looks, its Azure."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from shared.domain.facts import Fact, Present, Unobserved
from shared.domain.jobs import ClusterHistory, EndedJob, JobIssue, OutOfMemorySign
from shared.domain.observed import Cluster, Extension, Job, NodePool, ObservedCluster, ObservedRegion, RunningJob
from shared.domain.profile import MemoryLadder, ProtectionProfile, VaultSettings
from shared.domain.quantity import mebibytes
from shared.domain.record import Record
from shared.domain.steps import Accepted, UpdateExtension
from shared.domain.time import Moment
from shared.plan.cluster import subject_of
from shared.plan.extension_memory import decided, memory_reads
from shared.plan.memory_part import memory_part
from shared.plan.outcomes import absorb, intended, remember
from shared.plan.subject import Subject
from tests.property.strategies import CLUSTER, REGION, VAULT, configuration_of

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
CODE = "UserErrorBackupPluginPodRestartedDuringBackup"
UPDATE_TAKES = 60.0


@dataclass
class World:
    """One cluster, its extension as Azure has it, and a record that only changes when a look is not killed."""

    profile: ProtectionProfile
    now: datetime = START
    limit: str = ""
    cpu: str = ""
    changed_at: datetime = START - timedelta(days=1)
    updating_until: datetime = START
    vm_size: str = "standard_d4s_v5"
    memory: dict[str, int] = field(default_factory=lambda: {"standard_d4s_v5": 16384})
    image: str = "one"
    record: Record = field(default_factory=lambda: Record(CLUSTER, START, ObservedCluster()))
    jobs: dict[str, EndedJob] = field(default_factory=dict)
    told: list[EndedJob | OutOfMemorySign] = field(default_factory=list)
    limits: list[float] = field(default_factory=list)
    patches: int = 0
    runs: Literal["nothing", "a backup", "nobody knows"] = "nothing"

    def extension(self) -> Extension:
        state = "Updating" if self.now < self.updating_until else "Succeeded"
        return Extension(
            "e", "azure-aks-backup", state, "p", "c", "a", "g", "s", True, "", self.limit, self.cpu, "", self.changed_at
        )

    def cluster(self) -> Cluster:
        pools = (NodePool("system", self.vm_size, 3, self.image, takes_pods=True),)
        return Cluster(
            CLUSTER.arm_id, "shop", "westeurope", "uid", {}, "Running", "Succeeded", "1.33.5", "i", False, True, True,
            True, False, False, None, pools,
        )  # fmt: skip

    def history(self) -> ClusterHistory:
        return ClusterHistory(
            tuple(each for each in self.told if isinstance(each, EndedJob)),
            tuple(each for each in self.told if isinstance(each, OutOfMemorySign)),
        )

    def subject(self, record: Record) -> Subject:
        configuration = configuration_of(self.profile)
        region = Record(REGION, self.now, ObservedRegion())
        return subject_of(record, region, self.profile, configuration, Moment(self.now), self.history())

    def look(self, killed: Literal["", "before", "after"] = "") -> None:
        """Read, decide, plan, keep, act, keep; a killed one loses what it had not kept."""
        moment = Moment(self.now)
        observed = ObservedCluster(
            cluster=Present(self.cluster(), self.now),
            extension=Present(self.extension(), self.now),
            running_jobs=self.running_jobs(),
        )
        known = self.record.observed
        assert isinstance(known, ObservedCluster)
        observed = replace(observed, evidence=known.evidence)
        record = replace(self.record, observed=observed)
        asked = memory_reads(self.subject(record))
        evidence = observed.evidence
        if asked.evidence_id is not None:
            job = self.jobs[asked.evidence_id]
            codes = tuple(issue.code for issue in job.errors)
            found = Job(job.arm_id, job.status, False, job.started_at, job.ended_at, None, codes)
            evidence = Present(found, self.now)
        observed = replace(observed, evidence=evidence, node_memory=Present(self.memory, self.now))
        record = absorb(replace(record, observed=observed), moment)
        once = decided(self.subject(record))
        again = decided(self.subject(once)).memory  # it may take note of a further job, and decide nothing
        assert (again.limit, again.cpu, again.rungs) == (once.memory.limit, once.memory.cpu, once.memory.rungs)
        part = memory_part(self.subject(once))
        if killed == "before":
            return
        self.record = intended(once, part.steps, moment)
        for step in part.steps:
            assert isinstance(step, UpdateExtension)
            assert self.runs == "nothing"
            self._patch(step)
            if killed == "after":
                return
            self.record = remember(self.record, step, Accepted(), moment)

    def running_jobs(self) -> Fact[tuple[RunningJob, ...]]:
        if self.runs == "nobody knows":
            return Unobserved("Azure does not say")
        jobs = (RunningJob("x", "Backup", self.now),) if self.runs == "a backup" else ()
        return Present(jobs, self.now)

    def _patch(self, step: UpdateExtension) -> None:
        self.patches += 1
        self.limit = step.settings.get("resources.limits.memory", self.limit)
        self.cpu = step.settings.get("resources.limits.cpu", self.cpu)
        self.changed_at, self.updating_until = self.now, self.now + timedelta(seconds=UPDATE_TAKES)
        self.limits.append(mebibytes(self.limit) or 0.0)

    def job(self, number: int, outcome: str, *, sign: bool, resources: int | None = None) -> list[Any]:
        """One that runs for three minutes and has just ended."""
        errors = (JobIssue(CODE),) if outcome == "restarted" else (JobIssue("Other"),) if outcome == "failed" else ()
        status = "failed" if errors else "completed"
        started = self.now - timedelta(seconds=184)
        arm_id = f"{VAULT}/backupJobs/{number}"
        job = EndedJob(
            arm_id, CLUSTER, "", "Backup", status, False, started, self.now, errors, resources=resources, detailed=True
        )
        self.jobs[arm_id] = job
        kill = OutOfMemorySign(CLUSTER, "agent", "manager", self.now - timedelta(seconds=60))
        return [job, kill] if sign else [job]


def profile(**ladder: Any) -> ProtectionProfile:
    return ProtectionProfile(
        "standard",
        VaultSettings("AlwaysOn"),
        mode="enforce",
        memory=MemoryLadder(**ladder),
        digest="first",
    )


def settle(world: World) -> None:
    """Looks until nothing changes any more, as wake-ups bring them: longer than nothing may be sent around the time the
    schedule starts a backup."""
    for _ in range(16):
        world.now += timedelta(seconds=90)
        before = world.record.memory
        world.look()
        if world.record.memory == before and before.in_effect:
            return


def oom(world: World, number: int, *, sign: bool = True, told: int = 1) -> None:
    world.now += timedelta(hours=1)
    world.told += world.job(number, "restarted", sign=sign) * told


def clean_days(world: World, days: int, first: int) -> None:
    for number in range(first, first + days):
        world.now += timedelta(days=1)
        world.told += world.job(number, "clean", sign=False)
        settle(world)
