"""How the API describes itself, and how it fails: always in the same shape."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from shared.domain.errors import TransientError
from shared.profiles import InvalidConfigurationError
from shared.settings import InvalidSettingsError
from shared.world import World
from tests.contract.http_api_answers import seeded
from tests.contract.http_api_world import (
    Api,
    arm_id,
)


@pytest.fixture
async def api() -> Api:
    return await seeded()


@pytest.mark.parametrize(
    "path",
    [
        "/status", "/sweeps", "/sweeps/latest", "/clusters", f"/cluster?id={quote(arm_id('a'))}", "/changes",
        "/alerts", "/actions",
    ],
)  # fmt: skip
async def test_storage_that_is_down_is_said_so(path: str) -> None:
    class Down:
        def __getattr__(self, name: str) -> Any:
            def fail(*_: Any, **__: Any) -> Any:
                raise TransientError("ServerBusy", "secret host name")

            return fail

    api = Api()
    down: Any = Down()
    api.virtual.host = replace(api.virtual.host, sweeps=down, records=down, alert_book=down, audit=down, breaker=down)
    answer = await api.get(path)
    assert answer.status_code == 503
    error = answer.json()["error"]
    assert error["code"] == "StorageUnavailable"
    assert "secret" not in answer.text


@pytest.mark.parametrize("error", [InvalidSettingsError(("STORAGE: secret",)), InvalidConfigurationError(("secret",))])
async def test_a_guard_that_is_not_configured_says_where_to_look(error: Exception) -> None:
    async def no_world() -> World:
        raise error

    api = Api()
    api.app.state.world = no_world
    answer = await api.get("/status")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "NotConfigured")
    assert "/api/v1/health" in answer.text
    assert "secret" not in answer.text


async def test_a_fault_of_the_guard_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    api = Api()
    broken: Any = None
    api.virtual.host = replace(api.virtual.host, sweeps=broken)
    answer = await api.get("/sweeps")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "InternalError")
    assert "NoneType" not in answer.text
    assert "NoneType" in caplog.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "NotFound"),
        ("GET", "/api/v2/status", 404, "NotFound"),
        ("POST", "/api/v1/status", 405, "MethodNotAllowed"),
        ("GET", "/api/v1/repairs/approve", 405, "MethodNotAllowed"),
    ],
)
async def test_what_is_not_there_is_answered_in_the_same_shape(
    api: Api, method: str, path: str, status: int, code: str
) -> None:
    answer = await api.call(method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_a_slash_at_the_end_makes_no_difference(api: Api) -> None:
    assert (await api.get("/status/")).status_code == 200


async def test_the_api_describes_itself_completely(api: Api) -> None:
    document = (await api.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert document["components"]["securitySchemes"]["entra"]["type"] == "http"
    expected = {
        "get": {
            "/status", "/sweeps", "/sweeps/latest", "/sweeps/latest/export", "/clusters", "/cluster", "/changes",
            "/findings", "/controls", "/alerts", "/actions", "/health",
        },
        "post": {
            "/sweeps", "/repairs/approve", "/clusters/look", "/alerts/{id}/acknowledge", "/alerts/{id}/snooze",
            "/azure-monitor-alerts",
        },
    }  # fmt: skip
    for method, paths in expected.items():
        assert {path for path, operations in document["paths"].items() if method in operations} == {
            f"/api/v1{path}" for path in paths
        }
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    identities = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = (method, path)
            identities.append(operation["operationId"])
            assert operation["description"], where
            assert operation["security"] == [{"entra": []}], where
            assert {"401", "403", "500", "503"} <= set(operation["responses"]), where
            assert "422" not in operation["responses"], where
            for status, response in operation["responses"].items():
                for described in response["content"].values():
                    reference = described["schema"].get("$ref", "")
                    assert not reference or reference.rsplit("/", 1)[1] in schemas, where
                    if int(status) >= 400:
                        assert reference.endswith("/ErrorResponse"), where
                    assert "example" in described, (where, status)
    assert len(set(identities)) == len(identities)
    references = {part.rsplit("/", 1)[1] for part in json.dumps(document).split('"') if part.startswith("#/components")}
    assert references <= set(schemas)


async def test_the_examples_are_as_the_api_says(api: Api) -> None:
    document = (await api.get("/openapi.json")).json()
    registry = Registry().with_resource("urn:api", DRAFT202012.create_resource(document))
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            contents = [response["content"] for response in operation["responses"].values()]
            contents += [operation["requestBody"]["content"]] if "requestBody" in operation else []
            for content in contents:
                described = content.get("application/json")
                if described and "$ref" in described["schema"]:
                    schema = {"$ref": f"urn:api{described['schema']['$ref']}"}
                    errors = Draft202012Validator(schema, registry=registry).iter_errors(described["example"])
                    assert list(errors) == [], (method, path)
