"""Who may call what: where the app runs, what App Service says of the caller, and from where a browser sent it."""

import base64
import json
from typing import Any

import pytest

from shared.domain.compliance import Tally
from shared.settings import Hosting, read_hosting
from shared.web.access import AZURE_MONITOR, OPERATOR, PRINCIPAL, READER
from tests.contract.http_api_world import (
    AS_NOBODY,
    AS_OPERATOR,
    AS_READER,
    HERE,
    IN_AZURE,
    LOCALHOST,
    OPEN_TO_ALL,
    Api,
    keep,
    principal,
    snapshot_of,
)

JSON = {"Content-Type": "application/json"}
NO_ONE: dict[str, str] = {}


async def reads(api: Api, headers: dict[str, str]) -> int:
    return (await api.get("/status", headers)).status_code


async def orders(api: Api, headers: dict[str, str]) -> int:
    return (await api.post("/repairs/approve", {"hours": 1}, headers)).status_code


@pytest.mark.parametrize(
    ("hosting", "headers", "may_read", "may_order"),
    [
        (HERE, NO_ONE, 200, 200),
        (HERE, AS_NOBODY, 403, 403),
        (HERE, AS_READER, 200, 403),
        (HERE, AS_OPERATOR, 200, 200),
        (IN_AZURE, NO_ONE, 401, 401),
        (IN_AZURE, AS_NOBODY, 403, 403),
        (IN_AZURE, principal(), 403, 403),
        (IN_AZURE, AS_READER, 200, 403),
        (IN_AZURE, AS_OPERATOR, 200, 200),
        (IN_AZURE, principal(READER, OPERATOR), 200, 200),
        (IN_AZURE, principal(READER.lower()), 403, 403),
        (IN_AZURE, principal(OPERATOR, auth_typ="github"), 403, 403),
        (OPEN_TO_ALL, NO_ONE, 503, 503),
        (OPEN_TO_ALL, AS_OPERATOR, 503, 503),
    ],
)
async def test_callers_may_do_what_their_roles_say(
    hosting: Hosting, headers: dict[str, str], may_read: int, may_order: int
) -> None:
    api = Api(hosting)
    assert (await reads(api, headers), await orders(api, headers)) == (may_read, may_order)
    approved = await api.virtual.breaker.approved_until()
    assert (approved is not None) == (may_order == 200), "who is refused has changed nothing"


async def test_a_role_may_come_under_each_name_entra_and_app_service_give_it() -> None:
    api = Api(IN_AZURE)
    kind = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
    for typ, role_typ in ((kind, kind), ("custom", "custom"), ("roles", kind)):
        assert await reads(api, principal(claims=[{"typ": typ, "val": READER}], role_typ=role_typ)) == 200
    assert await reads(api, principal(claims=[{"typ": "name", "val": READER}])) == 403


async def test_a_refusal_says_what_is_missing_and_what_to_do() -> None:
    answer = await Api(IN_AZURE).post("/repairs/approve", {}, principal(READER, name="<b>ada</b>\u202e"))
    error = answer.json()["error"]
    assert error["code"] == "RoleMissing"
    assert OPERATOR in error["message"]
    assert READER in error["message"]
    assert "\u202e" not in error["message"]
    assert error["details"] == [{"where": "role", "message": OPERATOR}]
    off = (await Api(OPEN_TO_ALL).get("/status")).json()["error"]
    assert off["code"] == "AuthenticationNotConfigured"
    assert "Turn it on" in off["message"]


def b64(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "header",
    [
        "",
        "not base64!",
        base64.b64encode(b"\xff\xfe").decode(),
        base64.b64encode(b"[" * 60_000).decode()[:65_000],
        b64([]),
        b64({"auth_typ": "aad"}),
        b64({"auth_typ": "aad", "claims": {"typ": "roles", "val": OPERATOR}}),
        b64({"auth_typ": "aad", "claims": [{"typ": "roles"}]}),
        b64({"auth_typ": "aad", "claims": [{"typ": "roles", "val": [OPERATOR]}]}),
        b64({"auth_typ": "aad", "claims": ["roles"]}),
        "a" * 70_000,
    ],
)
@pytest.mark.parametrize("hosting", [HERE, IN_AZURE])
async def test_a_header_that_cannot_be_read_is_nobodys(hosting: Hosting, header: str) -> None:
    answer = await Api(hosting).get("/status", {PRINCIPAL: header})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "MalformedPrincipal"
    assert answer.json()["error"]["details"][0]["where"] == f"header {PRINCIPAL}"


async def test_who_ordered_is_written_down_without_tricks_in_the_name() -> None:
    api = Api(IN_AZURE)
    await api.post("/repairs/approve", {}, principal(OPERATOR, name="eve\u202e\n@everyone" + "x" * 300))
    names = {action.actor for action in api.virtual.trail.actions}
    assert len(names) == 1
    [name] = names
    assert name.startswith("eve")
    assert len(name) <= 100
    assert not set(name) & set("\u202e\n")


