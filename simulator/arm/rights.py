"""Whether the caller may: the action follows from method and path, the answer from the role assignments."""

from typing import TYPE_CHECKING

from simulator.arm.errors import ArmError
from simulator.arm.path import ArmPath, arm_path
from simulator.arm.route import Call, Principal
from simulator.http import Request

if TYPE_CHECKING:
    from simulator.cloud import Cloud


def require(cloud: "Cloud", principal: Principal, path: ArmPath, request: Request) -> None:
    """Raises ArmError 403 AuthorizationFailed in ARM's words; those for a condition that does not hold are from public
    issues. Reads at tenant level are free: their handlers show only what the caller may see."""
    method, scope, action = request.method, path.scope(), path.action(request.method)
    if path.subscription_id is None and (
        method in ("GET", "HEAD") or (path.namespace or "").lower() != "microsoft.authorization"
    ):
        return
    authorization = cloud.authorization
    if authorization.allowed(principal.object_id, action, scope, about=authorization.asked_about(path, request)):
        return
    lacks = "does not have authorization"
    if authorization.allowed_but_for_a_condition(principal.object_id, action, scope):
        lacks = "has an authorization with ABAC condition that is not fulfilled"
    raise ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{principal.application_id}' with object id '{principal.object_id}' {lacks} to perform action "
        f"'{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your "
        "credentials.",
    )


def require_linked(call: Call, action: str, scope: str) -> None:
    """Some writes need a right at what they point to as well. Raises ArmError 403 LinkedAuthorizationFailed in the
    words that public issues show."""
    principal = call.principal
    if call.cloud.authorization.allowed(principal.object_id, action, scope):
        return
    asked = arm_path(call.request.path).action(call.request.method)
    raise ArmError(
        403,
        "LinkedAuthorizationFailed",
        f"The client '{principal.application_id}' with object id '{principal.object_id}' has permission to perform "
        f"action '{asked}' on scope '{call.resource_id}'; however, it does not have permission to perform action(s) "
        f"'{action}' on the linked scope(s) '{scope}' (respectively) or the linked scope(s) are invalid.",
    )
