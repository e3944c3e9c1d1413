"""Conditions: what is true of a cluster, in words an operator can search for. There is no phase."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from shared.domain.alerts import Severity
from shared.domain.ids import ClusterId, Subject
from shared.domain.jobs import event_key

Status = Literal["True", "False", "Unknown"]

EXTENSION_READY = "ExtensionReady"
TRUSTED_ACCESS_GRANTED = "TrustedAccessGranted"
ROLES_ASSIGNED = "RolesAssigned"
PROTECTION_CONFIGURED = "ProtectionConfigured"
BACKUP_HEALTHY = "BackupHealthy"
EXTENSION_MEMORY_SUFFICIENT = "ExtensionMemorySufficient"
PREREQUISITES_MET = "PrerequisitesMet"
REGION_READY = "RegionReady"
COMPLIANT = "Compliant"
"""What a sweep said, and since when it says so; it does not count for Ready. A record has it only where it leads to an
alert, or ended one."""
READY = "Ready"


@dataclass(frozen=True, slots=True)
class Condition:
    """One statement about a cluster or region. `reason` is one CamelCase word, `message` says it to a person,
    `recommended_action` what a person should do (empty when nothing)."""

    type: str
    status: Status
    reason: str
    message: str
    last_transition: datetime
    recommended_action: str = ""
    severity: Severity | None = None
    """Of `Compliant` alone: how grave the worst verdict is."""

    @property
    def digest(self) -> str:
        """The same for the same statement, whenever it was made."""
        words = self.type, self.status, self.reason, self.message, self.recommended_action, self.severity or ""
        return event_key(*words)[:16]


Conditions = Mapping[str, Condition]


def summary_of(subject: Subject) -> str:
    """The condition that sums up the others; a region has no other than its own."""
    return READY if isinstance(subject, ClusterId) else REGION_READY


def carried_over(new: Condition, old: Condition | None) -> Condition:
    """`new`, keeping the old moment of transition when the status did not change."""
    return replace(new, last_transition=old.last_transition) if old and old.status == new.status else new
