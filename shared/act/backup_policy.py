"""Makes a backup policy for AKS (Backup Policies REST)."""

from typing import Any

from shared.act.call import ArmCall
from shared.arm import api_versions
from shared.domain.profile import BackupSchedule
from shared.domain.steps import CreateBackupPolicy

_OPERATIONAL = {"dataStoreType": "OperationalStore", "objectType": "DataStoreInfoBase"}
_VAULT = {"dataStoreType": "VaultStore", "objectType": "DataStoreInfoBase"}
_FIRST_DAY = "2024-01-01"  # any day that has passed: a schedule repeats from there


def create_policy(step: CreateBackupPolicy) -> ArmCall:
    """With a vault tier the day's first backup is tagged Daily and copied at once, as in Microsoft's template."""
    operational, vault_days = step.retention.operational_days, step.retention.vault_days
    rules = [_backup_rule(step.schedule, daily_tag=vault_days is not None)]
    rules.append(_retention_rule("Default", [_lifecycle(operational, _OPERATIONAL)], is_default=True))
    if vault_days is not None:
        copied = _lifecycle(operational, _OPERATIONAL, copy_to=_VAULT)
        rules.append(_retention_rule("Daily", [copied, _lifecycle(vault_days, _VAULT)], is_default=False))
    body = {
        "properties": {
            "objectType": "BackupPolicy",
            "datasourceTypes": ["Microsoft.ContainerService/managedClusters"],
            "policyRules": rules,
        }
    }
    return ArmCall("PUT", step.arm_id, api_versions.data_protection(step.soft_delete), body, "done")


def _backup_rule(schedule: BackupSchedule, *, daily_tag: bool) -> dict[str, Any]:
    tags: list[dict[str, Any]] = [
        {"isDefault": True, "taggingPriority": 99, "tagInfo": {"id": "Default_", "tagName": "Default"}}
    ]
    if daily_tag:
        criteria = [{"objectType": "ScheduleBasedBackupCriteria", "absoluteCriteria": ["FirstOfDay"]}]
        tags.insert(
            0,
            {
                "isDefault": False,
                "taggingPriority": 25,
                "tagInfo": {"id": "Daily_", "tagName": "Daily"},
                "criteria": criteria,
            },
        )
    return {
        "objectType": "AzureBackupRule",
        "name": "BackupDaily" if schedule.interval == "P1D" else "BackupHourly",
        "backupParameters": {"objectType": "AzureBackupParams", "backupType": "Incremental"},
        "dataStore": _OPERATIONAL,
        "trigger": {
            "objectType": "ScheduleBasedTriggerContext",
            "schedule": {
                "repeatingTimeIntervals": [f"R/{_FIRST_DAY}T{schedule.start}:00+00:00/{schedule.interval}"],
                "timeZone": "Coordinated Universal Time",
            },
            "taggingCriteria": tags,
        },
    }


def _retention_rule(name: str, lifecycles: list[dict[str, Any]], *, is_default: bool) -> dict[str, Any]:
    return {"objectType": "AzureRetentionRule", "name": name, "isDefault": is_default, "lifecycles": lifecycles}


def _lifecycle(days: int, store: dict[str, str], copy_to: dict[str, str] | None = None) -> dict[str, Any]:
    copies = [{"dataStore": copy_to, "copyAfter": {"objectType": "ImmediateCopyOption"}}] if copy_to else []
    return {
        "deleteAfter": {"objectType": "AbsoluteDeleteOption", "duration": f"P{days}D"},
        "sourceDataStore": store,
        "targetDataStoreCopySettings": copies,
    }
