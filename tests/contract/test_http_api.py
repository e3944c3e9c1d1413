"""Every address of `/api/v1`, over storage that behaves and a small judged fleet."""

import csv
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any, get_args
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from shared.domain.alerts import Alert, Cause
from shared.domain.conditions import Condition
from shared.domain.errors import TransientError
from shared.domain.ids import ClusterId
from shared.domain.observed import ObservedCluster
from shared.domain.record import Action, ExtensionMemory, Record, Rung
from shared.domain.sweeps import SweepRun
from shared.ports import RepairHold
from shared.profiles import InvalidConfigurationError
from shared.report.view import SORTS
from shared.settings import InvalidSettingsError
from shared.web.models import SortBy
from shared.world import World
from tests.contract.http_api_world import (
    CHANGE,
    CLUSTERS,
    CONTROLS,
    HOSTILE,
    NOW,
    OTHER,
    SWEEP_ID,
    Api,
    arm_id,
    hostile_clusters,
    judged,
    keep,
    snapshot_of,
    summary_of,
)
from tests.virtual.azure import SUBSCRIPTION

ALPHA = ClusterId.parse(arm_id("alpha"))
UNSEEN = ClusterId.parse(arm_id("unseen"))
OUTSIDE = arm_id("x", "00000000-0000-0000-0000-0000000000cc")


@pytest.fixture
async def api() -> AsyncIterator[Api]:
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
    yield api
    await check(api)


def alert(key: str, severity: Any, **changes: Any) -> Alert:
    cause = Cause(key, key, severity, f"title of {key}", "message", "do it", NOW, NOW, did=("It did.",))
    return replace(Alert(ALPHA.key, cause, "Open", severity, NOW), **changes)


_SEEN: list[tuple[str, str, int, str, Any]] = []


async def check(api: Api) -> None:
    """Every answer that a test saw is as the API itself says, whatever else the test looked at."""
    document = (await api.get("/openapi.json")).json()
    registry = Registry().with_resource("urn:api", DRAFT202012.create_resource(document))
    for method, path, status, media_type, body in _SEEN:
        operation = document["paths"][path][method]
        described = operation["responses"][str(status)]["content"][media_type]
        if media_type != "application/json" or "$ref" not in described["schema"]:
            continue
        schema = {"$ref": f"urn:api{described['schema']['$ref']}"}
        errors = list(Draft202012Validator(schema, registry=registry).iter_errors(body))
        assert errors == [], (method, path, status)
    _SEEN.clear()


def path_of(path: str) -> str:
    return f"/api/v1{path}" if "/alerts/" not in path else f"/api/v1/alerts/{{id}}/{path.rsplit('/', 1)[-1]}"


async def get(api: Api, path: str, expected: int = 200, /, **query: Any) -> Any:
    answer = await api.get(path, **query)
    assert answer.status_code == expected, answer.text
    media_type = answer.headers["content-type"].partition(";")[0]
    body = answer.json() if media_type == "application/json" else answer.text
    _SEEN.append(("get", path_of(path), expected, media_type, body))
    return body


async def post(api: Api, path: str, body: Any, status: int = 200) -> Any:
    answer = await api.post(path, body)
    assert answer.status_code == status, answer.text
    _SEEN.append(("post", path_of(path), status, "application/json", answer.json()))
    return answer.json()


async def test_status_says_how_the_fleet_stands_and_what_stands_in_the_way(api: Api) -> None:
    status = await get(api, "/status")
    assert status["sweep"]["sweepId"] == SWEEP_ID
    assert status["sweep"]["overall"] == {
        "clusters": 3, "yes": 1, "no": 1, "unknown": 0, "exempt": 1, "score": 55.0
    }  # fmt: skip
    assert status["sweepAgeSeconds"] == 8 * 3600 - 30
    assert status["openAlerts"] == {"Critical": 1, "Error": 1, "Warning": 0, "Informational": 0}
    assert status["emergencyStop"] == {"stopped": False, "why": ""}
    assert (status["repairsHeld"], status["repairsApprovedUntil"], status["sweepUnderWay"]) == (None, None, "")

    await api.virtual.breaker.hold(RepairHold(SWEEP_ID, NOW, 30, 100))
    await api.world.sweeps.save_run(SweepRun("20260301T110000Z-next", NOW, 1, "digest"))
    api.virtual.host = replace(api.virtual.host, stopped=True)
    status = await get(api, "/status")
    assert status["repairsHeld"] == {"sweepId": SWEEP_ID, "at": "2026-03-01T12:00:00Z", "clusters": 30, "fleet": 100}
    assert status["sweepUnderWay"] == "20260301T110000Z-next"
    assert status["emergencyStop"]["stopped"] is True
    assert "AKS_BACKUP_GUARD_STOPPED" in status["emergencyStop"]["why"]


