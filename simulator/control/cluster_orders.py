"""What the control endpoint can do with clusters, one function a request."""

from typing import TYPE_CHECKING, Any

from simulator.control import protected_clusters
from simulator.control.fields import BadField, Fields
from simulator.http import Response
from simulator.providers.container_service.contents import contents_json
from simulator.providers.container_service.contents_orders import changed
from simulator.providers.container_service.nodes import MOST_NODES
from simulator.providers.container_service.orders import contents_of
from simulator.providers.resources.locations import region_name

if TYPE_CHECKING:
    from simulator.cloud import Cloud
    from simulator.providers.container_service.models import Cluster

_MOST_CLUSTERS = 100_000


def create_clusters(cloud: "Cloud", given: Fields) -> Response:
    """{count, location, subscription?, overrides?, protected?} -> {ids}: they appear as if a person had made them;
    with `protected` as if they had been there, and protected, for long."""
    count = given.whole("count", least=1, most=_MOST_CLUSTERS)
    location = region_name(given.required_text("location"))
    subscription_id = given.text("subscription") or cloud.resources.subscriptions()[0].id
    overrides = dict(given.mapping("overrides"))
    protection = protected_clusters.asked(given, location or "")
    given.finish()
    if count is None:
        raise BadField("count", "is required")
    if location is None:
        raise BadField("location", "is not a region of this cloud")
    if cloud.resources.subscription(subscription_id) is None:
        raise BadField("subscription", f"there is no subscription '{subscription_id}'")
    if count > 1 and "name" in overrides:
        raise BadField("overrides.name", "fits one cluster only: leave it out or ask for a count of 1")
    if "contents" in overrides:
        overrides["contents"] = contents_of(overrides)  # read once, however many clusters there are
    if protection is None:
        create = cloud.container_service.create_cluster
        return Response(200, {"ids": [create(location, subscription_id, overrides) for _ in range(count)]})
    return Response(200, {"ids": _seeded(cloud, count, location, subscription_id, overrides, protection)})


def _seeded(
    cloud: "Cloud",
    count: int,
    location: str,
    subscription_id: str,
    overrides: dict[str, Any],
    protection: protected_clusters.Protection,
) -> list[str]:
    if overrides.get("identity") == "ServicePrincipal":
        raise BadField("overrides.identity", "a cluster without a managed identity cannot be protected")
    protector = protected_clusters.Protector(cloud, location, subscription_id, protection)
    ids = []
    for _ in range(count):
        cluster = cloud.container_service.seed_cluster(location, subscription_id, overrides)
        protector.protect(cluster)
        ids.append(cluster.id)
    cloud.resource_graph.seeded()
    return ids


def change_contents(cloud: "Cloud", given: Fields) -> Response:
    """{cluster, …the fields of contents…} -> the contents now. What is not given stays as it was; backups that run
    already took what was there when they began."""
    cluster = known_cluster(cloud, given)
    cluster.contents = changed(cluster.contents, given)
    cloud.resource_graph.told(cluster.id)
    return Response(200, contents_json(cluster.contents, cloud.data_protection.held_snapshots(cluster.id)))


def change_nodes(cloud: "Cloud", given: Fields) -> Response:
    """{cluster, pool?, count?, node_image?, node_size?} -> {pools}, as the cluster's GET has them: one pool changes, or
    all. With another image or size the nodes are new ones, and the extension's pod is too."""
    cluster = known_cluster(cloud, given)
    pool, count = given.text("pool"), given.whole("count", least=0, most=MOST_NODES)
    node_image, node_size = given.text("node_image"), given.text("node_size")
    given.finish()
    pools = cloud.container_service.change_nodes(
        cluster, pool=pool, count=count, node_image=node_image, node_size=node_size
    )
    return Response(200, {"pools": pools})


def known_cluster(cloud: "Cloud", given: Fields) -> "Cluster":
    """The cluster that the field of that name is about. Raises BadField."""
    wanted = given.required_text("cluster")
    cluster = cloud.container_service.cluster(wanted)
    if cluster is None:
        raise BadField("cluster", f"there is no cluster '{wanted}'")
    return cluster
