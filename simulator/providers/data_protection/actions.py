"""What can be asked of a protected instance: suspend, stop, resume, sync; and undelete of a deleted one."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from simulator.arm.route import Call
from simulator.http import Response
from simulator.providers.data_protection.configuration import Configuration
from simulator.providers.data_protection.instance_body import deleted_body
from simulator.providers.data_protection.instances import BUSY, Instances
from simulator.providers.data_protection.models import BackupInstance, Vault
from simulator.providers.data_protection.recovery_points import purge_deleted
from simulator.providers.data_protection.responses import accepted, not_found, page
from simulator.providers.data_protection.vaults import Vaults

if TYPE_CHECKING:
    from simulator.cloud import Cloud


class Actions:
    """Each handler changes the state of one instance after a while."""

    def __init__(self, cloud: "Cloud", vaults: Vaults, instances: Instances, configuration: Configuration) -> None:
        self._cloud, self._vaults = cloud, vaults
        self._instances, self._configuration = instances, configuration

    def suspend_backups(self, call: Call) -> Response:
        """No more scheduled backups; what exists expires by the policy. Recorded: the state reads BackupsSuspended."""
        return self._halt(call, "BackupsSuspended")

    def stop_protection(self, call: Call) -> Response:
        """No more backups; what exists is kept for ever."""
        return self._halt(call, "ProtectionStopped")

    def _halt(self, call: Call, state: str) -> Response:
        instance = self._instances.of(call)
        if instance.state == state:
            return Response(200)  # assumed, as resumeProtection answers when there is nothing to do
        if instance.state in BUSY:
            raise self._instances.wrong_state(call, instance)

        def halted() -> None:
            instance.state, instance.error = state, None

        return self._run(call, instance, self._cloud.timings.stop_protection, halted)

    def resume_protection(self, call: Call) -> Response:
        """Undoes stopProtection, and suspendBackups too (recorded). 200 at once when there is nothing to do."""
        return self._resume(call, ("ProtectionStopped", "BackupsSuspended", "ProtectionError"))

    def resume_backups(self, call: Call) -> Response:
        """Undoes suspendBackups."""
        return self._resume(call, ("BackupsSuspended", "ProtectionError"))

    def _resume(self, call: Call, states: tuple[str, ...]) -> Response:
        instance = self._instances.of(call)
        if instance.state == "ProtectionConfigured":
            return Response(200)
        if instance.state not in states:
            raise self._instances.wrong_state(call, instance)

        def resumed() -> None:
            self._configuration.settle(instance)
            if instance.error is not None:
                raise self._configuration.failed(instance.error)

        return self._run(call, instance, self._cloud.timings.resume_protection, resumed)

    def sync(self, call: Call) -> Response:
        """Look again at an instance whose protection failed; nothing changes for one that is protected (assumed)."""
        instance = self._instances.of(call)
        if instance.state in BUSY:
            raise self._instances.wrong_state(call, instance)
        before = instance.state

        def synced() -> None:
            if before == "ProtectionError":
                self._configuration.settle(instance)
            else:
                instance.state = before

        return self._run(call, instance, self._cloud.timings.sync_protection, synced)

    def _run(self, call: Call, instance: BackupInstance, seconds: float, finish: Callable[[], None]) -> Response:
        """Assumed: the instance says UpdatingProtection until the operation ends."""
        self._configuration.begin(instance)
        instance.state, instance.error = "UpdatingProtection", None

        def finished() -> None:
            if self._configuration.exists(instance):
                finish()

        vault = self._vaults.of(call)
        operation = self._cloud.operations.start(instance.id, vault.location, seconds, finished)
        return Response(202, None, accepted(call, operation))

    def _deleted(self, call: Call) -> tuple[Vault, BackupInstance]:
        vault = self._vaults.of(call)
        purge_deleted(vault, self._cloud.clock.now())
        instance = vault.deleted_instances.get(call.params["instance"].lower())
        if instance is None:
            raise not_found(call, call.params["instance"])
        return vault, instance

    def list_deleted(self, call: Call) -> Response:
        vault = self._vaults.of(call)
        purge_deleted(vault, self._cloud.clock.now())
        return page(call, list(vault.deleted_instances.values()), deleted_body)

    def get_deleted(self, call: Call) -> Response:
        return Response(200, deleted_body(self._deleted(call)[1]))

    def undelete(self, call: Call) -> Response:
        """Recorded: 200 without an operation; the instance comes back as ProtectionStopped."""
        vault, instance = self._deleted(call)
        self._configuration.begin(instance)
        instance.deletion, instance.state = None, "ProtectionStopped"
        del vault.deleted_instances[instance.name.lower()]
        vault.instances[instance.name.lower()] = instance
        return Response(200)
