"""Storage accounts and containers in the simulator."""

from typing import Any

import pytest

from tests.contract.data_protection_world import ACCOUNT, BACKUP_GROUP, CONTAINER, SUBSCRIPTION, World

OTHER = "22222222-2222-2222-2222-222222222222"
BODY: dict[str, Any] = {
    "location": "West Europe",
    "sku": {"name": "Standard_LRS"},
    "kind": "StorageV2",
    "tags": {"AKSAzureBackup": "westeurope"},
    "properties": {"allowSharedKeyAccess": False, "allowBlobPublicAccess": False, "minimumTlsVersion": "TLS1_2"},
}


class Storage(World):
    async def send(self, method: str, path: str, body: Any = None, version: str = "2024-01-01") -> Any:
        return await self.call(method, path, body, version)


@pytest.fixture
def world() -> Storage:
    return Storage()


async def created(world: Storage, path: str = ACCOUNT) -> None:
    assert (await world.send("PUT", path, BODY)).status == 202
    await world.clock.advance(world.cloud.timings.storage_account_write)


@pytest.mark.parametrize("version", ["2023-05-01", "2024-01-01", "2025-06-01", "2026-09-01"])
async def test_an_account_is_made_in_the_background_and_keeps_what_was_asked_for(world: Storage, version: str) -> None:
    accepted = await world.send("PUT", ACCOUNT, BODY, version)
    assert (accepted.status, accepted.body) == (202, None)
    assert int(accepted.headers["Retry-After"]) >= 1
    assert (await world.call("GET", accepted.headers["Location"])).status == 202
    assert (await world.send("PUT", ACCOUNT, BODY, version)).body["error"][
        "code"
    ] == "StorageAccountOperationInProgress"
    await world.clock.advance(world.cloud.timings.storage_account_write)
    account = (await world.call("GET", accepted.headers["Location"])).body
    assert account == (await world.send("GET", ACCOUNT.upper(), version=version)).body
    assert (account["location"], account["tags"], account["id"]) == ("westeurope", BODY["tags"], ACCOUNT)
    assert account["properties"]["provisioningState"] == "Succeeded"
    assert account["properties"].items() >= BODY["properties"].items()
    assert account["properties"]["primaryEndpoints"]["blob"] == "https://shopbackups.blob.core.windows.net/"
    assert (await world.send("PUT", ACCOUNT, BODY, version)).status == 200


async def test_an_unknown_version_is_refused(world: Storage) -> None:
    refused = await world.send("PUT", ACCOUNT, BODY, "1999-01-01")
    assert (refused.status, refused.body["error"]["code"]) == (400, "NoRegisteredProviderFound")


@pytest.mark.parametrize("name", ["ab", "UPPER", "with-hyphen", "a" * 25])
async def test_bad_account_names_are_refused(world: Storage, name: str) -> None:
    refused = await world.send("PUT", f"{ACCOUNT.rsplit('/', 1)[0]}/{name}", BODY)
    assert (refused.status, refused.body["error"]["code"]) == (400, "AccountNameInvalid")
    check = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Storage/checkNameAvailability"
    answer = (await world.send("POST", check, {"name": name, "type": "Microsoft.Storage/storageAccounts"})).body
    assert (answer["nameAvailable"], answer["reason"]) == (False, "AccountNameInvalid")


async def test_a_name_is_taken_everywhere(world: Storage) -> None:
    await created(world)
    world.add_subscription(OTHER)
    world.cloud.resources.add_group(OTHER, "backup", "westeurope")
    elsewhere = ACCOUNT.replace(SUBSCRIPTION, OTHER)
    taken = await world.send("PUT", elsewhere, BODY)
    assert (taken.status, taken.body["error"]["code"]) == (409, "StorageAccountAlreadyTaken")
    assert (await world.send("GET", elsewhere)).status == 404
    check = f"/subscriptions/{OTHER}/providers/Microsoft.Storage/checkNameAvailability"
    asked = {"name": "shopbackups", "type": "Microsoft.Storage/storageAccounts"}
    assert (await world.send("POST", check, asked)).body["reason"] == "AlreadyExists"
    same = await world.send("PUT", ACCOUNT.replace("/backup/", "/apps/"), BODY)
    assert (same.status, same.body["error"]["code"]) == (409, "StorageAccountAlreadyExists")


