"""How each recording is played again to the simulator: what there must be before it, and how time passes in it."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from simulator.http import Response
from simulator.providers.data_protection.models import BackupInstance
from tests.contract.data_protection_world import World
from tests.fidelity.recordings import Exchange, compare

Differences = dict[int, list[str]]
"""By number of the exchange; an exchange without differences has an empty list."""

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
GROUPS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"


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

    async def differences(self, exchanges: Sequence[Exchange], passed: Mapping[int, float]) -> Differences:
        """Play all; `passed` are the seconds that went by before the exchange of that number."""
        found: Differences = {}
        for exchange in exchanges:
            await self.world.clock.advance(passed.get(exchange.n, 0))
            found[exchange.n] = compare(exchange, await self.send(exchange))
        return found

    def _learn(self, was: str | None, now: str | None) -> None:
        if was and now:
            self.names[was] = now


def _operation(headers: Mapping[str, str]) -> str | None:
    link = headers.get("azure-asyncoperation", "")
    return link.split("?")[0].rsplit("/", 1)[-1] or None


def _job(body: Any) -> str | None:
    found = (body or {}).get("jobId") or ((body or {}).get("properties") or {}).get("jobId")
    return found.rsplit("/", 1)[-1] if found else None


def _point(body: Any) -> str | None:
    items = (body or {}).get("value") or []
    return items[0].get("name") if items else None


def _world(group: str, location: str, subscription: str = SUBSCRIPTION) -> World:
    world = World()
    world.add_subscription(subscription)
    world.cloud.resources.add_group(subscription, group, location)
    return world


async def _vault(exchanges: Sequence[Exchange]) -> Differences:
    return await Replay(_world("clitest-dpp-backupvault-000001", "centraluseuap")).differences(exchanges, {1: 1})


async def _backup_and_restore(exchanges: Sequence[Exchange]) -> Differences:
    region = "eastus2euap"
    cluster = (
        f"{GROUPS}/oss-clitest-rg/providers/Microsoft.ContainerService/managedClusters/clitest-cluster1-donotdelete"
    )
    vault = f"{GROUPS}/clitest-dpp-rg/providers/Microsoft.DataProtection/backupVaults/clitest-bkp-vault-aks-donotdelete"
    account = f"{GROUPS}/clitest-dpp-rg/providers/Microsoft.Storage/storageAccounts/clitestaccount"
    container = f"{account}/blobServices/default/containers/clitest"
    world = _world("clitest-dpp-rg", region)
    world.cloud.resources.add_group(SUBSCRIPTION, "oss-clitest-rg", region)
    await world.vault(vault, region)
    await world.policy(f"{vault}/backupPolicies/akspolicy")
    await world.storage(account, container, region)
    await world.cluster(cluster, region)
    world.extension(cluster, account, container)
    await world.trusted_access(cluster, vault)
    world.roles(cluster, vault, f"{GROUPS}/clitest-dpp-rg", account)
    # The recording's own figures, rounded up.
    return await Replay(world).differences(exchanges, {4: 45, 13: 1, 18: 60, 20: 1, 37: 185, 46: 1, 67: 215})


async def _role_assignments(exchanges: Sequence[Exchange]) -> Differences:
    world = _world("oss-clitest-rg", "westeurope")
    world.cloud.resources.add_group(SUBSCRIPTION, "clitest-dpp-updatemsipermissions-000001", "westeurope")
    return await Replay(world).differences(exchanges, {})


async def _trusted_access(exchanges: Sequence[Exchange]) -> Differences:
    world = _world("clitest000001", "westus2")
    wanted = {"name": "cliakstest000001", "resource_group": "clitest000001", "settled": True}
    world.cloud.container_service.create_cluster("westus2", SUBSCRIPTION, wanted)
    return await Replay(world).differences(exchanges, {18: 60})


async def _extension(exchanges: Sequence[Exchange]) -> Differences:
    """Recorded on an Arc cluster; the simulator has the same extensions on managed clusters only. Of the provider it
    has the resource types and locations of its own choice, so that only their shape can be alike."""
    world = _world("azurecli-tests", "eastus")
    wanted = {"name": "arc-cluster", "resource_group": "azurecli-tests", "settled": True}
    world.cloud.container_service.create_cluster("eastus", SUBSCRIPTION, wanted)
    for was, now in (
        ("Microsoft.Kubernetes/connectedClusters", "Microsoft.ContainerService/managedClusters"),
        ("Microsoft.Kubernetes/ConnectedClusters", "Microsoft.ContainerService/ManagedClusters"),
    ):
        exchanges = [_renamed(exchange, was, now) for exchange in exchanges]
    provider, *rest = exchanges
    replay = Replay(world)
    found = {provider.n: compare(provider, await replay.send(provider), values=False)}
    # The agent had named the version by the time of the last exchange.
    return found | await replay.differences(rest, {3: 60})


def _renamed(exchange: Exchange, was: str, now: str) -> Exchange:
    fields = {
        "path": exchange.path,
        "headers": exchange.headers,
        "answer": exchange.answer,
        "request": exchange.request,
    }
    renamed = json.loads(json.dumps(fields).replace(was, now))
    return Exchange(n=exchange.n, method=exchange.method, query=exchange.query, status=exchange.status, **renamed)


async def _clusters_of_2019(exchanges: Sequence[Exchange]) -> Differences:
    """Listed while it was being created. Keys that are newer than the recording come on top of what it says."""
    (exchange,) = exchanges
    (recorded,) = exchange.answer["value"]
    _, _, subscription, _, group, *_ = recorded["id"].split("/")
    world = _world(group, recorded["location"], subscription)
    told = ("provisioningState", "nodeResourceGroup", "maxAgentPools")
    asked = {key: value for key, value in recorded["properties"].items() if key not in told}
    made = await world.call(
        "PUT", recorded["id"], {"location": recorded["location"], "properties": asked}, "2019-04-01"
    )
    assert made.status == 201, made.body
    found = await Replay(world).differences(exchanges, {})
    return {n: [each for each in unlike if "answered, not recorded" not in each] for n, unlike in found.items()}


async def _vaults(exchanges: Sequence[Exchange]) -> Differences:
    (exchange,) = exchanges
    (vault,) = exchange.answer["value"]
    _, _, subscription, _, group, *_ = vault["id"].split("/")
    world = _world(group, vault["location"], subscription)
    sent = {name: vault[name] for name in ("location", "tags", "identity")}
    sent["properties"] = {name: vault["properties"][name] for name in ("storageSettings", "securitySettings")}
    assert (await world.call("PUT", vault["id"], sent)).status == 201
    return await Replay(world).differences(exchanges, {exchange.n: 1})


async def _graph_error(exchanges: Sequence[Exchange]) -> Differences:
    return await Replay(_world("any", "westeurope")).differences(exchanges, {})


async def _graph_vaults(exchanges: Sequence[Exchange]) -> Differences:
    """The vault is older than the default settings the service shows now, and recorded with another casing."""
    (exchange,) = exchanges
    (row,) = exchange.answer["data"]
    world = _world("clitest-dpp-rg", row["location"])
    sent = {name: row[name] for name in ("location", "tags", "identity")}
    sent["properties"] = {name: row["properties"][name] for name in ("storageSettings", "securitySettings")}
    sent["properties"]["securitySettings"] = {"softDeleteSettings": {"state": "Off", "retentionDurationInDays": 14.0}}
    answer = await world.call("PUT", row["id"], sent)
    assert answer.status == 201, answer.body
    vault = world.cloud.data_protection.vault(row["id"])
    assert vault is not None
    vault.properties["securitySettings"] = row["properties"]["securitySettings"]
    return await _graph_asked(world, exchange)


async def _graph_instances(exchanges: Sequence[Exchange]) -> Differences:
    """The instance is of a disk, which the simulator does not protect: it is put into the vault as it was."""
    (exchange,) = exchanges
    (row,) = exchange.answer["data"]
    properties = row["properties"]
    policy_id = properties["policyInfo"]["policyId"]
    world = _world("clitest-dpp-rg", row["location"])
    vault_id = row["id"].partition("/backupInstances/")[0]
    await world.vault(vault_id, row["location"])
    await world.policy(policy_id, interval="R/2024-01-01T00:00:00+00:00/P1D")
    vault = world.cloud.data_protection.vault(vault_id)
    assert vault is not None
    kept = ("friendlyName", "dataSourceInfo", "dataSourceSetInfo", "policyInfo")
    vault.instances[row["name"].lower()] = BackupInstance(
        id=row["id"],
        name=row["name"],
        vault_id=vault_id,
        datasource_id=properties["dataSourceInfo"]["resourceID"],
        properties={name: properties[name] for name in kept},
        policy_id=policy_id,
        activity_id="",
        state="ProtectionConfigured",
        provisioning_state="Succeeded",
    )
    return await _graph_asked(world, exchange)


async def _graph_asked(world: World, exchange: Exchange) -> Differences:
    """A minute later. Ids in the recording are of another subscription than the one that was asked."""
    asked_of = exchange.request["subscriptions"][0]
    await world.clock.advance(60)
    answer = await Replay(world).send(_renamed(exchange, asked_of, SUBSCRIPTION))
    return {exchange.n: compare(exchange, answer)}


REPLAYS: Mapping[str, Callable[[Sequence[Exchange]], Awaitable[Differences]]] = {
    "aks_backup_restore": _backup_and_restore,
    "cloud_custodian_cassettes/AksTest.test_find_aks_by_name.json": _clusters_of_2019,
    "cloud_custodian_cassettes/BackupVaultTest.test_backup_vault_find_by_name.json": _vaults,
    "k8s_extension_arc_dapr": _extension,
    "resourcegraph": _graph_instances,
    "resourcegraph_error": _graph_error,
    "resourcegraph_vault": _graph_vaults,
    "role_assignments": _role_assignments,
    "trusted_access": _trusted_access,
    "vault": _vault,
}
