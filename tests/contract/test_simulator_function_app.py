"""A function app as ARM shows it: plan, site, settings, authentication, functions, Key Vault references."""

from typing import Any

import pytest

from simulator.arm.route import Principal
from simulator.http import Response
from simulator.timings import Timings
from tests.contract.arm_caller import CONTRIBUTOR, READER, SUBSCRIPTION, ArmCaller, code

GROUP = f"{SUBSCRIPTION}/resourceGroups/guard"
PLAN = f"{GROUP}/providers/Microsoft.Web/serverfarms/plan"
SITE = f"{GROUP}/providers/Microsoft.Web/sites/guard"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/guard"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-guard"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
WEB, IDENTITIES, VAULTS = "2024-11-01", "2024-11-30", "2024-11-01"
RUNTIME = {"name": "python", "version": "3.13"}
REFERENCE = "@Microsoft.KeyVault(SecretUri=https://kv-guard.vault.azure.net/secrets/pager)"


@pytest.fixture
async def arm() -> ArmCaller:
    """A site on a plan, with a user-assigned identity that reads its Key Vault references."""
    arm = ArmCaller(Timings(role_propagation=0, directory_replication=0))
    await arm.group("guard")
    plan = {"location": "westeurope", "sku": {"name": "FC1", "tier": "FlexConsumption"}, "kind": "functionapp"}
    await must(arm, "PUT", PLAN, {**plan, "properties": {"reserved": True}})
    await must(arm, "PUT", IDENTITY, {"location": "westeurope"}, version=IDENTITIES)
    await must(arm, "PUT", SITE, site())
    return arm


def site(**settings: str) -> dict[str, Any]:
    return {
        "location": "West Europe",
        "kind": "functionapp,linux",
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}},
        "properties": {
            "serverFarmId": PLAN,
            "httpsOnly": True,
            "keyVaultReferenceIdentity": IDENTITY,
            "functionAppConfig": {"runtime": RUNTIME},
            "siteConfig": {
                "minTlsVersion": "1.3",
                "appSettings": [{"name": name, "value": value} for name, value in {"A": "1", **settings}.items()],
            },
        },
    }


async def must(arm: ArmCaller, method: str, path: str, body: Any = None, *, version: str = WEB) -> Any:
    answer = await arm.call(method, path, body, version=version)
    assert answer.status in (200, 201), answer.body
    return answer.body


async def test_a_site_shows_what_was_put_and_that_it_runs(arm: ArmCaller) -> None:
    shown = await must(arm, "GET", SITE)
    assert (shown["location"], shown["kind"]) == ("westeurope", "functionapp,linux")
    properties = shown["properties"]
    assert (properties["state"], properties["httpsOnly"]) == ("Running", True)
    assert properties["defaultHostName"] == "guard.azurewebsites.net"
    assert properties["functionAppConfig"]["runtime"] == RUNTIME
    assert properties["siteConfig"] is None
    assert (await must(arm, "GET", f"{SITE}/config/web"))["properties"]["minTlsVersion"] == "1.3"
    assert (await must(arm, "GET", PLAN))["sku"]["name"] == "FC1"
    listed = await must(arm, "GET", f"{SUBSCRIPTION}/providers/Microsoft.Web/sites")
    assert [each["id"] for each in listed["value"]] == [SITE]


async def test_a_site_is_stopped_and_started(arm: ArmCaller) -> None:
    assert (await arm.call("POST", f"{SITE}/stop", version=WEB)).status == 200
    assert (await must(arm, "GET", SITE))["properties"]["state"] == "Stopped"
    await arm.call("POST", f"{SITE}/start", version=WEB)
    assert (await must(arm, "GET", SITE))["properties"]["state"] == "Running"


async def test_a_site_needs_its_plan_and_a_name_of_its_own(arm: ArmCaller) -> None:
    elsewhere = {**site(), "properties": {"serverFarmId": PLAN + "2"}}
    missing = await arm.call("PUT", SITE + "2", elsewhere, version=WEB)
    assert (missing.status, code(missing)) == (404, "NotFound")
    other = await arm.group("other")
    taken = await arm.call("PUT", SITE.replace(GROUP, other), site(), version=WEB)
    assert (taken.status, code(taken)) == (409, "Conflict")
    assert (await arm.call("GET", SITE + "2", version=WEB)).status == 404


