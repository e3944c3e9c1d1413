"""Microsoft.ContainerService: the calls AKS answers, and what other providers ask about clusters."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simulator.arm.errors import ArmError
from simulator.arm.headers import correlation_id
from simulator.arm.paging import page
from simulator.arm.route import Call, Principal, Route
from simulator.http import Response
from simulator.providers.authorization.scopes import is_within
from simulator.providers.container_service import throttles
from simulator.providers.container_service.api_versions import CLUSTERS
from simulator.providers.container_service.clusters import Clusters
from simulator.providers.container_service.models import Cluster
from simulator.providers.container_service.nodes import changed_pools, largest_node_mi
from simulator.providers.container_service.operations import AksOperations
from simulator.providers.container_service.orders import order
from simulator.providers.container_service.refusals import cluster_not_found, missing_parameter, parent_not_found
from simulator.providers.container_service.responses import (
    agent_pool_json,
    cluster_json,
    kubeconfig_json,
    plainly_typed,
)
from simulator.providers.container_service.trusted_access import TrustedAccess

if TYPE_CHECKING:
    from simulator.cloud import Cloud

_POLL_SECONDS = 15  # assumed: recordings have Retry-After taken out
_PAGE = 100  # assumed: clusters on a page of a list
_LIST = "/subscriptions/{subscription}/providers/Microsoft.ContainerService/managedClusters"
_GROUP_LIST = (
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ContainerService/managedClusters"
)
_ONE = _GROUP_LIST + "/{cluster}"


class ContainerService:
    """Clusters and their trusted access."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._throttles = throttles.Throttles(cloud)
        self._operations = AksOperations(cloud, self._throttles)
        self._clusters = Clusters(cloud, self._operations)
        self._trusted_access = TrustedAccess(cloud, self._clusters, self._operations, self._throttles)

    # What other providers ask

    def cluster(self, resource_id: str) -> Cluster | None:
        return self._clusters.get(resource_id)

    def clusters(self) -> list[Cluster]:
        return self._clusters.all()

    def trusted_access_in_effect(self, cluster_id: str, vault_id: str) -> bool:
        """Whether the vault may act as backup operator in the cluster by now."""
        return self._trusted_access.in_effect(cluster_id, vault_id)

    def largest_node_mi(self, cluster: Cluster) -> float:
        """The memory in Mi of the largest node that can hold a pod of the backup extension; infinite when unknown."""
        sizes = self._cloud.compute
        return largest_node_mi(cluster, lambda name: None if (size := sizes.size(name)) is None else size.memory_mb)

    def change_nodes(
        self,
        cluster: Cluster,
        *,
        pool: str | None = None,
        count: int | None = None,
        node_image: str | None = None,
        node_size: str | None = None,
    ) -> list[dict[str, Any]]:
        """Change one pool of the cluster, or all, at once; answers the pools. New nodes (another image or size) get the
        pods anew, the extension's too. Raises ArmError 404 for a pool that is not there."""
        before = cluster.properties["agentPoolProfiles"]
        if pool is not None and pool.lower() not in {one["name"].lower() for one in before}:
            raise _no_such_pool(pool)
        wanted = {"count": count, "nodeImageVersion": node_image, "vmSize": node_size}
        self._clusters.set_pools(
            cluster, changed_pools(before, pool, {name: value for name, value in wanted.items() if value is not None})
        )
        if node_image is not None or node_size is not None:
            self._cloud.kubernetes_configuration.replace_pods(cluster.id)
        found: list[dict[str, Any]] = cluster_json(cluster)["properties"]["agentPoolProfiles"]
        return found

    def drop_group(self, subscription_id: str, group: str) -> None:
        """The resource group was deleted, and the clusters in it."""
        scope = f"/subscriptions/{subscription_id}/resourceGroups/{group}"
        for cluster in self._clusters.all():
            if is_within(cluster.id, scope):
                self._clusters.forget(cluster)

    def create_cluster(self, location: str, subscription_id: str, overrides: Mapping[str, Any]) -> str:
        """Make a cluster as a person would, both write events included; answers its id. The resource group is made
        when it is missing. Raises ArmError 400 for an override that is unknown or unfit (BadField inside its contents
        and nodes), 409 when the name is taken."""
        wanted = order(self._cloud, location, subscription_id, overrides)
        _, _, _, _, group, *_ = wanted.resource_id.split("/")
        if self._clusters.get(wanted.resource_id) is not None:
            raise ArmError(409, "Conflict", f"The cluster {wanted.resource_id} exists already.")
        self._cloud.resources.add_group(subscription_id, group, location)
        person, correlation = self._cloud.identity.operator, str(self._cloud.new_uuid())
        url = f"https://management.azure.com{wanted.resource_id}?api-version={max(CLUSTERS)}"
        self._tell(wanted.resource_id, person, url, correlation, status="Created")
        cluster, _ = self._clusters.create(
            wanted.resource_id,
            wanted.body,
            seconds=0 if wanted.settled else self._cloud.timings.cluster_write,
            ended=lambda made: self._created(made, person, url, correlation),
            power=wanted.power,
            outcome=wanted.outcome,
        )
        cluster.contents, cluster.extension_trouble = wanted.contents, wanted.trouble
        return cluster.id

    def seed_cluster(self, location: str, subscription_id: str, overrides: Mapping[str, Any]) -> Cluster:
        """As `create_cluster`, but as if it had been there for long: nobody is told."""
        wanted = order(self._cloud, location, subscription_id, overrides)
        if self._clusters.get(wanted.resource_id) is not None:
            raise ArmError(409, "Conflict", f"The cluster {wanted.resource_id} exists already.")
        self._cloud.resources.add_group(subscription_id, wanted.resource_id.split("/")[4], location)
        cluster = self._clusters.seed(wanted.resource_id, wanted.body, power=wanted.power, outcome=wanted.outcome)
        cluster.contents, cluster.extension_trouble = wanted.contents, wanted.trouble
        return cluster

    def seed_binding(self, cluster: Cluster, name: str, vault_id: str) -> None:
        """Trusted access for a vault, in effect."""
        self._trusted_access.seed(cluster, name, vault_id)

    # What callers ask

    def routes(self) -> list[Route]:
        other = throttles.ALL_OTHER
        calls = [
            ("GET", _LIST, self._list, throttles.LIST_BY_SUBSCRIPTION),
            ("GET", _GROUP_LIST, self._list, throttles.LIST_BY_GROUP),
            ("GET", _ONE, self._get, throttles.GET_CLUSTER),
            ("PUT", _ONE, self._put, throttles.PUT_CLUSTER),
            ("PATCH", _ONE, self._patch, other),
            ("DELETE", _ONE, self._delete, other),
            ("POST", _ONE + "/start", lambda call: self._turn(call, "Running"), other),
            ("POST", _ONE + "/stop", lambda call: self._turn(call, "Stopped"), other),
            ("POST", _ONE + "/listClusterAdminCredential", lambda call: self._credential(call, "clusterAdmin"), other),
            ("POST", _ONE + "/listClusterUserCredential", lambda call: self._credential(call, "clusterUser"), other),
            ("GET", _ONE + "/agentPools", self._agent_pools, other),
            ("GET", _ONE + "/agentPools/{pool}", self._agent_pool, other),
        ]
        routes = [
            *(
                Route(method, pattern, CLUSTERS, self._throttles.under(limit, handler))
                for method, pattern, handler, limit in calls
            ),
            *self._trusted_access.routes(),
            *self._operations.routes(),
        ]
        return [replace(route, handler=plainly_typed(route.handler)) for route in routes]

    def _find(self, call: Call) -> Cluster:
        cluster = self._clusters.get(_cluster_id(call))
        if cluster is None:
            raise cluster_not_found(call.params["cluster"], call.params["group"])
        return cluster

    def _list(self, call: Call) -> Response:
        group = call.params.get("group", "").lower()
        held = self._clusters.in_subscription(call.params["subscription"])
        found = [cluster for cluster in held if not group or cluster.resource_group.lower() == group]
        return page(call, found, _PAGE, cluster_json)

    def _get(self, call: Call) -> Response:
        return Response(200, cluster_json(self._find(call)))

    def _put(self, call: Call) -> Response:
        existing = self._clusters.get(call.resource_id)
        self._clusters.check_etag(call.request.headers, existing)
        base_url = call.request.base_url
        if existing is not None:
            operation = self._clusters.update(existing, call.body())
            headers = self._operations.headers(base_url, operation, _POLL_SECONDS, location=False)
            return Response(200, cluster_json(existing), headers)
        correlation = correlation_id(self._cloud, call.request)
        url = f"https://management.azure.com{call.request.path}?api-version={call.api_version}"
        cluster, operation = self._clusters.create(
            call.resource_id,
            call.body(),
            seconds=self._cloud.timings.cluster_write,
            ended=lambda made: self._created(made, call.principal, url, correlation),
        )
        headers = self._operations.headers(base_url, operation, _POLL_SECONDS, location=False)
        return Response(201, cluster_json(cluster), headers)

    def _patch(self, call: Call) -> Response:
        cluster = self._find(call)
        self._clusters.check_etag(call.request.headers, cluster)
        tags = call.body().get("tags")
        if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
            raise missing_parameter("tags")
        self._clusters.tag(cluster, tags)
        return Response(200, cluster_json(cluster))

    def _delete(self, call: Call) -> Response:
        cluster = self._clusters.get(call.resource_id)
        self._clusters.check_etag(call.request.headers, cluster)
        if cluster is None:
            return Response(204)
        return self._accepted(call, self._clusters.delete(cluster))

    def _turn(self, call: Call, power: str) -> Response:
        operation = self._clusters.turn(self._find(call), power)
        return Response(204) if operation is None else self._accepted(call, operation)

    def _credential(self, call: Call, name: str) -> Response:
        return Response(200, kubeconfig_json(self._find(call), name))

    def _agent_pools(self, call: Call) -> Response:
        cluster = self._parent(call)
        return Response(
            200, {"value": [agent_pool_json(cluster, pool) for pool in cluster.properties["agentPoolProfiles"]]}
        )

    def _agent_pool(self, call: Call) -> Response:
        cluster = self._parent(call)
        for pool in cluster.properties["agentPoolProfiles"]:
            if pool["name"].lower() == call.params["pool"].lower():
                return Response(200, agent_pool_json(cluster, pool))
        raise _no_such_pool(call.params["pool"])

    def _parent(self, call: Call) -> Cluster:
        cluster = self._clusters.get(_cluster_id(call))
        if cluster is None:
            raise parent_not_found("agentPools", "read", call.params["cluster"])
        return cluster

    def _accepted(self, call: Call, operation: str) -> Response:
        headers = self._operations.headers(call.request.base_url, operation, _POLL_SECONDS, location=True)
        return Response(202, None, headers)

    def _created(self, cluster: Cluster, principal: Principal, url: str, correlation: str) -> None:
        """The second write event of a create (the front door tells the first when it accepts the PUT)."""
        self._tell(cluster.id, principal, url, correlation, status=cluster.provisioning_state)

    def _tell(self, resource_id: str, principal: Principal, url: str, correlation: str, *, status: str) -> None:
        self._cloud.event_grid.resource_event(
            "Write",
            "Failure" if status == "Failed" else "Success",
            resource_id,
            "Microsoft.ContainerService/managedClusters/write",
            principal,
            status=status,
            method="PUT",
            url=url,
            correlation_id=correlation,
            first_create=True,
        )


def _no_such_pool(name: str) -> ArmError:
    """assumed: the text."""
    return ArmError(404, "NotFound", f"Could not find the agentpool {name}.")


def _cluster_id(call: Call) -> str:
    return _ONE.format(
        subscription=call.params["subscription"], group=call.params["group"], cluster=call.params["cluster"]
    )
