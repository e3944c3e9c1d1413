"""What is in a cluster: the namespaces, resources, volumes and hooks that a backup meets there."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

VOLUME_KINDS = ("azure-disk", "azure-file-smb", "nfs", "in-tree", "blob", "unbound", "no-storage-class")


@dataclass(frozen=True, slots=True)
class Volume:
    """A persistent volume and its claim. For `unbound` and `no-storage-class` there is the claim only. `snapshots` are
    those that others than Azure Backup took of it; `size_gib` and `attached` (to a node) are those of its disk."""

    name: str
    namespace: str
    claim: str
    kind: str = "azure-disk"
    snapshots: int = 0
    size_gib: int = 8
    attached: bool = True


@dataclass(frozen=True, slots=True)
class Hook:
    """A backup hook; `fails`: its command does not succeed."""

    name: str
    namespace: str
    fails: bool = False


@dataclass(frozen=True, slots=True)
class Contents:
    """`resource_count` is the number of Kubernetes resources in all; `slow_csi_snapshots` is how many of the backups to
    come meet a CSI driver that is too slow."""

    namespaces: tuple[str, ...] = ("default", "orders", "payments", "shop", "web")
    resource_count: int = 200
    volumes: tuple[Volume, ...] = (Volume("pvc-shop-data", "shop", "data"),)
    hooks: tuple[Hook, ...] = ()
    snapshots_disallowed_by_policy: bool = False
    slow_csi_snapshots: int = 0


def named(count: int) -> Contents:
    """That many namespaces, empty but for what a small cluster has."""
    return Contents(tuple(f"namespace-{number}" for number in range(1, count + 1)), volumes=())


def contents_json(contents: Contents, backup_snapshots: Mapping[str, int]) -> dict[str, Any]:
    """As the control endpoint answers it, with the snapshots that Azure Backup holds of each volume."""
    volumes = [
        asdict(volume) | {"backup_snapshots": backup_snapshots.get(volume.name, 0)} for volume in contents.volumes
    ]
    hooks = [asdict(hook) for hook in contents.hooks]
    return asdict(contents) | {"namespaces": list(contents.namespaces), "volumes": volumes, "hooks": hooks}
