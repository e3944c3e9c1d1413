"""Queues and tables of a storage account, and the settings that say who may use it, over ARM."""

from typing import Any

import pytest

from tests.contract.arm_caller import READER, SUBSCRIPTION, ArmCaller, code

GROUP = f"{SUBSCRIPTION}/resourceGroups/guard"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/guardstore"
QUEUES, TABLES = f"{ACCOUNT}/queueServices/default/queues", f"{ACCOUNT}/tableServices/default/tables"
VERSION = "2025-01-01"


@pytest.fixture
async def arm() -> ArmCaller:
    arm = ArmCaller()
    await arm.group("guard")
    body = {
        "location": "westeurope",
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
        "properties": {"allowSharedKeyAccess": False},
    }
    assert (await arm.call("PUT", ACCOUNT, body, version=VERSION)).status == 202
    await arm.clock.advance(arm.cloud.timings.storage_account_write)
    return arm


async def ask(arm: ArmCaller, method: str, path: str, body: Any = None, **said: Any) -> Any:
    answer = await arm.call(method, path, body, version=VERSION, **said)
    assert answer.status == 200, answer.body
    return answer.body


@pytest.mark.parametrize(
    ("root", "name", "kind"),
    [
        (QUEUES, "reconcile-poison", "Microsoft.Storage/storageAccounts/queueServices/queues"),
        (TABLES, "clusters", "Microsoft.Storage/storageAccounts/tableServices/tables"),
    ],
)
async def test_they_are_put_read_listed_and_deleted(arm: ArmCaller, root: str, name: str, kind: str) -> None:
    assert (await ask(arm, "GET", root))["value"] == []
    made = await ask(arm, "PUT", f"{root}/{name}", {"properties": {"metadata": {"a": "b"}}})
    assert (made["id"], made["name"], made["type"]) == (f"{root}/{name}", name, kind)
    assert made["properties"]["metadata"] == {"a": "b"}
    assert await ask(arm, "GET", f"{root}/{name}") == made
    assert (await ask(arm, "PUT", f"{root}/{name}"))["name"] == name
    assert [each["name"] for each in (await ask(arm, "GET", root))["value"]] == [name]
    await ask(arm, "DELETE", f"{root}/{name}")
    assert (await arm.call("DELETE", f"{root}/{name}", version=VERSION)).status == 204
    gone = await arm.call("GET", f"{root}/{name}", version=VERSION)
    assert (gone.status, code(gone)) == (404, "ResourceNotFound")


@pytest.mark.parametrize("path", [f"{QUEUES}/Events", f"{QUEUES}/a", f"{TABLES}/9lives", f"{TABLES}/with-hyphen"])
async def test_names_follow_the_service(arm: ArmCaller, path: str) -> None:
    answer = await arm.call("PUT", path, version=VERSION)
    assert answer.status == 400
    assert (await arm.call("GET", path, version=VERSION)).status == 404


async def test_tables_and_queues_of_one_name_are_two_things(arm: ArmCaller) -> None:
    await ask(arm, "PUT", f"{TABLES}/notify")
    assert (await arm.call("GET", f"{QUEUES}/notify", version=VERSION)).status == 404


async def test_they_need_their_account(arm: ArmCaller) -> None:
    missing = await arm.call("GET", QUEUES.replace("guardstore", "other"), version=VERSION)
    assert missing.status == 404


async def test_a_reader_sees_them_and_makes_none(arm: ArmCaller) -> None:
    reader = arm.cloud.identity.new_principal("reader")
    arm.cloud.authorization.grant(reader.object_id, READER, SUBSCRIPTION)
    await ask(arm, "GET", TABLES, principal=reader)
    refused = await arm.call("PUT", f"{TABLES}/clusters", version=VERSION, principal=reader)
    assert "'Microsoft.Storage/storageAccounts/tableServices/tables/write'" in refused.body["error"]["message"]


async def test_shared_keys_stay_off_when_they_are_turned_off(arm: ArmCaller) -> None:
    assert (await ask(arm, "GET", ACCOUNT))["properties"]["allowSharedKeyAccess"] is False
    await ask(arm, "PATCH", ACCOUNT, {"tags": {"a": "b"}})
    assert (await ask(arm, "GET", ACCOUNT))["properties"]["allowSharedKeyAccess"] is False
    await ask(arm, "PATCH", ACCOUNT, {"properties": {"allowSharedKeyAccess": True}})
    assert (await ask(arm, "GET", ACCOUNT))["properties"]["allowSharedKeyAccess"] is True


@pytest.mark.parametrize(
    ("order", "target"),
    [
        ({"storage_account": ACCOUNT + "2", "endpoint": "http://127.0.0.1:10001/a"}, "storage_account"),
        ({"storage_account": ACCOUNT, "endpoint": "https://a.queue.core.windows.net"}, "endpoint"),
        ({"storage_account": ACCOUNT}, "endpoint"),
    ],
)
async def test_queues_are_bound_to_what_is_here(arm: ArmCaller, order: dict[str, str], target: str) -> None:
    answer = await arm.control("POST", "eventgrid/queues", order)
    assert (answer.status, answer.body["error"]["target"]) == (400, target)
