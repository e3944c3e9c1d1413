"""Extensions in the simulator: installed, changed, failed, removed."""

import json
from typing import Any

import pytest

from simulator.clock import VirtualClock
from simulator.cloud import Cloud
from simulator.http import Request, Response

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
LOCATION = "configuration.backupStorageLocation"
SETTINGS = {
    f"{LOCATION}.bucket": "container",
    f"{LOCATION}.config.storageAccount": "account",
    f"{LOCATION}.config.resourceGroup": "backup",
    f"{LOCATION}.config.subscriptionId": SUBSCRIPTION,
    f"{LOCATION}.config.useAAD": "true",
    f"{LOCATION}.config.storageAccountURI": "https://account.blob.core.windows.net/",
    "credentials.tenantId": "22222222-2222-2222-2222-222222222222",
}


def body(settings: dict[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    return {
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "extensionType": "microsoft.dataprotection.kubernetes",
            "autoUpgradeMinorVersion": True,
            "releaseTrain": "stable",
            "scope": {"cluster": {}},
            "configurationSettings": SETTINGS if settings is None else settings,
            **properties,
        },
    }


class Azure:
    """One cloud in virtual time, called as its operator."""

    def __init__(self, subscription: str = SUBSCRIPTION, group: str = "Apps") -> None:
        self.clock = VirtualClock()
        self.cloud = Cloud(self.clock, seed=1)
        self.cloud.resources.add_subscription(subscription)
        self.cloud.resources.register(subscription, "Microsoft.KubernetesConfiguration", "Registered")
        self.subscription, self.group = subscription, group

    def make_cluster(self, name: str = "Shop", **overrides: Any) -> str:
        wanted = {"name": name, "resource_group": self.group, "settled": True, **overrides}
        return self.cloud.container_service.create_cluster("westeurope", self.subscription, wanted)

    async def call(
        self, method: str, path: str, sent: Any = None, version: str = "2025-03-01", **query: str
    ) -> Response:
        return await self.cloud.respond(
            Request(
                method,
                path,
                query={"api-version": version, **query},
                headers={"authorization": f"Bearer {self.cloud.identity.token(self.cloud.identity.operator)}"},
                body=b"" if sent is None else json.dumps(sent).encode(),
            )
        )

    async def operation(self, answer: Response) -> Any:
        path, _, version = answer.headers["Azure-AsyncOperation"].partition("?api-Version=")
        return (await self.call("GET", path.removeprefix("http://127.0.0.1"), version=version)).body

    async def put(self, cluster: str, name: str = "azure-aks-backup", sent: dict[str, Any] | None = None) -> Response:
        return await self.call("PUT", extension(cluster, name), body() if sent is None else sent)


def extension(cluster: str, name: str = "azure-aks-backup") -> str:
    return f"{cluster}/providers/Microsoft.KubernetesConfiguration/extensions/{name}"


@pytest.fixture
def azure() -> Azure:
    return Azure()


async def test_an_install_takes_its_time_and_ends_with_an_identity(azure: Azure) -> None:
    cluster = azure.make_cluster()
    created = await azure.put(cluster)
    assert created.status == 201
    assert created.body["properties"]["provisioningState"] == "Creating"
    assert created.body["properties"]["aksAssignedIdentity"] is None
    assert azure.cloud.identity.principal_exists(created.body["identity"]["principalId"])
    await azure.clock.advance(azure.cloud.timings.extension_install - 1)
    assert (await azure.operation(created))["status"] == "Creating"
    assert (await azure.call("GET", extension(cluster))).body["properties"]["aksAssignedIdentity"] is None

    await azure.clock.advance(1)

    done = await azure.operation(created)
    assert set(done) == {"id", "name", "status", "properties"}
    assert done["status"] == "Succeeded"
    read = (await azure.call("GET", extension(cluster).lower())).body
    assert read["properties"]["provisioningState"] == "Succeeded"
    assert read["properties"]["configurationSettings"] == SETTINGS
    identity = read["properties"]["aksAssignedIdentity"]
    assert identity["type"] == "UserAssigned"
    assert identity["principalId"] != read["identity"]["principalId"]
    assert azure.cloud.identity.principal_exists(identity["principalId"])
    held = azure.cloud.kubernetes_configuration.backup_extension(cluster.upper())
    assert held is not None
    assert held.aks_identity_principal_id == identity["principalId"]
    assert held.last_succeeded_at == azure.clock.now()
    listed = (await azure.call("GET", extension(cluster, "")[:-1])).body
    assert listed == {"value": [read], "nextLink": None}


async def test_a_patch_merges_settings_replaces_secrets_and_restarts_the_pods(azure: Azure) -> None:
    cluster = azure.make_cluster()
    await azure.put(cluster, sent=body(configurationProtectedSettings={"a": "1", "b": "2"}))
    await azure.clock.advance(3600)
    held = azure.cloud.kubernetes_configuration.backup_extension(cluster)
    assert held is not None
    before, identity = held.last_succeeded_at, held.aks_identity_principal_id

    more = {"resources.limits.memory": "4400Mi"}
    sent = {"properties": {"configurationSettings": more, "configurationProtectedSettings": {"b": "3"}}}
    patched = await azure.call("PATCH", extension(cluster), sent)

    assert (patched.status, patched.body["properties"]["provisioningState"]) == (202, "Updating")
    assert "Location" not in patched.headers
    assert held.settings == {**SETTINGS, **more}
    assert held.protected_settings == {"b": "3"}
    assert (await azure.operation(patched))["status"] == "Updating"
    assert (await azure.call("PATCH", extension(cluster), sent)).status == 409
    await azure.clock.advance(azure.cloud.timings.extension_update)
    assert (await azure.operation(patched))["status"] == "Succeeded"
    assert held.provisioning_state == "Succeeded"
    assert before is not None
    assert held.last_succeeded_at is not None
    assert held.last_succeeded_at > before
    assert held.aks_identity_principal_id == identity


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"power": "Stopped"}, "not running"),
        ({"identity": "ServicePrincipal"}, "managed identity"),
        ({"windows_only": True}, "timed out waiting for the condition"),
        ({"arm64_only": True}, "timed out waiting for the condition"),
        ({"outbound_type": "none"}, "no such host"),
        ({"extension_failure": "HelmPostInstallTimeout"}, "failed post-install"),
        ({"extension_failure": "BackoffLimitExceeded"}, "BackoffLimitExceeded"),
        ({"extension_failure": "DNS"}, "westeurope.dp.kubernetesconfiguration.azure.com: no such host"),
    ],
)
async def test_where_it_cannot_run_the_install_fails_and_says_why(
    azure: Azure, overrides: dict[str, Any], said: str
) -> None:
    cluster = azure.make_cluster(**overrides)
    created = await azure.put(cluster)
    assert created.status == 201
    await azure.clock.advance(azure.cloud.timings.extension_install)
    failed = await azure.operation(created)
    assert failed["status"] == "Failed"
    assert failed["error"]["code"] == "ExtensionOperationFailed"
    assert said in failed["error"]["message"]
    read = (await azure.call("GET", extension(cluster))).body["properties"]
    assert read["provisioningState"] == "Failed"
    assert read["errorInfo"] == failed["error"]
    assert [status["level"] for status in read["statuses"]] == ["Error"]
    assert read["aksAssignedIdentity"] is None


