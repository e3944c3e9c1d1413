"""Generic lists of resources, whatever provider holds them."""

from simulator.arm.errors import ArmError
from simulator.arm.paging import page
from simulator.arm.route import Call
from simulator.http import Response
from simulator.providers.resources import responses
from simulator.providers.resources.filters import equalities, has_tag
from simulator.providers.resources.models import Tracked

_FIELDS = ("resourcetype", "name", "location", "resourcegroup", "tagname", "tagvalue")
_PAGE = 1000


def in_subscription(call: Call) -> Response:
    return _listed(call, call.cloud.resources.tracked_in(call.params["subscription"]))


def in_group(call: Call) -> Response:
    return _listed(call, call.cloud.resources.tracked_in(call.params["subscription"], call.params["group"]))


def _listed(call: Call, held: list[Tracked]) -> Response:
    wanted = equalities(call.request.query.get("$filter"), _FIELDS)
    top = call.request.query.get("$top", str(_PAGE))
    if not top.isdecimal() or int(top) == 0:
        raise ArmError(400, "InvalidTopInQueryString", f"The $top '{top}' must be a whole number above 0.")
    chosen = [responses.resource(resource) for resource in held if _fits(resource, wanted)]
    return page(call, chosen, min(int(top), _PAGE))


def _fits(resource: Tracked, wanted: dict[str, str]) -> bool:
    group = resource.id.split("/")[4]
    has = {
        "resourcetype": resource.type,
        "name": resource.name,
        "location": resource.location,
        "resourcegroup": group,
    }
    if any(has[name].lower() != value.lower() for name, value in wanted.items() if name in has):
        return False
    return has_tag(resource.body().get("tags") or {}, wanted)