async def test_before_the_first_sweep_there_is_nothing_to_show_but_that() -> None:
    api = Api()
    assert (await get(api, "/status"))["sweep"] is None
    assert (await get(api, "/sweeps"))["value"] == []
    for path in ("/sweeps/latest", "/sweeps/latest/export", "/clusters", "/findings"):
        assert (await get(api, path, 404))["error"]["code"] == "NoSweepYet"
    await check(api)


async def test_sweeps_come_newest_first(api: Api) -> None:
    newer = replace(summary_of(), sweep_id="20260302T040000Z-abcd", started_at=NOW + timedelta(hours=16))
    await keep(api.world, replace(snapshot_of(), summary=newer))
    listed = (await get(api, "/sweeps"))["value"]
    assert [sweep["sweepId"] for sweep in listed] == [newer.sweep_id, SWEEP_ID]
    assert listed[0]["findings"] == 1
    assert [sweep["sweepId"] for sweep in (await get(api, "/sweeps", limit=1))["value"]] == [newer.sweep_id]
    assert (await get(api, "/sweeps/latest"))["sweepId"] == newer.sweep_id
    assert (await get(api, "/cluster", id=arm_id("alpha")))["judged"]["sweepId"] == newer.sweep_id


async def test_the_latest_sweep_has_its_sums_findings_and_questions(api: Api) -> None:
    sweep = await get(api, "/sweeps/latest")
    assert sweep["byTeam"]["red"]["yes"] == 1
    assert sweep["byControl"] == {"protected-by-an-instance": {"Compliant": 1, "NonCompliant": 1, "Exempt": 1}}
    assert sweep["subscriptionNames"][OTHER] == "Sandbox"
    assert sweep["sources"][1]["requestIds"] == ["id-1", "id-2"]
    assert sweep["repairs"] == {"drifted": 1, "asked": 0, "held": "too much of the fleet would change at once"}
    assert (await get(api, "/findings"))["value"] == sweep["findings"]
    assert sweep["findings"][0]["subject"] == "/vault/orphan"


async def test_clusters_are_filtered_sorted_and_paged_with_links(api: Api) -> None:
    everyone = await get(api, "/clusters")
    assert [row["name"] for row in everyone["value"]] == ["gamma", "alpha", "beta"], "the lowest score first"
    assert everyone["value"][1]["worst"]["reason"] == "NotProtected"
    assert everyone["value"][2]["worst"] is None
    assert (everyone["total"], everyone["pages"], everyone["links"]["next"]) == (3, 1, None)

    seen, address = [], "/api/v1/clusters?size=1&sort=name&descending=true&profile=standard"
    while address:
        answer = await api.call("GET", address)
        page = answer.json()
        seen += [row["name"] for row in page["value"]]
        address = page["links"]["next"]
    assert seen == ["gamma", "beta", "alpha"]
    assert page["links"]["prev"].endswith("page=2&size=1")
    assert [row["name"] for row in (await get(api, "/clusters", subscription="sandbox"))["value"]] == ["gamma"]
    assert [row["name"] for row in (await get(api, "/clusters", text="ALPHA", status="Unknown"))["value"]] == ["alpha"]


async def test_links_hold_hostile_text() -> None:
    api = Api()
    await keep(api.world, snapshot_of(tuple(judged(f"a{n}", team="a&page=9 <b>\u202e#") for n in range(3))))
    page = await get(api, "/clusters", team="a&page=9 <b>\u202e#", size=2)
    answer = await api.call("GET", page["links"]["next"])
    assert [row["name"] for row in answer.json()["value"]] == ["a2"]


