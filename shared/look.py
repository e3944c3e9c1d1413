"""Observe and plan: read what is pending, take it in, decide. Changes nothing in Azure."""

from dataclasses import dataclass, replace
from datetime import timedelta

from shared.domain.conditions import Condition, summary_of
from shared.domain.errors import RecordConflict, StepError
from shared.domain.facts import Present
from shared.domain.ids import ClusterId, RegionId
from shared.domain.jobs import ClusterHistory
from shared.domain.observed import ObservedCluster, ObservedRegion
from shared.domain.profile import Configuration, ProtectionProfile
from shared.domain.reads import ClusterReads, RegionReads
from shared.domain.record import Record
from shared.domain.time import Moment
from shared.plan.cluster import plan_cluster, profile_of, region_of, subject_of
from shared.plan.cures import needs_history, noted, remembered
from shared.plan.extension_memory import decided
from shared.plan.gate import Gate, audit_gate, gate_of, hold_gate, stop_gate
from shared.plan.outcomes import absorb, forgotten, next_life
from shared.plan.parts import Plan
from shared.plan.reads import first_reads, further_reads
from shared.plan.region import region_reads, wanted_region
from shared.plan.region_plan import plan_region, repairs_seen
from shared.plan.rollout import Progress, Wait, counted, may_change
from shared.plan.under_way import still_quiet
from shared.world import World

READING_ROUNDS = 4
"""Facts lead to further facts (an identity to its roles); after so many rounds the next pass goes on."""
UNREADABLE_AGAIN = {False: (30.0, 300.0), True: (300.0, 3600.0)}
"""Seconds until what could not be read is read again, at first and at most; True: when a person must lift what stands
in the way."""
HISTORY_DAYS = 30
"""How far back a look sees the jobs of its cluster; calendar days."""
ROLLOUT_TRIES = 5
"""To be counted, when other clusters are counted at the same time."""


@dataclass(frozen=True, slots=True)
class Look:
    """`profile` is None when no profile was found for the subject, `history` when it was not read in this look."""

    record: Record
    plan: Plan
    profile: ProtectionProfile | None = None
    history: ClusterHistory | None = None


def outdated(record: Record, configuration: Configuration, moment: Moment) -> Plan | None:
    """Two instances of the app may hold two configurations for a while: the older never acts."""
    summary = summary_of(record.subject)
    if record.configuration_revision > configuration.revision:
        message = (
            f"This instance holds revision {configuration.revision} of guard.yaml, the record was planned with "
            f"{record.configuration_revision}."
        )
        said = Condition(
            summary, "Unknown", "ConfigurationOutdated", message, moment.now, "Deploy the newer guard.yaml."
        )
        return Plan((), ("Look",), (said,), 60)
    if record.configuration_revision == configuration.revision and (
        record.configuration_digest not in ("", configuration.digest)
    ):
        message = f"guard.yaml was changed without a new revision (it is {configuration.revision} still)."
        said = Condition(summary, "Unknown", "RevisionNotRaised", message, moment.now, "Raise revision in guard.yaml.")
        return Plan((), ("Look",), (said,), 300)
    return None


async def look_at_region(record: Record, world: World) -> Look:
    moment, configuration = world.moment(), world.configuration
    assert isinstance(record.subject, RegionId)  # noqa: S101 - the caller chose by the subject
    assert isinstance(record.observed, ObservedRegion)  # noqa: S101
    if (plan := outdated(record, configuration, moment)) is not None:
        return Look(record, plan)
    wanted = wanted_region(record.subject, configuration)
    if wanted is None:
        return Look(record, Plan())
    errors: tuple[StepError, ...] = ()
    for _ in range(READING_ROUNDS):
        assert isinstance(record.observed, ObservedRegion)  # noqa: S101
        reads = region_reads(record, wanted, moment)
        if reads == RegionReads() or errors:
            break
        reading = await world.reader.read_region(record.subject, reads, record.observed)
        record, errors = replace(record, observed=reading.observed), reading.errors
    record = repairs_seen(absorb(record, moment), wanted, moment)
    record = replace(
        forgotten(record, configuration.digest),
        configuration_revision=configuration.revision,
        configuration_digest=configuration.digest,
    )
    stopped = await world.stop_reason()
    gate = stop_gate(stopped) if stopped else None if wanted.enforce else audit_gate(wanted.profile.name)
    if gate is None:
        gate = await _hold(record, world)
    plan = _backed_off(plan_region(record, wanted, moment, gate), errors, record, moment)
    return Look(_left(record, plan, moment), plan, wanted.profile)