async def test_settings_are_listed_by_who_may_and_replaced_as_a_whole(arm: ArmCaller) -> None:
    listing = f"{SITE}/config/appsettings/list"
    assert (await must(arm, "POST", listing))["properties"] == {"A": "1"}
    await must(arm, "PUT", f"{SITE}/config/appsettings", {"properties": {"B": "2"}})
    assert (await must(arm, "POST", listing))["properties"] == {"B": "2"}
    await must(arm, "PATCH", SITE, {"tags": {"x": "y"}})
    assert (await must(arm, "POST", listing))["properties"] == {"B": "2"}
    reader = arm.cloud.identity.new_principal("reader")
    arm.cloud.authorization.grant(reader.object_id, READER, SUBSCRIPTION)
    refused = await arm.call("POST", listing, version=WEB, principal=reader)
    assert (refused.status, code(refused)) == (403, "AuthorizationFailed")
    assert "'Microsoft.Web/sites/config/list/action'" in refused.body["error"]["message"]
    assert (await arm.call("GET", SITE, version=WEB, principal=reader)).status == 200


async def test_authentication_is_off_until_it_is_put(arm: ArmCaller) -> None:
    path = f"{SITE}/config/authsettingsV2"
    assert (await must(arm, "GET", path))["properties"]["platform"]["enabled"] is False
    wanted = {
        "platform": {"enabled": True},
        "globalValidation": {"requireAuthentication": True, "excludedPaths": ["/api/health"]},
    }
    await must(arm, "PUT", path, {"properties": wanted})
    for place in (path, f"{path}/list"):
        assert (await must(arm, "GET", place))["properties"] == wanted
    assert (await arm.call("PUT", path, {}, version=WEB)).status == 400


async def test_publishing_passwords_are_turned_off_one_by_one(arm: ArmCaller) -> None:
    policies = f"{SITE}/basicPublishingCredentialsPolicies"
    await must(arm, "PUT", f"{policies}/scm", {"properties": {"allow": False}})
    assert (await must(arm, "GET", f"{policies}/scm"))["properties"]["allow"] is False
    assert (await must(arm, "GET", f"{policies}/ftp"))["properties"]["allow"] is True
    assert (await arm.call("GET", f"{policies}/other", version=WEB)).status == 404


async def test_the_functions_are_those_that_were_ordered(arm: ArmCaller) -> None:
    assert (await must(arm, "GET", f"{SITE}/functions"))["value"] == []
    answer = await arm.control("POST", "functions", {"site": SITE, "names": ["reconcile", "job_events"]})
    assert answer.body == {"ids": [f"{SITE}/functions/reconcile", f"{SITE}/functions/job_events"]}
    listed = (await must(arm, "GET", f"{SITE}/functions"))["value"]
    assert [each["properties"]["name"] for each in listed] == ["reconcile", "job_events"]
    assert (await must(arm, "GET", f"{SITE}/functions/RECONCILE"))["name"] == "guard/reconcile"
    assert (await arm.call("GET", f"{SITE}/functions/other", version=WEB)).status == 404


@pytest.mark.parametrize(
    ("order", "target"),
    [
        ({"site": SITE + "2", "names": []}, "site"),
        ({"site": SITE}, "names"),
        ({"site": SITE, "names": [], "url": "https://example.org"}, "url"),
        ({"site": SITE, "names": [], "other": 1}, "other"),
    ],
)
async def test_an_order_of_functions_names_what_is_wrong(arm: ArmCaller, order: dict[str, Any], target: str) -> None:
    answer = await arm.control("POST", "functions", order)
    assert (answer.status, answer.body["error"]["target"]) == (400, target)


async def test_the_identity_is_in_the_directory_and_on_the_site(arm: ArmCaller) -> None:
    made = (await must(arm, "GET", IDENTITY, version=IDENTITIES))["properties"]
    shown = (await must(arm, "GET", SITE))["identity"]["userAssignedIdentities"][IDENTITY]
    assert shown == {"principalId": made["principalId"], "clientId": made["clientId"]}
    entry = arm.cloud.identity.entry(made["principalId"])
    assert entry is not None
    assert (entry.principal.application_id, entry.principal_type) == (made["clientId"], "ServicePrincipal")
    assert (await arm.call("DELETE", IDENTITY, version=IDENTITIES)).status == 200
    assert not arm.cloud.identity.principal_exists(made["principalId"])


async def test_who_assigns_an_identity_needs_the_right_at_it(arm: ArmCaller) -> None:
    person = arm.cloud.identity.new_principal("person")
    other = await arm.group("other")
    arm.cloud.authorization.grant(person.object_id, CONTRIBUTOR, other)
    body = {**site(), "properties": {}}
    refused = await arm.call("PUT", SITE.replace(GROUP, other) + "2", body, version=WEB, principal=person)
    assert (refused.status, code(refused)) == (403, "LinkedAuthorizationFailed")
    assert "'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action'" in refused.body["error"]["message"]
    assert IDENTITY in refused.body["error"]["message"]