@pytest.mark.parametrize(
    ("query", "where", "says"),
    [
        ({"sort": "colour"}, "query parameter sort", "'name'"),
        ({"size": 501}, "query parameter size", "500"),
        ({"page": 0}, "query parameter page", "1"),
        ({"page": "x"}, "query parameter page", "integer"),
        ({"restorable": "perhaps"}, "query parameter restorable", "'Yes'"),
        ({"colour": "red"}, "query parameter colour", "not permitted"),
        ({"text": "x" * 301}, "query parameter text", "300"),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused_with_the_reason(
    api: Api, query: dict[str, Any], where: str, says: str
) -> None:
    error = (await get(api, "/clusters", 400, **query))["error"]
    assert error["code"] == "InvalidRequest"
    assert any(where in detail["where"] and says in detail["message"] for detail in error["details"]), error


def test_the_api_sorts_by_all_that_the_view_can() -> None:
    assert get_args(SortBy) == SORTS


@pytest.mark.parametrize("spelling", [str, str.lower, str.upper])
async def test_a_cluster_is_told_with_evidence_and_record(api: Api, spelling: Any) -> None:
    told = await get(api, "/cluster", id=spelling(arm_id("alpha")))
    assert told["clusterId"] == arm_id("alpha")
    verdicts = {verdict["control"]: verdict for verdict in told["judged"]["verdicts"]}
    failing = verdicts["protected-by-an-instance"]
    assert failing["title"] == "A backup instance protects the cluster"
    assert failing["facts"] == {"instances": [], "instance": None, "protection_state": None}
    assert failing["sources"] == ["instances"]
    assert failing["since"] == "2026-02-26T12:00:00Z"
    assert verdicts["extension-healthy"]["sources"] == ["extensions"]
    sources = {source["name"]: source for source in told["judged"]["sources"]}
    assert sources["instances"]["requestIds"] == ["id-1", "id-2"]
    assert sources["extensions"]["error"] == "429 TooManyRequests"
    assert set(sources) == {"instances", "extensions"}, "nothing that it does not rest on"
    record = told["record"]
    assert record["conditions"][0]["reason"] == "NotProtected"
    assert record["memory"][0]["after"] == "3Gi"
    assert (record["remaining"], record["nextLookAt"]) == (["GrantRole"], "2026-03-01T13:00:00Z")


async def test_a_cluster_may_be_known_to_the_sweep_or_to_the_record_alone(api: Api) -> None:
    assert (await get(api, "/cluster", id=arm_id("beta")))["record"] is None
    api.virtual.records.put(Record(UNSEEN, NOW, ObservedCluster()))
    told = await get(api, "/cluster", id=UNSEEN.arm_id)
    assert (told["judged"], told["record"]["conditions"]) == (None, [])


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        (arm_id("nobody"), 404, "NoSuchCluster"),
        ("/subscriptions/x", 400, "InvalidRequest"),
        ("../../etc/passwd", 400, "InvalidRequest"),
        ("x" * 401, 400, "InvalidRequest"),
    ],
)
async def test_no_such_cluster(api: Api, given: str, status: int, code: str) -> None:
    assert (await get(api, "/cluster", status, id=given))["error"]["code"] == code


async def test_a_verdict_of_a_control_that_is_gone_is_still_told() -> None:
    api = Api()
    gone = replace(CLUSTERS[1].verdicts[0], control="gone")
    await keep(api.world, snapshot_of((judged("a", verdicts=(gone,)),)))
    [verdict] = (await get(api, "/cluster", id=arm_id("a")))["judged"]["verdicts"]
    assert (verdict["title"], verdict["facts"], verdict["sources"]) == ("gone", {}, [])


async def test_changes_are_told_since_when_and_of_whom(api: Api) -> None:
    changes = await get(api, "/changes")
    assert [(change["before"], change["after"]) for change in changes["value"]] == [("Compliant", "NonCompliant")]
    assert (changes["since"], changes["complete"]) == ("2026-01-30T12:00:00Z", True)
    assert (await get(api, "/changes", since="2026-03-01T03:00:00Z"))["value"] == changes["value"]
    for since in ("05:00:00Z", "05:00:00", "06:00:00+01:00", "06:00:00 01:00"):
        later = await get(api, "/changes", since=f"2026-03-01T{since}")
        assert later["value"] == []
        assert datetime.fromisoformat(later["since"]) == datetime(2026, 3, 1, 5, tzinfo=UTC)
    assert len((await get(api, "/changes", cluster=arm_id("ALPHA")))["value"]) == 1
    assert (await get(api, "/changes", cluster=arm_id("beta")))["value"] == []
    assert (await get(api, "/changes", 400, cluster="beta"))["error"]["details"][0][
        "where"
    ] == "query parameter cluster"
    assert (await get(api, "/changes", 400, since="yesterday"))["error"]["code"] == "InvalidRequest"


