"""Extensions and what becomes of them: installed, changed, removed, each as an operation that can fail."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from simulator.arm.errors import ArmError, resource_not_found
from simulator.arm.operations import Operation, OperationFailed
from simulator.providers.kubernetes_configuration.failures import error_of, reason_of
from simulator.providers.kubernetes_configuration.models import Extension
from simulator.providers.kubernetes_configuration.pods import Pods
from simulator.providers.kubernetes_configuration.requests import Asked

if TYPE_CHECKING:
    from simulator.cloud import Cloud
    from simulator.providers.container_service.models import Cluster

_VERSION_KNOWN = 30  # seconds, assumed: recorded while still Creating
_GONE = {"code": "ExtensionNotFound", "message": "The extension was deleted while the operation ran."}


class Extensions:
    """Every extension, by lower-cased ARM id."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._extensions: dict[str, Extension] = {}
        self._of_cluster: dict[str, list[Extension]] = {}
        self.pods = Pods()

    def get(self, resource_id: str) -> Extension | None:
        return self._extensions.get(resource_id.lower())

    def all(self) -> list[Extension]:
        return list(self._extensions.values())

    def of(self, cluster_id: str) -> list[Extension]:
        return list(self._of_cluster.get(cluster_id.lower(), ()))

    def cluster(self, cluster_id: str) -> "Cluster":
        """The cluster an extension belongs to. Raises ArmError 404 in ARM's words."""
        cluster = self._cloud.container_service.cluster(cluster_id)
        if cluster is None:
            group, name = cluster_id.split("/")[4], cluster_id.rpartition("/")[2]
            raise resource_not_found(f"Microsoft.ContainerService/managedClusters/{name}", group)
        return cluster

    def install(self, resource_id: str, cluster: "Cluster", wanted: Asked, *, seconds: float) -> Extension:
        """A new extension in state Creating. Raises ArmError 409 when the cluster is busy or has one of its type."""
        self._must_be_free(cluster)
        for other in self.of(cluster.id):
            if other.extension_type.lower() == wanted.extension_type.lower():
                raise ArmError(  # assumed: the code
                    409,
                    "Conflict",
                    f"An extension of type {wanted.extension_type} is already installed in the cluster as "
                    f"{other.name}.",
                )
        name = resource_id.rpartition("/")[2]
        now = self._cloud.clock.now()
        extension = Extension(
            id=resource_id,
            cluster_id=cluster.id,
            name=name,
            extension_type=wanted.extension_type,
            auto_upgrade_minor_version=wanted.auto_upgrade_minor_version,
            auto_upgrade_mode=wanted.auto_upgrade_mode,
            release_train=wanted.release_train,
            version=wanted.version,
            scope=wanted.scope,
            settings=wanted.settings,
            protected_settings=wanted.protected_settings,
            identity=self._cloud.identity.new_principal(name) if wanted.wants_identity else None,
            created_at=now,
            modified_at=now,
            version_known_at=self._cloud.clock.after(min(_VERSION_KNOWN, seconds)),
        )
        self._extensions[resource_id.lower()] = extension
        self._of_cluster.setdefault(cluster.id.lower(), []).append(extension)
        return extension

    def seed(self, resource_id: str, cluster: "Cluster", wanted: Asked) -> Extension:
        """An extension that has been there for long. Raises ArmError as `install` does."""
        extension = self.install(resource_id, cluster, wanted, seconds=0)
        extension.aks_identity = self._cloud.identity.new_principal(f"ext-{extension.name}-{cluster.name}")
        extension.provisioning_state, extension.last_succeeded_at = "Succeeded", self._cloud.clock.now()
        self.pods.replace(cluster.id, self._cloud.clock.now())
        return extension

    def change(self, extension: Extension, cluster: "Cluster") -> None:
        """The extension goes to Updating. Raises ArmError 409 when it or its cluster is busy."""
        self._must_be_free(cluster)
        self._must_be_settled(extension)
        extension.provisioning_state = "Updating"
        extension.modified_at = self._cloud.clock.now()

    def remove(self, extension: Extension, cluster: "Cluster") -> None:
        """The extension goes to Deleting. Raises ArmError 409 when it or its cluster is busy."""
        self._must_be_free(cluster)
        self._must_be_settled(extension)
        extension.provisioning_state = "Deleting"

    def forget(self, extension: Extension) -> None:
        """The extension is gone, its identities with it."""
        if self._extensions.pop(extension.id.lower(), None) is None:
            return
        self._of_cluster[extension.cluster_id.lower()].remove(extension)
        if extension.is_backup:
            self.pods.remove(extension.cluster_id, self._cloud.clock.now())
        for principal in (extension.identity, extension.aks_identity):
            if principal is not None:
                self._cloud.identity.remove_principal(principal.object_id)

    def run(self, extension: Extension, cluster: "Cluster", seconds: float, doing: str) -> Operation:
        """Let time bring the extension up (`doing` Create or Update) or take it away (Delete)."""
        finish: Callable[[], None] = lambda: self._finish(extension, cluster, doing)  # noqa: E731
        return self._cloud.operations.start(extension.id, cluster.location, seconds, finish)

    def _finish(self, extension: Extension, cluster: "Cluster", doing: str) -> None:
        if self.get(extension.id) is not extension:
            raise OperationFailed(_GONE)
        stopped = cluster.power == "Stopped" or cluster.provisioning_state == "Stopping"
        if doing == "Delete":
            if stopped:  # assumed: nobody takes the release away; a forced delete does not ask
                self._fail(extension, cluster, "Stopped", doing)
            self.forget(extension)
            return
        reason = reason_of(
            extension,
            stopped=stopped,
            service_principal=cluster.service_principal,
            has_x86_linux_pool=cluster.has_x86_linux_pool,
            largest_node_mi=self._cloud.container_service.largest_node_mi(cluster),
            network_isolated=cluster.network_isolated,
            asked_for=self._trouble(cluster),
        )
        if reason is not None:
            self._fail(extension, cluster, reason, doing)
        if extension.aks_identity is None:
            extension.aks_identity = self._cloud.identity.new_principal(f"ext-{extension.name}-{cluster.name}")
        extension.provisioning_state = "Succeeded"
        extension.error, extension.statuses = None, []
        extension.last_succeeded_at = self._cloud.clock.now()
        if extension.is_backup:  # assumed: with the same settings, too
            self.pods.replace(extension.cluster_id, self._cloud.clock.now())

    def _trouble(self, cluster: "Cluster") -> str | None:
        """The failure that was asked for when the cluster was made, as often as it was asked for."""
        trouble = cluster.extension_trouble
        if trouble is None or trouble.times <= 0:
            return None
        cluster.extension_trouble = replace(trouble, times=trouble.times - 1)
        return trouble.reason

    def _fail(self, extension: Extension, cluster: "Cluster", reason: str, doing: str) -> None:
        """Raises OperationFailed, the extension being Failed from now on."""
        error = error_of(reason, extension, cluster.location, doing)
        extension.provisioning_state = "Failed"
        extension.error = error
        extension.statuses = [
            {
                "code": error["code"],
                "displayStatus": "Failed",
                "level": "Error",
                "message": error["message"],
                "time": self._cloud.clock.now().isoformat(),
            }
        ]
        raise OperationFailed(error)

    def _must_be_free(self, cluster: "Cluster") -> None:
        """assumed: AKS refuses for the extension service what it refuses for itself."""
        if not cluster.settled:
            raise ArmError(
                409,
                "OperationNotAllowed",
                f"Operation is not allowed: Another operation ({cluster.provisioning_state}) is in progress, please "
                "wait for it to finish before starting a new operation. See https://aka.ms/aks-pending-operation for "
                "more details",
            )

    def _must_be_settled(self, extension: Extension) -> None:
        """Code and text as users report them."""
        if not extension.settled:
            raise ArmError(
                409,
                "Conflict",
                "There is a conflicting operation in progress for this extension. Please retry the operation. "
                f"ProvisioningState of extension: {extension.provisioning_state}",
            )
