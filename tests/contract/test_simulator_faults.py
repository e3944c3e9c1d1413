"""Faults that are asked for over the control endpoint: which call they meet, and what its caller and the world see."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from simulator.http import ConnectionLost, Request
from tests.contract.arm_caller import SUBSCRIPTION, ArmCaller, code

GROUP = f"{SUBSCRIPTION}/resourceGroups/rg"
LOCATION = {"location": "westeurope"}


@pytest.fixture
def arm() -> ArmCaller:
    return ArmCaller()


async def fault(arm: ArmCaller, match: dict[str, Any], then: dict[str, Any]) -> str:
    answer = await arm.control("POST", "faults", {"match": match, "then": then})
    assert answer.status == 200, answer.body
    return str(answer.body["id"])


async def test_a_status_with_code_and_retry_after_comes_instead_of_the_call(arm: ArmCaller) -> None:
    await fault(arm, {"method": "put"}, {"status": 429, "code": "Slow", "retry_after": 7})
    answer = await arm.call("PUT", GROUP, LOCATION)
    assert (answer.status, code(answer), answer.headers["Retry-After"]) == (429, "Slow", "7")
    assert (await arm.call("GET", GROUP)).status == 404


async def test_without_a_code_the_status_names_itself(arm: ArmCaller) -> None:
    await fault(arm, {}, {"status": 503})
    assert code(await arm.call("GET", GROUP)) == "ServiceUnavailable"


async def test_it_lasts_until_it_is_deleted(arm: ArmCaller) -> None:
    fault_id = await fault(arm, {"path_regex": "resourcegroups/rg$"}, {"status": 500})
    assert [(await arm.call("PUT", GROUP, LOCATION)).status for _ in range(3)] == [500, 500, 500]
    assert (await arm.call("PUT", f"{GROUP}2", LOCATION)).status == 201
    assert (await arm.control("DELETE", f"faults/{fault_id}")).status == 204
    assert (await arm.control("DELETE", f"faults/{fault_id}")).status == 404
    assert (await arm.call("PUT", GROUP, LOCATION)).status == 201


@pytest.mark.parametrize(
    ("match", "statuses"),
    [
        ({"nth": 2}, [404, 500, 404, 404]),
        ({"nth": 2, "times": 2}, [404, 500, 500, 404]),
        ({"times": 1}, [500, 404, 404, 404]),
        ({}, [500, 500, 500, 500]),
    ],
)
async def test_nth_and_times(arm: ArmCaller, match: dict[str, int], statuses: list[int]) -> None:
    await fault(arm, {"method": "GET", **match}, {"status": 500})
    await arm.call("DELETE", GROUP)
    assert [(await arm.call("GET", GROUP)).status for _ in range(4)] == statuses


async def test_the_oldest_strikes_and_all_that_match_count(arm: ArmCaller) -> None:
    await fault(arm, {"times": 1}, {"status": 501})
    await fault(arm, {"nth": 2}, {"status": 502})
    assert [(await arm.call("GET", GROUP)).status for _ in range(3)] == [501, 502, 404]


async def test_a_reset_comes_before_anything_happens(arm: ArmCaller) -> None:
    await fault(arm, {"times": 1}, {"reset": True})
    with pytest.raises(ConnectionLost):
        await arm.call("PUT", GROUP, LOCATION)
    assert (await arm.call("GET", GROUP)).status == 404
    assert arm.cloud.front_door.calls.all()[0].status is None


async def test_a_lost_answer_comes_after_everything_happened(arm: ArmCaller) -> None:
    await fault(arm, {"times": 1}, {"lose_answer": True})
    with pytest.raises(ConnectionLost):
        await arm.call("PUT", GROUP, LOCATION)
    assert (await arm.call("GET", GROUP)).status == 200
    assert arm.cloud.front_door.calls.all()[0].status == 201


async def test_latency_passes_on_the_clock_and_then_the_call_happens(arm: ArmCaller) -> None:
    await fault(arm, {"times": 1}, {"latency_seconds": 30})
    call = asyncio.create_task(arm.call("PUT", GROUP, LOCATION))
    await asyncio.sleep(0)
    await arm.clock.advance(29)
    await asyncio.sleep(0)
    assert not call.done()
    assert arm.cloud.resources.group(SUBSCRIPTION.split("/")[2], "rg") is None
    await arm.clock.advance(1)
    assert (await call).status == 201


async def test_sign_in_and_event_grid_are_met_too(arm: ArmCaller) -> None:
    await fault(arm, {"path_regex": "^/(msi|eventgrid)/"}, {"status": 500})
    for path in ("/msi/token", "/eventgrid/topics/t/api/events"):
        assert (await arm.cloud.respond(Request("GET", path))).status == 500


async def test_the_control_endpoint_is_never_met(arm: ArmCaller) -> None:
    await fault(arm, {}, {"reset": True})
    assert (await arm.control("GET", "health")).status == 200


@pytest.mark.parametrize("then", [{"status": 429}, {"reset": True}, {"lose_answer": True}])
async def test_a_struck_call_is_logged_as_its_callers(arm: ArmCaller, then: dict[str, Any]) -> None:
    await fault(arm, {}, then)
    app = arm.cloud.identity.app
    with suppress(ConnectionLost):
        await arm.call("PUT", GROUP, LOCATION, principal=app)
    [logged] = (await arm.control("GET", "calls")).body
    assert (logged["method"], logged["principal"]) == ("PUT", app.object_id)
