"""Lets a vault into a cluster (AKS trusted access page)."""

from shared.act.call import ArmCall
from shared.arm import api_versions
from shared.domain.steps import BACKUP_OPERATOR, CreateTrustedAccessBinding


def create_binding(step: CreateTrustedAccessBinding) -> ArmCall:
    body = {"properties": {"sourceResourceId": step.vault_id, "roles": [BACKUP_OPERATOR]}}
    return ArmCall("PUT", step.arm_id, api_versions.MANAGED_CLUSTERS, body, "accepted")
