"""Answers of `/api/v1` for tests: each is as the API itself says in OpenAPI, whatever else a test looks at."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from shared.domain.alerts import Alert, Cause
from shared.domain.conditions import Condition
from shared.domain.ids import ClusterId
from shared.domain.observed import ObservedCluster
from shared.domain.record import Action, ExtensionMemory, Record, Rung
from tests.contract.http_api_world import (
    NOW,
    Api,
    arm_id,
    keep,
    snapshot_of,
)

ALPHA = ClusterId.parse(arm_id("alpha"))
UNSEEN = ClusterId.parse(arm_id("unseen"))
OUTSIDE = arm_id("x", "00000000-0000-0000-0000-0000000000cc")


async def seeded() -> Api:
    """After one sweep, with a record, an alert and two lines in the audit trail."""
    api = Api()
    await keep(api.world, snapshot_of())
    memory = ExtensionMemory("3Gi", "1", (Rung(NOW, "memory", "1500Mi", "3Gi", "job-1"),))
    said = Condition("Ready", "False", "NotProtected", "Nothing protects it.", NOW, "Protect it.")
    record = Record(ALPHA, NOW, ObservedCluster(), {"Ready": said}, memory=memory, remaining=("GrantRole",))
    api.virtual.records.put(replace(record, profile="standard", due_at=NOW + timedelta(hours=1)))
    await api.virtual.alert_book.show([alert("Backup:UserErrorX", "Error"), alert("Memory", "Critical")])
    lines = [Action(NOW - timedelta(minutes=n), ALPHA.key, f"Step{n}", ALPHA.key, "Done", f"id-{n}") for n in (2, 1)]
    await api.virtual.trail.append([*lines, Action(NOW, UNSEEN.key, "Other", UNSEEN.key, "Done")])
    return api


def alert(key: str, severity: Any, **changes: Any) -> Alert:
    cause = Cause(key, key, severity, f"title of {key}", "message", "do it", NOW, NOW, did=("It did.",))
    return replace(Alert(ALPHA.key, cause, "Open", severity, NOW), **changes)


async def get(api: Api, path: str, expected: int = 200, /, **query: Any) -> Any:
    answer = await api.get(path, **query)
    assert answer.status_code == expected, answer.text
    media_type = answer.headers["content-type"].partition(";")[0]
    body = answer.json() if media_type == "application/json" else answer.text
    as_documented(api, "get", _template(path), expected, media_type, body)
    return body


async def post(api: Api, path: str, body: Any, status: int = 200) -> Any:
    answer = await api.post(path, body)
    assert answer.status_code == status, answer.text
    as_documented(api, "post", _template(path), status, "application/json", answer.json())
    return answer.json()


def as_documented(api: Api, method: str, path: str, status: int, media_type: str, body: Any) -> None:
    document = api.app.openapi()
    schema = document["paths"][path][method]["responses"][str(status)]["content"][media_type]["schema"]
    if "$ref" in schema:
        registry = Registry().with_resource("urn:api", DRAFT202012.create_resource(document))
        validator = Draft202012Validator({"$ref": f"urn:api{schema['$ref']}"}, registry=registry)
        assert list(validator.iter_errors(body)) == [], (method, path, status)


def _template(path: str) -> str:
    return f"/api/v1{path}" if "/alerts/" not in path else f"/api/v1/alerts/{{id}}/{path.rsplit('/', 1)[-1]}"
