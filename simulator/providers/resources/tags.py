"""Tags as a resource of their own (`{scope}/providers/Microsoft.Resources/tags/default`).

Modelled for subscriptions and resource groups, and for reading elsewhere; a resource's own tags are written through
its provider's PATCH.
"""

from collections.abc import MutableMapping
from typing import Any

from simulator.arm.errors import ArmError
from simulator.arm.path import arm_path
from simulator.arm.route import Call
from simulator.http import Response
from simulator.providers.resources.groups import tags_of


def get(call: Call) -> Response:
    resource = call.cloud.resources.tracked(call.params["scope"])
    tags = (resource.body().get("tags") or {}) if resource else _writable(call)
    return Response(200, _body(call, tags))


def put(call: Call) -> Response:
    held, sent = _writable(call), _sent(call)
    held.clear()
    held.update(sent)
    return Response(200, _body(call, held))


def patch(call: Call) -> Response:
    """`operation` is Merge, Replace or Delete."""
    operation = call.body().get("operation")
    held, sent = _writable(call), _sent(call)
    match operation:
        case "Merge":
            held.update(sent)
        case "Replace":
            held.clear()
            held.update(sent)
        case "Delete":
            for name in [name for name, value in sent.items() if held.get(name) == value]:
                del held[name]
        case _:
            message = f"The tags patch operation '{operation}' is not one of Merge, Replace, Delete."
            raise ArmError(400, "InvalidTagsPatchOperation", message)
    return Response(200, _body(call, held))


def delete(call: Call) -> Response:
    _writable(call).clear()
    return Response(200)


def _writable(call: Call) -> MutableMapping[str, str]:
    scope = arm_path(call.params["scope"])
    resources = call.cloud.resources
    if scope.namespace is None and scope.subscription_id is not None:
        group = resources.group(scope.subscription_id, scope.resource_group) if scope.resource_group else None
        if group is not None:
            return group.tags
        subscription = resources.subscription(scope.subscription_id)
        if subscription is not None and scope.resource_group is None:
            return subscription.tags
    if resources.tracked(scope.path) is not None:
        message = "Tags at this scope are not modelled: write them through the resource's own PATCH."
        raise ArmError(501, "NotModelled", message)
    raise ArmError(404, "ResourceNotFound", f"The Resource '{scope.path}' was not found.")


def _sent(call: Call) -> dict[str, str]:
    properties: dict[str, Any] = call.body().get("properties") or {}
    return tags_of(properties)


def _body(call: Call, tags: Any) -> dict[str, Any]:
    return {
        "id": f"{call.params['scope']}/providers/Microsoft.Resources/tags/default",
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": dict(tags)},
    }