async def look_at_cluster(record: Record, world: World) -> Look:
    moment, configuration, cluster_id = world.moment(), world.configuration, record.subject
    assert isinstance(cluster_id, ClusterId)  # noqa: S101 - the caller chose by the subject
    if (plan := outdated(record, configuration, moment)) is not None:
        return Look(record, plan)
    record, errors = await _read_first(record, moment, world)
    record = next_life(record, moment)
    record, history = await _with_history(record, moment, world)
    assert isinstance(record.observed, ObservedCluster)  # noqa: S101
    profile = profile_of(record, configuration, moment)
    if isinstance(profile, Plan):
        left_alone = isinstance(record.observed.cluster, Present) and not profile.remaining
        record = replace(record, profile_digest=record.profile_digest or ("none" if left_alone else ""))
        plan = _backed_off(profile, errors, record, moment)
        return Look(_planned_for(replace(record, remaining=plan.remaining), configuration), plan, None, history)
    record, more = await _read_first(record, moment, world) if not errors else (record, ())
    errors += more
    region = await world.records.get(region_of(record, profile))
    for _ in range(READING_ROUNDS):
        assert isinstance(record.observed, ObservedCluster)  # noqa: S101
        reads = further_reads(subject_of(record, region, profile, configuration, moment, history))
        if reads == ClusterReads() or errors:
            break
        reading = await world.reader.read_cluster(cluster_id, reads, record.observed)
        record, errors = replace(record, observed=reading.observed), reading.errors
    record = absorb(record, moment)
    stopped = await world.stop_reason()
    hold = await _hold(record, world)
    held = None if stopped or hold else await _rollout(record, profile, world)
    if held is None and not (stopped or hold):
        record = replace(forgotten(record, profile.digest), profile=profile.name)
    gate = gate_of(profile, stopped=stopped, rollout=held, hold=hold)
    if gate is None:
        record = decided(subject_of(record, region, profile, configuration, moment, history))
    subject = subject_of(record, region, profile, configuration, moment, history)
    plan = _backed_off(plan_cluster(subject, region, configuration, gate), errors, record, moment)
    plan = replace(plan, next_steps=still_quiet(plan.next_steps, subject.observed, world.clock.now()))
    record = noted(record, plan.next_steps, subject)
    return Look(_planned_for(_left(record, plan, moment), configuration), plan, profile, history)


async def _with_history(record: Record, moment: Moment, world: World) -> tuple[Record, ClusterHistory | None]:
    """Reads what became of the cluster's jobs, when there is news of them or something waits for them. The news stays
    until the alerts that follow from it are written down."""
    assert isinstance(record.subject, ClusterId)  # noqa: S101 - the caller chose by the subject
    open_alerts = any(alert.state == "Open" for alert in record.alerts.values())
    if record.news_at is None and not open_alerts and not needs_history(record, moment):
        return record, None
    since = moment.now - timedelta(days=HISTORY_DAYS)
    history = await world.history.of(record.subject, max(since, record.reborn_at or since))
    return remembered(record, history), history


async def _hold(record: Record, world: World) -> Gate | None:
    """Why what was as it shall be once is not repaired now; what is still being set up goes on. Raises TransientError:
    whoever cannot read it must not act."""
    ready = record.conditions.get(summary_of(record.subject))
    if record.first_ready_at is None and (ready is None or ready.status != "True"):
        return None
    hold = await world.breaker.held()
    return hold_gate(hold.sweep_id, hold.clusters, hold.fleet) if hold else None


def _left(record: Record, plan: Plan, moment: Moment) -> Record:
    ready_at = record.first_ready_at or (None if plan.remaining else moment.now)
    return replace(record, remaining=plan.remaining, first_ready_at=ready_at)


def _planned_for(record: Record, configuration: Configuration) -> Record:
    return replace(
        record,
        configuration_revision=configuration.revision,
        configuration_digest=configuration.digest,
    )


async def _read_first(record: Record, moment: Moment, world: World) -> tuple[Record, tuple[StepError, ...]]:
    assert isinstance(record.subject, ClusterId)  # noqa: S101 - the caller chose by the subject
    assert isinstance(record.observed, ObservedCluster)  # noqa: S101
    reads = first_reads(record, moment)
    if reads == ClusterReads():
        return record, ()
    reading = await world.reader.read_cluster(record.subject, reads, record.observed)
    return replace(record, observed=reading.observed), reading.errors


def _backed_off(plan: Plan, errors: tuple[StepError, ...], record: Record, moment: Moment) -> Plan:
    """What Azure would not let us read is read again when Azure says, not sooner; what a person can do about it is
    said."""
    action = next((error.recommended_action for error in errors if error.kind == "blocked"), "")
    unread = (replace(c, recommended_action=action) if c.reason == "Unobserved" else c for c in plan.conditions)
    plan = replace(plan, conditions=tuple(unread))
    asked = [error.retry_after for error in errors if error.retry_after is not None]
    if asked:
        return replace(plan, requeue_after=max(1.0, *asked), remaining=plan.remaining or ("Read",))
    if errors:
        summary = record.conditions.get(summary_of(record.subject))
        waited = moment.since(summary.last_transition) if summary and summary.status == "Unknown" else 0.0
        first, longest = UNREADABLE_AGAIN[any(error.kind == "blocked" for error in errors)]
        wait = min(max(first, 0.2 * waited), longest)
        return replace(plan, requeue_after=wait, remaining=plan.remaining or ("Read",))
    return plan


async def _rollout(record: Record, profile: ProtectionProfile, world: World) -> Wait | None:
    """Whether a cluster that lives under an older profile may take the changed one now; counts it when it may."""
    if record.profile_digest in ("", profile.digest) or profile.mode == "audit":
        return None
    assert isinstance(record.subject, ClusterId)  # noqa: S101 - the caller chose by the subject
    assert isinstance(record.observed, ObservedCluster)  # noqa: S101
    cluster = record.observed.cluster
    if cluster.kind != "present":
        return None
    moment = world.moment()
    for _ in range(ROLLOUT_TRIES):
        row = await world.rollouts.get(profile.name, profile.digest, moment.now)
        try:
            if not row.etag:
                row = await world.rollouts.save(row)  # the rings open by when the change was first seen
            progress = Progress(row.since, row.changed, row.hour, row.changed_this_hour)
            wait = may_change(world.configuration.rollout, progress, record.subject, cluster.value, moment)
            if wait is not None:
                return wait
            after = counted(progress, moment)
            row = replace(row, changed=after.changed, hour=after.hour, changed_this_hour=after.changed_this_hour)
            await world.rollouts.save(row)
        except RecordConflict:
            continue  # another cluster was counted meanwhile
        return None
    return Wait("RolloutPaced", "Many clusters are taking the changed profile at this moment.", "", 15)
