"""Resource groups: PUT is synchronous, DELETE is not (202 + Location, polled until 200)."""

import re
from typing import Any

from simulator.arm.errors import ArmError, location_required
from simulator.arm.headers import correlation_id, retry_after
from simulator.arm.paging import page
from simulator.arm.route import Call
from simulator.http import Response
from simulator.providers.resources import responses
from simulator.providers.resources.filters import equalities, has_tag
from simulator.providers.resources.locations import region_name
from simulator.providers.resources.models import Group

_PAGE = 1000
_POLL_SECONDS = 15  # known from practice: ARM asks to come back after 15 s
_NAME = re.compile(r"[-\w.()]{1,90}(?<!\.)")
_MAX_TAGS = 50


def list_all(call: Call) -> Response:
    wanted = equalities(call.request.query.get("$filter"), ("tagname", "tagvalue"))
    found = call.cloud.resources.groups(call.params["subscription"])
    return page(call, [responses.group(group) for group in found if has_tag(group.tags, wanted)], _PAGE)


def get(call: Call) -> Response:
    return Response(200, responses.group(_existing(call)))


def put(call: Call) -> Response:
    """201 for a new group, 200 for one that was there; its location cannot change."""
    body = call.body()
    name, subscription_id = call.params["group"], call.params["subscription"]
    if not _NAME.fullmatch(name):
        message = (
            f"The provided resource group name '{name}' has these invalid characters or a length outside 1-90, or "
            "ends with a period."
        )
        raise ArmError(400, "InvalidResourceGroupName", message)
    location = _location(body)
    found = call.cloud.resources.group(subscription_id, name)
    if found is not None and region_name(found.location) != location:
        message = (
            f"Invalid resource group location '{location}'. The Resource group already exists in location "
            f"'{found.location}'."
        )
        raise ArmError(409, "InvalidResourceGroupLocation", message)
    tags = tags_of(body)
    group = found or call.cloud.resources.add_group(subscription_id, name, location, body.get("managedBy"))
    group.tags = tags
    return Response(200 if found else 201, responses.group(group))


def patch(call: Call) -> Response:
    group = _existing(call)
    body = call.body()
    if "tags" in body:
        group.tags = tags_of(body)
    return Response(200, responses.group(group))


def delete(call: Call) -> Response:
    group = _existing(call)
    call.cloud.authorization.require_unlocked_below(group.id)
    if group.deleting:
        message = f"The resource group '{group.name}' is in deprovisioning state and cannot perform this operation."
        raise ArmError(409, "ResourceGroupBeingDeleted", message)
    correlation = correlation_id(call.cloud, call.request)
    operation = call.cloud.resources.delete_group(group, call.principal, correlation)
    return Response(202, None, _come_back(call, operation.id))


def operation_result(call: Call) -> Response:
    operation = call.cloud.operations.get(call.params["operation"])
    if operation is None:
        raise ArmError(404, "NotFound", "The operation could not be found.")
    if operation.status == "Inprogress":
        return Response(202, None, _come_back(call, operation.id))
    if operation.error is not None:
        return Response(409, {"error": operation.error})
    return Response(200)


def tags_of(body: dict[str, Any]) -> dict[str, str]:
    """The tags of a body. Raises ArmError 400 for what ARM refuses: more than 50, long names or values."""
    tags = body.get("tags") or {}
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise ArmError(400, "InvalidRequestContent", "The request content was invalid: tags must map names to strings.")
    if len(tags) > _MAX_TAGS:
        raise ArmError(400, "TooManyTags", f"The number of tags '{len(tags)}' exceeds the limit of {_MAX_TAGS}.")
    for name, value in tags.items():
        if len(name) > 512 or len(value) > 256:
            raise ArmError(400, "TagNameTooLong" if len(name) > 512 else "TagValueTooLong", f"Tag '{name[:64]}'.")
    return dict(tags)


def _existing(call: Call) -> Group:
    name = call.params["group"]
    group = call.cloud.resources.group(call.params["subscription"], name)
    if group is None:
        raise ArmError(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")
    return group


def _location(body: dict[str, Any]) -> str:
    location = body.get("location")
    if not isinstance(location, str) or not location:
        raise location_required()
    name = region_name(location)
    if name is None:
        message = f"The provided location '{location}' is not available for resource group."
        raise ArmError(400, "LocationNotAvailableForResourceGroup", message)
    return name


def _come_back(call: Call, operation_id: str) -> dict[str, str]:
    url = (
        f"{call.request.base_url}/subscriptions/{call.params['subscription']}/operationresults/{operation_id}"
        f"?api-version={call.api_version}"
    )
    return {"Location": url, "Retry-After": retry_after(call.cloud.clock, _POLL_SECONDS)}