async def test_a_failure_that_passes_is_healed_by_a_fresh_put(azure: Azure) -> None:
    cluster = azure.make_cluster(extension_failure="HelmPostInstallTimeout", extension_failure_times=2)
    states = []
    for _ in range(3):
        await azure.put(cluster)
        await azure.clock.advance(azure.cloud.timings.extension_install)
        read = (await azure.call("GET", extension(cluster))).body["properties"]
        states.append(read["provisioningState"])
    assert states == ["Failed", "Failed", "Succeeded"]
    assert "errorInfo" not in read
    assert read["statuses"] == []


@pytest.mark.parametrize("missing", [*(key for key in SETTINGS if not key.endswith("useAAD"))])
async def test_a_backup_extension_without_a_required_setting_fails(azure: Azure, missing: str) -> None:
    cluster = azure.make_cluster()
    await azure.put(cluster, sent=body({key: value for key, value in SETTINGS.items() if key != missing}))
    await azure.clock.advance(3600)
    read = (await azure.call("GET", extension(cluster))).body["properties"]
    assert read["provisioningState"] == "Failed"
    assert missing in read["errorInfo"]["message"]


async def test_without_aad_the_account_uri_is_not_needed(azure: Azure) -> None:
    cluster = azure.make_cluster()
    keys = (f"{LOCATION}.config.useAAD", f"{LOCATION}.config.storageAccountURI")
    await azure.put(cluster, sent=body({key: value for key, value in SETTINGS.items() if key not in keys}))
    await azure.clock.advance(3600)
    assert (await azure.call("GET", extension(cluster))).body["properties"]["provisioningState"] == "Succeeded"


