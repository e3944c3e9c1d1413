"""Identities of topics, and which of them an event subscription delivers as.

Source: https://learn.microsoft.com/azure/event-grid/enable-identity-system-topics: a topic has one system-assigned
identity and up to two user-assigned ones; topics of global sources may have them too."""

from collections.abc import Mapping
from typing import Any

from simulator.arm.errors import ArmError
from simulator.arm.route import Call

NONE: Mapping[str, Any] = {"type": "None", "principalId": None, "tenantId": None, "userAssignedIdentities": None}
"""The identity block of a topic without any (recorded)."""
_MOST = 2


def identity_block(call: Call, body: Mapping[str, Any], now: Mapping[str, Any] = NONE) -> Mapping[str, Any]:
    """The block that answers the one in a PUT or PATCH body; without one it stays. Raises ArmError."""
    if "identity" not in body:
        return now
    wanted = body["identity"] or {}
    if len(wanted.get("userAssignedIdentities") or ()) > _MOST:
        raise _refused(f"A topic can have at most {_MOST} user-assigned identities.")
    try:
        block = call.cloud.managed_identity.block(call, call.params["topic"], wanted, now)
    except ArmError as error:
        raise (_refused(error.message) if error.status == 400 else error) from error
    return {**NONE, **(block or {})}


def principal_of(block: Mapping[str, Any], chosen: Any) -> str:
    """Object id of the identity that `chosen`, an event subscription's `identity`, names. Raises ArmError 400 (words
    assumed) when the topic does not have it."""
    if not isinstance(chosen, dict):
        raise _refused("The property 'identity' is required and must be an object.")
    kind, resource_id = chosen.get("type"), str(chosen.get("userAssignedIdentity") or "")
    if kind == "SystemAssigned" and block["principalId"] is not None:
        return str(block["principalId"])
    for known, principal in (block["userAssignedIdentities"] or {}).items():
        if kind == "UserAssigned" and known.lower() == resource_id.lower():
            return str(principal["principalId"])
    raise _refused(f"The topic does not have the identity {kind} {resource_id}".rstrip() + ".")


def _refused(message: str) -> ArmError:
    return ArmError(400, "InvalidRequest", message)
