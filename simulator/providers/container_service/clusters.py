"""Managed clusters: written, tagged, stopped, started, deleted. Each change runs as an operation, and while one runs
the cluster takes no other but its deletion."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from simulator.arm.errors import location_is_fixed
from simulator.arm.operations import OperationFailed
from simulator.providers.container_service.defaults import completed
from simulator.providers.container_service.identities import ClusterIdentity, Identities
from simulator.providers.container_service.models import Cluster
from simulator.providers.container_service.operations import AksOperations
from simulator.providers.container_service.refusals import busy, refused, stopped
from simulator.providers.container_service.responses import cluster_json
from simulator.providers.resources.locations import required_location

if TYPE_CHECKING:
    from simulator.cloud import Cloud

RESOURCE_TYPE = "Microsoft.ContainerService/managedClusters"
_PREEMPTED = {"code": "AKSOperationPreempted", "message": "This operation has been preempted by another operation."}


class Clusters:
    """Every managed cluster, by lower-cased ARM id."""

    def __init__(self, cloud: "Cloud", operations: AksOperations) -> None:
        self._cloud = cloud
        self._operations = operations
        self._identities = Identities(cloud)
        self._clusters: dict[str, Cluster] = {}
        self._by_subscription: dict[str, dict[str, Cluster]] = defaultdict(dict)
        self._deletions: dict[str, str] = {}

    def get(self, resource_id: str) -> Cluster | None:
        return self._clusters.get(resource_id.lower())

    def all(self) -> list[Cluster]:
        return list(self._clusters.values())

    def in_subscription(self, subscription_id: str) -> list[Cluster]:
        return list(self._by_subscription[subscription_id.lower()].values())

    def create(
        self,
        resource_id: str,
        body: dict[str, Any],
        *,
        seconds: float,
        ended: Callable[[Cluster], None],
        power: str = "Running",
        outcome: str = "Succeeded",
    ) -> tuple[Cluster, str]:
        """A new cluster, in state Creating for `seconds` of Azure's, then in `outcome`; `ended` is told then. Answers
        the cluster and its operation's name. Raises ArmError for what AKS refuses."""
        cluster = self._made(resource_id, body)

        def finish() -> None:
            self._still(cluster, "Creating")
            cluster.power = power
            self._enter(cluster, outcome)
            ended(cluster)
            if outcome == "Failed":
                raise OperationFailed({"code": "CreateVMSSAgentPoolFailed", "message": "Node provisioning failed."})

        return cluster, self._operations.start(resource_id, cluster.location, seconds, finish)

    def seed(self, resource_id: str, body: dict[str, Any], *, power: str, outcome: str) -> Cluster:
        """A cluster as if it had been there for long: without an operation. Raises ArmError as `create` does."""
        cluster = self._made(resource_id, body)
        cluster.power, cluster.provisioning_state = power, outcome
        return cluster

    def _made(self, resource_id: str, body: dict[str, Any]) -> Cluster:
        _, _, subscription, _, group, *_, name = resource_id.split("/")
        location = required_location(body, RESOURCE_TYPE)
        properties = completed(
            body.get("properties") or {},
            name=name,
            group=group,
            location=location,
            suffix=self._cloud.new_uuid().hex[:8],
        )
        identity = self._identities.of(body, name)
        kubelet = None if identity.principal_id is None else self._cloud.identity.new_principal(f"{name}-agentpool")
        cluster = Cluster(
            id=resource_id,
            name=name,
            subscription_id=subscription,
            resource_group=group,
            location=location,
            tags=dict(body.get("tags") or {}),
            identity=identity.block,
            principal_id=identity.principal_id,
            kubelet=kubelet,
            properties=properties,
            sku=body.get("sku") or {"name": "Base", "tier": "Free"},
            resource_uid=self._cloud.new_uuid().hex[:24],
            etag=str(self._cloud.new_uuid()),
            created_at=self._cloud.clock.now(),
            owned_principals=identity.owned if kubelet is None else (*identity.owned, kubelet.object_id),
        )
        self._clusters[resource_id.lower()] = self._by_subscription[subscription.lower()][resource_id.lower()] = cluster
        self._cloud.resources.add_group(subscription, cluster.node_resource_group, location, cluster.id)
        self._track(cluster)
        return cluster

    def update(self, cluster: Cluster, body: dict[str, Any]) -> str:
        """A PUT on a cluster that exists: what is given replaces what was. Answers the operation's name."""
        self.must_take_writes(cluster)
        location = required_location(body, RESOURCE_TYPE)
        if location != cluster.location:
            raise location_is_fixed(cluster.name, cluster.resource_group, cluster.location, location)
        asked = {key: value for key, value in (body.get("properties") or {}).items() if value is not None}
        properties = completed(
            {**cluster.properties, **asked, "nodeResourceGroup": cluster.node_resource_group},
            name=cluster.name,
            group=cluster.resource_group,
            location=location,
            suffix="",
        ) | {key: cluster.properties[key] for key in ("fqdn", "azurePortalFQDN")}
        if body.get("identity") and body["identity"].get("type") != (cluster.identity or {}).get("type"):
            self._change_identity(cluster, self._identities.of(body, cluster.name))
            properties["servicePrincipalProfile"] = {"clientId": "msi"}
        cluster.properties = properties
        cluster.tags = dict(body.get("tags") or {})
        cluster.sku = body.get("sku") or cluster.sku
        self._track(cluster)
        return self._run(cluster, "Updating", self._cloud.timings.cluster_write)

    def tag(self, cluster: Cluster, tags: Mapping[str, str]) -> None:
        """A PATCH: the tags are replaced as a whole (assumed: at once, without an operation)."""
        self.must_take_writes(cluster)
        cluster.tags = dict(tags)
        self._renew_etag(cluster)
        self._track(cluster)

    def set_pools(self, cluster: Cluster, pools: list[dict[str, Any]]) -> None:
        """Other nodes, at once, as the autoscaler and automatic node image upgrades bring them."""
        cluster.properties = cluster.properties | {"agentPoolProfiles": pools}
        self._renew_etag(cluster)
        self._track(cluster)

    def turn(self, cluster: Cluster, power: str) -> str | None:
        """Start (`Running`) or stop (`Stopped`). None when it is so already (assumed: nothing to do)."""
        if not cluster.settled:
            raise busy(cluster.provisioning_state)
        if cluster.power == power:
            return None
        return self._run(
            cluster, "Starting" if power == "Running" else "Stopping", self._cloud.timings.cluster_power, power
        )

    def delete(self, cluster: Cluster) -> str:
        """Begin to delete, whatever else is under way; a second delete follows the first."""
        key = cluster.id.lower()
        if cluster.provisioning_state == "Deleting":
            return self._deletions[key]
        self._enter(cluster, "Deleting")
        self._delete_nodes(cluster)
        name = self._operations.start(
            cluster.id,
            cluster.location,
            self._cloud.timings.cluster_write,
            lambda: self.forget(cluster),
        )
        self._deletions[key] = name
        return name

    def forget(self, cluster: Cluster) -> None:
        """The cluster is gone, with its own principals and the extensions in it."""
        key = cluster.id.lower()
        if self._clusters.get(key) is not cluster:
            return
        del self._clusters[key]
        del self._by_subscription[cluster.subscription_id.lower()][key]
        self._deletions.pop(key, None)
        for principal in cluster.owned_principals:
            self._cloud.identity.remove_principal(principal)
        self._cloud.kubernetes_configuration.drop_cluster(cluster.id)
        self._cloud.resources.forget(cluster.id)
        self._delete_nodes(cluster)

    def must_take_writes(self, cluster: Cluster) -> None:
        """Raises ArmError 409 while an operation runs on the cluster, or when it is stopped."""
        if not cluster.settled:
            raise busy(cluster.provisioning_state)
        if cluster.power == "Stopped":
            raise stopped()

    def check_etag(self, headers: Mapping[str, str], cluster: Cluster | None) -> None:
        """If-Match and If-None-Match; the text for a missing resource is recorded, the other texts are assumed."""
        wanted = headers.get("if-match", "").strip().strip('"')
        if headers.get("if-none-match") and cluster is not None:
            raise refused(412, "PreconditionFailed", "The resource already exists but If-None-Match is provided.")
        if wanted and cluster is None:
            raise refused(
                412,
                "PreconditionFailed",
                "Resource not found but ETag header is provided. If this is a request to create, please do not "
                "provide ETag.",
            )
        if wanted not in ("", "*") and cluster is not None and wanted != cluster.etag:
            raise refused(412, "PreconditionFailed", f"The ETag provided does not match: '{cluster.etag}'.")

    def _delete_nodes(self, cluster: Cluster) -> None:
        """The node resource group goes with its cluster."""
        group = self._cloud.resources.group(cluster.subscription_id, cluster.node_resource_group)
        if group is not None and not group.deleting:
            self._cloud.resources.delete_group(group, self._cloud.identity.operator, str(self._cloud.new_uuid()))

    def _run(self, cluster: Cluster, state: str, seconds: float, power: str | None = None) -> str:
        self._enter(cluster, state)

        def finish() -> None:
            self._still(cluster, state)
            if power is not None:
                cluster.power = power
                self._cloud.kubernetes_configuration.cluster_turned(cluster.id, power)
            self._enter(cluster, "Succeeded")

        return self._operations.start(cluster.id, cluster.location, seconds, finish)

    def _still(self, cluster: Cluster, state: str) -> None:
        """A deletion preempts whatever ran before it."""
        if cluster.provisioning_state != state or self.get(cluster.id) is not cluster:
            raise OperationFailed(_PREEMPTED)

    def _enter(self, cluster: Cluster, state: str) -> None:
        cluster.provisioning_state = state
        self._renew_etag(cluster)

    def _renew_etag(self, cluster: Cluster) -> None:
        cluster.etag = str(self._cloud.new_uuid())

    def _change_identity(self, cluster: Cluster, identity: ClusterIdentity) -> None:
        for principal in cluster.owned_principals:
            self._cloud.identity.remove_principal(principal)
        cluster.kubelet = self._cloud.identity.new_principal(f"{cluster.name}-agentpool")
        cluster.identity, cluster.principal_id = identity.block, identity.principal_id
        cluster.owned_principals = (*identity.owned, cluster.kubelet.object_id)

    def _track(self, cluster: Cluster) -> None:
        self._cloud.resources.track(
            cluster.id, RESOURCE_TYPE, cluster.location, cluster.tags, lambda: cluster_json(cluster)
        )
