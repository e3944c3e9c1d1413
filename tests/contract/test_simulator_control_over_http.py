"""The control endpoint of the running program, on a cluster that was protected over its ARM endpoint."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import requests

from simulator.identity.models import OPERATOR, TENANT_ID
from tests.contract.data_protection_world import (
    BLOB_DATA_CONTRIBUTOR,
    CONTRIBUTOR,
    READER,
    instance,
    policy,
)
from tests.contract.simulator_program import Running, control, started, stopped

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
BACKUP, SNAPSHOTS = f"{SUBSCRIPTION}/resourceGroups/backup", f"{SUBSCRIPTION}/resourceGroups/snapshots"
VAULT = f"{BACKUP}/providers/Microsoft.DataProtection/backupVaults/vault"
ACCOUNT = f"{BACKUP}/providers/Microsoft.Storage/storageAccounts/shopbackups"
INSTANCE = f"{VAULT}/backupInstances/shop-1"
CLUSTERS, STORAGE, BACKUPS, EXTENSIONS = "2026-08-01", "2024-01-01", "2025-07-01", "2025-03-01"


class Program:
    """The simulator behind its sockets; calls are the operator's."""

    def __init__(self, running: Running) -> None:
        self.running, self.arm = running, running.endpoints["arm"]
        credentials = {
            "grant_type": "client_credentials",
            "client_id": OPERATOR.principal.application_id,
            "client_secret": "simulator-operator",
            "scope": f"{self.arm}/.default",
        }
        answer = requests.post(f"{self.arm}/{TENANT_ID}/oauth2/v2.0/token", data=credentials, timeout=30)
        self._headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def call(self, method: str, path: str, version: str, body: Any = None) -> requests.Response:
        query = {"api-version": version}
        return requests.request(method, f"{self.arm}{path}", params=query, json=body, headers=self._headers, timeout=30)

    def read(self, path: str, version: str = BACKUPS) -> dict[str, Any]:
        answer = self.call("GET", path, version)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def write(self, path: str, version: str, body: Any) -> None:
        answer = self.call("PUT", path, version, body)
        assert answer.status_code in (200, 201, 202), answer.text

    def until(self, path: str, version: str, good: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Read again and again until what is read is good; gives up after a minute, far beyond what it can take."""
        ends = time.monotonic() + 60
        found: dict[str, Any] = {}
        while not found or not good(found):
            assert time.monotonic() < ends, found
            time.sleep(0.02)
            found = self.read(path, version)["properties"]
        return found

    def control(self, method: str, name: str, body: Any = None) -> Any:
        return control(self.running, method, name, body)

    def job(self, job_id: str) -> dict[str, Any]:
        """A job's properties when it has ended."""
        return self.until(job_id, BACKUPS, lambda job: job["status"] != "InProgress")

    def protected(self) -> str:
        """A cluster under protection; its id."""
        namespaces = ("Microsoft.DataProtection", "Microsoft.KubernetesConfiguration")
        order = {"id": SUBSCRIPTION.split("/")[2], "registrations": dict.fromkeys(namespaces, "Registered")}
        self.control("POST", "subscriptions", order)
        wanted = {"count": 1, "location": "westeurope", "overrides": {"settled": True}}
        (cluster,) = self.control("POST", "clusters", wanted)["ids"]
        for group in (BACKUP, SNAPSHOTS):
            self.write(group, "2022-09-01", {"location": "westeurope"})
        self._vault()
        self._storage()
        self._extension(cluster)
        roles = ["Microsoft.DataProtection/backupVaults/backup-operator"]
        binding = f"{cluster}/trustedAccessRoleBindings/vault"
        self.write(binding, CLUSTERS, {"properties": {"sourceResourceId": VAULT, "roles": roles}})
        self._roles(cluster)
        body = json.loads(json.dumps(instance(policy_id=f"{VAULT}/backupPolicies/policy", cluster=cluster)))
        parameters = body["properties"]["policyInfo"]["policyParameters"]
        parameters["dataStoreParametersList"][0]["resourceGroupId"] = SNAPSHOTS
        ends = time.monotonic() + 60
        state = "ProtectionError"
        while state == "ProtectionError":  # until roles and trusted access are in effect
            assert time.monotonic() < ends
            self.write(INSTANCE, BACKUPS, body)
            state = self.until(INSTANCE, BACKUPS, _settled)["currentProtectionState"]
        return str(cluster)

    def _vault(self) -> None:
        settings = {
            "storageSettings": [{"datastoreType": "VaultStore", "type": "LocallyRedundant"}],
            "securitySettings": {"softDeleteSettings": {"state": "On", "retentionDurationInDays": 14.0}},
        }
        self.write(
            VAULT,
            BACKUPS,
            {"location": "westeurope", "identity": {"type": "SystemAssigned"}, "properties": settings},
        )
        self.write(f"{VAULT}/backupPolicies/policy", BACKUPS, policy())

    def _storage(self) -> None:
        account = {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}
        self.write(ACCOUNT, STORAGE, account)
        self.until(ACCOUNT, STORAGE, lambda properties: properties["provisioningState"] == "Succeeded")
        self.write(f"{ACCOUNT}/blobServices/default/containers/shop", STORAGE, {})

    def _extension(self, cluster: str) -> None:
        location = "configuration.backupStorageLocation"
        settings = {
            f"{location}.bucket": "shop",
            f"{location}.config.storageAccount": "shopbackups",
            f"{location}.config.resourceGroup": "backup",
            f"{location}.config.subscriptionId": SUBSCRIPTION.split("/")[2],
            f"{location}.config.useAAD": "true",
            f"{location}.config.storageAccountURI": "https://shopbackups.blob.core.windows.net/",
            "credentials.tenantId": TENANT_ID,
        }
        extension = f"{cluster}/providers/Microsoft.KubernetesConfiguration/extensions/azure-aks-backup"
        properties = {"extensionType": "microsoft.dataprotection.kubernetes", "configurationSettings": settings}
        self.write(extension, EXTENSIONS, {"properties": properties})
        self.until(extension, EXTENSIONS, lambda found: found["provisioningState"] == "Succeeded")
        self._extension_id = extension

    def _roles(self, cluster: str) -> None:
        vault = self.read(VAULT)["identity"]["principalId"]
        own = self.read(cluster, CLUSTERS)["identity"]["principalId"]
        extension = self.read(self._extension_id, EXTENSIONS)["properties"]["aksAssignedIdentity"]["principalId"]
        for principal, role, scope in (
            (vault, READER, cluster),
            (vault, READER, SNAPSHOTS),
            (own, CONTRIBUTOR, SNAPSHOTS),
            (extension, BLOB_DATA_CONTRIBUTOR, ACCOUNT),
        ):
            definition = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}"
            assignment = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{uuid4()}"
            wanted = {"roleDefinitionId": definition, "principalId": principal, "principalType": "ServicePrincipal"}
            self.write(assignment, "2022-04-01", {"properties": wanted})


