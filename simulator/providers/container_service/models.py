"""What AKS remembers: clusters and the trusted access bindings in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulator.arm.route import Principal
from simulator.providers.container_service.contents import Contents

# Where nothing is under way: a write is accepted only here (a Failed cluster may be written again).
_TERMINAL = frozenset({"Succeeded", "Failed", "Canceled"})


@dataclass(slots=True)
class Binding:
    """A trusted access role binding. `effective_from` is None until its write has succeeded."""

    id: str
    name: str
    source_resource_id: str
    roles: tuple[str, ...]
    provisioning_state: str = "Updating"
    effective_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class ExtensionTrouble:
    """Asked for by whoever ordered the cluster: its next `times` extension writes fail for this reason."""

    reason: str
    times: int


@dataclass(slots=True, eq=False)
class Cluster:
    """A managed cluster. `properties` is what was asked for with AKS's own additions, without the states;
    `identity` is the ARM identity block, empty for a service principal cluster; `principal_id` is the control
    plane's object id, None for a service principal cluster."""

    id: str
    name: str
    subscription_id: str
    resource_group: str
    location: str
    tags: dict[str, str]
    identity: dict[str, Any]
    principal_id: str | None
    kubelet: Principal | None
    properties: dict[str, Any]
    sku: dict[str, Any]
    resource_uid: str
    etag: str
    created_at: datetime
    power: str = "Running"
    provisioning_state: str = "Creating"
    contents: Contents = field(default_factory=Contents)
    owned_principals: tuple[str, ...] = ()
    extension_trouble: ExtensionTrouble | None = None
    bindings: dict[str, Binding] = field(default_factory=dict)

    @property
    def settled(self) -> bool:
        """No operation is under way."""
        return self.provisioning_state in _TERMINAL

    @property
    def node_resource_group(self) -> str:
        return str(self.properties["nodeResourceGroup"])

    @property
    def service_principal(self) -> bool:
        return self.principal_id is None

    @property
    def disk_csi(self) -> bool:
        return _enabled(self.properties, "diskCSIDriver")

    @property
    def snapshot_controller(self) -> bool:
        return _enabled(self.properties, "snapshotController")

    @property
    def has_x86_linux_pool(self) -> bool:
        return any(
            pool.get("osType", "Linux") == "Linux" and not is_arm64(str(pool.get("vmSize", "")))
            for pool in self.properties["agentPoolProfiles"]
        )

    @property
    def network_isolated(self) -> bool:
        outbound = (self.properties.get("networkProfile") or {}).get("outboundType")
        artifacts = (self.properties.get("bootstrapProfile") or {}).get("artifactSource")
        return outbound in ("none", "block") or artifacts == "Cache"

    @property
    def container_insights_workspace(self) -> str | None:
        """The ARM id of the Log Analytics workspace that Container insights (the addon `omsagent`) sends to."""
        match self.properties.get("addonProfiles"):
            case {"omsagent": {"enabled": True, "config": dict(config)}}:
                named = {str(key).lower(): value for key, value in config.items()}
                workspace = named.get("loganalyticsworkspaceresourceid")
                return workspace if isinstance(workspace, str) and workspace else None
        return None

    @property
    def pod_identity(self) -> bool:
        return bool((self.properties.get("podIdentityProfile") or {}).get("enabled"))


def _enabled(properties: Mapping[str, Any], driver: str) -> bool:
    """An absent or null storage driver setting means that it is on."""
    setting = ((properties.get("storageProfile") or {}).get(driver) or {}).get("enabled")
    return setting is not False


def is_arm64(vm_size: str) -> bool:
    """Whether a VM size has an Arm64 processor (Standard_D4ps_v5: the p behind the number of cores)."""
    family = vm_size.removeprefix("Standard_").partition("_")[0].lower()
    letters_behind_cores = family.lstrip("abcdefghijklmnopqrstuvwxyz").lstrip("0123456789")
    return "p" in letters_behind_cores
