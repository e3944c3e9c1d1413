"""Configuring protection: the part of a backup instance's life that goes on after the PUT was answered."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simulator.arm.operations import OperationFailed
from simulator.providers.data_protection.facts import gather
from simulator.providers.data_protection.models import BackupInstance, UserError, Vault
from simulator.providers.data_protection.protection import missing_for_protection
from simulator.providers.data_protection.responses import error_object
from simulator.providers.data_protection.vaults import Vaults

if TYPE_CHECKING:
    from simulator.cloud import Cloud

# assumed: what the service does about a cluster that was deleted and made again under the same ARM id is not known
RECREATED = UserError(
    "UserErrorKubernetesClusterRecreated",
    "The cluster was created again after protection was configured.",
    ("Configure protection again.",),
)


class Configuration:
    """Evaluates what protection needs, now and again, and sets the states of instances. `on_protected` is told of an
    instance that has become protected."""

    def __init__(self, cloud: "Cloud", vaults: Vaults) -> None:
        self._cloud, self._vaults = cloud, vaults
        self.on_protected: Callable[[BackupInstance], None] = lambda _: None

    def missing(self, vault: Vault, properties: dict[str, Any]) -> UserError | None:
        """What an instance with these properties lacks at this moment."""
        return missing_for_protection(gather(self._cloud, vault, properties))

    def job_error(self, vault: Vault, instance: BackupInstance) -> UserError | None:
        """Why a backup of the instance would fail at this moment."""
        self.refresh(instance)
        return instance.error or self.missing(vault, instance.properties)

    def refresh(self, instance: BackupInstance) -> BackupInstance:
        """Notice that the cluster is not the one that protection was configured for. Its recovery points stay.

        A cluster that is only gone changes nothing: jobs fail until it is back (assumed)."""
        cluster = self._cloud.container_service.cluster(instance.datasource_id)
        if (
            instance.state == "ProtectionConfigured"
            and cluster is not None
            and instance.cluster_uid not in (None, cluster.resource_uid)
        ):
            instance.state, instance.error = "ProtectionError", RECREATED
        return instance

    def begin(self, instance: BackupInstance) -> None:
        """Give a change that was asked for its activity id."""
        instance.activity_id = str(self._cloud.new_uuid())

    def exists(self, instance: BackupInstance) -> bool:
        """Whether the instance is still there when what was scheduled for it falls due (its group may be gone). No
        second change can have been asked for meanwhile: it would have been refused."""
        vault = self._vaults.by_id(instance.vault_id)
        return vault is not None and vault.instances.get(instance.name.lower()) is instance

    def configure(self, instance: BackupInstance) -> None:
        """Start to protect: about a minute later the instance is ProtectionConfigured, or ProtectionError for what is
        missing at that moment (recorded: the time; documented: that the PUT itself succeeds)."""
        self.begin(instance)
        instance.state, instance.error = "ConfiguringProtection", None

        def settle() -> None:
            if self.exists(instance):
                self.settle(instance)

        self._cloud.clock.call_later(self._cloud.timings.configure_protection, settle)

    def settle(self, instance: BackupInstance) -> None:
        """Evaluate now and set the state."""
        vault = self._vaults.by_id(instance.vault_id)
        if vault is None:
            return
        error = self.missing(vault, instance.properties)
        instance.state = "ProtectionConfigured" if error is None else "ProtectionError"
        instance.error = error
        if error is None:
            cluster = self._cloud.container_service.cluster(instance.datasource_id)
            instance.cluster_uid = None if cluster is None else cluster.resource_uid
            self.on_protected(instance)
        self._cloud.resource_graph.told(instance.id)

    def failed(self, error: UserError) -> OperationFailed:
        """The failure of an operation, in this provider's words."""
        return OperationFailed(error_object(error, str(self._cloud.new_uuid())))
