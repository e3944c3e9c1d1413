"""Microsoft.KubernetesConfiguration: the calls the extension service answers, and what other providers ask."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from simulator.arm.errors import ArmError
from simulator.arm.headers import retry_after
from simulator.arm.operations import Operation
from simulator.arm.paging import page
from simulator.arm.route import Call, Route
from simulator.http import Response
from simulator.providers.kubernetes_configuration.extensions import Extensions
from simulator.providers.kubernetes_configuration.memory import memory_limit_mi, memory_needed_mi
from simulator.providers.kubernetes_configuration.models import (
    BACKUP_TYPE,
    ContainerRestart,
    Extension,
    RunningContainer,
)
from simulator.providers.kubernetes_configuration.requests import Asked, asked, settings_of
from simulator.providers.kubernetes_configuration.responses import extension_json, operation_json

if TYPE_CHECKING:
    from simulator.cloud import Cloud
    from simulator.providers.container_service.models import Cluster

# Recorded in 2026 from the provider's own list.
_API_VERSIONS = frozenset({"2022-03-01", "2022-07-01", "2022-11-01", "2023-05-01", "2024-11-01", "2025-03-01"})
_CLUSTER = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ContainerService/managedClusters/"
_ROOT = _CLUSTER + "{cluster}/providers/Microsoft.KubernetesConfiguration/extensions"
_PAGE = 100  # assumed
_POLL_SECONDS = 15  # assumed: recordings have Retry-After taken out
_DOING = {"Create": "Creating", "Update": "Updating", "Delete": "Deleting"}


class KubernetesConfiguration:
    """Extensions of managed clusters."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._extensions = Extensions(cloud)
        self._operations: dict[str, tuple[Operation, str]] = {}

    # What other providers ask

    def all_extensions(self) -> list[Extension]:
        """Every extension of every cluster."""
        return self._extensions.all()

    def backup_extension(self, cluster_id: str) -> Extension | None:
        """Azure Backup's extension of the cluster, whatever state it is in."""
        return next((extension for extension in self._extensions.of(cluster_id) if extension.is_backup), None)

    def install_backup_extension(
        self, cluster_id: str, settings: Mapping[str, str], name: str = "azure-aks-backup"
    ) -> Extension:
        """Install it as a person would have, without waiting. Raises ArmError as the PUT does."""
        cluster = self._extensions.cluster(cluster_id)
        wanted = _backup_extension(settings)
        extension = self._extensions.install(_extension_id(cluster, name), cluster, wanted, seconds=0)
        self._extensions.run(extension, cluster, 0, "Create")
        return extension

    def seed_backup_extension(self, cluster: "Cluster", settings: Mapping[str, str], name: str) -> Extension:
        """It came up long ago, and nobody is told."""
        return self._extensions.seed(_extension_id(cluster, name), cluster, _backup_extension(settings))

    def container_restarts(self, cluster_id: str) -> list[ContainerRestart]:
        """How the runs of the container that does the cluster's backups ended so far, oldest first."""
        return self._extensions.pods.restarts(cluster_id)

    def running_container(self, cluster_id: str) -> RunningContainer | None:
        """The container that does the cluster's backups now; None without an extension that came up."""
        return self._extensions.pods.running(cluster_id)

    def restarted_since(self, cluster_id: str, moment: datetime) -> bool:
        """Whether a job that began at that moment has lost the container that it ran in."""
        return any(end.finished > moment for end in reversed(self.container_restarts(cluster_id)))

    def can_hold(self, cluster_id: str, resource_count: int) -> bool:
        """Whether the container has the memory for a backup or restore of so many resources: its limit allows it, and
        so does the node."""
        extension, cluster = self.backup_extension(cluster_id), self._cloud.container_service.cluster(cluster_id)
        if extension is None or cluster is None or self.running_container(cluster_id) is None:
            return True  # nothing that could run out of memory
        node = self._cloud.container_service.largest_node_mi(cluster)
        return memory_needed_mi(resource_count) <= min(memory_limit_mi(extension.settings), node or float("inf"))

    def kill_for_memory(self, cluster_id: str) -> None:
        """The container is killed for its memory, now, and starts again."""
        self._extensions.pods.kill(cluster_id, self._cloud.clock.now())

    def replace_pods(self, cluster_id: str) -> None:
        """The nodes are new: the extension's pod is too."""
        if self.running_container(cluster_id) is not None:
            self._extensions.pods.replace(cluster_id, self._cloud.clock.now())

    def cluster_turned(self, cluster_id: str, power: str) -> None:
        """The cluster was stopped, and its pods with it; or started, and a release that had come up comes up again."""
        extension, now = self.backup_extension(cluster_id), self._cloud.clock.now()
        if power == "Stopped":
            self._extensions.pods.remove(cluster_id, now)
        elif extension is not None and extension.last_succeeded_at is not None:
            self._extensions.pods.replace(cluster_id, now)

    def drop_cluster(self, cluster_id: str) -> None:
        """The cluster was deleted, and what was installed in it."""
        for extension in self._extensions.of(cluster_id):
            self._extensions.forget(extension)

    # What callers ask

    def routes(self) -> list[Route]:
        one = _ROOT + "/{extension}"
        calls = [
            ("GET", _ROOT, self._list),
            ("GET", one, self._get),
            ("PUT", one, self._put),
            ("PATCH", one, self._patch),
            ("DELETE", one, self._delete),
            ("GET", one + "/operations/{operation}", self._operation),
        ]
        return [Route(method, pattern, _API_VERSIONS, handler) for method, pattern, handler in calls]

    def _list(self, call: Call) -> Response:
        cluster = self._cluster(call)
        found = [self._json(call, extension, cluster) for extension in self._extensions.of(cluster.id)]
        answer = page(call, found, _PAGE)
        return Response(200, {"nextLink": None, **answer.body})  # recorded: null on the last page

    def _get(self, call: Call) -> Response:
        cluster = self._cluster(call)
        extension = self._extensions.get(call.resource_id)
        if extension is None:
            raise _not_found(call)
        return Response(200, self._json(call, extension, cluster))

    def _put(self, call: Call) -> Response:
        cluster, wanted = self._cluster(call), asked(call.body())
        extension = self._extensions.get(call.resource_id)
        timings = self._cloud.timings
        if extension is None:
            extension = self._extensions.install(call.resource_id, cluster, wanted, seconds=timings.extension_install)
            operation = self._extensions.run(extension, cluster, timings.extension_install, "Create")
            body = self._json(call, extension, cluster)
            return Response(201, body, self._headers(call, extension, operation, "Create"))
        if wanted.extension_type.lower() != extension.extension_type.lower():
            raise ArmError(400, "BadRequest", "The property extensionType cannot be changed.")  # assumed
        fresh = extension.last_succeeded_at is None  # a PUT on what never came up installs it anew
        self._extensions.change(extension, cluster)
        extension.settings, extension.protected_settings = wanted.settings, wanted.protected_settings
        extension.auto_upgrade_minor_version = wanted.auto_upgrade_minor_version
        extension.auto_upgrade_mode, extension.version = wanted.auto_upgrade_mode, wanted.version
        extension.release_train = wanted.release_train
        if wanted.wants_identity and extension.identity is None:
            extension.identity = self._cloud.identity.new_principal(extension.name)
        seconds = timings.extension_install if fresh else timings.extension_update
        operation = self._extensions.run(extension, cluster, seconds, "Update")
        return Response(200, self._json(call, extension, cluster), self._headers(call, extension, operation, "Update"))

    def _patch(self, call: Call) -> Response:
        """configurationSettings are merged, configurationProtectedSettings replaced as a whole (documented)."""
        cluster = self._cluster(call)
        extension = self._extensions.get(call.resource_id)
        if extension is None:
            raise _not_found(call)
        properties = call.body().get("properties") or {}
        settings = settings_of(properties, "configurationSettings") or {}
        protected = settings_of(properties, "configurationProtectedSettings")
        self._extensions.change(extension, cluster)
        extension.settings = {**extension.settings, **settings}
        extension.protected_settings = extension.protected_settings if protected is None else protected
        extension.version = properties.get("version", extension.version)
        extension.release_train = properties.get("releaseTrain") or extension.release_train
        extension.auto_upgrade_mode = properties.get("autoUpgradeMode") or extension.auto_upgrade_mode
        extension.auto_upgrade_minor_version = properties.get(
            "autoUpgradeMinorVersion", extension.auto_upgrade_minor_version
        )
        operation = self._extensions.run(extension, cluster, self._cloud.timings.extension_update, "Update")
        body = self._json(call, extension, cluster)
        return Response(202, body, self._headers(call, extension, operation, "Update"))

    def _delete(self, call: Call) -> Response:
        cluster = self._cluster(call)
        extension = self._extensions.get(call.resource_id)
        if extension is None:
            return Response(204)
        if call.request.query.get("forcedelete", "").lower() == "true":
            self._extensions.forget(extension)  # recorded: gone at once, 200, whatever ran
            return Response(200)
        self._extensions.remove(extension, cluster)
        operation = self._extensions.run(extension, cluster, self._cloud.timings.extension_update, "Delete")
        return Response(202, None, self._headers(call, extension, operation, "Delete"))

    def _operation(self, call: Call) -> Response:
        operation, doing = self._operations.get(call.params["operation"].lower(), (None, ""))
        asked_of = call.resource_id.lower().partition("/operations/")[0]
        if operation is None or operation.resource_id.lower() != asked_of:
            raise ArmError(404, "NotFound", "The operation was not found.")  # assumed
        return Response(200, operation_json(operation, call.params["operation"], doing))

    def _headers(self, call: Call, extension: Extension, operation: Operation, doing: str) -> dict[str, str]:
        """Recorded oddities: `ManagedClusters` with a capital, `api-Version`, and (on PUT) a Location on the region's
        own host, which no client follows."""
        name = str(self._cloud.new_uuid())
        self._operations[name] = operation, _DOING[doing]
        path = extension.id.replace("/managedClusters/", "/ManagedClusters/")
        headers = {
            "Azure-AsyncOperation": f"{call.request.base_url}{path}/operations/{name}?api-Version={call.api_version}",
            "Retry-After": retry_after(self._cloud.clock, _POLL_SECONDS),
        }
        if call.request.method == "PUT":
            headers["Location"] = f"https://{operation.location}.rp.kubernetesconfiguration.azure.com{path}"
        return headers

    def _cluster(self, call: Call) -> "Cluster":
        wanted = {name: call.params[name] for name in ("subscription", "group", "cluster")}
        return self._extensions.cluster((_CLUSTER + "{cluster}").format(**wanted))

    def _json(self, call: Call, extension: Extension, cluster: "Cluster") -> dict[str, Any]:
        identity = (
            f"/subscriptions/{cluster.subscription_id}/resourceGroups/{cluster.node_resource_group}/providers/"
            f"Microsoft.ManagedIdentity/userAssignedIdentities/ext-{extension.name}-{cluster.name}"
        )
        return extension_json(
            extension,
            api_version=call.api_version,
            now=self._cloud.clock.now(),
            identity_resource=identity,
        )


def _backup_extension(settings: Mapping[str, str]) -> Asked:
    return Asked(BACKUP_TYPE, True, "compatible", "stable", None, {"cluster": {}}, dict(settings), {}, True)


def _extension_id(cluster: "Cluster", name: str) -> str:
    return f"{cluster.id}/providers/Microsoft.KubernetesConfiguration/extensions/{name}"


def _not_found(call: Call) -> ArmError:
    """assumed: the code."""
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource 'Microsoft.KubernetesConfiguration/extensions/{call.params['extension']}' was not found in the "
        f"cluster '{call.params['cluster']}'.",
    )