async def test_changes_beyond_the_limit_are_said_to_be_there() -> None:
    api = Api()
    await keep(api.world, snapshot_of(), [replace(CHANGE, control=f"c{n}") for n in range(5)])
    assert (await get(api, "/changes", limit=5))["complete"] is True
    cut = await get(api, "/changes", limit=4)
    assert (len(cut["value"]), cut["complete"]) == (4, False)
    await check(api)


async def test_controls_are_told_with_what_they_rest_on(api: Api) -> None:
    controls = {control["id"]: control for control in (await get(api, "/controls"))["value"]}
    assert {control.id for control in CONTROLS} <= set(controls)
    assert controls["protected-by-an-instance"]["restsOn"] == ["instances", "instance", "protection_state"]
    assert controls["protected-by-an-instance"]["sources"] == ["instances"]
    assert "scope-readable" in controls, "those about the fleet too"


async def test_open_alerts_come_gravest_first(api: Api) -> None:
    await api.virtual.alert_book.show([alert("Old", "Critical", state="Resolved", resolved_at=NOW)])
    assert [one["code"] for one in (await get(api, "/alerts"))["value"]] == ["Memory", "Backup:UserErrorX"]
    everything = (await get(api, "/alerts", open="false"))["value"]
    assert {one["code"] for one in everything} == {"Memory", "Backup:UserErrorX", "Old"}
    assert (await get(api, "/alerts", cluster=arm_id("beta")))["value"] == []
    assert everything[0]["did"] == ["It did."]


async def test_an_alert_is_acknowledged_and_snoozed_by_its_caller(api: Api) -> None:
    known = alert("Memory", "Critical")
    told = await post(api, f"/alerts/{known.id.upper()}/acknowledge", {})
    assert told["acknowledgedBy"] == "somebody on this machine"
    told = await post(api, f"/alerts/{known.id}/snooze", {"hours": 2})
    assert (told["acknowledgedBy"], told["snoozedUntil"]) == ("somebody on this machine", "2026-03-01T14:00:00Z")
    word = (await api.virtual.alert_book.words(ALPHA.key))[known.id]
    assert (word.acknowledged, word.snoozed_until) == (True, NOW + timedelta(hours=2))
    [shown] = [one for one in (await get(api, "/alerts"))["value"] if one["id"] == known.id]
    assert shown == told


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (f"/alerts/{'0' * 32}/acknowledge", {}, 404, "NoSuchAlert"),
        ("/alerts/x/acknowledge", {}, 400, "InvalidRequest"),
        (f"/alerts/{'0' * 32}/snooze", {"hours": 0}, 400, "InvalidRequest"),
        (f"/alerts/{'0' * 32}/snooze", {"hours": "x"}, 400, "InvalidRequest"),
        (f"/alerts/{'0' * 32}/snooze", {"hours": 1, "minutes": 1}, 400, "InvalidRequest"),
        (f"/alerts/{'0' * 32}/snooze", [], 400, "InvalidRequest"),
        ("/repairs/approve", {"hours": 1e9}, 400, "InvalidRequest"),
        ("/clusters/look", {"id": "beta"}, 400, "InvalidRequest"),
        ("/clusters/look", {}, 400, "InvalidRequest"),
        ("/clusters/look", {"id": OUTSIDE}, 404, "NoSuchCluster"),
    ],
)
async def test_an_order_that_makes_no_sense_changes_nothing(
    api: Api, path: str, body: Any, status: int, code: str
) -> None:
    before = len(api.virtual.trail.actions)
    error = (await post(api, path, body, status))["error"]
    assert error["code"] == code
    assert error["message"]
    assert len(api.virtual.trail.actions) == before
    assert len(api.virtual.queue) == 0


async def test_a_body_that_is_no_json_is_refused(api: Api) -> None:
    answer = await api.call(
        "POST", "/api/v1/clusters/look", headers={"Content-Type": "application/json"}, content=b'{"id": '
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0] == {"where": "body 7", "message": "it is not JSON"} or answer.json()[
        "error"
    ]["details"][0] == {"where": "body", "message": "it is not JSON"}


async def test_actions_come_newest_first_of_one_cluster_or_of_all(api: Api) -> None:
    listed = (await get(api, "/actions"))["value"]
    assert [action["step"] for action in listed] == ["Other", "Step1", "Step2"]
    of_alpha = (await get(api, "/actions", cluster=arm_id("Alpha"), limit=1))["value"]
    assert [(action["step"], action["requestId"]) for action in of_alpha] == [("Step1", "id-1")]


