"""The directory's entries, and the fixed ones every simulated Azure starts with."""

from dataclasses import dataclass
from datetime import UTC, datetime

from simulator.arm.route import Principal

_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
TENANT_ID = "10000000-0000-0000-0000-000000000001"


@dataclass(frozen=True, slots=True)
class Entry:
    """`kind` is ManagedIdentity, Application or User. `secret` is what signs the principal in: the value of
    X-IDENTITY-HEADER and the client secret alike; None for identities that never call (a vault's, a cluster's).
    Look-ups find it from `visible_at` on, when it has spread through the directory."""

    principal: Principal
    display_name: str
    kind: str
    secret: str | None = None
    visible_at: datetime = _ALWAYS

    @property
    def principal_type(self) -> str:
        """As role assignments spell it."""
        return "User" if self.kind == "User" else "ServicePrincipal"


APP = Entry(
    Principal("a0000000-0000-0000-0000-000000000001", "a0000000-0000-0000-0000-000000000002", TENANT_ID),
    "aks-backup-guard",
    "ManagedIdentity",
    "simulator-app",
)
OPERATOR = Entry(
    Principal("b0000000-0000-0000-0000-000000000001", "b0000000-0000-0000-0000-000000000002", TENANT_ID),
    "operator",
    "Application",
    "simulator-operator",
)
