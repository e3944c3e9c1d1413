"""Trusted access: who outside may act in a cluster. Bodies are recorded; the limit of 8, five minutes until it acts and
the name's form are documented; the codes of the refusals are assumed."""

import re
from typing import TYPE_CHECKING, Any

from simulator.arm.errors import ArmError
from simulator.arm.operations import OperationFailed
from simulator.arm.paging import page
from simulator.arm.route import Call, Handler, Route
from simulator.http import Response
from simulator.providers.container_service.api_versions import TRUSTED_ACCESS
from simulator.providers.container_service.clusters import Clusters
from simulator.providers.container_service.models import Binding, Cluster
from simulator.providers.container_service.operations import AksOperations
from simulator.providers.container_service.refusals import busy, missing_parameter, parent_not_found, refused
from simulator.providers.container_service.responses import binding_json
from simulator.providers.container_service.throttles import ALL_OTHER, Throttles

if TYPE_CHECKING:
    from simulator.cloud import Cloud

BACKUP_OPERATOR = "Microsoft.DataProtection/backupVaults/backup-operator"

_LIMIT = 8
_NAME = re.compile(r"[A-Za-z0-9_-]{1,24}")
_POLL_SECONDS = 10  # assumed
# assumed: what the roles may do; the names are documented and recorded
_ROLES: dict[str, list[dict[str, Any]]] = {
    BACKUP_OPERATOR: [
        {"verbs": ["get", "list", "watch"], "apiGroups": ["*"], "resources": ["*"]},
        {"verbs": ["*"], "apiGroups": ["clusterbackup.dataprotection.microsoft.com"], "resources": ["*"]},
    ],
    "Microsoft.MachineLearningServices/workspaces/mlworkload": [
        {"verbs": ["*"], "apiGroups": ["amlarc.azureml.com"], "resources": ["*"]},
    ],
}
_ROOT = (
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ContainerService/managedClusters/"
    "{cluster}/trustedAccessRoleBindings"
)


