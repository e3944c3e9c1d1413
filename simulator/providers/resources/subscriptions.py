"""Subscriptions, their regions, and the tenant."""

from simulator.arm.errors import ArmError
from simulator.arm.paging import page
from simulator.arm.route import Call
from simulator.http import Response
from simulator.providers.resources import responses
from simulator.providers.resources.locations import REGIONS

_PAGE = 1000


def list_all(call: Call) -> Response:
    """Only what the caller may read; somebody without rights sees an empty list (documented)."""
    cloud = call.cloud
    visible = [
        found
        for found in cloud.resources.subscriptions()
        if cloud.authorization.allowed(
            call.principal.object_id, "Microsoft.Resources/subscriptions/read", f"/subscriptions/{found.id}"
        )
    ]
    listed = [responses.subscription(found, cloud.identity.tenant_id) for found in visible]
    answer = page(call, listed, _PAGE)
    return Response(200, {**answer.body, "count": {"type": "Total", "value": len(listed)}})


def get(call: Call) -> Response:
    found = call.cloud.resources.subscription(call.params["subscription"])
    if found is None:
        message = f"The subscription '{call.params['subscription']}' could not be found."
        raise ArmError(404, "SubscriptionNotFound", message)
    return Response(200, responses.subscription(found, call.cloud.identity.tenant_id))


def list_locations(call: Call) -> Response:
    return Response(200, {"value": [responses.location(call.params["subscription"], name) for name in REGIONS]})


def list_tenants(call: Call) -> Response:
    return Response(200, {"value": [responses.tenant(call.cloud.identity.tenant_id)]})
