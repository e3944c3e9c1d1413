"""What follows from a complete sweep: it shows, drift is repaired or held, people and programs are told. Each may be
done again and comes to the same."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from shared.announce import own_alert, own_alert_over
from shared.domain.alerts import SEVERITIES, Cause
from shared.domain.compliance import Finding, VerdictChange
from shared.domain.errors import GuardError, RecordConflict
from shared.domain.ids import parse_subject
from shared.domain.sweeps import SweepRun
from shared.judge_fleet import summarised
from shared.plan.compliance.catalogue import FLEET_CONTROLS
from shared.ports import EventTopic, RepairHold, Watermark
from shared.sweep.batch import ask_for_looks
from shared.world import World

log = logging.getLogger(__name__)

BREAKER_CAUSE = "RepairBreaker"
EVENTS = "sweep-events"
"""Watermark: the newest sweep whose events are all published."""
EVENTS_KEPT = timedelta(days=3)
"""By the calendar: older events are given up when the topic does not work."""
_EVENTS_AT_ONCE = 50
_MOST_NAMED = 20


async def settle(run: SweepRun, world: World) -> None:
    """Raises what storage raises."""
    assert run.ended_at is not None  # noqa: S101 - every batch is judged
    summary = summarised(
        run.totals,
        world.configuration,
        sweep_id=run.sweep_id,
        started_at=run.started_at,
        ended_at=run.ended_at,
        names=run.names,
        findings=run.findings,
        sources=run.sources,
        changes=run.changes,
        repairs=run.repairs,
    )
    await world.sweeps.finish(
        replace(summary, configuration_revision=run.configuration_revision, calls=run.calls), run.batches
    )
    await _repair(run, run.ended_at, world)
    for control in FLEET_CONTROLS:
        await _alert_of(control.id, control.title, run.findings, world)
    for sweep_id in run.unfinished:
        await world.sweeps.drop(sweep_id)
    kept, now = timedelta(days=world.configuration.sweep.keep_days), world.clock.now()
    await world.sweeps.forget(now - kept, now - 10 * kept)


async def _repair(run: SweepRun, at: datetime, world: World) -> None:
    if run.opens_breaker:
        await world.breaker.hold(RepairHold(run.sweep_id, at, run.drift.drifted, run.drift.enforced))
    hold = await world.breaker.held()
    if hold is None:
        await own_alert_over(BREAKER_CAUSE, world)
    else:
        await own_alert(_breaker_cause(hold), world)
    if hold is None and run.repairs.asked:
        await ask_for_looks([parse_subject(key) for _, key in run.drift.chosen], world)
    if hold is None:
        await ask_for_looks([parse_subject(key) for key in run.drift.regions], world)


async def told(world: World) -> int:
    """Publish the events of every complete sweep that are not published yet, at least once, and answer how many sweeps
    that were. A topic that does not work is tried again by the next invocation."""
    run = await world.sweeps.run()
    if world.topic is None or run is None:
        return 0
    mark = await world.watermarks.get(EVENTS)
    if mark is not None and (mark.through > run.started_at or (mark.through == run.started_at and run.stage == "done")):
        return 0
    summaries = await world.sweeps.summaries(20 if mark else 1)
    count = 0
    for summary in sorted(summaries, key=lambda each: each.sweep_id):
        if mark is not None and summary.started_at <= mark.through:
            continue
        try:
            await _publish_changes(summary.sweep_id, world.topic, world)
            await world.topic.publish_sweep(summary)
        except GuardError as error:
            if world.clock.now() - summary.ended_at < EVENTS_KEPT:
                log.warning("events of sweep %s were not published: %s", summary.sweep_id, error)
                return count
            log.error("gave up the events of sweep %s: %s", summary.sweep_id, error)
        try:
            moved = Watermark(EVENTS, summary.started_at, etag=mark.etag if mark else "")
            mark = await world.watermarks.save(moved)
        except RecordConflict:
            return count  # another host publishes them too
        count += 1
    return count


async def _publish_changes(sweep_id: str, topic: EventTopic, world: World) -> None:
    changed: list[list[VerdictChange]] = []
    async for change in world.sweeps.changes_of(sweep_id):
        if changed and changed[-1][0].cluster_id == change.cluster_id:
            changed[-1].append(change)
            continue
        if len(changed) == _EVENTS_AT_ONCE:
            await topic.publish_changes(changed)
            changed = []
        changed.append([change])
    if changed:
        await topic.publish_changes(changed)


async def _alert_of(control: str, title: str, findings: Iterable[Finding], world: World) -> None:
    """One alert for all findings of a control. It is over when there are none, Unknown ones included: what nobody could
    tell is no reason to be at ease."""
    key = f"Fleet:{control}"
    its = [finding for finding in findings if finding.control == control]
    bad = [finding for finding in its if finding.status == "NonCompliant"]
    if not its:
        await own_alert_over(key, world)
    if bad:
        await own_alert(_cause_of(key, title, bad, world.clock.now()), world)


def _cause_of(key: str, title: str, bad: list[Finding], now: datetime) -> Cause:
    lines = [f"{finding.subject}: {finding.message}" for finding in bad[:_MOST_NAMED]]
    more = f" And {len(bad) - _MOST_NAMED} more." if len(bad) > _MOST_NAMED else ""
    gravest = min((finding.severity for finding in bad), key=SEVERITIES.index)
    since = min((finding.since or now for finding in bad), default=now)
    return Cause(
        key=key,
        code=bad[0].reason,
        severity=gravest,
        title=f"Not so: {title[0].lower()}{title[1:]}",
        message=("\n".join(lines) + more)[:4000],
        recommended_action=bad[0].remedy,
        first_at=since,
        last_at=since,
        will_do="Each sweep looks again; the alert is over when none is left.",
    )


def _breaker_cause(hold: RepairHold) -> Cause:
    return Cause(
        key=BREAKER_CAUSE,
        code="CircuitBreakerOpen",
        severity="Error",
        title="Repairs are held: too many clusters have drifted at once",
        message=f"The sweep {hold.sweep_id} found {hold.clusters} of {hold.fleet} clusters in enforce that are no "
        "longer as the Guard made them. So many at once are more often one mistake than many faults, so nothing of it "
        "is repaired, also when later sweeps find fewer, until a person has looked.",
        recommended_action="Look at the drifted clusters. If they shall be repaired, approve it: aks-backup-guard "
        "approve-repairs --reason TEXT, or POST /api/v1/repairs/approve. If the profile is wrong, correct guard.yaml "
        "first.",
        first_at=hold.at,
        last_at=hold.at,
    )
