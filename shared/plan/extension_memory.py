"""How much memory the backup extension gets: one rung of the profile's ladder for one kill, written down before
anything is sent, never above what the profile and the nodes allow."""

from dataclasses import dataclass, replace
from typing import Literal

from shared.domain.facts import Absent, Fact, Present, value_of
from shared.domain.ids import same_id
from shared.domain.jobs import POD_RESTARTED
from shared.domain.observed import Extension
from shared.domain.profile import ExtensionResources, MemoryLadder, ProtectionProfile
from shared.domain.quantity import amount, mebibytes
from shared.domain.reads import ClusterReads
from shared.domain.record import ExtensionMemory, Record, Rung
from shared.plan.evidence import (
    DEFAULT_LIMIT,
    Evidence,
    limit_of,
    long_clean,
    many_resources,
    nodes_of,
    of_this_life,
    out_of_memory,
    settled_since,
    unsolved,
)
from shared.plan.freshness import read_now
from shared.plan.subject import Subject

DEFAULT_CPU = "1000m"
"""CPU limit of an extension whose limit nobody set (AKS backup troubleshooting page)."""
LIMIT, CPU_LIMIT = "resources.limits.memory", "resources.limits.cpu"
_RUNGS, _JUDGED, _NODES = 20, 50, 10
"""So many of the newest are remembered."""


def seen(memory: ExtensionMemory, fact: Fact[Extension]) -> ExtensionMemory:
    """What the extension shows of the decisions. A value that somebody set is respected; one that is gone was lost when
    the extension was installed anew, and is put back."""
    if not isinstance(fact, Present):
        return memory
    extension = fact.value
    if not succeeded(extension):
        return replace(memory, changing_at=fact.observed_at)
    if memory.settled_at is None or memory.changed_at != extension.changed_at:
        memory = replace(memory, changed_at=extension.changed_at, settled_at=fact.observed_at)
    lacking = missing(memory, extension)
    if not memory.in_effect:
        return replace(memory, in_effect=not lacking)
    limit, cpu = mebibytes(extension.memory_limit), amount(extension.cpu_limit)
    lost = (LIMIT in lacking and limit is None) or (CPU_LIMIT in lacking and cpu is None)
    return replace(
        memory,
        in_effect=not lost,
        limit=extension.memory_limit if LIMIT in lacking and limit is not None else memory.limit,
        cpu=extension.cpu_limit if CPU_LIMIT in lacking and cpu is not None else memory.cpu,
    )


def missing(memory: ExtensionMemory, extension: Extension) -> dict[str, str]:
    """The limits that are not as they were decided. A higher one is somebody's choice, unless it shall come down."""
    settings: dict[str, str] = {}
    wanted, current = mebibytes(memory.limit), limit_of(extension)
    comes_down = not memory.in_effect and memory.rungs[-1:] != () and memory.rungs[-1].kind == "down"
    if wanted is not None and (current < wanted or (comes_down and current > wanted)):
        settings[LIMIT] = memory.limit
    if memory.cpu and (amount(extension.cpu_limit) or amount(DEFAULT_CPU) or 0.0) < (amount(memory.cpu) or 0.0):
        settings[CPU_LIMIT] = memory.cpu
    return settings


def kept(memory: ExtensionMemory, extension: Extension) -> ExtensionMemory:
    """With what the extension has wherever that is more, so that installing it anew takes nothing away from it."""
    limit, cpu = mebibytes(extension.memory_limit) or 0.0, amount(extension.cpu_limit) or 0.0
    return replace(
        memory,
        limit=extension.memory_limit if limit > (mebibytes(memory.limit) or 0.0) else memory.limit,
        cpu=extension.cpu_limit if cpu > (amount(memory.cpu) or 0.0) else memory.cpu,
    )


def awaits_change(subject: Subject) -> bool:
    """Whether a decision is not in effect yet, and the profile still lets the Guard carry it out."""
    memory = seen(subject.record.memory, subject.observed.extension)
    return not memory.in_effect and subject.profile.memory.automatic


