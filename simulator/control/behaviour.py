"""The control endpoint (`/simulator/…`): neither logged, throttled, struck by faults nor signed in."""

import inspect
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from simulator.arm.errors import ArmError
from simulator.control import app_orders, cluster_orders, orders
from simulator.control.fields import BadField, Fields
from simulator.http import Request, Response

if TYPE_CHECKING:
    from simulator.cloud import Cloud

Answer = Callable[["Cloud", Fields], Response | Awaitable[Response]]

_ANSWERS: dict[tuple[str, str], Answer] = {
    ("GET", "health"): orders.health,
    ("POST", "clusters"): cluster_orders.create_clusters,
    ("POST", "clusters/contents"): cluster_orders.change_contents,
    ("POST", "clusters/nodes"): cluster_orders.change_nodes,
    ("POST", "subscriptions"): orders.add_subscription,
    ("POST", "management-groups"): orders.put_management_group,
    ("POST", "timings"): orders.change_timings,
    ("POST", "faults"): orders.add_fault,
    ("POST", "jobs"): orders.add_job,
    ("POST", "schedule/run"): orders.run_schedule,
    ("POST", "eventgrid"): orders.disturb_event_grid,
    ("POST", "eventgrid/queues"): app_orders.bind_queues,
    ("POST", "functions"): app_orders.set_functions,
    ("GET", "eventgrid/deadletters"): orders.dead_letters,
    ("GET", "calls"): orders.calls,
    ("DELETE", "calls"): orders.clear_calls,
}


class Control:
    """What only the simulator has. Bad input gives 400 and names the field."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud

    async def respond(self, request: Request) -> Response:
        name = request.path.lower().removeprefix("/simulator/").strip("/")
        if request.method == "DELETE" and name.startswith("faults/"):
            return self._remove_fault(name.removeprefix("faults/"))
        answer = _ANSWERS.get((request.method, name))
        if answer is None:
            known = sorted({f"{method} /simulator/{path}" for method, path in _ANSWERS})
            return Response(404, {"error": {"code": "NotFound", "message": f"Known: {', '.join(known)}."}})
        try:
            result = answer(self._cloud, Fields(_object(request)))
            return await result if inspect.isawaitable(result) else result
        except BadField as bad:
            return Response(
                400, {"error": {"code": "BadControlInput", "target": bad.field, "message": f"{bad.field}: {bad}"}}
            )
        except ArmError as error:
            return error.response()

    def _remove_fault(self, fault_id: str) -> Response:
        if self._cloud.front_door.faults.remove(fault_id):
            return Response(204)
        return Response(404, {"error": {"code": "NotFound", "message": f"There is no fault '{fault_id}'."}})


def _object(request: Request) -> dict[str, Any]:
    try:
        value = request.json()
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadField("body", f"is not JSON: {error}") from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadField("body", "must be an object")
    return value
