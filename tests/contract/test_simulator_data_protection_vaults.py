"""Vaults and policies in the simulator: what Azure Backup takes, what it refuses, and in which words."""

import copy
from typing import Any

import pytest

from simulator.http import Response
from tests.contract.data_protection_world import ASYNC, INSTANCE, POLICY, VAULT, World, instance, lifecycle, policy


def vault(location: str = "westeurope", kind: str = "GeoRedundant", **settings: Any) -> dict[str, Any]:
    """A vault's body; settings: soft_delete, immutability, crr."""
    properties: dict[str, Any] = {"storageSettings": [{"datastoreType": "VaultStore", "type": kind}]}
    security: dict[str, Any] = {}
    if "soft_delete" in settings:
        security["softDeleteSettings"] = {"state": settings["soft_delete"], "retentionDurationInDays": 14.0}
    if "immutability" in settings:
        security["immutabilitySettings"] = {"state": settings["immutability"]}
    if security:
        properties["securitySettings"] = security
    if "crr" in settings:
        properties["featureSettings"] = {"crossRegionRestoreSettings": {"state": settings["crr"]}}
    return {"location": location, "identity": {"type": "SystemAssigned"}, "properties": properties}


def code(response: Response) -> str:
    """The error's code; the envelope says it twice."""
    error = response.body["error"]
    assert error["additionalInfo"][0]["info"]["code"] == error["code"]
    return str(error["code"])


@pytest.fixture
def world() -> World:
    return World()


async def test_a_vault_has_its_identity_at_once_and_is_provisioned_a_second_later(world: World) -> None:
    created = await world.call("PUT", VAULT, vault())
    assert (created.status, created.body["properties"]["provisioningState"]) == (201, "Provisioning")
    principal = created.body["identity"]["principalId"]
    assert world.cloud.identity.principal_exists(principal)
    assert len(created.headers[ASYNC]) > 1500

    assert (await world.done(created, 1))["status"] == "Succeeded"

    read = await world.read(VAULT.upper().replace("/SUBSCRIPTIONS", "/subscriptions"))
    assert (read["properties"]["provisioningState"], read["identity"]["principalId"]) == ("Succeeded", principal)
    again = await world.call("PUT", VAULT, vault())
    assert (again.status, again.body["identity"]["principalId"]) == (200, principal)


@pytest.mark.parametrize("version", ["2025-09-01", "2026-06-01"])
async def test_newer_versions_want_soft_delete_always_on(world: World, version: str) -> None:
    for state in ({"soft_delete": "On"}, {"soft_delete": "Off"}, {}):
        refused = await world.call("PUT", VAULT, vault(**state), version)
        assert refused.status == 400
        info = refused.body["error"]["additionalInfo"][0]["info"]
        assert "Always-On Soft Delete" in info["message"]
        assert "older API version" in info["recommendedAction"][0]
    assert (await world.call("PUT", VAULT, vault(soft_delete="AlwaysOn"), version)).status == 201


async def test_an_older_version_still_takes_soft_delete_on(world: World) -> None:
    assert (await world.call("PUT", VAULT, vault(soft_delete="On"), "2025-07-01")).status == 201
    tagged = await world.call("PATCH", VAULT, {"tags": {"a": "b"}}, "2026-06-01")
    assert (tagged.status, tagged.body["tags"]) == (200, {"a": "b"})
    softer = {"properties": {"securitySettings": {"softDeleteSettings": {"state": "Off"}}}}
    assert (await world.call("PATCH", VAULT, softer, "2026-06-01")).status == 400
    assert (await world.call("PATCH", VAULT, softer, "2025-07-01")).status == 200


@pytest.mark.parametrize(
    ("first", "then", "expected"),
    [
        ({"soft_delete": "AlwaysOn"}, {"soft_delete": "On"}, "UserErrorDisableSoftDeleteNotAllowed"),
        ({"immutability": "Locked"}, {"immutability": "Unlocked"}, "UserErrorUnsupportedVaultImmutabilityStateChange"),
        ({"crr": "Enabled"}, {"crr": "Disabled"}, "UserErrorCrossRegionRestoreStateChangeNotAllowed"),
    ],
)
async def test_some_settings_go_one_way(
    world: World, first: dict[str, str], then: dict[str, str], expected: str
) -> None:
    assert (await world.call("PUT", VAULT, vault(**first))).status == 201
    for method in ("PUT", "PATCH"):
        refused = await world.call(method, VAULT, vault(**then))
        assert (refused.status, code(refused)) == (400, expected)
    assert (await world.call("PUT", VAULT, vault(**first))).status == 200