async def test_an_account_is_changed_listed_and_deleted(world: Storage) -> None:
    await created(world)
    change = {"tags": {"a": "b"}, "properties": {"networkAcls": {"defaultAction": "Deny"}}}
    changed = (await world.send("PATCH", ACCOUNT, change)).body
    assert (changed["tags"], changed["properties"]["networkAcls"]) == ({"a": "b"}, {"defaultAction": "Deny"})
    assert changed["properties"]["allowSharedKeyAccess"] is False
    for scope in (BACKUP_GROUP, f"/subscriptions/{SUBSCRIPTION}"):
        listed = (await world.send("GET", f"{scope}/providers/Microsoft.Storage/storageAccounts")).body["value"]
        assert [one["id"] for one in listed] == [ACCOUNT]
    assert len((await world.send("POST", f"{ACCOUNT}/listKeys")).body["keys"]) == 2
    assert (await world.send("DELETE", ACCOUNT)).status == 200
    assert (await world.send("DELETE", ACCOUNT)).status == 204
    missing = await world.send("GET", ACCOUNT)
    assert (missing.status, missing.body["error"]["code"]) == (404, "ResourceNotFound")


async def test_a_container_is_made_read_listed_and_deleted(world: Storage) -> None:
    await created(world)
    assert (await world.send("PUT", CONTAINER, {"properties": {"metadata": {"a": "b"}}})).status == 201
    assert (await world.send("PUT", CONTAINER, {})).status == 200
    read = (await world.send("GET", CONTAINER)).body
    assert (read["id"], read["properties"]["publicAccess"], read["properties"]["metadata"]) == (
        CONTAINER, "None", {"a": "b"}
    )  # fmt: skip
    assert (await world.send("GET", CONTAINER.rsplit("/", 1)[0])).body["value"] == [read]
    assert world.cloud.storage.container(ACCOUNT.lower(), "shop") is not None
    assert (await world.send("DELETE", CONTAINER)).status == 200
    assert (await world.send("DELETE", CONTAINER)).status == 204
    assert (await world.send("GET", CONTAINER)).body["error"]["code"] == "ContainerNotFound"


@pytest.mark.parametrize("name", ["ab", "Upper", "two--hyphens", "-first", "last-", "a" * 64])
async def test_bad_container_names_are_refused(world: Storage, name: str) -> None:
    await created(world)
    assert (await world.send("PUT", f"{CONTAINER.removesuffix('shop')}{name}", {})).status == 400


async def test_no_container_in_an_account_that_is_not_there_yet(world: Storage) -> None:
    assert (await world.send("PUT", CONTAINER, {})).status == 404
    await world.send("PUT", ACCOUNT, BODY)
    assert (await world.send("PUT", CONTAINER, {})).status == 409


async def test_public_access_is_refused_where_the_account_forbids_it(world: Storage) -> None:
    await created(world)
    refused = await world.send("PUT", CONTAINER, {"properties": {"publicAccess": "Blob"}})
    assert (refused.status, refused.body["error"]["code"]) == (409, "PublicAccessNotPermitted")


async def test_a_deleted_group_takes_its_accounts_along(world: Storage) -> None:
    await created(world)
    world.cloud.storage.drop_group(SUBSCRIPTION, "BACKUP")
    assert world.cloud.storage.account_named("shopbackups") is None
    assert (await world.send("PUT", ACCOUNT, BODY)).status == 202


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"location": ""}, "LocationRequired"),
        ({"sku": None}, "InvalidRequestPropertyValue"),
        ({"kind": "Odd"}, "InvalidRequestPropertyValue"),
    ],
)
async def test_an_account_needs_its_parts(world: Storage, change: dict[str, Any], code: str) -> None:
    refused = await world.send("PUT", ACCOUNT, BODY | change)
    assert (refused.status, refused.body["error"]["code"]) == (400, code)


async def test_an_account_stays_in_its_region(world: Storage) -> None:
    await created(world)
    moved = await world.send("PUT", ACCOUNT, BODY | {"location": "northeurope"})
    assert (moved.status, moved.body["error"]["code"]) == (409, "InvalidResourceLocation")


async def test_what_the_service_says_of_a_container_is_not_set_by_sending_it_back(world: Storage) -> None:
    await created(world)
    sent = {"properties": {"hasLegalHold": True, "metadata": {"a": "b"}}}
    assert (await world.send("PUT", CONTAINER, sent)).status == 201
    patched = await world.send("PATCH", CONTAINER, sent)
    assert (patched.status, patched.body["properties"]["hasLegalHold"]) == (200, False)
