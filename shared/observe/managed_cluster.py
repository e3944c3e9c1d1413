"""Microsoft.ContainerService/managedClusters: the cluster and what Azure Backup asks of it (Managed Clusters REST)."""

import re
from collections.abc import Iterator

from shared.arm import api_versions
from shared.arm.client import ArmClient
from shared.domain.ids import ClusterId
from shared.domain.observed import Cluster, NodePool
from shared.observe.fields import (
    JsonObject,
    UnreadableBodyError,
    at,
    flag,
    moment,
    needed_text,
    objects,
    string_map,
    text,
)

_SIZE = re.compile(r"^[a-z]+_[a-z]+\d+(?:-\d+)?([a-z]*)", re.IGNORECASE)


async def read_cluster(arm: ArmClient, cluster: ClusterId) -> Cluster | None:
    body = await arm.get(cluster.arm_id, api_versions.MANAGED_CLUSTERS)
    return None if body is None else parse_cluster(body)


async def list_cluster_ids(arm: ArmClient, subscription_id: str) -> list[ClusterId]:
    """Every cluster of the subscription. Raises GuardError, UnreadableBodyError."""
    path = f"/subscriptions/{subscription_id}/providers/Microsoft.ContainerService/managedClusters"
    found = await arm.list(path, api_versions.MANAGED_CLUSTERS)
    if found is None:
        raise UnreadableBodyError("Azure does not list the subscription's clusters")
    try:
        return [ClusterId.parse(needed_text(body, "id")) for body in found]
    except ValueError as error:
        raise UnreadableBodyError(str(error)) from error


def parse_cluster(body: JsonObject) -> Cluster:
    """`resource_uid` and `power_state` are empty when Azure does not say them. Raises UnreadableBodyError."""
    return Cluster(
        arm_id=needed_text(body, "id"),
        name=needed_text(body, "name"),
        location=needed_text(body, "location").lower().replace(" ", ""),
        resource_uid=text(body, "properties", "resourceUID"),
        tags=string_map(body, "tags"),
        power_state=text(body, "properties", "powerState", "code"),
        provisioning_state=needed_text(body, "properties", "provisioningState"),
        kubernetes_version=text(body, "properties", "currentKubernetesVersion")
        or text(body, "properties", "kubernetesVersion"),
        identity_principal_id=_principal_id(body),
        service_principal=_service_principal(body),
        disk_csi_driver=flag(body, "properties", "storageProfile", "diskCSIDriver", "enabled", default=True),
        snapshot_controller=flag(body, "properties", "storageProfile", "snapshotController", "enabled", default=True),
        has_x86_linux_pool=any(_is_x86_linux(pool) for pool in objects(body, "properties", "agentPoolProfiles")),
        network_isolated=text(body, "properties", "networkProfile", "outboundType").lower() in ("none", "block")
        or text(body, "properties", "bootstrapProfile", "artifactSource").lower() == "cache",
        pod_identity=flag(body, "properties", "podIdentityProfile", "enabled", default=False),
        created_at=moment(body, "systemData", "createdAt"),
        node_pools=tuple(_node_pools(body)),
    )


def _principal_id(body: JsonObject) -> str | None:
    """The system-assigned identity's, else the first user-assigned one's."""
    own = text(body, "identity", "principalId")
    if own:
        return own
    assigned = at(body, "identity", "userAssignedIdentities")
    names = assigned if isinstance(assigned, dict) else {}
    found = (text(body, "identity", "userAssignedIdentities", name, "principalId") for name in names)
    return next((principal_id for principal_id in found if principal_id), None)


def _service_principal(body: JsonObject) -> bool:
    client_id = text(body, "properties", "servicePrincipalProfile", "clientId").lower()
    identity = text(body, "identity", "type").lower()
    return client_id not in ("", "msi") or identity in ("", "none")


def _node_pools(body: JsonObject) -> Iterator[NodePool]:
    """One for each size of a pool: a pool of virtual machines may mix them."""
    for pool in objects(body, "properties", "agentPoolProfiles"):
        taints = at(pool, "nodeTaints")
        keeps_out = any(str(taint).endswith((":NoSchedule", ":NoExecute")) for taint in taints or ())
        linux = text(pool, "osType").lower() in ("", "linux")
        for size in _sizes(pool):
            if size:
                takes_pods = linux and not keeps_out and not is_arm64(size)
                yield NodePool(text(pool, "name"), size, _count(pool), text(pool, "nodeImageVersion"), takes_pods)


def _count(pool: JsonObject) -> int:
    count = at(pool, "count")
    return count if isinstance(count, int) else 0


def _is_x86_linux(pool: JsonObject) -> bool:
    """A pool whose sizes nobody names counts as x86: only a pool that surely is not is left out."""
    if text(pool, "osType").lower() not in ("", "linux"):
        return False
    sizes = [size for size in _sizes(pool) if size]
    return not sizes or any(not is_arm64(size) for size in sizes)


def _sizes(pool: JsonObject) -> Iterator[str]:
    yield text(pool, "vmSize")
    for manual in objects(pool, "virtualMachinesProfile", "scale", "manual"):
        yield text(manual, "size")


def is_arm64(vm_size: str) -> bool:
    """Azure puts a `p` among the letters after the number of an Arm64 size, as in Standard_D4ps_v5."""
    found = _SIZE.match(vm_size)
    return bool(found and "p" in found[1].lower())
