"""What ARM says before a provider is asked: sign-in, api-version, subscription, registration, rights, group."""

import base64
import json
from datetime import timedelta

import pytest

from simulator.http import Request
from tests.contract.arm_caller import CONTRIBUTOR, READER, SUBSCRIPTION, ArmCaller, code

VAULT = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.DataProtection/backupVaults/vault"


@pytest.fixture
def arm() -> ArmCaller:
    return ArmCaller()


async def test_no_token_is_401_with_a_challenge(arm: ArmCaller) -> None:
    answer = await arm.cloud.respond(Request("GET", "/subscriptions", query={"api-version": "2022-12-01"}))
    assert (answer.status, code(answer)) == (401, "AuthenticationFailed")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.parametrize(
    ("audience", "status", "said"),
    [
        ("https://management.azure.com/", 200, None),
        ("https://management.core.windows.net/", 200, None),
        ("http://127.0.0.1", 200, None),
        ("https://storage.azure.com/", 401, "InvalidAuthenticationTokenAudience"),
        ("management.azure.com", 401, "InvalidAuthenticationTokenAudience"),
    ],
)
async def test_the_audience_counts(arm: ArmCaller, audience: str, status: int, said: str | None) -> None:
    token = arm.cloud.identity.token(arm.cloud.identity.app, audience)
    answer = await arm.call("GET", "/subscriptions", headers={"authorization": f"Bearer {token}"})
    assert answer.status == status
    if said:
        assert code(answer) == said


async def test_a_token_ends_and_time_scale_does_not_matter(arm: ArmCaller) -> None:
    token = arm.cloud.identity.token(arm.cloud.identity.app, lifetime_seconds=600)
    headers = {"authorization": f"Bearer {token}"}
    assert (await arm.call("GET", "/subscriptions", headers=headers)).status == 200
    await arm.clock.advance_to(arm.clock.now() + timedelta(seconds=600))
    answer = await arm.call("GET", "/subscriptions", headers=headers)
    assert (answer.status, code(answer)) == (401, "ExpiredAuthenticationToken")


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "a.e30.c", base64.b64encode(b"[1]").decode(), ".W10."])
async def test_what_is_no_token_is_refused(arm: ArmCaller, token: str) -> None:
    answer = await arm.call("GET", "/subscriptions", headers={"authorization": f"Bearer {token}"})
    assert answer.status == 401


async def test_a_removed_principal_cannot_call(arm: ArmCaller) -> None:
    gone = arm.cloud.identity.new_principal("gone")
    arm.cloud.identity.remove_principal(gone.object_id)
    answer = await arm.call("GET", "/subscriptions", principal=gone)
    assert answer.status == 401


@pytest.mark.parametrize(
    ("path", "version", "status", "said"),
    [
        (f"{SUBSCRIPTION}/resourceGroups", None, 400, "MissingApiVersionParameter"),
        (f"{SUBSCRIPTION}/resourceGroups", "2022-09-02", 400, "InvalidApiVersionParameter"),
        (VAULT, "latest", 400, "InvalidApiVersionParameter"),
        (VAULT, "2019-01-01", 400, "NoRegisteredProviderFound"),
        (f"{SUBSCRIPTION}/providers/Microsoft.Nowhere/things", "2022-09-01", 404, "InvalidResourceNamespace"),
        (f"{SUBSCRIPTION}/providers/Microsoft.Storage/things", "2022-09-01", 404, "InvalidResourceType"),
        ("/subscriptions/00000000-0000-0000-0000-00000000dead", "2022-12-01", 404, "SubscriptionNotFound"),
        (f"{SUBSCRIPTION}/resourceGroups/none/resources", "2022-09-01", 404, "ResourceGroupNotFound"),
    ],
)
async def test_what_arm_refuses(arm: ArmCaller, path: str, version: str | None, status: int, said: str) -> None:
    answer = await arm.call("GET", path, version=version)
    assert (answer.status, code(answer)) == (status, said)


