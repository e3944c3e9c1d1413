"""What AKS adds to a cluster that was asked for."""

from typing import Any

from simulator.providers.container_service.refusals import missing_parameter, refused

DEFAULT_VERSION = "1.33"  # assumed: a version in support
# assumed: an image of the form that AKS names them in
_NODE_IMAGES = {"Linux": "AKSUbuntu-2204gen2containerd-202610.13.0", "Windows": "AKSWindows-2022-20348.4171.261014"}
# What a caller may send back from a GET without meaning it.
_READ_ONLY = frozenset({"provisioningState", "powerState", "resourceUID", "identityProfile"})


def completed(asked: dict[str, Any], *, name: str, group: str, location: str, suffix: str) -> dict[str, Any]:
    """The `properties` of a PUT with AKS's own values where nothing was said (keys recorded 2023-12; null storage
    drivers stay null, which means on). Raises ArmError when agent pools or the DNS prefix are missing."""
    pools = asked.get("agentPoolProfiles")
    if not isinstance(pools, list) or not pools:
        raise missing_parameter("agentPoolProfiles")
    prefix = asked.get("dnsPrefix") or asked.get("fqdnSubdomain")
    if not prefix:
        raise missing_parameter("dnsPrefix")
    version = str(asked.get("kubernetesVersion") or DEFAULT_VERSION)
    current = version if version.count(".") > 1 else f"{version}.5"  # assumed: the newest patch
    host = f"{prefix}-{suffix}"
    own: dict[str, Any] = {
        "kubernetesVersion": version,
        "currentKubernetesVersion": current,
        "fqdn": f"{host}.hcp.{location}.azmk8s.io",
        "azurePortalFQDN": f"{host}.portal.hcp.{location}.azmk8s.io",
        "agentPoolProfiles": [_pool(pool, current) for pool in pools],
        "servicePrincipalProfile": {"clientId": _client_id(asked)},
    }
    given = {key: value for key, value in asked.items() if value is not None and key not in _READ_ONLY}
    return {
        "nodeResourceGroup": f"MC_{group}_{name}_{location}"[:80],
        "enableRBAC": True,
        "supportPlan": "KubernetesOfficial",
        "maxAgentPools": 1 if any(pool.get("type") == "AvailabilitySet" for pool in pools) else 100,
        "autoUpgradeProfile": {"nodeOSUpgradeChannel": "NodeImage"},
        "disableLocalAccounts": False,
        "securityProfile": {},
        "oidcIssuerProfile": {"enabled": False},
        "workloadAutoScalerProfile": {},
        **given,
        "networkProfile": _network(given.get("networkProfile", {})),
        "storageProfile": _storage(given.get("storageProfile", {})),
        **own,
    }


def _client_id(asked: dict[str, Any]) -> str:
    """A secret is never given back; clusters with a managed identity say `msi`."""
    return str((asked.get("servicePrincipalProfile") or {}).get("clientId") or "msi")


def _pool(pool: Any, version: str) -> dict[str, Any]:
    if not isinstance(pool, dict) or not pool.get("name"):
        raise refused(400, "InvalidParameter", "Required parameter agentPoolProfile.name is missing (null).")
    windows = pool.get("osType") == "Windows"
    return {
        "count": 1,
        "vmSize": "Standard_D4s_v5",
        "osDiskSizeGB": 128,
        "osDiskType": "Managed",
        "kubeletDiskType": "OS",
        "maxPods": 110,
        "type": "VirtualMachineScaleSets",
        "mode": "System",
        "osType": "Linux",
        "osSKU": "Windows2022" if windows else "Ubuntu",
        "enableAutoScaling": False,
        "enableNodePublicIP": False,
        "enableFIPS": False,
        "nodeImageVersion": _NODE_IMAGES["Windows" if windows else "Linux"],
        "upgradeSettings": {},
        **{key: value for key, value in pool.items() if value is not None and value != ""},
        "orchestratorVersion": str(pool.get("orchestratorVersion") or version),
        "currentOrchestratorVersion": str(pool.get("orchestratorVersion") or version),
    }


def _network(asked: dict[str, Any]) -> dict[str, Any]:
    return {
        "networkPlugin": "azure",
        "loadBalancerSku": "standard",
        "serviceCidr": "10.0.0.0/16",
        "dnsServiceIP": "10.0.0.10",
        "outboundType": "loadBalancer",
        "ipFamilies": ["IPv4"],
        **{key: value for key, value in asked.items() if value is not None},
    }


def _storage(asked: dict[str, Any]) -> dict[str, Any]:
    return {driver: {"enabled": True} for driver in ("diskCSIDriver", "fileCSIDriver", "snapshotController")} | asked