async def test_held_repairs_go_on_when_somebody_approves_and_that_is_on_record(api: Api) -> None:
    await api.virtual.breaker.hold(RepairHold(SWEEP_ID, NOW, 30, 100))
    told = await post(api, "/repairs/approve", {"hours": 2})
    assert told["lifted"]["clusters"] == 30
    assert told["approvedUntil"] == "2026-03-01T14:00:00Z"
    assert await api.virtual.breaker.held() is None
    assert await api.virtual.breaker.approved_until() == NOW + timedelta(hours=2)
    lines = [(a.step, a.outcome, a.actor) for a in api.virtual.trail.actions[-2:]]
    assert lines == [(("ApproveRepairs"), outcome, "somebody on this machine") for outcome in ("Started", "Done")]
    assert (await post(api, "/repairs/approve", {}))["lifted"] is None
    status = await get(api, "/status")
    assert (status["repairsHeld"], status["repairsApprovedUntil"]) == (None, "2026-03-02T12:00:00Z")


async def test_a_look_is_asked_for_once(api: Api) -> None:
    for _ in range(2):
        told = await post(api, "/clusters/look", {"id": arm_id("Alpha")}, 202)
        assert (await api.call("GET", told["status"])).json()["clusterId"] == arm_id("alpha")
    record = api.virtual.records.now_of(ALPHA.key)
    assert record.requested_at == NOW
    wake_ups = {json.loads(api.virtual.queue.receive().text)["wake_id"] for _ in range(len(api.virtual.queue))}  # type: ignore[union-attr]
    assert wake_ups == {record.wake_id}
    assert api.virtual.trail.actions[-1].subject == ALPHA.key


async def test_a_new_cluster_in_scope_may_be_looked_at_before_any_sweep_saw_it() -> None:
    api = Api()
    await post(api, "/clusters/look", {"id": UNSEEN.arm_id}, 202)
    assert api.virtual.records.now_of(UNSEEN.key).requested_at == NOW
    await check(api)


async def test_every_export_is_a_file_of_its_kind(api: Api) -> None:
    kinds = {
        "csv": ("text/csv; charset=utf-8", ".csv"),
        "json": ("application/json", ".json"),
        "markdown": ("text/markdown; charset=utf-8", ".md"),
        "junit": ("application/xml", ".xml"),
        "html": ("text/html; charset=utf-8", ".html"),
    }
    for kind, (media_type, ending) in kinds.items():
        answer = await api.get("/sweeps/latest/export", format=kind)
        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type), kind
        assert answer.headers["content-disposition"] == f'attachment; filename="aks-backup-guard-{SWEEP_ID}{ending}"'
        assert "alpha" in answer.text
    rows = list(csv.DictReader(StringIO((await api.get("/sweeps/latest/export", format="csv")).text[1:], newline="")))
    assert {row["name"] for row in rows if row["kind"] == "cluster"} == {"alpha", "beta", "gamma"}
    assert (await api.get("/sweeps/latest/export")).json()["schemaVersion"] == 1
    assert (await get(api, "/sweeps/latest/export", 400, format="pdf"))["error"]["code"] == "InvalidRequest"


async def test_hostile_names_come_through_whole_and_harmless() -> None:
    api = Api()
    await keep(api.world, snapshot_of(hostile_clusters()))
    rows = (await get(api, "/clusters", size=100))["value"]
    assert {row["name"] for row in rows} == set(HOSTILE)
    for number, text in enumerate(HOSTILE):
        told = await get(api, "/cluster", id=arm_id(f"hostile-{number}"))
        assert told["judged"]["team"] == text
        found = await get(api, "/clusters", text=text.replace("\x00", " ").strip()[:200])
        assert text in {row["name"] for row in found["value"]} or "\x00" in text
    answer = await api.get("/clusters")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


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
    assert "/api/health" in answer.text
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
            "/findings", "/controls", "/alerts", "/actions",
        },
        "post": {"/sweeps", "/repairs/approve", "/clusters/look", "/alerts/{id}/acknowledge", "/alerts/{id}/snooze"},
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


def test_the_fixtures_subscription_is_in_scope() -> None:
    """Else `look` would be refused for another reason than the one tested."""
    assert Api().world.scope.subscriptions == (SUBSCRIPTION,)
