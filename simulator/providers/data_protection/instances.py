"""Backup instances: validate, create, change, read, delete. (What happens between is in configuration.py.)"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from simulator.arm.errors import ArmError
from simulator.arm.rights import require_linked
from simulator.arm.route import Call
from simulator.http import Response
from simulator.providers.data_protection import vault_rules
from simulator.providers.data_protection.configuration import Configuration
from simulator.providers.data_protection.facts import snapshot_group_id
from simulator.providers.data_protection.instance_body import instance_body, normalized, same
from simulator.providers.data_protection.models import BackupInstance, DeletionInfo, UserError, Vault
from simulator.providers.data_protection.recovery_points import purge_deleted
from simulator.providers.data_protection.responses import accepted, invalid_input, not_found, page, refusal
from simulator.providers.data_protection.vaults import Vaults

if TYPE_CHECKING:
    from simulator.cloud import Cloud

INSTANCES_PER_VAULT = 5000  # documented
BUSY = frozenset({"ConfiguringProtection", "UpdatingProtection", "SoftDeleting"})

ALREADY = UserError(
    "UserErrorDppDatasourceAlreadyHasBackupInstance",
    "The datasource already has a backup instance with this policy in this vault.",
    ("Use the existing backup instance, or another policy or vault.",),
)


class Instances:
    """The backup instances of every vault."""

    def __init__(self, cloud: "Cloud", vaults: Vaults, configuration: Configuration) -> None:
        self._cloud, self._vaults, self._configuration = cloud, vaults, configuration

    def of(self, call: Call) -> BackupInstance:
        """The instance at or above the call's path, as it is now. Raises 404."""
        instance = self._vaults.of(call).instances.get(call.params["instance"].lower())
        if instance is None:
            raise not_found(call, call.params["instance"])
        return self._configuration.refresh(instance)

    def of_cluster(self, cluster_id: str) -> list[BackupInstance]:
        """Every instance of a cluster, in any vault."""
        return [
            self._configuration.refresh(instance)
            for vault in self._vaults.all()
            for instance in vault.instances.values()
            if instance.datasource_id.lower() == cluster_id.lower()
        ]

    def get(self, call: Call) -> Response:
        return Response(200, instance_body(self.of(call)))

    def list_all(self, call: Call) -> Response:
        found = [self._configuration.refresh(instance) for instance in self._vaults.of(call).instances.values()]
        return page(call, found, instance_body)

    def list_of_cluster(self, call: Call) -> Response:
        path = call.request.path
        cluster_id = path[: path.lower().rindex("/providers/microsoft.dataprotection/")]
        return page(call, self.of_cluster(cluster_id), instance_body)

    def validate_for_backup(self, call: Call) -> Response:
        """Accepted at once; what is missing is the operation's error when it ends (44 s recorded). When Azure looks is
        not known. Assumed: what is missing at any time from beginning to end fails it."""
        vault = self._vaults.of(call)
        properties = self._read(call, vault, call.body().get("backupInstance"))

        def missing() -> UserError | None:
            unprotected = self._unprotected(vault, properties)
            return self._conflict(vault, properties, unprotected) or self._configuration.missing(vault, properties)

        at_first = missing()

        def validated() -> None:
            error = at_first or missing()
            if error is not None:
                raise self._configuration.failed(error)

        seconds = self._cloud.timings.validate_for_backup
        operation = self._cloud.operations.start(vault.id, vault.location, seconds, validated)
        return Response(202, None, accepted(call, operation))

    def _unprotected(self, vault: Vault, properties: dict[str, Any]) -> BackupInstance | None:
        """An instance of that cluster whose protection failed. Assumed: it may be validated as if it were new (the call
        does not say which instance is meant), while one that is protected is a second instance in the making."""
        found = (
            instance
            for instance in self.of_cluster(properties["dataSourceInfo"]["resourceID"])
            if instance.vault_id == vault.id and instance.state == "ProtectionError"
        )
        return next(found, None)

    def validate_for_modify_backup(self, call: Call) -> Response:
        instance, vault = self.of(call), self._vaults.of(call)
        properties = self._read(call, vault, call.body().get("backupInstance"))

        def validated() -> None:
            error = self._conflict(vault, properties, instance) or self._configuration.missing(vault, properties)
            if error is not None:
                raise self._configuration.failed(error)

        seconds = self._cloud.timings.validate_for_modify_backup
        operation = self._cloud.operations.start(instance.id, vault.location, seconds, validated)
        return Response(202, None, accepted(call, operation, seconds=60))

    def put(self, call: Call) -> Response:
        vault, body = self._vaults.of(call), call.body()
        purge_deleted(vault, self._cloud.clock.now())
        sent = body.get("properties")
        properties = self._read(call, vault, sent)
        existing = vault.instances.get(call.params["instance"].lower())
        error = self._conflict(vault, properties, existing)
        if error is None and (sent or {}).get("validationType") == "DeepValidation":
            error = self._configuration.missing(vault, properties)
        if error is not None:
            raise refusal(call, 400, error)
        if existing is not None:
            return self._change(call, vault, self._configuration.refresh(existing), properties)
        if call.params["instance"].lower() in vault.deleted_instances:
            text = "A soft-deleted backup instance has this name: undelete it, or use another name."
            raise refusal(call, 400, UserError("UserErrorDppBackupInstanceSoftDeleted", text))  # assumed
        if len(vault.instances) >= INSTANCES_PER_VAULT:
            text = f"A vault takes at most {INSTANCES_PER_VAULT} backup instances."
            raise refusal(call, 400, UserError("UserErrorMaxBackupInstancesInVaultReached", text))  # assumed code
        instance = BackupInstance(
            id=call.resource_id,
            name=call.params["instance"],
            vault_id=vault.id,
            datasource_id=properties["dataSourceInfo"]["resourceID"],
            properties=properties,
            policy_id=properties["policyInfo"]["policyId"],
            activity_id=str(self._cloud.new_uuid()),
        )
        vault.instances[instance.name.lower()] = instance
        return self._configure(call, vault, instance)

    def _configure(self, call: Call, vault: Vault, instance: BackupInstance) -> Response:
        """The operation ends after a second; protection is configured long after that (both recorded)."""
        instance.provisioning_state = "Provisioning"
        self._configuration.configure(instance)

        def written() -> None:
            instance.provisioning_state = "Succeeded"

        seconds = self._cloud.timings.instance_write
        operation = self._cloud.operations.start(instance.id, vault.location, seconds, written)
        return Response(201, instance_body(instance), accepted(call, operation, location=False, seconds=60))

    def _change(self, call: Call, vault: Vault, instance: BackupInstance, properties: dict[str, Any]) -> Response:
        unchanged = same(instance.properties, properties)
        if instance.state == "ProtectionError":
            instance.properties, instance.policy_id = properties, properties["policyInfo"]["policyId"]
            return self._configure(call, vault, instance)
        if unchanged and instance.state != "SoftDeleting":
            # recorded for ProtectionConfigured; assumed for an instance that is being configured, stopped or suspended
            return Response(200, instance_body(instance))
        if instance.state != "ProtectionConfigured":
            raise self.wrong_state(call, instance)
        self._configuration.begin(instance)
        instance.state, instance.provisioning_state = "UpdatingProtection", "Updating"
        instance.next_policy_id = properties["policyInfo"]["policyId"]

        def changed() -> None:
            if not self._configuration.exists(instance):
                return
            instance.provisioning_state = "Succeeded"
            instance.properties, instance.policy_id = properties, instance.next_policy_id
            instance.next_policy_id = ""
            self._configuration.settle(instance)
            if instance.error is not None:
                raise self._configuration.failed(instance.error)

        # assumed: a change takes as long as configuring protection does
        seconds = self._cloud.timings.configure_protection
        answer = instance_body(instance)  # recorded: it still shows the old policy
        operation = self._cloud.operations.start(instance.id, vault.location, seconds, changed)
        return Response(201, answer, accepted(call, operation, location=False, seconds=60))

    def delete(self, call: Call) -> Response:
        vault = self._vaults.of(call)
        instance = vault.instances.get(call.params["instance"].lower())
        if instance is None:
            return Response(204)
        if instance.state in BUSY:
            raise self.wrong_state(call, instance)
        self._configuration.begin(instance)
        instance.state, instance.error = "SoftDeleting", None

        def deleted() -> None:
            if not self._configuration.exists(instance):
                return
            del vault.instances[instance.name.lower()]
            settings = vault_rules.setting(vault.properties, "securitySettings", "softDeleteSettings") or {}
            if settings.get("state") == "Off":
                return
            now = self._cloud.clock.now()
            purge = now + timedelta(days=float(settings.get("retentionDurationInDays", 14.0)))
            instance.deletion = DeletionInfo(now, purge, instance.activity_id)
            instance.state = "SoftDeleted"
            vault.deleted_instances[instance.name.lower()] = instance

        seconds = self._cloud.timings.instance_delete
        operation = self._cloud.operations.start(instance.id, vault.location, seconds, deleted)
        return Response(202, None, accepted(call, operation))

    def wrong_state(self, call: Call, instance: BackupInstance) -> ArmError:
        """The instance's state does not allow the call (assumed: status and codes)."""
        if instance.state in BUSY:
            text = f"Another operation is in progress on the backup instance: {instance.state}."
            return refusal(call, 409, UserError("UserErrorDppOperationInProgress", text, ("Try again later.",)))
        text = f"The operation is not allowed in protection state {instance.state}."
        return refusal(call, 400, UserError("UserErrorDppInvalidProtectionState", text))

    def _read(self, call: Call, vault: Vault, sent: Any) -> dict[str, Any]:
        """What was sent, normalized. Refuses what is malformed, elsewhere, or not the caller's to read."""
        try:
            properties = normalized(sent or {})
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise invalid_input(call, str(error)) from error
        policy_id = properties["policyInfo"]["policyId"]
        known = vault.policies.get(policy_id.rsplit("/", 1)[-1].lower())
        if known is None or known.id.lower() != policy_id.lower():  # assumed: the code
            raise invalid_input(call, f"Policy {policy_id} does not exist in this vault.")
        cluster_id = properties["dataSourceInfo"]["resourceID"]  # documented, in ARM's own envelope
        require_linked(call, "Microsoft.ContainerService/managedClusters/read", cluster_id)
        return properties

    def _conflict(self, vault: Vault, properties: dict[str, Any], existing: BackupInstance | None) -> UserError | None:
        """Several instances of a cluster are allowed, each with another vault or another policy of the vault
        (documented). Assumed: a soft-deleted one counts as well, until it is undeleted or purged."""
        cluster_id = properties["dataSourceInfo"]["resourceID"].lower()
        policy_id = properties["policyInfo"]["policyId"].lower()
        if existing is not None:
            if existing.datasource_id.lower() != cluster_id:
                return UserError("UserErrorDatasourceChangeNotAllowed", "The datasource cannot be changed.")  # assumed
            if snapshot_group_id(existing.properties).lower() != snapshot_group_id(properties).lower():
                # documented: it cannot be modified; the code is assumed
                text = "The snapshot resource group cannot be changed."
                return UserError("UserErrorSnapshotResourceGroupChangeNotAllowed", text)
        others = (*vault.instances.values(), *vault.deleted_instances.values())
        taken = any(
            (other.datasource_id.lower(), other.policy_id.lower()) == (cluster_id, policy_id)
            for other in others
            if other is not existing
        )
        return ALREADY if taken else None