def with_decisions(profile: ProtectionProfile, memory: ExtensionMemory) -> ExtensionResources:
    """What a (re)installation of the extension sets: the larger of the profile's and what was decided."""
    wanted, decided = profile.extension, mebibytes(memory.limit) or 0.0
    if decided > (mebibytes(wanted.memory_limit or "") or 0.0):
        wanted = replace(wanted, memory_limit=memory.limit)
        if profile.memory.raise_request:
            wanted = replace(wanted, memory_request=memory.limit)
    if (amount(memory.cpu) or 0.0) > (amount(wanted.cpu_limit or "") or 0.0):
        wanted = replace(wanted, cpu_limit=memory.cpu)
    return wanted


def question(subject: Subject) -> Evidence | None:
    """What a decision is due about. While one is not in effect yet there is no other."""
    memory, extension, ladder = subject.record.memory, value_of(subject.observed.extension), subject.profile.memory
    memory = seen(memory, subject.observed.extension)
    if subject.history is None or extension is None or not succeeded(extension) or not memory.in_effect:
        return None
    since = settled_since(memory, extension, subject.moment)
    if since is None or not decides(subject.profile):
        return None
    history = of_this_life(subject.history, subject.record)
    found = out_of_memory(history, memory, since, subject.cluster, subject.moment)
    if found is not None and memory.exhausted:
        known = found.key in memory.nodes if found.kind == "first" else isinstance(_next(subject, memory), str)
        return None if known else found  # nothing has changed about what was judged
    if found is None and ladder.raise_ahead:
        found = many_resources(history, memory, extension)
    return found or (None if memory.exhausted else long_clean(history, memory, ladder, subject.moment))


def memory_reads(subject: Subject) -> ClusterReads:
    """What must be read before the question is answered: a decision rests on nothing that is older than this pass."""
    asked, observed, moment = question(subject), subject.observed, subject.moment
    if asked is None:
        return ClusterReads()
    climbs = asked.kind in ("memory", "ahead")
    return ClusterReads(
        cluster=asked.kind != "down" and not read_now(observed.cluster, moment),
        extension=not read_now(observed.extension, moment),
        evidence_id=asked.job.arm_id if climbs and asked.job is not None and _told(subject, asked) is None else None,
        node_memory_in=subject.cluster.location if climbs and not read_now(observed.node_memory, moment) else None,
    )


def decided(subject: Subject) -> Record:
    """The record with the answer in it, once everything that it rests on was read in this pass. One answer for one
    question: whatever was judged is never judged again."""
    record, asked = subject.record, question(subject)
    if asked is None or memory_reads(subject) != ClusterReads():
        return _recovered(subject)
    memory = seen(record.memory, subject.observed.extension)
    judged = replace(memory, judged=_newest((*memory.judged, *asked.covers), _JUDGED))
    if asked.kind == "first":
        nodes = {**memory.nodes, asked.key: nodes_of(subject.cluster)}
        judged = replace(judged, nodes={key: nodes[key] for key in list(nodes)[-_NODES:]})
        return replace(record, memory=judged)
    if asked.job is not None and not _told(subject, asked):
        return replace(record, memory=judged)
    extension = value_of(subject.observed.extension)
    assert extension is not None  # noqa: S101 - the question was about it
    step = _down(subject, extension) if asked.kind == "down" else _next(subject, memory)
    if isinstance(step, str) and asked.kind == "memory":
        return replace(record, memory=replace(judged, exhausted=step))
    if not isinstance(step, _Step) or (step.kind == "cpu" and asked.kind != "memory"):
        return replace(record, memory=judged)
    kind = step.kind if asked.kind == "memory" else asked.kind
    rung = Rung(subject.moment.now, kind, step.before, step.after, asked.key)
    return replace(
        record,
        memory=replace(
            judged,
            limit=step.after if step.kind == "memory" else judged.limit,
            cpu=step.after if step.kind == "cpu" else judged.cpu,
            rungs=(*judged.rungs, rung)[-_RUNGS:],
            in_effect=False,
            exhausted="",
        ),
    )


@dataclass(frozen=True, slots=True)
class _Step:
    kind: Literal["memory", "cpu"]
    before: str
    after: str


def succeeded(extension: Extension) -> bool:
    return extension.provisioning_state.lower() == "succeeded"


def decides(profile: ProtectionProfile) -> bool:
    """Whether the Guard decides about the memory of the profile's clusters. In audit mode it only tells."""
    return profile.memory.automatic and profile.mode == "enforce"


