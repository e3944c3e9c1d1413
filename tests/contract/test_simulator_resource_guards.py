"""Multi-user authorisation: the link of a vault to a resource guard."""

from typing import Any

from tests.contract.data_protection_world import SUBSCRIPTION, VAULT, World

PROXY = f"{VAULT}/backupResourceGuardProxies/DppResourceGuardProxy"
GUARD = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/security/providers/Microsoft.DataProtection/resourceGuards/guard"
GRAPH = "/providers/Microsoft.ResourceGraph/resources"
LINK = {"properties": {"resourceGuardResourceId": GUARD}}


async def protected(world: World) -> Any:
    return (await world.read(VAULT))["properties"]["isVaultProtectedByResourceGuard"]


async def shown(world: World) -> list[Any]:
    query = "resources | where type endswith 'backupvaults' | project p = properties.isVaultProtectedByResourceGuard"
    answer = await world.call("POST", GRAPH, {"query": query}, "2021-03-01")
    return [row["p"] for row in answer.body["data"]]


async def test_a_vault_is_protected_while_it_has_a_link() -> None:
    world = World()
    await world.vault()
    assert await protected(world) is False
    assert (await world.call("GET", PROXY)).status == 404
    answer = await world.call("PUT", PROXY, LINK)
    assert (answer.status, answer.body["properties"]["resourceGuardResourceId"]) == (200, GUARD)
    assert await protected(world) is True
    assert (await world.call("GET", PROXY)).body == answer.body
    assert (await world.call("GET", PROXY.rpartition("/")[0])).body == {"value": [answer.body]}
    assert (await world.call("DELETE", PROXY)).status == 200
    assert await protected(world) is False
    assert (await world.call("DELETE", PROXY)).status == 204


async def test_the_link_names_the_operations_it_protects() -> None:
    world = World()
    await world.vault()
    details = (await world.call("PUT", PROXY, LINK)).body["properties"]["resourceGuardOperationDetails"]
    requests = {each["vaultCriticalOperation"]: each["defaultResourceRequest"] for each in details}
    assert requests["Microsoft.DataProtection/backupVaults/backupInstances/write"] == f"{GUARD}/dppModifyPolicy/default"
    assert len(requests) == 9


async def test_the_graph_tells_it_a_lag_later() -> None:
    world = World()
    await world.vault()
    lag = world.cloud.timings.resource_graph_lag
    await world.clock.advance(lag + 1)
    assert await shown(world) == [False]
    await world.call("PUT", PROXY, LINK)
    assert await shown(world) == [False]
    await world.clock.advance(lag)
    assert await shown(world) == [True]


async def test_what_is_no_link_is_refused() -> None:
    world = World()
    await world.vault()
    for path, body in (
        (PROXY, {"properties": {}}),
        (PROXY, {"properties": {"resourceGuardResourceId": VAULT}}),
        (PROXY.replace("DppResourceGuardProxy", "another"), LINK),
    ):
        assert (await world.call("PUT", path, body)).status == 400
