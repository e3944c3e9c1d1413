"""What of a look becomes an alert, and what of the alerts is told: judged by pure functions, written down, and handed
over before the record is released."""

from collections.abc import Mapping
from dataclasses import replace

from shared.announce import announce
from shared.domain.alerts import About, Cause, Hold
from shared.domain.conditions import READY, REGION_READY, Condition
from shared.domain.facts import observed_at, value_of
from shared.domain.ids import ClusterId
from shared.domain.observed import ObservedCluster
from shared.domain.profile import Alerting, ProtectionProfile
from shared.domain.reads import ClusterReads
from shared.domain.record import Record
from shared.look import Look
from shared.plan.alert_causes import compliance_causes, condition_causes, job_causes
from shared.plan.alerts import announcements, next_change_in, settle
from shared.plan.freshness import DAILY
from shared.plan.holds import hold_of
from shared.world import World

TELLING_SECONDS = 30.0
"""Seconds of the wall that telling may take after a look. Both together stay below the host's time-out."""


async def judged(record: Record, look: Look, world: World) -> Record:
    """The record with its alerts as they stand after the look. It is saved when they changed, before anybody hears of
    it: what is told can be told again, but not what nobody remembers. News is answered by it. Raises RecordConflict,
    and what storage raises."""
    moment, alerting = world.moment(), _alerting(_profile(record, look, world))
    if look.history is not None:
        record = replace(record, news_at=None)
    causes, kinds = _causes(record, look, alerting, world)
    if not causes and not record.alerts:
        return record
    alerts = settle(
        record.subject.key,
        record.alerts,
        causes,
        words=await world.alert_book.words(record.subject.key) if record.alerts else {},
        hold=_hold(record, look, world),
        alerting=alerting,
        moment=moment,
        judged=kinds,
    )
    changed = tuple(key for key, alert in alerts.items() if record.alerts.get(key) != alert)
    if not changed:
        return replace(record, alerts=alerts)
    return await world.records.save(replace(record, alerts=alerts, untold=changed))


async def tell(record: Record, look: Look, world: World) -> Record:
    """The record with nothing left to tell. What a pass that died has told in part is told again, under the same keys.
    Raises what storage raises."""
    if not record.untold:
        return record
    await world.alert_book.show([record.alerts[key] for key in record.untold if key in record.alerts])
    record = await _with_group_tags(record, world)
    news, alerts = announcements(record.alerts, _about(record, _profile(record, look, world)), world.moment())
    await announce(news, world)
    return replace(record, alerts=alerts, untold=())


def _causes(
    record: Record, look: Look, alerting: Alerting, world: World
) -> tuple[tuple[Cause, ...], frozenset[str] | None]:
    """The causes, and which kinds of them this look could judge (None: all)."""
    if _ready_reason(record) == "ClusterDeleted":
        return (), None
    moment = world.moment()
    causes = condition_causes(_its_own(record), alerting, moment)
    causes += compliance_causes(record.conditions, _profile(record, look, world))
    if look.history is None:
        return causes, frozenset({"Condition:"})
    return causes + job_causes(look.history, look.profile, record.cures, record.memory, moment), None


def alerts_change_in(record: Record, look: Look, world: World) -> float | None:
    """Azure's seconds until an alert opens, escalates or is let go by time alone; None when none will."""
    alerting, hold = _alerting(_profile(record, look, world)), _hold(record, look, world)
    return next_change_in(record.alerts, _its_own(record), alerting, hold, world.moment())


def _profile(record: Record, look: Look, world: World) -> ProtectionProfile | None:
    """Where a look came to none, an error in its way perhaps, the one the cluster was last planned for still says who
    hears of it and when."""
    return look.profile or world.configuration.profiles.get(record.profile)


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


def _hold(record: Record, look: Look, world: World) -> Hold | None:
    if not isinstance(record.observed, ObservedCluster):
        return None
    profile = _profile(record, look, world)
    return hold_of(value_of(record.observed.cluster), _ready_reason(record), profile, world.moment())


def _ready_reason(record: Record) -> str:
    ready = record.conditions.get(READY)
    return ready.reason if ready else ""


async def _with_group_tags(record: Record, world: World) -> Record:
    """Reads the tags of the cluster's resource group once a day, when a route may ask for them. What cannot be read
    now is left out: the cluster's own tags and the fallback route remain."""
    if not isinstance(record.subject, ClusterId) or not isinstance(record.observed, ObservedCluster):
        return record
    routed_by_tags = any(route.selector.tags for route in world.configuration.notifications.routes)
    opening = any(alert.state == "Open" and not alert.held and not alert.told for alert in record.alerts.values())
    read_at = observed_at(record.observed.group_tags)
    fresh = read_at is not None and world.moment().since(read_at) < DAILY
    if not routed_by_tags or not opening or fresh:
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
