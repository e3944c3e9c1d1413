"""What `/api/v1` tells of the fleet, over storage that behaves and a small judged fleet."""

import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest

from shared.domain.sweeps import SweepRun
from shared.ports import RepairHold
from tests.contract.http_api_answers import alert, get, seeded
from tests.contract.http_api_world import (
    CHANGE,
    CONTROLS,
    NOW,
    OTHER,
    SWEEP_ID,
    Api,
    arm_id,
    keep,
    snapshot_of,
    summary_of,
)


@pytest.fixture
async def api() -> Api:
    return await seeded()


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


async def test_actions_come_newest_first_of_one_cluster_or_of_all(api: Api) -> None:
    listed = (await get(api, "/actions"))["value"]
    assert [action["step"] for action in listed] == ["Other", "Step1", "Step2"]
    of_alpha = (await get(api, "/actions", cluster=arm_id("Alpha"), limit=1))["value"]
    assert [(action["step"], action["requestId"]) for action in of_alpha] == [("Step1", "id-1")]


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
