"""Who may do what: role assignments that act only once they have spread, and locks."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from simulator.arm.errors import ArmError
from simulator.arm.path import ArmPath
from simulator.arm.route import Route
from simulator.http import Request
from simulator.providers.authorization.asked import asked_about
from simulator.providers.authorization.built_in_roles import BUILT_IN_ROLES
from simulator.providers.authorization.conditions import UNSAID, Attributes, parse
from simulator.providers.authorization.models import Lock, RoleAssignment, RoleDefinition
from simulator.providers.authorization.patterns import matches
from simulator.providers.authorization.routes import routes
from simulator.providers.authorization.scopes import is_within, normalised, subscription_of, with_ancestors

if TYPE_CHECKING:
    from simulator.cloud import Cloud


class Authorization:
    """Microsoft.Authorization."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self.definitions = {role.guid: role for role in BUILT_IN_ROLES}
        self._assignments: dict[str, RoleAssignment] = {}
        self._by_principal: dict[str, dict[str, list[RoleAssignment]]] = defaultdict(lambda: defaultdict(list))
        self._in_subscription: dict[str, int] = defaultdict(int)
        self._locks: dict[str, Lock] = {}
        self._propagation: dict[str, float] = {}

    def routes(self) -> list[Route]:
        return routes()

    def allowed(
        self, principal_id: str, action: str, scope: str, *, data: bool = False, about: Attributes = UNSAID
    ) -> bool:
        """Whether an assignment in effect, here or above, holds a role that gives the action, and its condition holds
        if it has one. `about` is what conditions ask for: what the request says, what the resource has."""
        return any(
            assignment.condition is None or parse(assignment.condition)(action, about)
            for assignment in self._giving(principal_id, action, scope, data=data)
        )

    def allowed_but_for_a_condition(self, principal_id: str, action: str, scope: str) -> bool:
        """Whether some assignment would give the action if its condition held."""
        return any(assignment.condition for assignment in self._giving(principal_id, action, scope, data=False))

    def asked_about(self, path: ArmPath, request: Request) -> Attributes:
        """What conditions are told of a call."""
        return asked_about(path, request, self.assignment)

    def _giving(self, principal_id: str, action: str, scope: str, *, data: bool) -> Iterator[RoleAssignment]:
        """A role's exclusions take away only from that role (documented)."""
        for assignment in self.in_effect(principal_id, scope):
            role = self.definitions.get(assignment.role_guid)
            if role is not None and _gives(role, action, data=data):
                yield assignment

    def has_role(self, principal_id: str, role_guid: str, scope: str) -> bool:
        """Whether that very role is in effect at the scope, given there or above."""
        return any(assignment.role_guid == role_guid.lower() for assignment in self.in_effect(principal_id, scope))

    def grant(self, principal_id: str, role_guid: str, scope: str) -> None:
        """Give a role, in effect at once: for seeds."""
        now = self._cloud.clock.now()
        name = str(self._cloud.new_uuid())
        subscription_id = subscription_of(scope)
        prefix = f"/subscriptions/{subscription_id}" if subscription_id else ""
        self.add(
            RoleAssignment(
                id=f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}",
                name=name,
                scope=scope.rstrip("/"),
                role_definition_id=f"{prefix}/providers/Microsoft.Authorization/roleDefinitions/{role_guid}",
                principal_id=principal_id,
                principal_type="ServicePrincipal",
                created_on=now,
                created_by=None,
                effective_at=now,
            )
        )

    def in_effect(self, principal_id: str, scope: str) -> list[RoleAssignment]:
        """The assignments that act at the scope, given there or above."""
        held = self._by_principal.get(principal_id.lower())
        if held is None:
            return []
        now = self._cloud.clock.now()
        return [
            assignment
            for ancestor in (*with_ancestors(scope), *self._cloud.management.ancestors(scope))
            for assignment in held.get(ancestor, ())
            if assignment.effective_at <= now
        ]

    def covers(self, granted_at: str, scope: str) -> bool:
        """Whether what is granted at the first scope counts at the second: there, below, or below that management
        group (documented)."""
        return is_within(scope, granted_at) or normalised(granted_at) in self._cloud.management.ancestors(scope)

    def assignment(self, assignment_id: str) -> RoleAssignment | None:
        return self._assignments.get(normalised(assignment_id))

    def assignments(self) -> list[RoleAssignment]:
        return list(self._assignments.values())

    def assignments_of(self, principal_id: str) -> list[RoleAssignment]:
        held = self._by_principal.get(principal_id.lower(), {})
        return [assignment for at_scope in held.values() for assignment in at_scope]

    def count_in(self, subscription_id: str) -> int:
        """How many role assignments count against the subscription's limit."""
        return self._in_subscription[subscription_id.lower()]

    def add(self, assignment: RoleAssignment) -> None:
        self._assignments[normalised(assignment.id)] = assignment
        self._by_principal[assignment.principal_id.lower()][normalised(assignment.scope)].append(assignment)
        self._in_subscription[subscription_of(assignment.scope) or ""] += 1

    def remove(self, assignment: RoleAssignment) -> None:
        """Take it away, with effect at once (assumed; Azure caches for minutes here as well)."""
        del self._assignments[normalised(assignment.id)]
        self._by_principal[assignment.principal_id.lower()][normalised(assignment.scope)].remove(assignment)
        self._in_subscription[subscription_of(assignment.scope) or ""] -= 1

    def replace(self, old: RoleAssignment, new: RoleAssignment) -> None:
        """Put another in the place of one with the same id, principal and scope."""
        self._assignments[normalised(new.id)] = new
        at_scope = self._by_principal[new.principal_id.lower()][normalised(new.scope)]
        at_scope[at_scope.index(old)] = new

    def drop_group(self, subscription_id: str, group: str) -> None:
        """What was granted and locked on a resource group or in it goes with it."""
        self.drop_scope(f"/subscriptions/{subscription_id}/resourceGroups/{group}")

    def drop_scope(self, scope: str) -> None:
        """What was granted and locked at the scope or below it."""
        for assignment in [each for each in self._assignments.values() if is_within(each.scope, scope)]:
            self.remove(assignment)
        for key in [key for key, lock in self._locks.items() if is_within(lock.scope, scope)]:
            del self._locks[key]

    def slow_down(self, scope: str, seconds: float) -> None:
        """Assignments made from now on at `scope` and below take that long to act (the nearest scope counts)."""
        self._propagation[normalised(scope)] = seconds

    def takes_effect(self, scope: str) -> datetime:
        """When an assignment made now at `scope` will act."""
        for ancestor in with_ancestors(scope):
            if ancestor in self._propagation:
                return self._cloud.clock.after(self._propagation[ancestor])
        return self._cloud.clock.after(self._cloud.timings.role_propagation)

    def lock(self, lock_id: str) -> Lock | None:
        return self._locks.get(normalised(lock_id))

    def locks(self) -> list[Lock]:
        return list(self._locks.values())

    def add_lock(self, lock: Lock) -> None:
        self._locks[normalised(lock.id)] = lock

    def remove_lock(self, lock_id: str) -> None:
        self._locks.pop(normalised(lock_id), None)

    def require_unlocked(self, path: ArmPath, method: str) -> None:
        """Raises ArmError 409 ScopeLocked: ReadOnly stops every change here and below, CanNotDelete deletes only."""
        if method in ("GET", "HEAD") or path.resource_type.lower() == "microsoft.authorization/locks":
            return
        resource_id = path.resource_id(method)
        locked = [lock for lock in self._locks.values() if is_within(resource_id, lock.scope)]
        _refuse_locked(resource_id, locked, deletes=method == "DELETE")

    def require_unlocked_below(self, scope: str) -> None:
        """As `require_unlocked` for deleting a scope: a lock on anything in it counts too."""
        _refuse_locked(scope, [lock for lock in self._locks.values() if is_within(lock.scope, scope)], deletes=True)


def _refuse_locked(scope: str, locked: list[Lock], *, deletes: bool) -> None:
    stopping = [lock for lock in locked if deletes or lock.level == "ReadOnly"]
    if stopping:
        message = (
            f"The scope '{scope}' cannot perform {'delete' if deletes else 'write'} operation because following "
            f"scope(s) are locked: '{','.join(lock.scope for lock in stopping)}'. Please remove the lock and try again."
        )
        raise ArmError(409, "ScopeLocked", message)


def _gives(role: RoleDefinition, action: str, *, data: bool) -> bool:
    given, taken = (role.data_actions, role.not_data_actions) if data else (role.actions, role.not_actions)
    return any(matches(pattern, action) for pattern in given) and not any(matches(pattern, action) for pattern in taken)
