"""Workspaces and the diagnostic settings that fill them, over ARM."""

from typing import Any

import pytest

from simulator.http import Response
from tests.contract.arm_caller import code
from tests.contract.data_protection_world import ACCOUNT, BACKUP_GROUP, READER, VAULT, World

WORKSPACE = f"{BACKUP_GROUP}/providers/Microsoft.OperationalInsights/workspaces/logs"
SETTING = f"{VAULT}/providers/Microsoft.Insights/diagnosticSettings/backup"
JOBS = "AddonAzureBackupJobs"


@pytest.fixture
async def world() -> World:
    world = World()
    await world.vault()
    await workspace(world)
    return world


async def workspace(world: World, path: str = WORKSPACE, **properties: Any) -> dict[str, Any]:
    answer = await world.call("PUT", path, {"location": "westeurope", "properties": properties}, "2023-09-01")
    assert answer.status in (200, 201), answer.body
    body: dict[str, Any] = answer.body
    return body


async def put(
    world: World,
    path: str = SETTING,
    *,
    categories: tuple[str, ...] = (JOBS,),
    destination: str | None = "Dedicated",
    workspace_id: str | None = WORKSPACE,
    enabled: bool = True,
) -> Response:
    logs = [{"category": category, "enabled": enabled} for category in categories]
    body = {"workspaceId": workspace_id, "logAnalyticsDestinationType": destination, "logs": logs}
    return await setting(world, "PUT", path, {"properties": body})


async def setting(world: World, method: str, path: str = SETTING, body: Any = None, principal: Any = None) -> Response:
    return await world.call(method, path, body, "2021-05-01-preview", principal)


async def test_a_workspace_lives_and_dies(world: World) -> None:
    body = await world.read(f"{WORKSPACE}?api-version=2023-09-01")
    assert body["properties"]["retentionInDays"] == 30
    assert body["properties"]["provisioningState"] == "Succeeded"
    assert len(body["properties"]["customerId"]) == 36
    again = await workspace(world, retentionInDays=90)
    assert again["properties"]["customerId"] == body["properties"]["customerId"]
    assert again["properties"]["retentionInDays"] == 90
    for scope in (BACKUP_GROUP, BACKUP_GROUP.partition("/resourceGroups/")[0]):
        listed = await world.call(
            "GET", f"{scope}/providers/Microsoft.OperationalInsights/workspaces", None, "2023-09-01"
        )
        assert [each["id"] for each in listed.body["value"]] == [WORKSPACE]
    assert (await world.call("DELETE", WORKSPACE, None, "2023-09-01")).status == 200
    assert (await world.call("DELETE", WORKSPACE, None, "2023-09-01")).status == 204
    assert code(await world.call("GET", WORKSPACE, None, "2023-09-01")) == "ResourceNotFound"


async def test_a_workspace_goes_with_its_group(world: World) -> None:
    group = f"{BACKUP_GROUP.rpartition('/')[0]}/logs"
    await world.call("PUT", group, {"location": "westeurope"}, "2022-09-01")
    inside = f"{group}/providers/Microsoft.OperationalInsights/workspaces/inside"
    await workspace(world, inside)
    await world.call("DELETE", group, None, "2022-09-01")
    await world.clock.advance(world.cloud.timings.resource_group_delete)
    assert world.cloud.log_analytics.workspace(inside) is None


async def test_a_setting_is_answered_as_documented(world: World) -> None:
    made = await put(world)
    assert made.status == 200
    assert made.body["properties"] == {
        "storageAccountId": None,
        "serviceBusRuleId": None,
        "workspaceId": WORKSPACE,
        "eventHubAuthorizationRuleId": None,
        "eventHubName": None,
        "metrics": [],
        "logs": [
            {
                "category": JOBS,
                "categoryGroup": None,
                "enabled": True,
                "retentionPolicy": {"enabled": False, "days": 0},
            }
        ],
        "logAnalyticsDestinationType": "Dedicated",
    }
    assert (await setting(world, "GET")).body == made.body
    assert (await setting(world, "GET", SETTING.rpartition("/")[0])).body == {"value": [made.body]}
    assert (await setting(world, "DELETE")).status == 200
    assert (await setting(world, "DELETE")).status == 204
    assert (await setting(world, "GET")).status == 404


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"workspace_id": None}, 400),
        ({"workspace_id": f"{WORKSPACE}-none"}, 404),
        ({"categories": ("AzureBackupReport",)}, 400),
        ({"path": f"{ACCOUNT}/providers/Microsoft.Insights/diagnosticSettings/x"}, 501),
        ({"path": f"{VAULT}-none/providers/Microsoft.Insights/diagnosticSettings/x"}, 404),
    ],
)
async def test_refusals(world: World, said: dict[str, Any], status: int) -> None:
    await world.storage()
    answer = await put(world, **said)
    assert answer.status == status, answer.body
    assert (await setting(world, "GET", SETTING.rpartition("/")[0])).body == {"value": []}


@pytest.mark.parametrize(
    "properties", [None, [], {"workspaceId": WORKSPACE, "logs": 1}, {"workspaceId": WORKSPACE, "logs": [1]}]
)
async def test_malformed_settings(world: World, properties: Any) -> None:
    assert (await setting(world, "PUT", SETTING, {"properties": properties})).status == 400


@pytest.mark.parametrize(
    "body", [{"properties": 1}, {"tags": 1}, {"properties": {"retentionInDays": 1}}, {"properties": {"sku": 1}}]
)
async def test_malformed_workspaces(world: World, body: dict[str, Any]) -> None:
    answer = await world.call("PUT", f"{WORKSPACE}-x", {"location": "westeurope", **body}, "2023-09-01")
    assert answer.status == 400


async def test_one_category_goes_to_one_workspace_once(world: World) -> None:
    assert (await put(world)).status == 200
    twin = f"{SETTING}-2"
    answer = await put(world, twin)
    assert (answer.status, code(answer)) == (409, "Conflict")
    assert (await put(world, twin, categories=("CoreAzureBackup",))).status == 200
    other = await workspace(world, f"{WORKSPACE}-2")
    assert (await put(world, f"{SETTING}-3", workspace_id=other["id"])).status == 200
    for number in (4, 5):
        path, logs = f"{SETTING}-{number}", await workspace(world, f"{WORKSPACE}-{number}")
        assert (await put(world, path, workspace_id=logs["id"])).status == 200
    sixth = await workspace(world, f"{WORKSPACE}-6")
    assert (await put(world, f"{SETTING}-6", workspace_id=sixth["id"])).status == 409


async def test_who_may(world: World) -> None:
    reader = world.cloud.identity.new_principal("reader")
    assert (await setting(world, "GET", SETTING.rpartition("/")[0], principal=reader)).status == 403
    world.cloud.authorization.grant(reader.object_id, READER, VAULT)
    assert (await setting(world, "GET", SETTING.rpartition("/")[0], principal=reader)).status == 200
    body = {"properties": {"workspaceId": WORKSPACE, "logs": []}}
    assert (await setting(world, "PUT", SETTING, body, reader)).status == 403


async def test_a_vault_made_again_begins_without(world: World) -> None:
    await put(world)
    deleted = await world.call("DELETE", VAULT)
    await world.done(deleted, world.cloud.timings.vault_delete)
    assert (await setting(world, "GET", SETTING.rpartition("/")[0])).status == 404
    await world.vault()
    assert (await setting(world, "GET", SETTING.rpartition("/")[0])).body == {"value": []}
