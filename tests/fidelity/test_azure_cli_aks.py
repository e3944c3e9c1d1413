"""`az aks`: a cluster lives and dies, and trusts a vault."""

from typing import Any

import pytest

from simulator.cloud import FIRST_SUBSCRIPTION
from tests.fidelity.arm_reader import ArmReader
from tests.fidelity.azure_cli import AzureCli

pytestmark = pytest.mark.fidelity

VERSION = "2026-08-01"
BACKUP_OPERATOR = "Microsoft.DataProtection/backupVaults/backup-operator"


def cluster_id(group: str, name: str) -> str:
    parent = f"/subscriptions/{FIRST_SUBSCRIPTION}/resourceGroups/{group}"
    return f"{parent}/providers/Microsoft.ContainerService/managedClusters/{name}"


def which(group: str, name: str) -> tuple[str, ...]:
    return ("--resource-group", group, "--name", name)


def create(az: AzureCli, group: str, name: str, *more: str) -> Any:
    return az(
        "aks", "create", *which(group, name), "--node-count", "1", "--enable-managed-identity", "--no-ssh-key", *more
    )


def test_a_cluster_lives_and_dies(az: AzureCli, arm: ArmReader, group: str) -> None:
    made = create(az, group, "mortal", "--tags", "team=blue")
    assert (made["provisioningState"], made["powerState"]["code"]) == ("Succeeded", "Running")
    assert made["identity"]["type"] == "SystemAssigned"
    there = arm.get(cluster_id(group, "mortal"), VERSION)
    assert there["identity"]["principalId"] == made["identity"]["principalId"]
    assert there["properties"]["resourceUID"] == made["resourceUid"]
    assert there["tags"] == {"team": "blue"}
    assert [each["name"] for each in az("aks", "list", "--resource-group", group)] == ["mortal"]

    az("aks", "stop", *which(group, "mortal"), "--no-wait")
    settled = "powerState.code == '{}' && provisioningState == 'Succeeded'"
    az("aks", "wait", *which(group, "mortal"), "--custom", settled.format("Stopped"), "--interval", "1")
    assert arm.get(cluster_id(group, "mortal"), VERSION)["properties"]["powerState"] == {"code": "Stopped"}
    assert "OperationNotAllowed" in az.refused("aks", "update", *which(group, "mortal"), "--tags", "a=b")
    az("aks", "start", *which(group, "mortal"), "--no-wait")
    az("aks", "wait", *which(group, "mortal"), "--custom", settled.format("Running"), "--interval", "1")
    assert az("aks", "show", *which(group, "mortal"))["powerState"]["code"] == "Running"

    az("tag", "update", "--resource-id", cluster_id(group, "mortal"), "--operation", "merge", "--tags", "cost=1")
    assert arm.get(cluster_id(group, "mortal"), VERSION)["tags"] == {"team": "blue", "cost": "1"}

    az("aks", "delete", *which(group, "mortal"), "--yes", "--no-wait")
    az("aks", "wait", *which(group, "mortal"), "--deleted", "--interval", "1")
    assert arm.status(cluster_id(group, "mortal"), VERSION) == 404
    assert az("aks", "list", "--resource-group", group) == []


def test_a_cluster_trusts_a_vault_as_long_as_it_is_told_to(
    az: AzureCli, arm: ArmReader, group: str, vault: str
) -> None:
    arm.take(trusted_access_write=0)  # else the CLI waits for 30 s, twice: it has no --no-wait here
    create(az, group, "trusting", "--no-wait")
    az("aks", "wait", *which(group, "trusting"), "--created", "--interval", "1")
    binding = ("--resource-group", group, "--cluster-name", "trusting")
    bindings = f"{cluster_id(group, 'trusting')}/trustedAccessRoleBindings"
    made = az(
        *("aks", "trustedaccess", "rolebinding", "create", *binding, "--name", "backup"),
        *("--source-resource-id", vault, "--roles", BACKUP_OPERATOR),
    )
    assert (made["provisioningState"], made["roles"]) == ("Succeeded", [BACKUP_OPERATOR])
    assert arm.get(f"{bindings}/backup", VERSION)["properties"]["sourceResourceId"] == vault
    assert [each["name"] for each in az("aks", "trustedaccess", "rolebinding", "list", *binding)] == ["backup"]
    roles = az("aks", "trustedaccess", "role", "list", "--location", "westeurope")
    assert "Microsoft.DataProtection/backupVaults" in [each["sourceResourceType"] for each in roles]
    az("aks", "trustedaccess", "rolebinding", "delete", *binding, "--name", "backup", "--yes")
    assert arm.get(bindings, VERSION)["value"] == []
