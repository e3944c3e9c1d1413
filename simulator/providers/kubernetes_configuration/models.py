"""What the extension service remembers."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulator.arm.route import Principal

BACKUP_TYPE = "microsoft.dataprotection.kubernetes"


@dataclass(frozen=True, slots=True)
class ContainerRestart:
    """How one run of a container ended: `reason` is OOMKilled (it was started again in its pod), or Completed (its pod
    went, for a new one or for good). `restarts` is how often the container was started again in that pod by then."""

    pod: str
    container: str
    started: datetime
    finished: datetime
    reason: str
    restarts: int


@dataclass(frozen=True, slots=True)
class RunningContainer:
    """The container that does the backups as it runs now, since when, and how often it was started again."""

    pod: str
    container: str
    started: datetime
    restarts: int


@dataclass(slots=True, eq=False)
class Extension:
    """An extension of one cluster. `settings` are its configurationSettings; `aks_identity` is what its pods act as
    (None until the first install has succeeded); `last_succeeded_at` is when its pods last came up."""

    id: str
    cluster_id: str
    name: str
    extension_type: str
    auto_upgrade_minor_version: bool
    release_train: str
    version: str | None
    scope: dict[str, Any]
    settings: dict[str, str]
    protected_settings: dict[str, str]
    identity: Principal | None
    created_at: datetime
    modified_at: datetime
    version_known_at: datetime
    auto_upgrade_mode: str = "compatible"
    provisioning_state: str = "Creating"
    aks_identity: Principal | None = None
    last_succeeded_at: datetime | None = None
    error: dict[str, Any] | None = None
    statuses: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_backup(self) -> bool:
        return self.extension_type.lower() == BACKUP_TYPE

    @property
    def settled(self) -> bool:
        """No operation is under way."""
        return self.provisioning_state in ("Succeeded", "Failed", "Canceled")

    @property
    def aks_identity_principal_id(self) -> str | None:
        """The object id that needs a role on the storage account."""
        return self.aks_identity.object_id if self.aks_identity else None