@pytest.mark.parametrize(
    "sent",
    [
        {"properties": {}},
        body({**SETTINGS, f"{LOCATION}.config.useAAD": True}),
        body(scope={"namespace": {"targetNamespace": "x"}}),
        body(version="1.0.0"),
        body(configurationProtectedSettings={"a": 1}),
    ],
)
async def test_what_is_wrong_at_sight_is_refused(azure: Azure, sent: dict[str, Any]) -> None:
    cluster = azure.make_cluster()
    assert (await azure.put(cluster, sent=sent)).status == 400
    assert azure.cloud.kubernetes_configuration.backup_extension(cluster) is None


async def test_one_extension_of_a_type_in_a_cluster(azure: Azure) -> None:
    cluster, other = azure.make_cluster(), azure.make_cluster("Other")
    assert (await azure.put(cluster)).status == 201
    assert (await azure.put(cluster, "second")).status == 409
    assert (await azure.put(other, "second")).status == 201
    dapr = {"properties": {"extensionType": "microsoft.dapr", "configurationSettings": {}}}
    assert (await azure.put(cluster, "dapr", dapr)).status == 201


@pytest.mark.parametrize("overrides", [{"settled": False}, {"provisioning_state": "Upgrading"}])
async def test_an_unsettled_cluster_takes_no_extension(azure: Azure, overrides: dict[str, Any]) -> None:
    cluster = azure.make_cluster(**overrides)
    refused = await azure.put(cluster)
    assert (refused.status, refused.body["error"]["code"]) == (409, "OperationNotAllowed")
    assert azure.cloud.kubernetes_configuration.backup_extension(cluster) is None


async def test_removed_it_is_gone_with_its_identities(azure: Azure) -> None:
    cluster = azure.make_cluster()
    await azure.put(cluster)
    await azure.clock.advance(3600)
    held = azure.cloud.kubernetes_configuration.backup_extension(cluster)
    assert held is not None
    removal = await azure.call("DELETE", extension(cluster))
    assert removal.status == 202
    assert held.provisioning_state == "Deleting"
    await azure.clock.advance(3600)
    assert (await azure.operation(removal))["status"] == "Succeeded"
    assert (await azure.call("GET", extension(cluster))).status == 404
    assert (await azure.call("DELETE", extension(cluster))).status == 204
    assert held.aks_identity_principal_id is not None
    assert not azure.cloud.identity.principal_exists(held.aks_identity_principal_id)


async def test_forced_it_is_gone_at_once_whatever_runs(azure: Azure) -> None:
    cluster = azure.make_cluster()
    created = await azure.put(cluster)
    assert (await azure.call("DELETE", extension(cluster), forcedelete="true")).status == 200
    assert (await azure.call("GET", extension(cluster))).status == 404
    await azure.clock.advance(3600)
    assert (await azure.operation(created))["status"] == "Failed"
    assert azure.cloud.kubernetes_configuration.backup_extension(cluster) is None


async def test_a_deleted_cluster_takes_its_extension_along(azure: Azure) -> None:
    cluster = azure.make_cluster()
    azure.cloud.kubernetes_configuration.install_backup_extension(cluster, SETTINGS)
    held = azure.cloud.kubernetes_configuration.backup_extension(cluster)
    assert held is not None
    assert held.provisioning_state == "Succeeded"
    await azure.call("DELETE", cluster, version="2026-08-01")
    await azure.clock.advance(3600)
    assert (await azure.call("GET", extension(cluster))).status == 404
    azure.make_cluster()
    assert azure.cloud.kubernetes_configuration.backup_extension(cluster) is None
