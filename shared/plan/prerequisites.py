"""What must be true of a cluster before Azure Backup can protect it (AKS backup support matrix, 2026-01)."""

import re

from shared.domain.conditions import PREREQUISITES_MET
from shared.domain.observed import Cluster
from shared.plan.parts import Part, Said

_CHANGING = frozenset({"creating", "updating", "upgrading", "scaling", "starting", "stopping", "deleting", "migrating"})
_OLDEST_WITH_CSI = (1, 21)

PASSES_BY_ITSELF = 30.0
"""Seconds between looks at a cluster that Azure is still working on."""
A_PERSON_MUST_ACT = 1800.0
"""Seconds between looks at what only a person can change; a write on the cluster is an event and comes sooner."""


def check_prerequisites(cluster: Cluster) -> Part:
    """Complete when nothing stands in the way. Obstacles are said in one message; the gravest gives the reason."""
    if cluster.provisioning_state.lower() in _CHANGING:
        message = f"Azure is still working on the cluster (provisioning state {cluster.provisioning_state})."
        return _in_the_way(Said(PREREQUISITES_MET, "False", "ClusterNotSettled", message), PASSES_BY_ITSELF)
    obstacles = list(_obstacles(cluster))
    if obstacles:
        reason, _, action = obstacles[0]
        messages = " ".join(message for _, message, _ in obstacles)
        return _in_the_way(Said(PREREQUISITES_MET, "False", reason, messages, action), A_PERSON_MUST_ACT)
    return Part((Said(PREREQUISITES_MET, "True", "PrerequisitesMet", "Azure Backup supports this cluster as it is."),))


def _in_the_way(said: Said, requeue_after: float) -> Part:
    return Part((said,), (), (said.reason,), requeue_after)


def _obstacles(cluster: Cluster) -> list[tuple[str, str, str]]:
    """Reason, message and recommended action of everything that is in the way, the gravest first."""
    found: list[tuple[str, str, str]] = []
    if cluster.service_principal:
        found.append(
            (
                "ServicePrincipalCluster",
                "The cluster runs as a service principal, which the backup extension does not support.",
                "Move the cluster to a managed identity: az aks update --enable-managed-identity.",
            )
        )
    elif cluster.identity_principal_id is None:
        found.append(
            (
                "NoClusterIdentity",
                "The cluster's managed identity has no principal id that roles could be given to.",
                "Check the cluster's identity: az aks show --query identity.",
            )
        )
    if cluster.power_state.lower() == "stopped":
        found.append(
            (
                "ClusterStopped",
                "The cluster is stopped: the extension cannot be installed and backups would fail.",
                "Start the cluster; the Guard goes on by itself.",
            )
        )
    if cluster.provisioning_state.lower() in ("failed", "canceled"):
        found.append(
            (
                "ClusterFailed",
                f"The cluster's provisioning state is {cluster.provisioning_state}; Azure refuses changes to it.",
                "Bring the cluster to Succeeded: az aks update reconciles it.",
            )
        )
    if cluster.network_isolated:
        found.append(
            (
                "NetworkIsolated",
                "The cluster is network isolated; the backup extension cannot reach Azure from it.",
                "Give the cluster an outbound type other than none, or exempt it.",
            )
        )
    if not cluster.has_x86_linux_pool:
        found.append(
            (
                "NoX86LinuxPool",
                "The cluster has no x86 Linux node pool; the extension's pods run on no other.",
                "Add an x86 Linux node pool.",
            )
        )
    if not cluster.disk_csi_driver:
        found.append(
            (
                "DiskCsiDriverDisabled",
                "The Azure Disk CSI driver is off; volumes cannot be snapshotted.",
                "Turn it on: az aks update --enable-disk-driver.",
            )
        )
    if not cluster.snapshot_controller:
        found.append(
            (
                "SnapshotControllerDisabled",
                "The CSI snapshot controller is off; volumes cannot be snapshotted.",
                "Turn it on: az aks update --enable-snapshot-controller.",
            )
        )
    if (version := _version(cluster.kubernetes_version)) is not None and version < _OLDEST_WITH_CSI:
        found.append(
            (
                "KubernetesTooOld",
                f"Kubernetes {cluster.kubernetes_version} has no CSI drivers; backup needs 1.21.1 or later.",
                "Upgrade the cluster.",
            )
        )
    if cluster.pod_identity:
        found.append(
            (
                "PodIdentity",
                "AAD pod identity is on and would intercept the extension's identity.",
                "Add an AzurePodIdentityException for the namespace dataprotection-microsoft, then turn pod identity "
                "off or exempt the cluster.",
            )
        )
    return found


def _version(text: str) -> tuple[int, int] | None:
    match = re.match(r"(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else None
