"""Microsoft.DataProtection/backupVaults/backupInstances/recoveryPoints (Recovery Points REST)."""

from collections.abc import Iterable

from shared.arm import api_versions
from shared.arm.client import ArmClient
from shared.domain.observed import RecoveryPoint
from shared.observe.fields import JsonObject, needed_moment, needed_text, text


async def read_newest_recovery_point(arm: ArmClient, instance_id: str, soft_delete: str = "") -> RecoveryPoint | None:
    found = await arm.list(f"{instance_id}/recoveryPoints", api_versions.data_protection(soft_delete))
    return None if found is None else newest(found)


def newest(bodies: Iterable[JsonObject]) -> RecoveryPoint | None:
    """Raises UnreadableBodyError."""
    return max(map(parse_recovery_point, bodies), key=lambda point: point.taken_at, default=None)


def parse_recovery_point(body: JsonObject) -> RecoveryPoint:
    """`state` is Completed, Partial, or empty when Azure does not say. Raises UnreadableBodyError."""
    return RecoveryPoint(
        arm_id=needed_text(body, "id"),
        taken_at=needed_moment(body, "properties", "recoveryPointTime"),
        state=text(body, "properties", "recoveryPointState"),
    )
