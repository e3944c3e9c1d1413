"""Validates and makes a backup instance, brings it back, resumes it, and starts a backup of it (Backup Instances REST;
recorded)."""

from typing import Any

from shared.act.call import ArmCall
from shared.arm import api_versions
from shared.domain.profile import BackupScope
from shared.domain.steps import (
    CreateBackupInstance,
    InstanceBody,
    ResumeBackups,
    ResumeProtection,
    StartBackup,
    UndeleteBackupInstance,
    ValidateForBackup,
)

_TYPE = "Microsoft.ContainerService/managedClusters"


def validate_for_backup(step: ValidateForBackup) -> ArmCall:
    vault_id, _, _ = step.body.arm_id.rpartition("/backupInstances/")
    body = {"backupInstance": _properties(step.body)}
    version = api_versions.data_protection(step.body.soft_delete)
    return ArmCall("POST", f"{vault_id}/validateForBackup", version, body, "operation")


def create_instance(step: CreateBackupInstance) -> ArmCall:
    version = api_versions.data_protection(step.body.soft_delete)
    return ArmCall("PUT", step.body.arm_id, version, {"properties": _properties(step.body)}, "accepted")


def undelete_instance(step: UndeleteBackupInstance) -> ArmCall:
    vault_id, _, name = step.instance_id.rpartition("/backupInstances/")
    version = api_versions.data_protection(step.soft_delete)
    return ArmCall("POST", f"{vault_id}/deletedBackupInstances/{name}/undelete", version, None, "accepted")


def resume_backups(step: ResumeBackups) -> ArmCall:
    version = api_versions.data_protection(step.soft_delete)
    return ArmCall("POST", f"{step.instance_id}/resumeBackups", version, None, "operation")


def resume_protection(step: ResumeProtection) -> ArmCall:
    version = api_versions.data_protection(step.soft_delete)
    return ArmCall("POST", f"{step.instance_id}/resumeProtection", version, None, "operation")


def start_backup(step: StartBackup) -> ArmCall:
    body = {"backupRuleOptions": {"ruleName": step.rule_name, "triggerOption": {}}}
    version = api_versions.data_protection(step.soft_delete)
    return ArmCall("POST", f"{step.instance_id}/backup", version, body, "operation", once=True)


def _properties(instance: InstanceBody) -> dict[str, Any]:
    """Without `dataSourceSetInfo` the PUT succeeds and the protection does not."""
    return {
        "objectType": "BackupInstance",
        "friendlyName": f"{instance.cluster_name}\\fullbackup",
        "dataSourceInfo": _datasource(instance, "Datasource"),
        "dataSourceSetInfo": _datasource(instance, "DatasourceSet"),
        "policyInfo": {
            "policyId": instance.policy_id,
            "policyParameters": {
                "dataStoreParametersList": [
                    {
                        "objectType": "AzureOperationalStoreParameters",
                        "dataStoreType": "OperationalStore",
                        "resourceGroupId": instance.snapshot_group_id,
                    }
                ],
                "backupDatasourceParametersList": [_scope(instance.scope)],
            },
        },
        "validationType": "ShallowValidation",
    }


def _datasource(instance: InstanceBody, object_type: str) -> dict[str, str]:
    return {
        "objectType": object_type,
        "datasourceType": _TYPE,
        "resourceID": instance.cluster_id,
        "resourceUri": instance.cluster_id,
        "resourceName": instance.cluster_name,
        "resourceType": _TYPE,
        "resourceLocation": instance.location,
    }


def _scope(scope: BackupScope) -> dict[str, Any]:
    """Azure takes null, not an empty list, for everything."""
    hooks = [{"name": hook.name, "namespace": hook.namespace} for hook in scope.hooks]
    return {
        "objectType": "KubernetesClusterBackupDatasourceParameters",
        "snapshotVolumes": scope.snapshot_volumes,
        "includeClusterScopeResources": scope.include_cluster_scoped_resources,
        "includedVolumeTypes": list(scope.volume_types) or None,
        "includedNamespaces": list(scope.included_namespaces) or None,
        "excludedNamespaces": list(scope.excluded_namespaces) or None,
        "includedResourceTypes": list(scope.included_resource_types) or None,
        "excludedResourceTypes": list(scope.excluded_resource_types) or None,
        "labelSelectors": list(scope.label_selectors) or None,
        "backupHookReferences": hooks or None,
    }
