"""One batch of a sweep: its clusters are judged, compared with the sweep before, and written; what follows from each by
itself (a look, a condition in its record) is done at once. Done twice it comes to the same."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import batched

from shared.domain.compliance import Finding, JudgedCluster, VerdictChange
from shared.domain.conditions import Condition
from shared.domain.errors import RecordConflict
from shared.domain.fleet import Remembered, Source
from shared.domain.ids import ClusterId, Subject
from shared.domain.sweeps import Batch, SweepRun
from shared.judge_fleet import Asked, FleetJudge, JudgedBatch, calls_of
from shared.plan import repairs
from shared.plan.compliance.findings import bounded, shrunk
from shared.plan.compliance.tally import counted
from shared.plan.compliance.trend import carried, is_new, kept_unknown, to_be_noted
from shared.wake import request_look
from shared.world import World

log = logging.getLogger(__name__)

MOST_VANISHED = 50
"""Clusters that are no longer listed and that ARM is asked about directly, in one sweep."""
MOST_NEW = 2000
"""Clusters nobody knew that one batch asks for looks at; the hourly roll call finds the others."""
MOST_FINDINGS = 300
"""Of one control that a sweep keeps; the others are counted."""
_AT_ONCE = 16
"""Records that are written at the same time."""
_LOOK_AGAIN = "The cluster could not be looked at in this sweep; the next one looks again."


@dataclass(frozen=True, slots=True)
class _Vanished:
    """Clusters the sweep before judged and that are not listed now. `kept` are not known to be gone."""

    kept: tuple[JudgedCluster, ...] = ()
    gone: tuple[ClusterId, ...] = ()
    findings: tuple[Finding, ...] = ()
    sources: tuple[Source, ...] = ()
    asked: int = 0


async def do_batch(
    run: SweepRun, judge: FleetJudge | None, remembered: Mapping[ClusterId, Remembered], world: World
) -> SweepRun:
    """The run with the next batch in it, not saved yet. `judge` is None for a batch that is lost. Raises what storage
    raises."""
    batch, at = run.batches[run.done], world.clock.now()
    before = await _before(run, batch, world)
    found = JudgedBatch((), unread=batch.lost)
    if judge is not None:
        found = await judge.batch(batch.subscriptions)
    clusters: list[JudgedCluster] = []
    changes: list[VerdictChange] = []

    def take(judged: JudgedCluster, known: JudgedCluster | None) -> None:
        since, changed = carried(judged, known, run.sweep_id, at)
        clusters.append(since)
        changes.extend(changed)

    for judged in found.clusters:
        take(judged, before.pop(judged.cluster_id.lower(), None))
    unlisted = {cluster.arm_id for cluster in found.unlisted}
    vanished = await _vanished(run, batch, found, before, unlisted, remembered, world)
    for kept in vanished.kept:
        take(kept, before[kept.cluster_id.lower()])
    del before
    pages, change_pages = await world.sweeps.write_batch(run.sweep_id, run.done, clusters, changes)
    known = [(judged, remembered.get(ClusterId.parse(judged.cluster_id))) for judged in clusters]
    listed = known[: len(found.clusters)]
    await _look_at_new(listed, found.unlisted, vanished.gone, remembered, world)
    await _note(listed, at, world)
    findings = (*run.findings, *found.findings, *vanished.findings)
    kept_findings, left_out = bounded(findings, MOST_FINDINGS)
    sources = (*found.sources, *vanished.sources)
    return replace(
        run,
        batches=(
            *run.batches[: run.done],
            replace(batch, pages=pages, change_pages=change_pages),
            *run.batches[run.done + 1 :],
        ),
        done=run.done + 1,
        claims=0,
        totals=counted(run.totals, clusters),
        findings=kept_findings,
        left_out={name: run.left_out.get(name, 0) + left_out.get(name, 0) for name in {**run.left_out, **left_out}},
        sources=(*run.sources, *sources),
        calls=run.calls + calls_of(sources),
        changes=run.changes + len(changes),
        matched=tuple(sorted({*run.matched, *found.matched})),
        vanished=run.vanished + vanished.asked,
        drift=repairs.seen(run.drift, listed, run.sweep_id, world.configuration),
    )


async def _before(run: SweepRun, batch: Batch, world: World) -> dict[str, JudgedCluster]:
    """By lower-case id. What another version wrote is as if there had been no sweep before."""
    if not run.before:
        return {}
    try:
        judged = world.sweeps.before(run.before, batch.subscriptions)
        return {each.cluster_id.lower(): each async for each in judged}
    except ValueError as error:
        log.error("what sweep %s found in %s cannot be compared with: %s", run.before, batch.subscriptions, error)
        return {}


async def _vanished(
    run: SweepRun,
    batch: Batch,
    found: JudgedBatch,
    before: Mapping[str, JudgedCluster],
    unlisted: set[str],
    remembered: Mapping[ClusterId, Remembered],
    world: World,
) -> _Vanished:
    """A cluster is only left out when somebody told of its end, or ARM says so now."""
    asked, at = Asked(world.fleet), world.clock.now()
    kept: list[JudgedCluster] = []
    gone: list[ClusterId] = []
    names: dict[str, dict[str, list[str]]] = {}
    for key, judged in before.items():
        cluster = ClusterId.parse(key)
        known = remembered.get(cluster)
        if known is not None and known.deleted_at is not None:
            continue
        there: bool | str = "it was not asked for directly, since too many others were."
        if key in unlisted:
            there = True
        elif found.unread and not batch.lost:
            there = found.unread
        elif run.vanished + asked.calls < MOST_VANISHED:
            there = await asked.exists(cluster)
        words = names.setdefault(cluster.subscription_id, {"gone": [], "there": [], "unknown": []})
        if there is False:
            gone.append(cluster)
            words["gone"].append(judged.name)
            continue
        words["there" if there is True else "unknown"].append(judged.name)
        kept.append(_unknown(judged, there, found.unread, at))
    findings = () if found.unread else tuple(shrunk(name, **words) for name, words in sorted(names.items()))
    return _Vanished(tuple(kept), tuple(gone), findings, asked.sources(at), asked.calls)


def _unknown(judged: JudgedCluster, there: bool | str, unread: str, at: datetime) -> JudgedCluster:
    if there is True:
        why = unread or "Resource Graph does not list it."
        return kept_unknown(judged, "NotListed", f"The cluster is there, but was not shown: {why}", _LOOK_AGAIN, at)
    if there == unread:
        return kept_unknown(judged, "NotListed", f"Its clusters could not be listed: {unread}", _LOOK_AGAIN, at)
    message = f"The cluster is not listed any more, and whether it is there is not known: {there}"
    return kept_unknown(judged, "NotConfirmed", message, _LOOK_AGAIN, at)


async def _look_at_new(
    listed: Iterable[tuple[JudgedCluster, Remembered | None]],
    unlisted: Iterable[ClusterId],
    gone: Iterable[ClusterId],
    remembered: Mapping[ClusterId, Remembered],
    world: World,
) -> None:
    """Those nobody told the Guard about, those that were deleted and are back, and those whose end nobody told of."""
    wanted: list[ClusterId] = [cluster for cluster in gone if cluster in remembered]
    if world.scope.subscriptions or world.scope.management_groups:
        wanted += [ClusterId.parse(judged.cluster_id) for judged, known in listed if _is_unknown(known)]
        wanted += [cluster for cluster in unlisted if _is_unknown(remembered.get(cluster))]
    if wanted:
        log.info("the sweep asks for looks at %d clusters that are new, back or gone", len(wanted))
    await ask_for_looks(wanted[:MOST_NEW], world)


def _is_unknown(known: Remembered | None) -> bool:
    return known is None or known.deleted_at is not None


async def _note(listed: Iterable[tuple[JudgedCluster, Remembered | None]], at: datetime, world: World) -> None:
    """What a sweep says of a cluster becomes a condition of its record, and with it an alert, or the end of one. What
    has only just drifted is left to the loop first."""
    noted: list[tuple[ClusterId, Condition]] = []
    for judged, known in listed:
        profile = world.configuration.profiles.get(judged.profile)
        said = to_be_noted(judged, known, profile, at)
        if said is None or (is_new(judged, at) and repairs.has_drifted(judged, known, profile)):
            continue
        noted.append((ClusterId.parse(judged.cluster_id), said))

    async def say(each: tuple[ClusterId, Condition]) -> None:
        cluster, said = each
        if not await request_look(cluster, world, news=True, said=said):
            log.info("%s is being looked at: the next sweep says to its record what this one found", cluster)

    await each_of(noted, say)


async def ask_for_looks(subjects: Sequence[Subject], world: World) -> None:
    async def look(subject: Subject) -> None:
        await request_look(subject, world)

    await each_of(subjects, look)


async def each_of[T](items: Iterable[T], do: Callable[[T], Awaitable[None]]) -> None:
    """Some at a time. One record that others keep writing, or that cannot be read, hinders no other: the next sweep
    comes to it. Raises GuardError: storage is not to be had."""

    async def once(item: T) -> None:
        try:
            await do(item)
        except RecordConflict as error:
            log.info("left to the next sweep: %s", error)
        except ValueError as error:
            log.error("left alone: %s", error)

    for group in batched(items, _AT_ONCE, strict=False):
        await asyncio.gather(*(once(item) for item in group))
