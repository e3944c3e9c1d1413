"""Backup policies: synchronous, refused when AKS could not run them."""

import re
from collections.abc import Callable
from typing import Any

from simulator.arm.route import Call
from simulator.http import Response
from simulator.providers.data_protection.models import Policy, UserError, Vault
from simulator.providers.data_protection.policy_rules import refuse_policy
from simulator.providers.data_protection.responses import invalid_input, not_found, page, refusal
from simulator.providers.data_protection.vaults import Vaults

POLICY_TYPE = "Microsoft.DataProtection/backupVaults/backupPolicies"
POLICIES_PER_VAULT = 5000  # documented


def policy_body(policy: Policy) -> dict[str, Any]:
    return {"properties": policy.properties, "id": policy.id, "name": policy.name, "type": POLICY_TYPE}


class Policies:
    """The policies of every vault. `on_changed` is told of one that was written."""

    def __init__(self, vaults: Vaults) -> None:
        self._vaults = vaults
        self.on_changed: Callable[[Vault, Policy], None] = lambda _vault, _policy: None

    def put(self, call: Call) -> Response:
        vault, name = self._vaults.of(call), call.params["policy"]
        properties = call.body().get("properties") or {}
        if not re.fullmatch(r"[A-Za-z0-9-]{3,150}", name):
            raise invalid_input(call, "A policy name is 3 to 150 letters, digits and hyphens.")
        if (error := refuse_policy(properties, vault.location)) is not None:
            raise refusal(call, 400, error)
        existing = vault.policies.get(name.lower())
        if existing is None and len(vault.policies) >= POLICIES_PER_VAULT:
            text = f"A vault takes at most {POLICIES_PER_VAULT} policies."
            raise refusal(call, 400, UserError("UserErrorMaxPoliciesInVaultReached", text))  # assumed code
        # assumed: editing a policy in place is accepted (the API creates or updates; an old text says otherwise)
        policy = Policy(call.resource_id, name, properties) if existing is None else existing
        policy.properties = properties
        vault.policies[name.lower()] = policy
        self.on_changed(vault, policy)
        return Response(200, policy_body(policy))

    def get(self, call: Call) -> Response:
        policy = self._vaults.of(call).policies.get(call.params["policy"].lower())
        if policy is None:
            raise not_found(call, call.params["policy"])
        return Response(200, policy_body(policy))

    def list_all(self, call: Call) -> Response:
        return page(call, list(self._vaults.of(call).policies.values()), policy_body)

    def delete(self, call: Call) -> Response:
        vault = self._vaults.of(call)
        policy = vault.policies.get(call.params["policy"].lower())
        if policy is None:
            return Response(204)
        users = (*vault.instances.values(), *vault.deleted_instances.values())
        if any(policy.id.lower() in (user.policy_id.lower(), user.next_policy_id.lower()) for user in users):
            # that it is refused is documented; the code is assumed, and that soft-deleted instances count
            text = "The policy is in use by backup instances."
            action = ("Give the backup instances another policy, then delete this one.",)
            raise refusal(call, 400, UserError("UserErrorDppPolicyObjectInUse", text, action))
        del vault.policies[policy.name.lower()]
        return Response(200)