async def test_known_api_versions_are_named(arm: ArmCaller) -> None:
    answer = await arm.call("GET", VAULT, version="2019-01-01")
    assert "2025-07-01" in answer.body["error"]["message"]


async def test_a_method_the_path_does_not_have_is_405(arm: ArmCaller) -> None:
    answer = await arm.call("PATCH", f"{SUBSCRIPTION}/resourceGroups")
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET"


async def test_writes_need_the_provider_registered(arm: ArmCaller) -> None:
    await arm.group()
    before = await arm.call("PUT", VAULT, {"location": "westeurope"}, version="2025-07-01")
    assert (before.status, code(before)) == (409, "MissingSubscriptionRegistration")
    read = await arm.call("GET", VAULT, version="2025-07-01")
    assert read.status == 404
    await arm.call("POST", f"{SUBSCRIPTION}/providers/Microsoft.DataProtection/register")
    during = await arm.call("DELETE", VAULT, version="2025-07-01")
    assert (during.status, code(during)) == (409, "MissingSubscriptionRegistration")
    await arm.clock.advance(arm.cloud.timings.provider_registration)
    assert (await arm.call("DELETE", VAULT, version="2025-07-01")).status != 409


@pytest.mark.parametrize(
    ("method", "path", "version", "action", "scope"),
    [
        (
            "PUT",
            f"{SUBSCRIPTION}/resourceGroups/rg",
            "2022-09-01",
            "Microsoft.Resources/subscriptions/resourceGroups/write",
            f"{SUBSCRIPTION}/resourceGroups/rg",
        ),
        (
            "GET",
            f"{SUBSCRIPTION}/providers/Microsoft.ContainerService/managedClusters",
            "2025-05-01",
            "Microsoft.ContainerService/managedClusters/read",
            SUBSCRIPTION,
        ),
        (
            "DELETE",
            f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Authorization/locks/l",
            "2016-09-01",
            "Microsoft.Authorization/locks/delete",
            f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Authorization/locks/l",
        ),
        (
            "POST",
            f"{SUBSCRIPTION}/providers/microsoft.dataprotection/register",
            "2022-09-01",
            "microsoft.dataprotection/register/action",
            SUBSCRIPTION,
        ),
        (
            "GET",
            f"{SUBSCRIPTION}/providers/Microsoft.DataProtection",
            "2022-09-01",
            "Microsoft.Resources/subscriptions/providers/read",
            f"{SUBSCRIPTION}/providers/Microsoft.DataProtection",
        ),
        (
            "POST",
            f"{VAULT}/validateForBackup",
            "2025-07-01",
            "Microsoft.DataProtection/backupVaults/validateForBackup/action",
            VAULT,
        ),
    ],
)
async def test_the_right_follows_from_method_and_path(
    arm: ArmCaller, method: str, path: str, version: str, action: str, scope: str
) -> None:
    arm.cloud.resources.register(SUBSCRIPTION.split("/")[2], "Microsoft.DataProtection", "Registered")
    stranger = arm.cloud.identity.new_principal("stranger")
    answer = await arm.call(method, path, version=version, principal=stranger)
    assert (answer.status, code(answer)) == (403, "AuthorizationFailed")
    message = answer.body["error"]["message"]
    assert f"'{action}' over scope '{scope}'" in message
    assert stranger.object_id in message


async def test_a_reader_reads_and_does_not_write(arm: ArmCaller) -> None:
    group, reader = await arm.group(), arm.cloud.identity.new_principal("reader")
    arm.cloud.authorization.grant(reader.object_id, READER, group)
    assert (await arm.call("GET", group, principal=reader)).status == 200
    assert (await arm.call("GET", f"{group}/resources", principal=reader)).status == 200
    assert (await arm.call("PATCH", group, {"tags": {}}, principal=reader)).status == 403
    assert (await arm.call("GET", f"{SUBSCRIPTION}/resourceGroups", principal=reader)).status == 403