@pytest.mark.parametrize(
    "content_type",
    [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp"],
)
async def test_what_a_form_of_another_site_can_send_is_refused(content_type: str | None) -> None:
    api = Api(IN_AZURE)
    headers = AS_OPERATOR | ({"Content-Type": content_type} if content_type else {})
    answer = await api.call("POST", "/api/v1/repairs/approve", headers=headers, content=b"{}")
    assert answer.status_code in (400, 415)
    assert await api.virtual.breaker.approved_until() is None
    assert api.virtual.trail.actions == []


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200),
        (LOCALHOST, 200),
        (LOCALHOST.upper().replace("HTTP", "http"), 200),
        ("https://evil.example", 403),
        ("http://localhost:8080", 403),
        ("http://localhost:7071.evil.example", 403),
        ("null", 403),
        ("http://[", 403),
        ("", 403),
    ],
)
async def test_another_origin_orders_nothing(origin: str | None, status: int) -> None:
    api = Api(IN_AZURE)
    headers = AS_OPERATOR | ({"Origin": origin} if origin is not None else {})
    answer = await api.post("/repairs/approve", {}, headers)
    assert answer.status_code == status
    assert (await api.virtual.breaker.approved_until() is not None) == (status == 200)


async def test_the_pages_of_a_front_door_are_of_the_same_origin() -> None:
    headers = AS_OPERATOR | {"Origin": "https://guard.contoso.com", "X-Forwarded-Host": "guard.contoso.com"}
    assert (await Api(IN_AZURE).post("/repairs/approve", {}, headers)).status_code == 200


async def test_on_a_laptop_no_name_of_somebody_elses_orders_anything() -> None:
    api = Api(HERE)
    evil = "http://evil.example:7071"
    answer = await api.call("POST", "/api/v1/repairs/approve", {}, {"Origin": evil}, base_url=evil)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "NotLoopback")
    for name in ("127.0.0.1:7071", "[::1]:7071", "localhost"):
        answer = await api.call("POST", "/api/v1/repairs/approve", {}, base_url=f"http://{name}")
        assert answer.status_code == 200


async def test_whoever_may_not_call_learns_nothing_of_what_is_there() -> None:
    api = Api(IN_AZURE)
    await keep(api.world, snapshot_of(overall=Tally(3)))
    document = (await api.get("/openapi.json", AS_READER)).json()
    for path, operations in document["paths"].items():
        for method in operations:
            for headers, status in ((NO_ONE, 401), (AS_NOBODY, 403)):
                answer = await api.call(method.upper(), path, {} if method == "post" else None, headers)
                assert answer.status_code == status, (method, path)
                assert set(answer.json()) == {"error"}
    assert (await api.get("/openapi.json")).status_code == 401


async def test_each_operation_needs_the_role_it_names() -> None:
    api = Api(IN_AZURE)
    document = (await api.get("/openapi.json", AS_READER)).json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            address = path.replace("{id}", "0" * 32)
            body = {"id": "x", "hours": 1} if method == "post" else None
            needed = operation["x-required-role"]
            assert needed == (AZURE_MONITOR if "monitor" in path else OPERATOR if method == "post" else READER)
            for role, suffices in (
                (READER, {READER}),
                (OPERATOR, {READER, OPERATOR}),
                (AZURE_MONITOR, {AZURE_MONITOR}),
            ):
                answer = await api.call(method.upper(), address, body, principal(role))
                assert (answer.status_code != 403) == (needed in suffices), (method, path, role)


@pytest.mark.parametrize(
    ("environ", "hosting"),
    [
        ({}, Hosting(False, False)),
        ({"FUNCTIONS_WORKER_RUNTIME": "python", "AZURE_FUNCTIONS_ENVIRONMENT": "Development"}, Hosting(False, False)),
        ({"FUNCTIONS_WORKER_RUNTIME": "python"}, Hosting(True, False)),
        ({"WEBSITE_SITE_NAME": "guard"}, Hosting(True, False)),
        ({"WEBSITE_INSTANCE_ID": "1", "WEBSITE_AUTH_ENABLED": "True"}, Hosting(True, True)),
        ({"WEBSITE_POD_NAME": "1", "WEBSITE_AUTH_ENABLED": "false"}, Hosting(True, False)),
        ({"WEBSITE_SITE_NAME": "guard", "AZURE_FUNCTIONS_ENVIRONMENT": "Development"}, Hosting(True, False)),
        ({"WEBSITE_AUTH_ENABLED": ""}, Hosting(False, False)),
    ],
)
def test_only_a_host_for_development_is_no_deployment(environ: dict[str, str], hosting: Hosting) -> None:
    assert read_hosting(environ) == hosting


@pytest.mark.parametrize(
    ("hosting", "headers", "status", "code"),
    [
        (HERE, NO_ONE, 400, "MalformedAlert"),
        (HERE, AS_OPERATOR, 403, "RoleMissing"),
        (IN_AZURE, principal(AZURE_MONITOR), 400, "MalformedAlert"),
        (IN_AZURE, principal(AZURE_MONITOR, auth_typ="github"), 403, "RoleMissing"),
        (OPEN_TO_ALL, principal(AZURE_MONITOR), 503, "AuthenticationNotConfigured"),
    ],
)
async def test_alerts_are_taken_of_azure_monitor_alone(
    hosting: Hosting, headers: dict[str, str], status: int, code: str
) -> None:
    answer = await Api(hosting).post("/azure-monitor-alerts", {}, headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
