"""Tags as a resource of their own (`{scope}/providers/Microsoft.Resources/tags/default`).

Subscriptions and resource groups hold theirs here; a resource's are written, as ARM does it, through the PATCH of its
provider, which needs no right of the caller but the one on tags.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from simulator.arm.errors import ArmError
from simulator.arm.path import arm_path
from simulator.arm.route import Call
from simulator.http import Request, Response
from simulator.providers.resources.groups import tags_of


def get(call: Call) -> Response:
    return Response(200, _body(call, _held(call)))


def put(call: Call) -> Response:
    return _write(call, _sent(call))


def patch(call: Call) -> Response:
    """`operation` is Merge, Replace or Delete."""
    operation = call.body().get("operation")
    held, sent = _held(call), _sent(call)
    match operation:
        case "Merge":
            wanted = {**held, **sent}
        case "Replace":
            wanted = sent
        case "Delete":
            wanted = {name: value for name, value in held.items() if sent.get(name) != value}
        case _:
            message = f"The tags patch operation '{operation}' is not one of Merge, Replace, Delete."
            raise ArmError(400, "InvalidTagsPatchOperation", message)
    return _write(call, wanted)


def delete(call: Call) -> Response:
    _write(call, {})
    return Response(200)


def _held(call: Call) -> dict[str, str]:
    resource = call.cloud.resources.tracked(call.params["scope"])
    return dict(resource.body().get("tags") or {}) if resource else dict(_own(call))


def _own(call: Call) -> dict[str, str]:
    """The tags of a subscription or a resource group, as they are kept. Raises ArmError 404 when it is neither."""
    scope = arm_path(call.params["scope"])
    resources = call.cloud.resources
    if scope.namespace is None and scope.subscription_id is not None:
        group = resources.group(scope.subscription_id, scope.resource_group) if scope.resource_group else None
        if group is not None:
            return group.tags
        subscription = resources.subscription(scope.subscription_id)
        if subscription is not None and scope.resource_group is None:
            return subscription.tags
    raise ArmError(404, "ResourceNotFound", f"The Resource '{scope.path}' was not found.")


def _write(call: Call, wanted: Mapping[str, str]) -> Response:
    resource = call.cloud.resources.tracked(call.params["scope"])
    if resource is not None:
        _patch_resource(call, resource.id, wanted)
    else:
        own = _own(call)
        own.clear()
        own.update(wanted)
    return Response(200, _body(call, wanted))


def _patch_resource(call: Call, resource_id: str, wanted: Mapping[str, str]) -> None:
    """The PATCH that ARM sends to the provider on the caller's behalf, at the newest version the provider knows."""
    matches = call.cloud.front_door.routes.matches(resource_id)
    found = next((match for match in matches if match.route.method == "PATCH"), None)
    if found is None:
        raise ArmError(501, "NotModelled", "Tags of this resource are not modelled: its provider takes no PATCH here.")
    request = Request("PATCH", resource_id, call.request.base_url, body=json.dumps({"tags": dict(wanted)}).encode())
    version = max(found.route.api_versions)
    handler: Callable[[Call], Any] = found.route.handler
    handler(Call(call.cloud, request, found.params, call.principal, version, resource_id))


def _sent(call: Call) -> dict[str, str]:
    properties: dict[str, Any] = call.body().get("properties") or {}
    return tags_of(properties)


def _body(call: Call, tags: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": f"{call.params['scope']}/providers/Microsoft.Resources/tags/default",
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": dict(tags)},
    }
