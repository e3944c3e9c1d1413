"""Role definitions, role assignments and locks."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """Patterns are Azure's own: `*` stands for anything, compared without regard to case."""

    guid: str
    name: str
    description: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()
    assignable_scopes: tuple[str, ...] = ("/",)
    kind: str = "BuiltInRole"


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """`scope` is without trailing slash ("" is the tenant's root). It acts from `effective_at` on; until then it is
    listed but gives no right."""

    id: str
    name: str
    scope: str
    role_definition_id: str
    principal_id: str
    principal_type: str
    created_on: datetime
    created_by: str | None
    effective_at: datetime
    condition: str | None = None
    condition_version: str | None = None
    description: str | None = None

    @property
    def role_guid(self) -> str:
        return self.role_definition_id.rpartition("/")[2].lower()


@dataclass(frozen=True, slots=True)
class Lock:
    """`level` is CanNotDelete or ReadOnly."""

    id: str
    name: str
    scope: str
    level: str
    notes: str | None = None
