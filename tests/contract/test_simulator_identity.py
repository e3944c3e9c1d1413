"""Tokens: the App Service identity endpoint, client credentials, and what the cloud says about itself."""

import json
from urllib.parse import urlencode

import pytest

from simulator.http import Request, Response
from simulator.identity.models import APP, OPERATOR, TENANT_ID
from simulator.identity.tokens import claims_of
from tests.contract.arm_caller import SUBSCRIPTION, ArmCaller

BASE = "https://127.0.0.1:8443"
RESOURCE = "https://management.azure.com/"


@pytest.fixture
def arm() -> ArmCaller:
    return ArmCaller()


async def managed_identity(arm: ArmCaller, header: str | None = "simulator-app", **query: str) -> Response:
    wanted = {"api-version": "2019-08-01", "resource": RESOURCE, **query}
    headers = {} if header is None else {"x-identity-header": header}
    return await arm.cloud.respond(Request("GET", "/msi/token", query=wanted, headers=headers))


async def client_credentials(arm: ArmCaller, path: str = f"/{TENANT_ID}/oauth2/v2.0/token", **form: str) -> Response:
    sent = {
        "grant_type": "client_credentials",
        "client_id": OPERATOR.principal.application_id,
        "client_secret": "simulator-operator",
        "scope": f"{RESOURCE}/.default",
        **form,
    }
    return await arm.cloud.respond(Request("POST", path, body=urlencode(sent).encode()))


async def test_the_identity_endpoint_gives_the_apps_token(arm: ArmCaller) -> None:
    answer = await managed_identity(arm)
    claims = claims_of(answer.body["access_token"])
    assert claims["oid"] == arm.cloud.identity.app.object_id
    assert claims["appid"] == answer.body["client_id"] == arm.cloud.identity.app.application_id
    assert (claims["tid"], claims["aud"], answer.body["resource"]) == (TENANT_ID, RESOURCE, RESOURCE)
    assert answer.body["expires_on"] == str(claims["exp"])
    assert claims["exp"] - arm.clock.now().timestamp() == 86_400
    assert answer.headers["Content-Type"].startswith("application/json")
    listed = await arm.call(
        "GET", f"{SUBSCRIPTION}/resourceGroups", headers={"authorization": f"Bearer {answer.body['access_token']}"}
    )
    assert listed.status == 200


@pytest.mark.parametrize(
    ("header", "query", "oid"),
    [
        ("simulator-operator", {}, OPERATOR.principal.object_id),
        ("simulator-app", {"client_id": OPERATOR.principal.application_id.upper()}, OPERATOR.principal.object_id),
        ("simulator-operator", {"principal_id": APP.principal.object_id}, APP.principal.object_id),
    ],
)
async def test_header_and_query_choose_the_identity(
    arm: ArmCaller, header: str, query: dict[str, str], oid: str
) -> None:
    answer = await managed_identity(arm, header, **query)
    assert claims_of(answer.body["access_token"])["oid"] == oid


@pytest.mark.parametrize(
    ("header", "query", "status"),
    [
        (None, {}, 400),
        ("wrong", {}, 401),
        ("simulator-app", {"resource": ""}, 400),
        ("simulator-app", {"api-version": "2017-09-01"}, 400),
        ("simulator-app", {"client_id": "unknown"}, 400),
        ("simulator-app", {"mi_res_id": "/subscriptions/x"}, 400),
    ],
)
async def test_what_the_identity_endpoint_refuses(
    arm: ArmCaller, header: str | None, query: dict[str, str], status: int
) -> None:
    answer = await managed_identity(arm, header, **query)
    assert (answer.status, answer.body["statusCode"]) == (status, status)
    assert answer.body["message"]


async def test_a_service_principal_signs_in(arm: ArmCaller) -> None:
    answer = await client_credentials(arm)
    claims = claims_of(answer.body["access_token"])
    assert (claims["oid"], claims["aud"]) == (OPERATOR.principal.object_id, RESOURCE)
    assert answer.body["expires_in"] == claims["exp"] - claims["iat"] == 3599
    old = await client_credentials(arm, f"/{TENANT_ID}/oauth2/token", resource="https://x")
    assert claims_of(old.body["access_token"])["aud"] == "https://x"