def _newest(keys: tuple[str, ...], most: int) -> tuple[str, ...]:
    """Each once, in the order in which they came first."""
    return tuple(dict.fromkeys(keys))[-most:]


def _next(subject: Subject, memory: ExtensionMemory) -> _Step | str:
    """The next rung; or why there is none."""
    extension, ladder = value_of(subject.observed.extension), subject.profile.memory
    assert extension is not None  # noqa: S101 - asked of an extension that is there
    current = limit_of(extension)
    base = max(current, mebibytes(memory.limit) or 0.0)
    ceiling, bound = _ceiling(subject, ladder)
    above = [rung for rung in _rungs(ladder) if (mebibytes(rung) or 0.0) > base]
    if above and (mebibytes(above[0]) or 0.0) <= ceiling:
        return _Step("memory", extension.memory_limit or DEFAULT_LIMIT, above[0])
    wanted_cpu, cpu = ladder.cpu_limit_after, amount(extension.cpu_limit or DEFAULT_CPU) or 0.0
    if wanted_cpu and cpu < (amount(wanted_cpu) or 0.0) and not any(rung.kind == "cpu" for rung in memory.rungs):
        return _Step("cpu", extension.cpu_limit or DEFAULT_CPU, wanted_cpu)
    return bound if above else "the ladder of the profile has no higher rung"


def _ceiling(subject: Subject, ladder: MemoryLadder) -> tuple[float, str]:
    """MiB, and what sets it. Nodes whose memory nobody knows set nothing."""
    profiles = mebibytes(ladder.ceiling) or 0.0
    known = value_of(subject.observed.node_memory) or {}
    pools = [pool for pool in subject.cluster.node_pools if pool.takes_pods and pool.vm_size.lower() in known]
    smallest = min(pools, key=lambda pool: (known[pool.vm_size.lower()], pool.name), default=None)
    share = ladder.node_share * known[smallest.vm_size.lower()] if smallest else profiles
    if smallest is not None and share < profiles:
        node = f"{smallest.vm_size} with {known[smallest.vm_size.lower()]} MiB"
        return share, f"the smallest node that may hold the pod ({node}) leaves it no more than {share:.0f}Mi"
    return profiles, f"the profile's ceiling is {ladder.ceiling}"


def _down(subject: Subject, extension: Extension) -> _Step | None:
    """The next lower rung, never below what the profile asks for or Azure gives by itself."""
    current = limit_of(extension)
    floor = max(mebibytes(subject.profile.extension.memory_limit or "") or 0.0, mebibytes(DEFAULT_LIMIT) or 0.0)
    lower = [rung for rung in _rungs(subject.profile.memory) if floor <= (mebibytes(rung) or 0.0) < current]
    return _Step("memory", extension.memory_limit or DEFAULT_LIMIT, lower[-1]) if lower else None


def _rungs(ladder: MemoryLadder) -> list[str]:
    return sorted((rung for rung in ladder.rungs if mebibytes(rung)), key=lambda rung: mebibytes(rung) or 0.0)


def _told(subject: Subject, asked: Evidence) -> bool | None:
    """Whether the jobs API itself tells of the job as the question does; None: not read yet. An event alone raises
    nothing."""
    fact = subject.observed.evidence
    assert asked.job is not None  # noqa: S101 - asked only then
    if isinstance(fact, Absent) and read_now(fact, subject.moment):
        return False
    if not isinstance(fact, Present) or not same_id(fact.value.arm_id, asked.job.arm_id):
        return None
    codes = {code.lower() for code in fact.value.error_codes}
    return asked.kind == "ahead" or (fact.value.status.lower() == "failed" and bool(codes & POD_RESTARTED))


def _recovered(subject: Subject) -> Record:
    """A clean job after the newest kill: what there is suffices after all."""
    memory, extension = subject.record.memory, value_of(subject.observed.extension)
    if not memory.exhausted or subject.history is None or extension is None:
        return subject.record
    since = settled_since(memory, extension, subject.moment)
    if since is None or unsolved(of_this_life(subject.history, subject.record), since) is not None:
        return subject.record
    return replace(subject.record, memory=replace(memory, exhausted=""))
