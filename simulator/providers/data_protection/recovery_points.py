"""Recovery points: how they come, how long they stay, how they are listed."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from simulator.arm.route import Call
from simulator.http import Response
from simulator.providers.data_protection import policy_rules
from simulator.providers.data_protection.models import BackupInstance, DataStoreCopy, Policy, RecoveryPoint, Vault
from simulator.providers.data_protection.responses import invalid_input, moment, not_found, page

if TYPE_CHECKING:
    from simulator.cloud import Cloud
    from simulator.providers.data_protection.instances import Instances

POINT_TYPE = "Microsoft.DataProtection/backupVaults/backupInstances/recoveryPoints"
_FILTER = re.compile(r"(startDate|endDate) eq '([^']+)'", re.IGNORECASE)


def choose_tag(policy: Policy, instance: BackupInstance, now: datetime) -> str:
    """The tag a scheduled backup of this moment gets: the first, by priority, whose period has no backup yet."""
    last = max((point.time for point in instance.recovery_points), default=None)
    periods = {
        "AllBackup": True,
        "FirstOfDay": last is None or last.date() != now.date(),
        "FirstOfWeek": last is None or last.isocalendar()[:2] != now.isocalendar()[:2],
        "FirstOfMonth": last is None or (last.year, last.month) != (now.year, now.month),
        "FirstOfYear": last is None or last.year != now.year,
    }
    for tag in policy_rules.tags(policy.properties):
        criteria = [name for one in tag.get("criteria") or () for name in one.get("absoluteCriteria") or ()]
        if not tag["isDefault"] and any(periods[name] for name in criteria):
            return str(tag["tagInfo"]["tagName"])
    return default_tag(policy)


def default_tag(policy: Policy) -> str:
    return next(str(tag["tagInfo"]["tagName"]) for tag in policy_rules.tags(policy.properties) if tag["isDefault"])


def retention(policy: Policy, tag: str, store: str) -> timedelta | None:
    """How long a copy in that store is kept; the default rule speaks where the tag's own does not."""
    for name in (tag, default_tag(policy)):
        for lifecycle in policy_rules.lifecycles(policy.properties, name):
            if lifecycle.store == store:
                return lifecycle.keep
    return None


def make_point(cloud: "Cloud", policy: Policy, tag: str, *, started: datetime, partial: bool) -> RecoveryPoint:
    """The point of a backup that ends now: one copy, in the operational store."""
    now = cloud.clock.now()
    keep = retention(policy, tag, "OperationalStore")
    copy = DataStoreCopy(str(cloud.new_uuid()), "OperationalStore", started, None if keep is None else now + keep)
    return RecoveryPoint(cloud.new_uuid().hex, now, tag, policy.name, "Partial" if partial else "Completed", [copy])


def copy_to_vault(cloud: "Cloud", policy: Policy, instance: BackupInstance, point: RecoveryPoint) -> None:
    """Send the point to the vault store when its tag says so and none was sent for 24 hours (documented)."""
    wanted = any(
        lifecycle.copies_to_vault or lifecycle.store == "VaultStore"
        for lifecycle in policy_rules.lifecycles(policy.properties, point.tag)
    )
    day = timedelta(days=1)
    recent = [other for other in instance.recovery_points if point.time - other.time < day]
    if not wanted or any(other.sent_to_vault for other in recent):
        return
    point.sent_to_vault = True
    keep = retention(policy, point.tag, "VaultStore")

    def copied() -> None:
        now = cloud.clock.now()
        expires = None if keep is None else now + keep
        point.copies.append(DataStoreCopy(str(cloud.new_uuid()), "VaultStore", now, expires))

    cloud.clock.call_later(cloud.timings.vault_copy, copied)


def stores(point: RecoveryPoint) -> set[str]:
    return {copy.type for copy in point.copies}


def expire(instance: BackupInstance, now: datetime) -> None:
    """Forget what is beyond its retention. The last point stays (two of them where the vault store is used), and all
    of them while protection is stopped (retain for ever). Retention is real time: the clock does not shorten it."""
    if instance.state == "ProtectionStopped":
        return
    points = sorted(instance.recovery_points, key=lambda point: point.time)
    spared = 2 if any(point.sent_to_vault for point in points) else 1
    kept = []
    for point in points[:-spared]:
        point.copies = [copy for copy in point.copies if copy.expires is None or copy.expires > now]
        if point.copies:
            kept.append(point)
    instance.recovery_points = kept + points[-spared:]


def purge_deleted(vault: Vault, now: datetime) -> None:
    """Forget soft-deleted instances whose time has come (real time)."""
    for name, instance in list(vault.deleted_instances.items()):
        if instance.deletion is not None and instance.deletion.purge <= now:
            del vault.deleted_instances[name]


def point_body(instance: BackupInstance, point: RecoveryPoint) -> dict[str, Any]:
    """A recovery point as recorded: no expiry shown, and a complete one has no recoveryPointState."""
    copies = [
        {
            "id": copy.id,
            "type": copy.type,
            "creationTime": moment(copy.created),
            "expiryTime": None,
            "metaData": None,
            "visible": True,
            "state": "COMMITTED",
            "rehydrationExpiryTime": None,
            "rehydrationStatus": None,
        }
        for copy in point.copies
    ]
    return {
        "properties": {
            "objectType": "AzureBackupDiscreteRecoveryPoint",
            "recoveryPointId": point.id,
            "recoveryPointTime": moment(point.time),
            "recoveryPointType": "Incremental",
            "friendlyName": point.id,
            "recoveryPointDataStoresDetails": copies,
            "retentionTagName": point.tag.lower(),  # recorded: "default" for the tag Default
            "retentionTagVersion": str(int(point.time.timestamp() * 10_000_000)),
            "policyName": point.policy_name,
            "policyVersion": None,
            "expiryTime": None,
            "recoveryPointState": "Partial" if point.state == "Partial" else None,
        },
        "id": f"{instance.id}/recoveryPoints/{point.id}",
        "name": point.id,
        "type": POINT_TYPE,
    }


class RecoveryPoints:
    """The recovery points of every instance."""

    def __init__(self, cloud: "Cloud", instances: "Instances") -> None:
        self._cloud, self._instances = cloud, instances

    def list_all(self, call: Call) -> Response:
        """Newest first (assumed), within the dates of `$filter`."""
        instance = self._instances.of(call)
        expire(instance, self._cloud.clock.now())
        text = call.request.query.get("$filter", "").strip()
        bounds = {name.lower(): _when(call, value) for name, value in _FILTER.findall(text)}
        if text and not bounds:
            raise invalid_input(call, f"The filter {text} is not understood.")
        points = [
            point
            for point in sorted(instance.recovery_points, key=lambda point: point.time, reverse=True)
            if bounds.get("startdate", point.time) <= point.time <= bounds.get("enddate", point.time)
        ]
        return page(call, points, lambda point: point_body(instance, point))

    def get(self, call: Call) -> Response:
        instance = self._instances.of(call)
        expire(instance, self._cloud.clock.now())
        for point in instance.recovery_points:
            if point.id.lower() == call.params["point"].lower():
                return Response(200, point_body(instance, point))
        raise not_found(call, call.params["point"])


def _when(call: Call, text: str) -> datetime:
    try:
        when = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError as error:
        raise invalid_input(call, f"{text} is not a date.") from error
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)
