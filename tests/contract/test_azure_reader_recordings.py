"""What was recorded of the real Azure is read as it was meant. Skipped where there are no recordings at hand."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.domain.ids import ClusterId
from shared.domain.observed import Grant
from shared.domain.reads import JobSearch
from shared.observe.backup_extension import parse_extension, parse_extensions
from shared.observe.backup_instance import parse_instance
from shared.observe.backup_job import find_job, parse_job
from shared.observe.backup_vault import parse_vault
from shared.observe.managed_cluster import parse_cluster
from shared.observe.operation import parse_operation
from shared.observe.provider import parse_provider
from shared.observe.recovery_point import newest
from shared.observe.role_assignments import find_assignment
from shared.observe.trusted_access import parse_binding

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
SAMPLES = SHARED / "samples"

if not SHARED.is_dir():
    pytest.skip(f"no recordings here: {SHARED} does not exist", allow_module_level=True)


def recorded(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"))


def test_an_instance_that_is_configured() -> None:
    instance = parse_instance(recorded("aks_backup_restore/018_get_backupInstance_configured.response.json"))
    assert instance.protection_state == "ProtectionConfigured"
    assert instance.vault_id.endswith("/backupVaults/clitest-bkp-vault-aks-donotdelete")
    assert instance.policy_id == f"{instance.vault_id}/backupPolicies/akspolicy"
    assert instance.snapshot_group_id.endswith("/resourceGroups/clitest-dpp-rg")
    assert instance.error is None


def test_an_instance_whose_put_has_only_succeeded_is_not_protected() -> None:
    instance = parse_instance(recorded("aks_backup_restore/014_get_backupInstance_configuring.response.json"))
    assert instance.protection_state == "ConfiguringProtection"


def test_operations() -> None:
    running = parse_operation(recorded("aks_backup_restore/002_operationStatus_inprogress.response.json"))
    ended = parse_operation(recorded("aks_backup_restore/004_operationStatus_succeeded.response.json"))
    backup = parse_operation(recorded("aks_backup_restore/020_operationStatus_adhoc_with_jobId.response.json"))
    assert (running.status, ended.status) == ("inprogress", "succeeded")
    assert backup.job_id.endswith("/backupJobs/0a11fc24-4d8d-42bd-a8d9-309923d7d994")
    assert (running.error, ended.error, backup.error) == (None, None, None)


def test_jobs() -> None:
    running = parse_job(recorded("aks_backup_restore/022_get_job_inprogress.response.json"))
    ended = parse_job(recorded("aks_backup_restore/037_get_job_completed.response.json"))
    assert (running.status, running.ended_at, running.user_triggered) == ("InProgress", None, True)
    assert running.started_at == datetime(2024, 6, 26, 7, 53, 6, 923841, tzinfo=UTC)
    assert ended.status == "Completed"
    assert ended.ended_at is not None
    assert ended.ended_at > ended.started_at


def test_a_job_is_found_again_by_its_instance_and_time() -> None:
    job = recorded("aks_backup_restore/022_get_job_inprogress.response.json")
    restore = recorded("aks_backup_restore/067_get_restore_job_completed.response.json")
    properties = job["properties"]
    cluster = ClusterId.parse(properties["dataSourceId"])
    started = datetime(2024, 6, 26, 7, 53, 6, tzinfo=UTC)

    def search(since: datetime, instance_id: str = properties["backupInstanceId"].upper()) -> str | None:
        found = find_job([restore, job], cluster, JobSearch("vault", instance_id, since, "On"))
        return found.arm_id if found else None

    assert search(started) == job["id"]
    assert search(started.replace(minute=55)) == job["id"]  # by two minutes the two clocks may differ
    assert search(started.replace(minute=56)) is None
    assert search(started, "/subscriptions/other") is None


def test_the_newest_recovery_point() -> None:
    point = newest(recorded("aks_backup_restore/038_list_recoveryPoints.response.json")["value"])
    assert point is not None
    assert point.taken_at == datetime(2024, 6, 26, 7, 55, 29, 507965, tzinfo=UTC)
    assert point.state == ""


def test_a_vault() -> None:
    vault = parse_vault(recorded("vault/002_get_vault.response.json"))
    assert vault.principal_id == "4a3034f1-53fa-4127-9fdf-96ae41d3cfc3"
    assert (vault.soft_delete, vault.immutability, vault.redundancy) == ("On", "Locked", "GeoRedundant")
    assert vault.provisioning_state == "Succeeded"


def test_a_trusted_access_binding() -> None:
    binding = parse_binding(recorded("trusted_access/018_get_binding.response.json"))
    assert binding.name == "testbinding"
    assert binding.roles == ("Microsoft.MachineLearningServices/workspaces/mlworkload",)
    assert binding.provisioning_state == "Succeeded"


def test_an_extension_that_is_being_made_and_is_another_one() -> None:
    body = recorded("k8s_extension_arc_dapr/003_get_extension.response.json")
    extension = parse_extension(body)
    assert (extension.provisioning_state, extension.principal_id, extension.uses_aad) == ("Creating", None, False)
    assert parse_extensions([body]) is None


def test_a_provider() -> None:
    body = recorded("k8s_extension_arc_dapr/000_get_provider_KubernetesConfiguration.response.json")
    assert parse_provider(body) == "Registered"


def test_a_role_assignment_answers_its_grant_and_no_other() -> None:
    body = recorded("role_assignments/014_put_roleAssignment_reader.response.json")
    properties = body["properties"]
    role = properties["roleDefinitionId"].rsplit("/", 1)[-1]
    scope, principal = properties["scope"], properties["principalId"]
    found = find_assignment(Grant(principal, role, scope.lower()), [body])
    assert found is not None
    assert found.arm_id == body["id"]
    assert find_assignment(Grant(principal, role, f"{scope}/providers/x/y/z".lower()), [body]) == found
    assert find_assignment(Grant(principal, role, scope.lower().rpartition("/")[0]), [body]) is None
    assert find_assignment(Grant(principal, "another-role", scope.lower()), [body]) is None
    assert find_assignment(Grant("another-principal", role, scope.lower()), [body]) is None


def test_an_old_cluster_with_a_service_principal() -> None:
    """Recorded in 2019: what today's answers hold beyond it is missing."""
    cassette = recorded("cloud_custodian_cassettes/AksTest.test_find_aks_by_name.json")
    cluster = parse_cluster(cassette["interactions"][0]["response"]["body"]["data"]["value"][0])
    assert (cluster.name, cluster.location, cluster.provisioning_state) == ("cctestaks", "westus2", "Creating")
    assert cluster.service_principal
    assert cluster.has_x86_linux_pool
    assert (cluster.disk_csi_driver, cluster.snapshot_controller) == (True, True)
    assert (cluster.resource_uid, cluster.power_state, cluster.created_at) == ("", "", None)