async def test_cross_region_restore_needs_geo_redundancy(world: World) -> None:
    assert (await world.call("PUT", VAULT, vault(kind="LocallyRedundant", crr="Enabled"))).status == 400
    created = await world.call("PUT", VAULT, vault(crr="Enabled"))
    assert created.body["properties"]["replicatedRegions"] == ["northeurope"]


@pytest.mark.parametrize("name", ["v", "1vault", "vault-", "v" * 51])
async def test_bad_vault_names_are_refused(world: World, name: str) -> None:
    refused = await world.call("PUT", VAULT.removesuffix("vault") + name, vault())
    assert (refused.status, code(refused)) == (400, "BMSUserErrorInvalidInput")


async def test_a_vault_stays_in_its_region(world: World) -> None:
    await world.call("PUT", VAULT, vault())
    moved = await world.call("PUT", VAULT, vault("northeurope"))
    assert (moved.status, moved.body["error"]["code"]) == (409, "InvalidResourceLocation")


async def test_unknown_vaults_are_not_found_and_their_deletion_has_no_content(world: World) -> None:
    missing = await world.call("GET", VAULT)
    assert (missing.status, code(missing)) == (404, "UserErrorGenericResourceNotFound")
    assert (await world.call("DELETE", VAULT)).status == 204


async def test_a_vault_with_instances_is_not_deleted(world: World) -> None:
    await world.ready()
    await world.protect()
    assert (await world.call("DELETE", VAULT)).status == 400
    deletion = await world.call("DELETE", INSTANCE)
    assert (await world.done(deletion, 60))["status"] == "Succeeded"
    assert (await world.call("DELETE", VAULT)).status == 400  # the instance is soft-deleted
    await world.clock.advance(15 * 86400)
    gone = await world.call("DELETE", VAULT)
    assert gone.status == 202
    assert (await world.done(gone, 60))["status"] == "Succeeded"
    assert (await world.call("GET", VAULT)).status == 404


async def test_vaults_are_listed_by_group_and_subscription(world: World) -> None:
    await world.vault()
    by_group = await world.read(VAULT.rsplit("/", 1)[0])
    by_subscription = await world.read(
        "/".join(VAULT.split("/")[:3]) + "/providers/Microsoft.DataProtection/backupVaults"
    )
    assert [one["id"] for one in by_group["value"]] == [VAULT]
    assert by_subscription == by_group


@pytest.mark.parametrize("interval", ["PT4H", "PT6H", "PT8H", "PT12H", "P1D"])
async def test_policies_of_every_interval_are_taken_and_echoed(world: World, interval: str) -> None:
    await world.vault()
    wanted = policy(interval=f"R/2024-01-01T00:00:00+00:00/{interval}", vault_tier=True)
    created = await world.call("PUT", POLICY, wanted)
    assert (created.status, created.body["properties"]) == (200, wanted["properties"])
    assert (await world.read(POLICY)) == created.body
    assert [one["name"] for one in (await world.read(POLICY.rsplit("/", 1)[0]))["value"]] == ["policy"]


def rules(body: dict[str, Any]) -> list[Any]:
    return list(body["properties"]["policyRules"])


def broken_policies() -> list[tuple[str, dict[str, Any]]]:
    """One thing wrong in each."""

    def without_default(body: dict[str, Any]) -> None:
        rules(body)[0]["trigger"]["taggingCriteria"][0]["isDefault"] = False

    def unruled_tag(body: dict[str, Any]) -> None:
        rules(body)[0]["trigger"]["taggingCriteria"][1]["tagInfo"]["tagName"] = "Weekly"

    def second_backup_rule(body: dict[str, Any]) -> None:
        body["properties"]["policyRules"].append(copy.deepcopy(rules(body)[0]))

    def copy_without_keep(body: dict[str, Any]) -> None:
        rules(body)[2]["lifecycles"] = [lifecycle("OperationalStore", "P7D", copy=True)]

    def other_store(body: dict[str, Any]) -> None:
        rules(body)[1]["lifecycles"] = [lifecycle("ArchiveStore", "P7D")]

    def no_rules(body: dict[str, Any]) -> None:
        del body["properties"]["policyRules"]

    found = []
    for change in (without_default, unruled_tag, second_backup_rule, copy_without_keep, other_store, no_rules):
        body = policy(vault_tier=True)
        change(body)
        found.append((change.__name__, body))
    start = "2024-01-01T00:00:00"
    for interval in ("R/PT4H", f"R/{start}Z/PT2H", f"R/{start}/PT4H", "R/20240101T0000Z/PT4H", f"R/{start}Z/P1W"):
        found.append((interval, policy(interval=interval)))
    found += [(keep, policy(keep=keep)) for keep in ("P361D", "P0D", "P2Y", "PT24H", "seven days")]
    return found