def _settled(properties: dict[str, Any]) -> bool:
    return properties["currentProtectionState"] in ("ProtectionConfigured", "ProtectionError")


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    running = started("--port", "0", "--speed", "1000")
    yield running
    stopped(running)


@pytest.fixture(scope="module")
def program(running: Running) -> Program:
    return Program(running)


@pytest.fixture(scope="module")
def cluster(program: Program) -> str:
    return program.protected()


@pytest.mark.parametrize("operation", ["Backup", "restore"])
@pytest.mark.parametrize(
    ("outcome", "more", "status"),
    [
        ("completed", {}, "Completed"),
        ("warnings", {"warnings": 2}, "CompletedWithWarnings"),
        ("failed", {"code": "UserErrorSomething"}, "Failed"),
        ("oom", {}, "Failed"),
    ],
)
def test_a_job_runs_and_ends_as_asked(
    program: Program, cluster: str, operation: str, outcome: str, more: dict[str, Any], status: str
) -> None:
    order = {"cluster": cluster, "operation": operation, "outcome": outcome, **more}
    answer = program.control("POST", "jobs", order)
    assert set(answer) == {"id"}
    job = program.job(answer["id"])
    assert (job["status"], job["operation"].lower()) == (status, operation.lower())
    warnings = job["extendedInfo"]["warningDetails"] or []
    assert len(warnings) == more.get("warnings", 0)
    errors = [error["code"] for error in job["errorDetails"] or ()]
    restarted = f"UserErrorBackupPluginPodRestartedDuring{operation.capitalize()}"
    assert errors == {"failed": ["UserErrorSomething"], "oom": [restarted]}.get(outcome, [])