class TrustedAccess:
    """The bindings of every cluster (they live in the cluster and go with it)."""

    def __init__(self, cloud: "Cloud", clusters: Clusters, operations: AksOperations, throttles: Throttles) -> None:
        self._cloud, self._clusters = cloud, clusters
        self._operations, self._throttles = operations, throttles

    def in_effect(self, cluster_id: str, vault_id: str) -> bool:
        """Whether the vault may act as backup operator in the cluster by now."""
        cluster = self._clusters.get(cluster_id)
        now = self._cloud.clock.now()
        return cluster is not None and any(
            binding.source_resource_id.lower() == vault_id.lower()
            and BACKUP_OPERATOR.lower() in (role.lower() for role in binding.roles)
            and binding.provisioning_state != "Deleting"
            and binding.effective_from is not None
            and binding.effective_from <= now
            for binding in cluster.bindings.values()
        )

    def seed(self, cluster: Cluster, name: str, vault_id: str) -> None:
        """A binding as backup operator that has been there for long."""
        binding_id = f"{cluster.id}/trustedAccessRoleBindings/{name}"
        now = self._cloud.clock.now()
        cluster.bindings[name.lower()] = Binding(binding_id, name, vault_id, (BACKUP_OPERATOR,), "Succeeded", now)

    def routes(self) -> list[Route]:
        roles = "/subscriptions/{subscription}/providers/Microsoft.ContainerService/locations/{location}"
        one = _ROOT + "/{binding}"
        calls: list[tuple[str, str, Handler]] = [
            ("GET", f"{roles}/trustedAccessRoles", _list_roles),
            ("GET", _ROOT, self._list),
            ("GET", one, self._get),
            ("PUT", one, self._put),
            ("DELETE", one, self._delete),
        ]
        return [
            Route(method, pattern, TRUSTED_ACCESS, self._throttles.under(ALL_OTHER, handler))
            for method, pattern, handler in calls
        ]

    def _cluster(self, call: Call, verb: str) -> Cluster:
        cluster = self._clusters.get(call.resource_id.lower().partition("/trustedaccessrolebindings")[0])
        if cluster is None:
            raise parent_not_found("trustedAccessRoleBindings", verb, call.params["cluster"])
        return cluster

    def _list(self, call: Call) -> Response:
        return page(call, [binding_json(it) for it in self._cluster(call, "read").bindings.values()], _LIMIT)

    def _get(self, call: Call) -> Response:
        binding = self._cluster(call, "read").bindings.get(call.params["binding"].lower())
        if binding is None:
            raise refused(  # recorded, to the letter
                404,
                "NotFound",
                f"Could not find the trusted access role binding {call.params['binding']} in subscription: "
                f"{call.params['subscription']}, resourceGroup: {call.params['group']}, "
                f"clusterName: {call.params['cluster']}.",
                subcode="GetTrustedAccessRoleBinding_NotFound",
                detail="rpc error: code = NotFound desc = TrustedAccessRoleBinding not found",
            )
        return Response(200, binding_json(binding))

    def _put(self, call: Call) -> Response:
        cluster = self._cluster(call, "write")
        name = call.params["binding"]
        source, roles = self._asked(name, call.body())
        self._must_take_writes(cluster)
        binding = cluster.bindings.get(name.lower())
        first = binding is None
        if binding is None:
            if len(cluster.bindings) >= _LIMIT:
                raise refused(
                    400,
                    "TrustedAccessRoleBindingLimitExceeded",
                    f"The number of trusted access role bindings of a cluster cannot exceed {_LIMIT}.",
                    subcode="PutTrustedAccessRoleBinding_BadRequest",
                )
            binding = cluster.bindings[name.lower()] = Binding(call.resource_id, name, source, roles)
        elif (binding.source_resource_id.lower(), set(binding.roles)) != (source.lower(), set(roles)):
            binding.effective_from = None  # what was granted before is taken back (assumed: at once)
        binding.source_resource_id, binding.roles, binding.provisioning_state = source, roles, "Updating"
        written = binding

        def finish() -> None:
            self._must_still_be(cluster, written)
            written.provisioning_state = "Succeeded"
            if written.effective_from is None:
                written.effective_from = self._cloud.clock.after(self._cloud.timings.trusted_access_effect)

        operation = self._operations.start(
            binding.id, cluster.location, self._cloud.timings.trusted_access_write, finish
        )
        headers = self._operations.headers(call.request.base_url, operation, _POLL_SECONDS, location=False)
        return Response(201 if first else 200, binding_json(binding), headers)

    def _delete(self, call: Call) -> Response:
        cluster = self._cluster(call, "delete")
        key = call.params["binding"].lower()
        binding = cluster.bindings.get(key)
        if binding is None:
            return Response(204)
        self._must_take_writes(cluster)
        binding.provisioning_state = "Deleting"

        def finish() -> None:
            self._must_still_be(cluster, binding)
            del cluster.bindings[key]

        operation = self._operations.start(
            binding.id, cluster.location, self._cloud.timings.trusted_access_write, finish
        )
        return Response(
            202,
            None,
            self._operations.headers(call.request.base_url, operation, _POLL_SECONDS, location=True),
        )

    def _must_take_writes(self, cluster: Cluster) -> None:
        """assumed: one binding is written at a time, as every write is a write on the cluster."""
        self._clusters.must_take_writes(cluster)
        under_way = [it for it in cluster.bindings.values() if it.provisioning_state in ("Updating", "Deleting")]
        if under_way:
            raise busy(f"{under_way[0].name} - {under_way[0].provisioning_state}")

    def _must_still_be(self, cluster: Cluster, binding: Binding) -> None:
        if self._clusters.get(cluster.id) is not cluster or cluster.bindings.get(binding.name.lower()) is not binding:
            raise OperationFailed({"code": "NotFound", "message": "The cluster was deleted."})

    def _asked(self, name: str, body: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        """The source and the roles of a PUT. Raises ArmError when they do not fit."""
        if not _NAME.fullmatch(name):
            raise _bad_request(f"The trusted access role binding name {name} is invalid: 1-24 of A-Z a-z 0-9 _ -.")
        properties = body.get("properties") or {}
        source, roles = properties.get("sourceResourceId"), properties.get("roles")
        if not isinstance(source, str) or not source:
            raise missing_parameter("properties.sourceResourceId")
        if not isinstance(roles, list) or not roles:
            raise missing_parameter("properties.roles")
        known = {role.lower() for role in _ROLES}
        source_type = _type_of(source).lower()
        for role in roles:
            if str(role).lower() not in known or str(role).lower().rpartition("/")[0] != source_type:
                raise _bad_request(f"Role {role} is not found for the source resource type {_type_of(source)}.")
        # Recorded: a workspace that does not exist was accepted. assumed: a vault that does not exist is refused.
        if source_type == "microsoft.dataprotection/backupvaults" and self._cloud.data_protection.vault(source) is None:
            raise _bad_request(f"The source resource {source} could not be found.")
        return source, tuple(str(role) for role in roles)


def _list_roles(call: Call) -> Response:
    value = []
    for role, rules in _ROLES.items():
        source_type, _, name = role.rpartition("/")
        value.append({"sourceResourceType": source_type, "name": name, "rules": rules})
    return Response(200, {"value": value})


def _bad_request(message: str) -> ArmError:
    return refused(400, "BadRequest", message, subcode="PutTrustedAccessRoleBinding_BadRequest")


def _type_of(resource_id: str) -> str:
    """`Microsoft.DataProtection/backupVaults` of a vault's id."""
    _, _, rest = resource_id.rpartition("/providers/")
    return "/".join(rest.split("/")[:2])