@pytest.mark.parametrize(("what", "body"), broken_policies())
async def test_policies_that_aks_could_not_run_are_refused(world: World, what: str, body: dict[str, Any]) -> None:
    await world.vault()
    refused = await world.call("PUT", POLICY, body)
    assert (refused.status, code(refused)) == (400, "BMSUserErrorInvalidInput"), what
    assert (await world.call("GET", POLICY)).status == 404


async def test_the_longest_operational_retention_is_360_days(world: World) -> None:
    await world.vault()
    assert (await world.call("PUT", POLICY, policy(keep="P360D"))).status == 200


async def test_a_region_may_have_no_vault_tier(world: World) -> None:
    await world.vault(location="polandcentral")
    refused = await world.call("PUT", POLICY, policy(vault_tier=True))
    assert (refused.status, code(refused)) == (400, "DppUserErrorVaultTierPolicyNotSupported")
    assert (await world.call("PUT", POLICY, policy())).status == 200


async def test_a_policy_in_use_is_not_deleted(world: World) -> None:
    await world.ready()
    await world.call("PUT", INSTANCE, instance())
    refused = await world.call("DELETE", POLICY)
    assert (refused.status, code(refused)) == (400, "UserErrorDppPolicyObjectInUse")
    await world.policy(f"{VAULT}/backupPolicies/other")
    assert (await world.call("DELETE", f"{VAULT}/backupPolicies/other")).status == 200
    assert (await world.call("DELETE", f"{VAULT}/backupPolicies/other")).status == 204


async def test_long_lists_come_in_pages(world: World) -> None:
    await world.vault()
    for number in range(150):
        await world.policy(f"{VAULT}/backupPolicies/policy-{number}")
    first = await world.read(f"{VAULT}/backupPolicies")
    second = (await world.call("GET", first["nextLink"])).body
    names = [one["name"] for one in (*first["value"], *second["value"])]
    assert names == [f"policy-{number}" for number in range(150)]
    assert "nextLink" not in second


async def test_what_the_service_says_of_a_vault_is_not_set_by_sending_it_back(world: World) -> None:
    await world.vault()
    read = await world.read(VAULT)
    read["properties"] |= {"provisioningState": "Failed", "secureScore": "Maximum"}
    assert (await world.call("PUT", VAULT, read)).status == 200
    properties = (await world.read(VAULT))["properties"]
    assert (properties["provisioningState"], properties["secureScore"]) == ("Succeeded", "None")


async def test_vault_names_can_be_asked_for(world: World) -> None:
    check = f"{VAULT.split('/backupVaults')[0]}/locations/westeurope/checkNameAvailability"

    async def available(name: str) -> bool:
        body = {"name": name, "type": "Microsoft.DataProtection/backupVaults"}
        return bool((await world.call("POST", check, body)).body["nameAvailable"])

    assert await available("vault")
    assert not await available("1vault")
    await world.vault()
    assert not await available("VAULT")


async def test_an_identity_can_be_given_later_and_taken_away(world: World) -> None:
    created = await world.call("PUT", VAULT, vault() | {"identity": {"type": "None"}})
    assert created.body["identity"] == {"type": "None"}
    given = await world.call("PATCH", VAULT, {"identity": {"type": "SystemAssigned"}})
    principal = given.body["identity"]["principalId"]
    assert world.cloud.identity.principal_exists(principal)
    taken = await world.call("PATCH", VAULT, {"identity": {"type": "None"}})
    assert taken.body["identity"] == {"type": "None"}
    assert not world.cloud.identity.principal_exists(principal)


async def test_the_storage_type_stays_once_something_is_protected(world: World) -> None:
    await world.ready()
    assert (await world.call("PUT", VAULT, vault(kind="ZoneRedundant"))).status == 200
    await world.protect()
    assert (await world.call("PUT", VAULT, vault(kind="LocallyRedundant"))).status == 400
    assert (await world.call("PUT", VAULT, vault(kind="ZoneRedundant"))).status == 200


@pytest.mark.parametrize("name", ["ab", "with_underscore", "p" * 151])
async def test_bad_policy_names_are_refused(world: World, name: str) -> None:
    await world.vault()
    assert (await world.call("PUT", f"{VAULT}/backupPolicies/{name}", policy())).status == 400


async def test_a_vault_that_got_an_instance_while_it_was_being_deleted_stays(world: World) -> None:
    await world.ready()
    deletion = await world.call("DELETE", VAULT)
    await world.call("PUT", INSTANCE, instance())
    assert (await world.done(deletion, 60))["status"] == "Failed"
    assert (await world.read(INSTANCE))["name"] == "shop-1"
