"""Which failed jobs and out-of-memory kills say that the backup extension has too little memory, or more than it needs.

Everything is a function of the set of jobs and signs: their order, doubles and lateness do not matter."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shared.domain.jobs import POD_RESTARTED, ClusterHistory, EndedJob, OutOfMemorySign
from shared.domain.observed import Cluster, Extension
from shared.domain.profile import MemoryLadder
from shared.domain.quantity import mebibytes
from shared.domain.record import ExtensionMemory, Record
from shared.domain.time import Moment
from shared.plan import names

DEFAULT_LIMIT = "1280Mi"
"""Of an extension whose limit nobody set (AKS backup troubleshooting page)."""
MANY_RESOURCES = 1000
"""More than so many may need more than the default limit (AKS backup troubleshooting page)."""
COUNTS_FOR = 7 * 86400.0
"""Seconds. What is older says little of today; a limit that is too low brings new evidence with the next backup."""
CHANGE_TAKES = 300.0
"""Seconds for which a change that somebody else made may go on restarting pods (assumed)."""
SIGN_LATE = 300.0
"""Seconds after a job's end in which a kill may still be its own."""
STEADIER = 4
"""So many times longer the limit stays up when it came down once and was too low."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a decision would rest on. `job` is read from the jobs API first; None: there is none to read. `covers` are
    the keys that are judged with it. `first`: a pod that restarted once, for whatever reason; nothing is changed."""

    kind: Literal["memory", "first", "ahead", "down"]
    key: str
    job: EndedJob | None
    covers: tuple[str, ...]


def of_this_life(history: ClusterHistory, record: Record) -> ClusterHistory:
    """Each job and sign once, oldest first, without those of a cluster that had the ARM id before."""
    since = record.reborn_at
    jobs = {job.key: job for job in history.jobs if since is None or job.started_at >= since}
    signs = {sign.key: sign for sign in history.signs if since is None or sign.at >= since}
    return ClusterHistory(
        tuple(sorted(jobs.values(), key=lambda job: (job.ended_at, job.key))),
        tuple(sorted(signs.values(), key=lambda sign: (sign.at, sign.key))),
    )


def settled_since(memory: ExtensionMemory, extension: Extension, moment: Moment) -> datetime | None:
    """From when on jobs surely ran under the extension as it is: since it was first seen Succeeded after its last
    change, or since that change must have been over, and never before it was last seen in another state."""
    known = [memory.settled_at] if memory.settled_at and memory.changed_at == extension.changed_at else []
    if extension.changed_at is not None:
        known.append(extension.changed_at + timedelta(seconds=CHANGE_TAKES / moment.scale))
    since = min(known, default=None)
    return since if since is None or memory.changing_at is None else max(since, memory.changing_at)


def nodes_of(cluster: Cluster) -> str:
    """The same as long as the nodes are: a pod also restarts because its node went."""
    pools = sorted(f"{p.name}|{p.vm_size}|{p.count}|{p.image}" for p in cluster.node_pools)
    return names.digest(*pools)[:16]


def limit_of(extension: Extension) -> float:
    """MiB. What is no quantity counts as nobody's setting."""
    return mebibytes(extension.memory_limit) or mebibytes(DEFAULT_LIMIT) or 0.0