async def test_a_contributor_cannot_give_roles(arm: ArmCaller) -> None:
    group, person = await arm.group(), arm.cloud.identity.new_principal("person")
    arm.cloud.authorization.grant(person.object_id, CONTRIBUTOR, group)
    name = "21d6175a-5c3b-417a-8810-1ae81be867a7"
    answer = await arm.assign(group, READER, person.object_id, name, principal=person)
    assert (answer.status, code(answer)) == (403, "AuthorizationFailed")
    allowed = await arm.assign(group, READER, person.object_id, name, principal=arm.cloud.identity.app)
    assert allowed.status == 201


async def test_head_answers_as_get_without_a_body(arm: ArmCaller) -> None:
    group = await arm.group()
    there, gone = await arm.call("HEAD", group), await arm.call("HEAD", f"{group}x")
    assert (there.status, there.body) == (204, None)
    assert (gone.status, gone.body) == (404, None)


async def test_every_answer_carries_arms_headers(arm: ArmCaller) -> None:
    correlation = "11111111-2222-3333-4444-555555555555"
    for path in (f"{SUBSCRIPTION}/resourceGroups", f"{SUBSCRIPTION}/resourceGroups/none"):
        answer = await arm.call(
            "GET",
            path,
            headers={
                "x-ms-correlation-request-id": correlation,
                "x-ms-client-request-id": "mine",
                "x-ms-return-client-request-id": "true",
            },
        )
        assert answer.headers["x-ms-correlation-request-id"] == correlation
        assert answer.headers["x-ms-client-request-id"] == "mine"
        assert answer.headers["x-ms-routing-request-id"].endswith(correlation)
        assert answer.headers["Date"] == "Thu, 01 Jan 2026 00:00:00 GMT"
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
        assert len(answer.headers["x-ms-request-id"]) == 36


async def test_paths_compare_without_regard_to_case_and_ids_keep_the_creators_casing(arm: ArmCaller) -> None:
    await arm.group("MyGroup")
    answer = await arm.call("GET", f"{SUBSCRIPTION.upper()}/RESOURCEGROUPS/mygroup/")
    assert answer.status == 200
    assert answer.body["id"] == f"{SUBSCRIPTION}/resourceGroups/MyGroup"


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b"\xff"])
async def test_a_body_that_is_no_object_is_refused(arm: ArmCaller, body: bytes) -> None:
    token = arm.cloud.identity.token(arm.cloud.identity.operator)
    answer = await arm.cloud.respond(
        Request(
            "PUT",
            f"{SUBSCRIPTION}/resourceGroups/rg",
            query={"api-version": "2022-09-01"},
            headers={"authorization": f"Bearer {token}"},
            body=body,
        )
    )
    assert (answer.status, code(answer)) == (400, "InvalidRequestContent")


async def test_what_nobody_serves_is_404_and_log_analytics_has_its_own_refusals(arm: ArmCaller) -> None:
    assert (await arm.cloud.respond(Request("GET", "/nowhere"))).status == 404
    answer = await arm.cloud.respond(Request("POST", "/loganalytics/v1/workspaces/w/query"))
    assert answer.status == 401
    assert json.loads(answer.content())["error"]["code"] == "AuthenticationFailed"


async def test_the_call_log_tells_who_asked_what(arm: ArmCaller) -> None:
    await arm.call("GET", f"{SUBSCRIPTION}/resourceGroups/none", principal=arm.cloud.identity.app)
    await arm.cloud.respond(Request("GET", "/subscriptions"))
    log = (await arm.control("GET", "calls")).body
    assert log == [
        {
            "time": "2026-01-01T00:00:00+00:00",
            "method": "GET",
            "path": f"{SUBSCRIPTION}/resourceGroups/none",
            "api_version": "2022-09-01",
            "status": 404,
            "principal": arm.cloud.identity.app.object_id,
        },
        {
            "time": "2026-01-01T00:00:00+00:00",
            "method": "GET",
            "path": "/subscriptions",
            "api_version": None,
            "status": 401,
            "principal": None,
        },
    ]
    assert (await arm.control("DELETE", "calls")).status == 204
    assert (await arm.control("GET", "calls")).body == []
