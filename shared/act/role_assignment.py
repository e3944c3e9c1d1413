"""Gives a role to an identity, and takes it away (Role Assignments REST 2022-04-01)."""

from shared.act.call import ArmCall
from shared.arm import api_versions
from shared.domain.ids import subscription_of
from shared.domain.steps import GrantRole, RevokeRole


def grant_role(step: GrantRole) -> ArmCall:
    """`principalType` spares Azure the look-up of an identity that its directory may not know yet."""
    grant = step.grant
    definitions = f"/subscriptions/{subscription_of(grant.scope)}/providers/Microsoft.Authorization/roleDefinitions"
    body = {
        "properties": {
            "roleDefinitionId": f"{definitions}/{grant.role}",
            "principalId": grant.principal_id,
            "principalType": "ServicePrincipal",
        }
    }
    path = f"{grant.scope}/providers/Microsoft.Authorization/roleAssignments/{step.assignment_name}"
    return ArmCall("PUT", path, api_versions.ROLE_ASSIGNMENTS, body, "done")


def revoke_role(step: RevokeRole) -> ArmCall:
    return ArmCall("DELETE", step.assignment_id, api_versions.ROLE_ASSIGNMENTS, None, "done")
