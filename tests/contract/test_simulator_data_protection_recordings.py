"""The simulator against every recorded exchange of Azure Backup: same calls, same answers."""

import json
from typing import Any

import pytest

from simulator.http import Response
from tests.contract.data_protection_world import World
from tests.contract.recordings import Exchange, cassette, compare, recorded

GROUPS = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups"
CLUSTER = f"{GROUPS}/oss-clitest-rg/providers/Microsoft.ContainerService/managedClusters/clitest-cluster1-donotdelete"
VAULT = f"{GROUPS}/clitest-dpp-rg/providers/Microsoft.DataProtection/backupVaults/clitest-bkp-vault-aks-donotdelete"
ACCOUNT = f"{GROUPS}/clitest-dpp-rg/providers/Microsoft.Storage/storageAccounts/clitestaccount"
CONTAINER = f"{ACCOUNT}/blobServices/default/containers/clitest"
REGION = "eastus2euap"

# Seconds that passed before the exchange of that number; the recordings' own figures, rounded up.
PASSED = {
    "vault": {1: 1},
    "aks_backup_restore": {4: 45, 13: 1, 18: 60, 20: 1, 37: 185, 46: 1, 67: 215},
}


class Replay:
    """Sends recorded calls and learns, from each answer, the simulator's names for what the recording names."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.names: dict[str, str] = {}

    def translated(self, text: str) -> str:
        for was, now in self.names.items():
            text = text.replace(was, now)
        return text

    async def send(self, exchange: Exchange) -> Response:
        query = "&".join(f"{name}={value}" for name, value in exchange.query.items() if len(value) < 30)
        body = None if exchange.request is None else json.loads(self.translated(json.dumps(exchange.request)))
        answer = await self.world.call(
            exchange.method, f"{self.translated(exchange.path)}?{query}", body, exchange.query["api-version"]
        )
        given = {name.lower(): value for name, value in answer.headers.items()}
        self._learn(_operation(exchange.headers), _operation(given))
        for pair in (_job(exchange.answer), _job(answer.body)), (_point(exchange.answer), _point(answer.body)):
            self._learn(*pair)
        return answer

    def _learn(self, was: str | None, now: str | None) -> None:
        if was and now:
            self.names[was] = now


def _operation(headers: Any) -> str | None:
    link = headers.get("azure-asyncoperation", "")
    return link.split("?")[0].rsplit("/", 1)[-1] or None


def _job(body: Any) -> str | None:
    found = (body or {}).get("jobId") or ((body or {}).get("properties") or {}).get("jobId")
    return found.rsplit("/", 1)[-1] if found else None


def _point(body: Any) -> str | None:
    items = (body or {}).get("value") or []
    return items[0]["name"] if items else None


async def differences(folder: str, world: World) -> dict[str, list[str]]:
    replay, found = Replay(world), {}
    for exchange in recorded(folder):
        await world.clock.advance(PASSED[folder].get(exchange.n, 0))
        answer = await replay.send(exchange)
        unlike = compare(exchange.status, exchange.headers, exchange.answer, answer)
        if unlike:
            found[f"{exchange.n} {exchange.method} {exchange.path}"] = unlike
    return found


@pytest.mark.fidelity
async def test_a_vault_is_made_and_deleted_as_recorded() -> None:
    world = World()
    subscription, group = GROUPS.split("/")[2], "clitest-dpp-backupvault-000001"
    world.cloud.resources.add_group(subscription, group, "centraluseuap")
    assert await differences("vault", world) == {}


@pytest.mark.fidelity
async def test_a_cluster_is_backed_up_and_restored_as_recorded() -> None:
    world = World()
    for group in ("clitest-dpp-rg", "oss-clitest-rg"):
        world.cloud.resources.add_group(GROUPS.split("/")[2], group, REGION)
    await world.vault(VAULT, REGION)
    await world.policy(f"{VAULT}/backupPolicies/akspolicy")
    await world.storage(ACCOUNT, CONTAINER, REGION)
    await world.cluster(CLUSTER, REGION)
    world.extension(CLUSTER, ACCOUNT, CONTAINER)
    await world.trusted_access(CLUSTER, VAULT)
    world.roles(CLUSTER, VAULT, f"{GROUPS}/clitest-dpp-rg", ACCOUNT)
    assert await differences("aks_backup_restore", world) == {}


@pytest.mark.fidelity
async def test_a_list_of_vaults_is_answered_as_recorded() -> None:
    file = cassette("BackupVaultTest.test_backup_vault_find_by_name.json")
    (interaction,) = json.loads(file.read_text(encoding="utf-8"))["interactions"]
    was = interaction["response"]
    (vault,) = was["body"]["data"]["value"]
    world = World()
    _, _, subscription, _, group, *_ = vault["id"].split("/")
    world.add_subscription(subscription)
    world.cloud.resources.add_group(subscription, group, vault["location"])
    sent = {name: vault[name] for name in ("location", "tags", "identity")}
    sent["properties"] = {name: vault["properties"][name] for name in ("storageSettings", "securitySettings")}
    assert (await world.call("PUT", vault["id"], sent)).status == 201
    await world.clock.advance(1)

    answer = await world.call("GET", interaction["request"]["uri"].removeprefix("https://management.azure.com"))

    headers = {name: values[0] for name, values in was["headers"].items()}
    assert compare(was["status"]["code"], headers, was["body"]["data"], answer) == []


def test_the_comparison_sees_what_differs() -> None:
    headers = {"location": "https://a/x/1?api-version=1&t=2", "x-ms-ratelimit-remaining-subscription-writes": "9"}
    body = {"id": "/x", "when": "2024-06-26T07:53:06Z", "list": [{"a": 1}], "none": None}
    twin = Response(
        200, body | {"when": "2026-01-01T00:00:00Z"}, headers | {"location": "http://b/x/1?t=3&api-version=1"}
    )
    assert compare(200, headers, body, twin) == []
    for other in (
        Response(201, body, headers),
        Response(200, body, {}),
        Response(200, body, headers | {"location": "https://a/y/1?api-version=1&t=2"}),
        Response(200, body | {"more": 1}, headers),
        Response(200, body | {"none": "x"}, headers),
        Response(200, body | {"id": "/y"}, headers),
        Response(200, body | {"list": [{"a": "1"}]}, headers),
        Response(200, body | {"list": []}, headers),
    ):
        assert compare(200, headers, body, other) != []
