"""The managed disks of clusters' volumes: what the Azure Disk CSI driver makes for a claim, in the node resource group.

They follow from what is in the clusters; nobody makes, changes or deletes one here. Names of tags are the driver's
(Azure Disk CSI driver, tags of a dynamically provisioned disk), the shape is that of REST operation Disks - Get."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.cloud import Cloud
    from simulator.providers.container_service.contents import Volume
    from simulator.providers.container_service.models import Cluster

DISK_TYPE = "Microsoft.Compute/disks"
_SKU = {"name": "StandardSSD_LRS", "tier": "Standard"}  # documented: of the default storage class


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk of one volume."""

    cluster: "Cluster"
    volume: "Volume"

    @property
    def id(self) -> str:
        group = f"/subscriptions/{self.cluster.subscription_id}/resourceGroups/{self.cluster.node_resource_group}"
        return f"{group}/providers/{DISK_TYPE}/{self.volume.name}"

    @property
    def attached(self) -> bool:
        """Assumed: a stopped cluster has no machine that a disk could be attached to."""
        return self.volume.attached and self.cluster.power == "Running"


def disks(cloud: "Cloud") -> Iterator[Disk]:
    """Every disk of every cluster."""
    for cluster in cloud.container_service.clusters():
        if cluster.provisioning_state != "Creating":
            for volume in cluster.contents.volumes:
                if volume.kind == "azure-disk":
                    yield Disk(cluster, volume)


def disk_json(disk: Disk) -> dict[str, Any]:
    """A disk as ARM answers it."""
    cluster, volume = disk.cluster, disk.volume
    body: dict[str, Any] = {
        "name": volume.name,
        "id": disk.id,
        "type": DISK_TYPE,
        "location": cluster.location,
        "tags": {
            "k8s-azure-created-by": "kubernetes-azure-dd",
            "kubernetes.io-created-for-pv-name": volume.name,
            "kubernetes.io-created-for-pvc-name": volume.claim,
            "kubernetes.io-created-for-pvc-namespace": volume.namespace,
        },
        "sku": dict(_SKU),
        "properties": {
            "creationData": {"createOption": "Empty"},
            "diskSizeGB": volume.size_gib,
            "diskSizeBytes": volume.size_gib * 1024**3,
            "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
            "networkAccessPolicy": "AllowAll",
            "publicNetworkAccess": "Enabled",
            "timeCreated": cluster.created_at.isoformat(),
            "provisioningState": "Succeeded",
            "diskState": "Attached" if disk.attached else "Unattached",
            "uniqueId": hashlib.md5(disk.id.lower().encode(), usedforsecurity=False).hexdigest(),
        },
    }
    if disk.attached:
        body["managedBy"] = _machine(cluster)
    return body


def _machine(cluster: "Cluster") -> str:
    """The first machine of the first pool (assumed: a scale set named as AKS names them)."""
    pool = str(cluster.properties["agentPoolProfiles"][0]["name"])
    digits = int(hashlib.sha256(cluster.id.lower().encode()).hexdigest()[:12], 16) % 10**8
    scale_set = f"aks-{pool}-{digits:08}-vmss"
    group = f"/subscriptions/{cluster.subscription_id}/resourceGroups/{cluster.node_resource_group}"
    return f"{group}/providers/Microsoft.Compute/virtualMachineScaleSets/{scale_set}/virtualMachines/{scale_set}_0"
