"""Lets a vault into a cluster (azure.md 3.1)."""

from shared.act.call import ArmCall
from shared.arm import api_versions
from shared.domain.steps import CreateTrustedAccessBinding

BACKUP_OPERATOR = "Microsoft.DataProtection/backupVaults/backup-operator"


def create_binding(step: CreateTrustedAccessBinding) -> ArmCall:
    body = {"properties": {"sourceResourceId": step.vault_id, "roles": [BACKUP_OPERATOR]}}
    return ArmCall("PUT", step.arm_id, api_versions.MANAGED_CLUSTERS, body, "accepted")