@pytest.mark.parametrize(
    ("form", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_id": "wrong"}, 400, "unauthorized_client", 700016),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"scope": ""}, 400, "invalid_request", 900144),
    ],
)
async def test_what_sign_in_refuses(arm: ArmCaller, form: dict[str, str], status: int, error: str, number: int) -> None:
    answer = await client_credentials(arm, **form)
    assert (answer.status, answer.body["error"], answer.body["error_codes"]) == (status, error, [number])


async def test_a_principal_without_a_secret_cannot_sign_in(arm: ArmCaller) -> None:
    vault = arm.cloud.identity.new_principal("vault")
    assert (await client_credentials(arm, client_id=vault.application_id, client_secret="")).status == 401
    named = arm.cloud.identity.new_principal("person", "Application", "its-secret")
    assert (await client_credentials(arm, client_id=named.application_id, client_secret="its-secret")).status == 200


@pytest.mark.parametrize("tenant", [TENANT_ID, "common", "organizations"])
async def test_discovery_leads_to_the_token_endpoint(arm: ArmCaller, tenant: str) -> None:
    path = f"/{tenant}/v2.0/.well-known/openid-configuration"
    answer = await arm.cloud.respond(Request("GET", path, base_url=BASE))
    assert answer.body["token_endpoint"] == f"{BASE}/{TENANT_ID}/oauth2/v2.0/token"
    instance = await arm.cloud.respond(
        Request(
            "GET",
            "/common/discovery/instance",
            base_url=BASE,
            query={"authorization_endpoint": f"{BASE}/{tenant}/oauth2/v2.0/authorize"},
        )
    )
    assert instance.body["tenant_discovery_endpoint"] == f"{BASE}{path}"


async def test_an_unknown_tenant_is_refused(arm: ArmCaller) -> None:
    answer = await arm.cloud.respond(Request("GET", "/nowhere/v2.0/.well-known/openid-configuration"))
    assert (answer.status, answer.body["error"]) == (400, "invalid_tenant")


async def test_the_cloud_describes_itself_in_every_form_there_was(arm: ArmCaller) -> None:
    async def endpoints(version: str) -> Response:
        request = Request("GET", "/metadata/endpoints", base_url=BASE, query={"api-version": version})
        return await arm.cloud.respond(request)

    old = (await endpoints("2015-01-01")).body
    assert old["authentication"]["loginEndpoint"] == f"{BASE}/"
    (listed_cloud,) = (await endpoints("2019-05-01")).body
    new = (await endpoints("2022-09-01")).body
    assert new == listed_cloud
    assert new["resourceManager"] == f"{BASE}/"
    assert new["authentication"]["loginEndpoint"] == BASE
    token = arm.cloud.identity.token(OPERATOR.principal, new["authentication"]["audiences"][0])
    subscriptions = await arm.cloud.respond(
        Request(
            "GET",
            "/subscriptions",
            base_url=BASE,
            query={"api-version": "2022-12-01"},
            headers={"authorization": f"Bearer {token}"},
        )
    )
    assert subscriptions.status == 200


async def test_graph_names_principals(arm: ArmCaller) -> None:
    vault = arm.cloud.identity.new_principal("a-vault")
    body = json.dumps({"ids": [vault.object_id, "unknown"]}).encode()
    found = await arm.cloud.respond(Request("POST", "/v1.0/directoryObjects/getByIds", body=body))
    assert [each["displayName"] for each in found.body["value"]] == ["a-vault"]
    for expression in (
        f"servicePrincipalNames/any(c:c eq '{vault.application_id}')",
        f"appId eq '{vault.application_id}'",
        "displayName eq 'A-VAULT'",
    ):
        listed = await arm.cloud.respond(Request("GET", "/v1.0/servicePrincipals", query={"$filter": expression}))
        assert [each["id"] for each in listed.body["value"]] == [vault.object_id]
    assert (await arm.cloud.respond(Request("GET", f"/v1.0/servicePrincipals/{vault.object_id}"))).status == 200
    assert (await arm.cloud.respond(Request("GET", "/v1.0/servicePrincipals/none"))).status == 404
    assert (await arm.cloud.respond(Request("GET", "/v1.0/applications"))).status == 501
