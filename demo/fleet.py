"""The clusters of the story: a dozen of different kinds in three regions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.cloud import FIRST_SUBSCRIPTION

PROFILE_TAG = "aks-backup-guard-profile"
EXEMPT_TAG = "aks-backup-guard-exempt"


@dataclass(frozen=True, slots=True)
class Member:
    """One cluster. `left_alone` is the reason the Guard must give for not protecting it; empty: it must protect it."""

    name: str
    location: str
    kind: str
    left_alone: str = ""
    group: str = ""
    overrides: Mapping[str, Any] = field(default_factory=dict)

    @property
    def resource_group(self) -> str:
        return self.group or f"rg-{self.location}"

    def arm_id(self, subscription: str) -> str:
        """As Azure compares it, lower-case."""
        group = f"/subscriptions/{subscription}/resourcegroups/{self.resource_group}"
        return f"{group}/providers/microsoft.containerservice/managedclusters/{self.name}".lower()


def _tagged(name: str, value: str) -> Mapping[str, Any]:
    return {"tags": {name: value}}


BY_HAND = Member("crm", "japaneast", "protected by hand before the Guard came")
STOPPED = Member("nightly", "westeurope", "stopped, started later", overrides={"power": "Stopped"})
SLOW_ROLES = Member("orders", "eastus", "its roles need ten minutes to act")
GAPPY = Member("shop", "westeurope", "ordinary")
WORKSPACE = (
    f"/subscriptions/{FIRST_SUBSCRIPTION}/resourceGroups/aks-backup-guard"
    "/providers/Microsoft.OperationalInsights/workspaces/platform-logs"
)
OUTGROWN = Member("games", "japaneast", "with Container insights", overrides={"container_insights": WORKSPACE})

FLEET = (
    GAPPY,
    Member("payments", "westeurope", "a storage account of its own", overrides=_tagged(PROFILE_TAG, "isolated")),
    STOPPED,
    Member(
        "legacy",
        "westeurope",
        "service principal",
        "ServicePrincipalCluster",
        overrides={"identity": "ServicePrincipal"},
    ),
    Member("web", "eastus", "user-assigned identity", overrides={"identity": "UserAssigned"}),
    SLOW_ROLES,
    Member("archive", "eastus", "copies in the vault tier", overrides=_tagged(PROFILE_TAG, "archive")),
    Member(
        "sandbox", "eastus", "exempt by tag", "Exempt", overrides=_tagged(EXEMPT_TAG, "a playground, agreed with Ops")
    ),
    OUTGROWN,
    Member("edge", "japaneast", "Arm64 nodes only", "NoX86LinuxPool", overrides={"arm64_only": True}),
    Member("trial", "japaneast", "its profile is in audit mode", "AuditMode", group="rg-trial-japan"),
    BY_HAND,
)
ELIGIBLE = tuple(member for member in FLEET if not member.left_alone)
LEFT_ALONE = tuple(member for member in FLEET if member.left_alone)
REGIONS = tuple(dict.fromkeys(member.location for member in FLEET))