def out_of_memory(
    history: ClusterHistory, memory: ExtensionMemory, since: datetime, cluster: Cluster, moment: Moment
) -> Evidence | None:
    """The newest evidence that nobody has judged yet. With the Guard at its wits' end all is judged again: a person
    may have raised the ceiling. The restart code with a sign of a kill counts at once, as the sign does alone; the code
    alone counts from the second failure in a row, when neither nodes nor extension changed between them."""
    answered = {rung.evidence for rung in memory.rungs}
    judged = answered if memory.exhausted else answered | set(memory.judged)
    failures = [job for job in restarts(history.jobs, since) if moment.since(job.ended_at) <= COUNTS_FOR]
    signs = [sign for sign in history.signs if sign.at >= since and moment.since(sign.at) <= COUNTS_FOR]
    covers = (*(job.key for job in failures), *(sign.key for sign in signs))
    fresh = [sign for sign in signs if sign.key not in judged]
    for job in reversed(failures):
        own = [sign for sign in signs if _is_of(sign, job, moment)]
        if job.key not in answered and own and (job.key not in judged or any(sign in fresh for sign in own)):
            return Evidence("memory", job.key, job, covers)
    if fresh:
        return Evidence("memory", fresh[-1].key, None, covers)
    if not failures or failures[-1].key in judged:
        return None
    last = failures[-1]
    before = next((job for job in reversed(failures[:-1]) if job.operation.lower() == last.operation.lower()), None)
    in_a_row = before is not None and not any(
        _came_through(job)
        and job.operation.lower() == last.operation.lower()
        and before.ended_at <= job.ended_at < last.ended_at
        for job in history.jobs
    )
    if before is not None and in_a_row and memory.nodes.get(before.key) == nodes_of(cluster):
        return Evidence("memory", last.key, last, covers)
    return Evidence("first", last.key, last, covers)


def restarts(jobs: Iterable[EndedJob], since: datetime) -> list[EndedJob]:
    """Jobs that lost the extension's pod and had begun under the extension as it is."""
    return [job for job in jobs if job.failed_with(*POD_RESTARTED) and job.started_at >= since]


def unsolved(history: ClusterHistory, since: datetime) -> EndedJob | OutOfMemorySign | None:
    """The newest restart or kill after which no job of its kind came through."""
    through = [job for job in history.jobs if _came_through(job)]

    def solved(operation: str, after: datetime) -> bool:
        return any(job.operation.lower() == operation.lower() and job.started_at >= after for job in through)

    jobs = [job for job in restarts(history.jobs, since) if not solved(job.operation, job.ended_at)]
    signs = [sign for sign in history.signs if sign.at >= since and not solved("backup", sign.at)]
    return jobs[-1] if jobs else signs[-1] if signs else None


def many_resources(history: ClusterHistory, memory: ExtensionMemory, extension: Extension) -> Evidence | None:
    """The newest backup that counted its resources, when they are many and nobody has raised the limit."""
    counted = [job for job in history.jobs if job.resources is not None and job.operation.lower() == "backup"]
    if not counted or (counted[-1].resources or 0) <= MANY_RESOURCES or counted[-1].key in memory.judged:
        return None
    raised = limit_of(extension) > (mebibytes(DEFAULT_LIMIT) or 0.0) or any(r.kind == "ahead" for r in memory.rungs)
    return None if raised else Evidence("ahead", counted[-1].key, counted[-1], (counted[-1].key,))


def long_clean(
    history: ClusterHistory, memory: ExtensionMemory, ladder: MemoryLadder, moment: Moment
) -> Evidence | None:
    """Only clean backups, from the newest decision on, for as long as the profile says."""
    if ladder.come_down_after is None or not memory.rungs:
        return None
    newest = memory.rungs[-1]
    fell_back = newest.kind == "memory" and any(rung.kind == "down" for rung in memory.rungs)
    wanted = ladder.come_down_after * (STEADIER if fell_back else 1)
    backups = [job for job in history.jobs if job.operation.lower() == "backup" and job.ended_at >= newest.at]
    troubles = [job for job in backups if job.status in ("failed", "completedwithwarnings")]
    kills = [sign for sign in history.signs if sign.at >= newest.at]
    clean = [job for job in backups if job.clean]
    settled = memory.settled_at or newest.at
    if kills or not clean or any(job.started_at >= settled for job in troubles):
        return None
    lasted = moment.since(newest.at) - moment.since(clean[-1].ended_at)
    return Evidence("down", clean[-1].key, None, (clean[-1].key,)) if lasted >= wanted else None


def _came_through(job: EndedJob) -> bool:
    """Whether the pod lived, whatever else the job lacks."""
    return job.status in ("completed", "completedwithwarnings")


def _is_of(sign: OutOfMemorySign, job: EndedJob, moment: Moment) -> bool:
    return job.started_at <= sign.at <= job.ended_at + timedelta(seconds=SIGN_LATE / moment.scale)