async def vault(arm: ArmCaller, *secrets: str) -> None:
    properties = {"sku": {"family": "A", "name": "standard"}, "tenantId": arm.cloud.identity.tenant_id}
    await must(arm, "PUT", VAULT, {"location": "westeurope", "properties": properties}, version=VAULTS)
    for name in secrets:
        body = {"properties": {"value": "never shown"}}
        written = await must(arm, "PUT", f"{VAULT}/secrets/{name}", body, version=VAULTS)
        assert "never shown" not in str(written)


async def reference(arm: ArmCaller, value: str = REFERENCE) -> dict[str, Any]:
    await must(arm, "PUT", f"{SITE}/config/appsettings", {"properties": {"PAGER": value, "PLAIN": "x"}})
    (found,) = (await must(arm, "GET", f"{SITE}/config/configreferences/appsettings"))["value"]
    one = await must(arm, "GET", f"{SITE}/config/configreferences/appsettings/PAGER")
    assert one == found
    assert found["name"] == "PAGER"
    properties: dict[str, Any] = found["properties"]
    return properties


async def grant(arm: ArmCaller, scope: str = VAULT) -> Response:
    made = (await must(arm, "GET", IDENTITY, version=IDENTITIES))["properties"]
    return await arm.assign(scope, SECRETS_USER, made["principalId"], "21d6175a-5c3b-417a-8810-1ae81be867a7")


async def test_a_reference_resolves_when_vault_right_and_secret_are_there(arm: ArmCaller) -> None:
    assert (await reference(arm))["status"] == "VaultNotFound"
    await vault(arm)
    assert (await reference(arm))["status"] == "AccessToKeyVaultDenied"
    assert (await grant(arm)).status == 201
    assert (await reference(arm))["status"] == "SecretNotFound"
    await vault(arm, "PAGER")
    found = await reference(arm)
    assert (found["status"], found["identityType"], found["details"]) == ("Resolved", "UserAssigned", None)
    assert (found["vaultName"], found["secretName"], found["reference"]) == ("kv-guard", "pager", REFERENCE)


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("@Microsoft.KeyVault(VaultName=kv-guard;SecretName=pager)", "Resolved"),
        ("@Microsoft.KeyVault(SecretUri=https://kv-guard.vault.azure.net/secrets/pager/0a1b)", "Resolved"),
        ("@Microsoft.KeyVault(VaultName=kv-guard)", "InvalidSyntax"),
        ("@Microsoft.KeyVault(SecretUri=kv-guard/pager)", "InvalidSyntax"),
    ],
)
async def test_both_forms_of_a_reference(arm: ArmCaller, value: str, status: str) -> None:
    await vault(arm, "pager")
    await grant(arm)
    assert (await reference(arm, value))["status"] == status


async def test_a_reference_needs_an_identity_that_the_site_has(arm: ArmCaller) -> None:
    await vault(arm, "pager")
    await grant(arm)
    await must(arm, "PATCH", SITE, {"properties": {"keyVaultReferenceIdentity": "SystemAssigned"}})
    assert (await reference(arm))["status"] == "MSINotEnabled"


async def test_vaults_have_names_of_their_own(arm: ArmCaller) -> None:
    await vault(arm)
    other = await arm.group("other")
    properties = {"sku": {"family": "A", "name": "standard"}, "tenantId": arm.cloud.identity.tenant_id}
    path = VAULT.replace(GROUP, other)
    taken = await arm.call("PUT", path, {"location": "westeurope", "properties": properties}, version=VAULTS)
    assert (taken.status, code(taken)) == (409, "VaultAlreadyExists")
    bare = await arm.call("PUT", VAULT + "2", {"location": "westeurope", "properties": {}}, version=VAULTS)
    assert bare.status == 400


async def test_everything_goes_with_its_group(arm: ArmCaller) -> None:
    await vault(arm)
    identity: Principal = arm.cloud.managed_identity.principal(IDENTITY)
    assert (await arm.call("DELETE", GROUP)).status == 202
    await arm.clock.advance(arm.cloud.timings.resource_group_delete)
    await arm.group("guard")
    for path, version in ((SITE, WEB), (PLAN, WEB), (IDENTITY, IDENTITIES), (VAULT, VAULTS)):
        assert (await arm.call("GET", path, version=version)).status == 404
    assert not arm.cloud.identity.principal_exists(identity.object_id)
