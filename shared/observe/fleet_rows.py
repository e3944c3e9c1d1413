"""Rows of Resource Graph about the fleet, as flat as `fleet_queries` asks for them: read by the ten thousand, so each
is unpacked once and nothing is looked up twice. A row that cannot be read is an UnreadableBodyError, never a crash."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from shared.arm.errors import translate_details
from shared.domain.fleet import JobsDigest
from shared.domain.observed import BackupInstance, Cluster, Extension
from shared.domain.profile import BackupScope
from shared.domain.record import BackupEnd
from shared.observe import backup_instance
from shared.observe.backup_extension import errors_of, parse_extension
from shared.observe.ended_jobs import ended_status, parse_ended_job
from shared.observe.fields import JsonObject, UnreadableBodyError
from shared.observe.managed_cluster import is_arm64

Row = Sequence[Any]
_NONE = ("", "[]")
_TEXT_OR_NULL = frozenset({str, type(None)})
_VAULT_PARTS = 9  # /subscriptions/s/resourceGroups/g/providers/Microsoft.DataProtection/backupVaults/v


def parse_cluster(row: Row) -> Cluster:
    """Raises UnreadableBodyError."""
    id_, name, location, uid, power, state, version, wanted, principal, assigned, kind, client, outbound, artifacts = (
        _strings(row, 14)
    )
    disk_driver, snapshots, pod_identity, pools, tags = row[14:]
    return Cluster(
        arm_id=id_,
        name=name,
        location=location.lower().replace(" ", ""),
        resource_uid=uid,
        tags=_tags(tags),
        power_state=power,
        provisioning_state=state,
        kubernetes_version=version or wanted,
        identity_principal_id=principal or _first_principal(assigned),
        service_principal=client.lower() not in ("", "msi") or kind.lower() in ("", "none"),
        disk_csi_driver=disk_driver is not False,
        snapshot_controller=snapshots is not False,
        has_x86_linux_pool=_has_x86_linux_pool(pools),
        network_isolated=outbound.lower() in ("none", "block") or artifacts.lower() == "cache",
        pod_identity=pod_identity is True,
    )


def parse_backup_extension(row: Row) -> Extension:
    """Raises UnreadableBodyError."""
    (
        id_, name, state, principal, container, account, group, subscription,
        use_aad, memory_limit, cpu_limit, memory_request, version, error, statuses, settings,
    ) = _strings(row, 16)  # fmt: skip
    if not state:
        raise UnreadableBodyError("provisioningState is missing")
    if settings:  # its container is not where the documented spelling has it
        spelt = {"configurationSettings": _object(settings), "provisioningState": state}
        told = parse_extension({"id": id_, "name": name, "properties": spelt})
        container, account, group = told.container, told.storage_account, told.storage_resource_group
        subscription, use_aad = told.storage_subscription_id, str(told.uses_aad)
        memory_limit, cpu_limit, memory_request = told.memory_limit, told.cpu_limit, told.memory_request
    return Extension(
        arm_id=id_,
        name=name,
        provisioning_state=state,
        principal_id=principal or None,
        container=container,
        storage_account=account,
        storage_resource_group=group,
        storage_subscription_id=subscription,
        uses_aad=use_aad.lower() == "true",
        error=errors_of(_json(error), _json(statuses)) if error or statuses else "",
        memory_limit=memory_limit,
        cpu_limit=cpu_limit,
        memory_request=memory_request,
        version=version,
        auto_upgrade=row[16] is not False,
    )


def parse_instance(row: Row) -> BackupInstance:
    """Raises UnreadableBodyError."""
    id_, name, cluster, policy, state, status, group, parameters, latest, error, status_error = _strings(row, 11)
    if not (state or status):
        raise UnreadableBodyError("the instance has no state")
    return BackupInstance(
        arm_id=id_,
        name=name,
        vault_id="/".join(id_.split("/", _VAULT_PARTS)[:_VAULT_PARTS]),
        policy_id=policy,
        protection_state=state or status,
        snapshot_group_id=group,
        error=translate_details(_json(error) or _json(status_error)) if error or status_error else None,
        cluster_id=cluster,
        scope=_scope(parameters),
        latest_recovery_point=_moment(latest),
    )


def parse_digest(row: Row) -> JobsDigest:
    """Raises UnreadableBodyError."""
    cluster, job, status, errors, warnings = _strings(row, 5)
    times = row[5:]
    if not {*map(type, times)} <= _TEXT_OR_NULL:
        raise UnreadableBodyError("a time is no text")
    backup, clean, restored, killed = [text and _moment(text) for text in times]
    last: BackupEnd | None = None
    codes: tuple[str, ...] = ()
    if backup is not None:
        ended = _ended(status)
        if ended is None:
            raise UnreadableBodyError(f"status {status[:60]!r} is no end")
        codes = (
            _codes(cluster, job, status, errors, warnings, backup)
            if errors not in _NONE or warnings not in _NONE
            else ()
        )
        last = BackupEnd(job, ended, codes[0] if codes else "", backup)
    return JobsDigest(
        last=last, last_codes=codes, last_clean_at=clean, last_restore_at=restored, last_out_of_memory_at=killed
    )


def cluster_of_extension(row: Row) -> str:
    """Lower-case ARM id of the cluster that the extension is on."""
    return str(row[0]).lower().partition("/providers/microsoft.kubernetesconfiguration/")[0]


def _codes(cluster: str, job: str, status: str, errors: str, warnings: str, ended: datetime) -> tuple[str, ...]:
    """Of every error and warning of a job, however deep, each once."""
    properties = {
        "dataSourceId": cluster,
        "operationCategory": "Backup",
        "status": status,
        "endTime": ended.isoformat(),
        "errorDetails": _json(errors),
        "extendedInfo": {"warningDetails": _json(warnings)},
    }
    found = parse_ended_job(job, properties)
    issues = (*found.errors, *found.warnings) if found else ()
    return tuple(dict.fromkeys(issue.code for issue in issues if issue.code))


def _strings(row: Row, count: int) -> Row:
    """The first columns, which are text; Azure may have null for empty. Raises UnreadableBodyError."""
    found = row[:count]
    try:
        "".join(found)
    except TypeError:
        found = ["" if value is None else value for value in found]
        if not all(isinstance(value, str) for value in found):
            raise UnreadableBodyError("a column of text is none") from None
    return found


def _tags(tags: Any) -> Mapping[str, str]:
    if not tags:
        return {}
    if not isinstance(tags, dict):
        raise UnreadableBodyError("tags is not an object")
    try:
        "".join(tags.values())
    except TypeError:
        pass
    else:
        return tags
    return {name: value if isinstance(value, str) else str(value) for name, value in tags.items() if value is not None}


def _first_principal(assigned: str) -> str | None:
    """Of user-assigned identities."""
    identities = _object(assigned).values() if assigned else ()
    found = (identity.get("principalId") for identity in identities if isinstance(identity, dict))
    return next((principal for principal in found if principal and isinstance(principal, str)), None)


def _has_x86_linux_pool(pools: Any) -> bool:
    """Of `osType vmSize`. A pool whose size nobody names counts as x86: only what surely is not is left out."""
    return isinstance(pools, list) and any(map(_is_x86_linux, pools))


@lru_cache(1024)
def _is_x86_linux(pool: Any) -> bool:
    system, _, size = str(pool).partition(" ")
    return system.lower() in ("", "linux") and not (size and is_arm64(size))


_ended = lru_cache(64)(ended_status)


@lru_cache(1024)
def _scope(parameters: str) -> BackupScope | None:
    """A fleet has few different ones."""
    if not parameters:
        return None
    policy = {"policyParameters": {"backupDatasourceParametersList": [_object(parameters)]}}
    properties = {"policyInfo": policy, "currentProtectionState": "any"}
    return backup_instance.parse_instance({"id": "any", "name": "any", "properties": properties}).scope


@lru_cache(4096)
def _moment(text: str) -> datetime | None:
    """Clusters under one schedule have the same times. The year 1 is Azure's "none" (recorded)."""
    if not text or text.startswith("0001-"):
        return None
    try:
        found = datetime.fromisoformat(text)
        return (
            found if found.tzinfo is UTC else found.replace(tzinfo=UTC) if not found.tzinfo else found.astimezone(UTC)
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise UnreadableBodyError(f"not a time: {text[:60]!r}") from error


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError as error:
        raise UnreadableBodyError(f"not JSON: {text[:60]!r}") from error


def _object(text: str) -> JsonObject:
    found = _json(text)
    if not isinstance(found, dict):
        raise UnreadableBodyError(f"not an object: {text[:60]!r}")
    return found
