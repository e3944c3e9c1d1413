"""Whether the caller may: the action follows from method and path, the answer from the role assignments."""

from typing import TYPE_CHECKING

from simulator.arm.errors import ArmError
from simulator.arm.path import ArmPath
from simulator.arm.route import Principal

if TYPE_CHECKING:
    from simulator.cloud import Cloud


def require(cloud: "Cloud", principal: Principal, path: ArmPath, method: str) -> None:
    """Raises ArmError 403 AuthorizationFailed in ARM's words. Reads at tenant level are free: their handlers show
    only what the caller may see."""
    scope = path.scope()
    if path.subscription_id is None and (
        method in ("GET", "HEAD") or (path.namespace or "").lower() != "microsoft.authorization"
    ):
        return
    action = path.action(method)
    if not cloud.authorization.allowed(principal.object_id, action, scope):
        raise ArmError(
            403,
            "AuthorizationFailed",
            f"The client '{principal.application_id}' with object id '{principal.object_id}' does not have "
            f"authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. If access was "
            "recently granted, please refresh your credentials.",
        )
