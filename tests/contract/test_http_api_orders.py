"""What operators order: it happens once, it is on record, and what makes no sense changes nothing."""

import json
from datetime import timedelta
from typing import Any

import pytest

from shared.ports import RepairHold
from tests.contract.http_api_answers import ALPHA, OUTSIDE, UNSEEN, alert, get, post, seeded
from tests.contract.http_api_world import (
    NOW,
    SWEEP_ID,
    Api,
    arm_id,
)
from tests.virtual.azure import SUBSCRIPTION


@pytest.fixture
async def api() -> Api:
    return await seeded()


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
    headers = {"Content-Type": "application/json"}
    answer = await api.call("POST", "/api/v1/clusters/look", headers=headers, content=b'{"id": ')
    assert answer.status_code == 400
    assert answer.json()["error"]["details"] == [{"where": "body", "message": "it is not JSON"}]
    deep = await api.call("POST", "/api/v1/clusters/look", headers=headers, content=b"[" * 50_000)
    assert (deep.status_code, deep.json()["error"]["code"]) == (400, "InvalidRequest")


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


async def test_a_sweep_is_asked_for_once_and_shows_as_under_way(api: Api) -> None:
    first, second = await post(api, "/sweeps", {}, 202), await post(api, "/sweeps", {}, 202)
    assert (first["begun"], second["begun"], second["sweepId"]) == (True, False, first["sweepId"])
    assert (await api.call("GET", first["status"])).json()["sweepUnderWay"] == first["sweepId"]
    assert (await get(api, "/sweeps/latest"))["sweepId"] == SWEEP_ID, "until it has ended"
    lines = [(a.step, a.outcome) for a in api.virtual.trail.actions[-4:]]
    assert lines == [("Sweep", "Started"), ("Sweep", "Done")] * 2


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


def test_the_fixtures_subscription_is_in_scope() -> None:
    """Else `look` would be refused for another reason than the one tested."""
    assert Api().world.scope.subscriptions == (SUBSCRIPTION,)
