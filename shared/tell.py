"""What of a look becomes an alert, and what of the alerts is told: judged by pure functions, handed over before the
record is released."""

from collections.abc import Mapping
from dataclasses import replace

from shared.announce import announce
from shared.domain.alerts import About, Alert, Cause, Hold
from shared.domain.conditions import READY, REGION_READY, Condition
from shared.domain.facts import observed_at, value_of
from shared.domain.ids import ClusterId
from shared.domain.observed import ObservedCluster
from shared.domain.profile import Alerting, ProtectionProfile
from shared.domain.reads import ClusterReads
from shared.domain.record import Record
from shared.domain.time import Moment
from shared.look import Look
from shared.plan.alert_causes import condition_causes, job_causes
from shared.plan.alerts import announcements, next_change_in, settle
from shared.plan.freshness import DAILY
from shared.plan.holds import hold_of
from shared.world import World

TELLING_SECONDS = 30.0
"""Seconds of the wall that telling may take after a look. Both together stay below the host's time-out."""


async def tell(record: Record, look: Look, world: World) -> Record:
    """The record with its alerts as they stand after the look. Raises what storage raises: then all of it is done
    again by the next pass, and nothing is told twice."""
    moment, alerting = world.moment(), _alerting(look.profile)
    causes, judged = _causes(record, look, moment)
    if not causes and not record.alerts:
        return record
    alerts = settle(
        record.subject.key,
        await _known(record, world),
        causes,
        words=await world.alert_book.words(record.subject.key) if record.alerts else {},
        hold=_hold(record, look.profile, world),
        alerting=alerting,
        moment=moment,
        judged=judged,
    )
    record = await _with_group_tags(record, alerts, world)
    news, alerts = announcements(alerts, _about(record, look.profile), moment)
    if changed := [alert for cause, alert in alerts.items() if record.alerts.get(cause) != alert]:
        await world.alert_book.show(changed)
    await announce(news, world)
    return replace(record, alerts=alerts)


def _causes(record: Record, look: Look, moment: Moment) -> tuple[tuple[Cause, ...], frozenset[str] | None]:
    """The causes, and which kinds of them this look could judge (None: all)."""
    if _ready_reason(record) == "ClusterDeleted":
        return (), None
    causes = condition_causes(_its_own(record), _alerting(look.profile), moment)
    if look.history is None:
        return causes, frozenset({"Condition:"})
    return causes + job_causes(look.history, look.profile, record.cures, record.memory, moment), None


async def _known(record: Record, world: World) -> Mapping[str, Alert]:
    """The record's alerts, with what a pass that died before it could write the record had shown and told already."""
    known = dict(record.alerts)
    async for shown in world.alert_book.all_of(record.subject.key):
        ours = known.get(shown.cause.key)
        if ours is None and shown.state == "Open":
            known[shown.cause.key] = shown
        elif ours is not None and ours.episode == shown.episode:
            told = tuple(dict.fromkeys((*ours.told, *shown.told)))
            known[shown.cause.key] = replace(ours, told=told)
    return known


def alerts_change_in(record: Record, look: Look, world: World) -> float | None:
    """Azure's seconds until an alert opens, escalates or is let go by time alone; None when none will."""
    hold = _hold(record, look.profile, world)
    return next_change_in(record.alerts, _its_own(record), _alerting(look.profile), hold, world.moment())


def _alerting(profile: ProtectionProfile | None) -> Alerting:
    return profile.alerts if profile else Alerting()


def _its_own(record: Record) -> Mapping[str, Condition]:
    """The conditions this subject alerts about itself: what its region lacks is one alert of the region."""
    if not isinstance(record.subject, ClusterId):
        return record.conditions
    region = record.conditions.get(REGION_READY)
    by_region = region is not None and region.status != "True" and _ready_reason(record) == region.reason
    others = {REGION_READY, READY} if by_region else {REGION_READY}
    return {name: condition for name, condition in record.conditions.items() if name not in others}


def _hold(record: Record, profile: ProtectionProfile | None, world: World) -> Hold | None:
    if not isinstance(record.observed, ObservedCluster):
        return None
    return hold_of(value_of(record.observed.cluster), _ready_reason(record), profile, world.moment())


def _ready_reason(record: Record) -> str:
    ready = record.conditions.get(READY)
    return ready.reason if ready else ""


async def _with_group_tags(record: Record, alerts: Mapping[str, Alert], world: World) -> Record:
    """Reads the tags of the cluster's resource group once a day, when a route may ask for them. What cannot be read
    now is left out: the cluster's own tags and the fallback route remain."""
    if not isinstance(record.subject, ClusterId) or not isinstance(record.observed, ObservedCluster):
        return record
    routed_by_tags = any(route.selector.tags for route in world.configuration.notifications.routes)
    untold = any(alert.state == "Open" and not alert.held and not alert.told for alert in alerts.values())
    read_at = observed_at(record.observed.group_tags)
    fresh = read_at is not None and world.moment().since(read_at) < DAILY
    if not routed_by_tags or not untold or fresh:
        return record
    reading = await world.reader.read_cluster(record.subject, ClusterReads(group_tags=True), record.observed)
    return replace(record, observed=reading.observed)


def _about(record: Record, profile: ProtectionProfile | None) -> About:
    subject, observed = record.subject, record.observed
    name = profile.name if profile else ""
    if not isinstance(subject, ClusterId):
        return About(subject.key, subject.location, subject.subscription_id, "", subject.location, name)
    if not isinstance(observed, ObservedCluster):
        return About(subject.key, subject.name, subject.subscription_id, subject.resource_group, "", name)
    cluster = value_of(observed.cluster)
    instances = value_of(observed.instances) or ()
    return About(
        subject.key,
        cluster.name if cluster else subject.name,
        subject.subscription_id,
        subject.resource_group,
        cluster.location if cluster else "",
        name,
        instances[0].vault_id if instances else "",
        {**(value_of(observed.group_tags) or {}), **(cluster.tags if cluster else {})},
    )
