"""JSON as AKS answers it (keys of a cluster: the 2023 recording of `az aks create`)."""

import base64
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import Any

from simulator.arm.errors import ArmError
from simulator.arm.route import Call, Handler
from simulator.http import Response
from simulator.providers.container_service.models import Binding, Cluster

_JSON = "application/json"


def plainly_typed(handler: Handler) -> Handler:
    """AKS says `application/json` without a charset, of errors too (recorded)."""

    def answer(call: Call) -> Response | Awaitable[Response]:
        try:
            response = handler(call)
        except ArmError as error:
            error.headers.setdefault("Content-Type", _JSON)
            raise
        if not isinstance(response, Response) or response.body is None:
            return response
        return replace(response, headers={"Content-Type": _JSON, **response.headers})

    return answer


def cluster_json(cluster: Cluster) -> dict[str, Any]:
    """A managed cluster. Its id has `resourcegroups` in lower case and its type a capital M (both recorded)."""
    properties: dict[str, Any] = {
        "provisioningState": cluster.provisioning_state,
        "powerState": {"code": cluster.power},
        **cluster.properties,
        "agentPoolProfiles": [_pool(cluster, pool) for pool in cluster.properties["agentPoolProfiles"]],
        "resourceUID": cluster.resource_uid,
    }
    if cluster.kubelet is not None and cluster.provisioning_state != "Creating":
        properties["identityProfile"] = {"kubeletidentity": _kubelet(cluster)}
    body: dict[str, Any] = {
        "id": cluster.id.replace("/resourceGroups/", "/resourcegroups/"),
        "location": cluster.location,
        "name": cluster.name,
        "type": "Microsoft.ContainerService/ManagedClusters",
        "properties": properties,
        "sku": cluster.sku,
        "eTag": cluster.etag,
    }
    if cluster.tags:
        body["tags"] = dict(cluster.tags)
    if cluster.identity:
        body["identity"] = cluster.identity
    return body


def agent_pool_json(cluster: Cluster, pool: Mapping[str, Any]) -> dict[str, Any]:
    """One agent pool as a child resource."""
    return {
        "id": f"{cluster.id}/agentPools/{pool['name']}",
        "name": pool["name"],
        "type": "Microsoft.ContainerService/managedClusters/agentPools",
        "properties": {key: value for key, value in _pool(cluster, pool).items() if key != "name"},
    }


def binding_json(binding: Binding) -> dict[str, Any]:
    """A trusted access role binding (recorded)."""
    return {
        "id": binding.id,
        "name": binding.name,
        "type": "Microsoft.ContainerService/managedClusters/trustedAccessRoleBindings",
        "properties": {
            "provisioningState": binding.provisioning_state,
            "sourceResourceId": binding.source_resource_id,
            "roles": list(binding.roles),
        },
    }


def kubeconfig_json(cluster: Cluster, user: str) -> dict[str, Any]:
    """Credentials that nothing answers to: the simulator has no Kubernetes API server."""
    server = f"https://{cluster.properties['fqdn']}:443"
    name = cluster.name
    config = (
        f"apiVersion: v1\nkind: Config\nclusters:\n- name: {name}\n  cluster: {{server: '{server}'}}\n"
        f"contexts:\n- name: {name}\n  context: {{cluster: {name}, user: {name}}}\ncurrent-context: {name}\n"
        f"users:\n- name: {name}\n  user: {{}}\n"
    )
    return {"kubeconfigs": [{"name": user, "value": base64.b64encode(config.encode()).decode()}]}


def _pool(cluster: Cluster, pool: Mapping[str, Any]) -> dict[str, Any]:
    state = cluster.provisioning_state
    return {**pool, "provisioningState": state, "powerState": {"code": cluster.power}, "eTag": cluster.etag}


def _kubelet(cluster: Cluster) -> dict[str, Any]:
    assert cluster.kubelet is not None  # noqa: S101 - asked by the only caller
    return {
        "resourceId": f"/subscriptions/{cluster.subscription_id}/resourcegroups/{cluster.node_resource_group}"
        f"/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{cluster.name}-agentpool",
        "clientId": cluster.kubelet.application_id,
        "objectId": cluster.kubelet.object_id,
    }
