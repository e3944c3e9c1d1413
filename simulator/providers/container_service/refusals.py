"""How AKS says no: its own errors are flat, without ARM's `error` envelope (recorded for a missing binding and for an
etag conflict); what ARM itself refuses before AKS is asked has the usual one."""

from typing import Any

from simulator.arm.errors import ArmError, resource_not_found


def refused(status: int, code: str, message: str, *, subcode: str = "", detail: str | None = None) -> ArmError:
    """AKS's flat error body."""
    details: list[dict[str, Any]] = [] if detail is None else [{"code": "Unspecified", "message": detail}]
    body = {"code": code, "details": details or None, "message": message, "subcode": subcode}
    return ArmError(status, code, message, body=body)


def cluster_not_found(name: str, group: str) -> ArmError:
    """ARM's own answer (recorded)."""
    return resource_not_found(f"Microsoft.ContainerService/managedClusters/{name}", group)


def parent_not_found(child_type: str, verb: str, cluster: str) -> ArmError:
    """ARM's answer for a child of a cluster that does not exist."""
    return ArmError(
        404,
        "ParentResourceNotFound",
        f"Failed to perform '{verb}' on resource(s) of type 'managedClusters/{child_type}', because the parent "
        f"resource '{cluster}' could not be found.",
    )


def busy(state: str) -> ArmError:
    """Another operation holds the cluster (code and text as users report them)."""
    return refused(
        409,
        "OperationNotAllowed",
        f"Operation is not allowed: Another operation ({state}) is in progress, please wait for it to finish before "
        "starting a new operation. See https://aka.ms/aks-pending-operation for more details",
    )


def stopped() -> ArmError:
    """assumed: the code; that a stopped cluster takes only start and delete is documented."""
    return refused(
        409,
        "OperationNotAllowed",
        "Operation is not allowed: the managed cluster is in stopped state. Only start and delete are allowed, "
        "please start the cluster first.",
    )


def missing_parameter(parameter: str) -> ArmError:
    """assumed: the text."""
    return refused(400, "InvalidParameter", f"Required parameter {parameter} is missing (null).", subcode=parameter)