def test_warnings_are_named_by_whoever_orders_the_job(program: Program, cluster: str) -> None:
    named = [{"resourceName": "pvc/data", "code": "KubernetesBackupVolume", "message": "No snapshot."}, "pvc/logs"]
    order = {"cluster": cluster, "operation": "Backup", "outcome": "warnings", "warnings": named, "code": "Other"}
    details = program.job(program.control("POST", "jobs", order)["id"])["extendedInfo"]["warningDetails"]
    found = [(one["resourceName"], one["warning"]["code"], one["warning"]["message"]) for one in details]
    assert found[0] == ("pvc/data", "KubernetesBackupVolume", "No snapshot.")
    assert found[1][:2] == ("pvc/logs", "Other")


@pytest.mark.parametrize("named", [True, False])
def test_the_schedule_runs_now(program: Program, cluster: str, *, named: bool) -> None:
    points = f"{INSTANCE}/recoveryPoints"
    before = len(program.read(points)["value"])
    (job,) = program.control("POST", "schedule/run", {"cluster": cluster} if named else {})["ids"]
    assert program.job(job)["isUserTriggered"] is False
    assert len(program.read(points)["value"]) == before + 1


def test_control_goes_on_while_faults_meet_every_other_call(program: Program, cluster: str) -> None:
    then = {"status": 503, "code": "Away", "retry_after": 7}
    fault = program.control("POST", "faults", {"match": {"path_regex": "."}, "then": then})["id"]
    refused = program.call("GET", INSTANCE, BACKUPS)
    order = {"cluster": cluster, "operation": "Backup", "outcome": "completed"}
    job = program.control("POST", "jobs", order)["id"]
    (scheduled,) = program.control("POST", "schedule/run", {"cluster": cluster})["ids"]
    program.control("DELETE", f"faults/{fault}")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "7")
    assert refused.json()["error"]["code"] == "Away"
    assert [program.job(each)["status"] for each in (job, scheduled)] == ["Completed", "Completed"]


@pytest.mark.parametrize(("then", "more"), [("lose_answer", 1), ("reset", 0)])
def test_a_cut_connection_loses_the_answer_or_the_call(program: Program, cluster: str, then: str, more: int) -> None:
    before = len(program.read(f"{VAULT}/backupJobs")["value"])
    match = {"method": "POST", "path_regex": "/backup$", "times": 1}
    program.control("POST", "faults", {"match": match, "then": {then: True}})
    body = {"backupRuleOptions": {"ruleName": "BackupHourly", "triggerOption": {}}}
    program.control("DELETE", "calls")
    with pytest.raises(requests.ConnectionError):
        program.call("POST", f"{INSTANCE}/backup", BACKUPS, body)
    assert [call["status"] for call in program.control("GET", "calls")] == [202 if more else None]
    jobs = program.read(f"{VAULT}/backupJobs")["value"]
    assert len(jobs) == before + more
    for job in jobs:
        program.job(job["id"])
