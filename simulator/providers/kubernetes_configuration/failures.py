"""Why an extension does not come up. That these clusters cannot have it, and what is seen then, is documented; the code
and the frame of the message are as users report them; which cluster shows which reason is assumed."""

from typing import Any

from simulator.providers.kubernetes_configuration.memory import has_bad_quantities, memory_request_mi
from simulator.providers.kubernetes_configuration.models import Extension

# The keys without which the backup extension cannot reach its container (Microsoft's own command always sends them).
_LOCATION = "configuration.backupStorageLocation."
_REQUIRED = (
    f"{_LOCATION}bucket",
    f"{_LOCATION}config.storageAccount",
    f"{_LOCATION}config.resourceGroup",
    f"{_LOCATION}config.subscriptionId",
    "credentials.tenantId",
)
_REASONS = {
    "HelmPostInstallTimeout": "Helm installation failed : Timed out waiting for the resource to come to a ready/"
    "completed state : Recommendation Please check that the cluster has capacity for the pods of the extension : "
    "InnerError [release {name} failed, and has been uninstalled due to atomic being set: failed post-install: timed "
    "out waiting for the condition]",
    "BackoffLimitExceeded": "Helm installation failed : Unable to create/update Kubernetes resources for the extension "
    ": Recommendation Please check that pods can reach the API server : InnerError [release {name} failed, and has "
    "been uninstalled due to atomic being set: failed pre-install: job failed: BackoffLimitExceeded]",
    "BadQuantity": "Helm installation failed : Unable to create/update Kubernetes resources for the extension : "
    "InnerError [release {name} failed: the pod is invalid: resources.limits and resources.requests must be "
    "quantities, and no request above its limit]",
    "DNS": "Failed to reach the configuration endpoint : dial tcp: lookup {region}.dp.kubernetesconfiguration.azure."
    "com: no such host",
    "Stopped": "The extension agent did not answer: the cluster is not running",
    "ServicePrincipal": "Extensions need a cluster with a managed identity: no identity could be assigned to the "
    "extension",
}


def reason_of(
    extension: Extension,
    *,
    stopped: bool,
    service_principal: bool,
    has_x86_linux_pool: bool,
    network_isolated: bool,
    largest_node_mi: float,
    asked_for: str | None,
) -> str | None:
    """A key of the reasons above, a missing setting's name, or None when the install succeeds. Assumed: what becomes of
    settings of the resources that cannot be; a request that no node can grant leaves the pod Pending until Helm gives
    up (documented for too little capacity), a limit above it does not."""
    if stopped:
        return "Stopped"
    if service_principal:
        return "ServicePrincipal"
    if network_isolated:
        return "DNS"
    if not has_x86_linux_pool:
        return "HelmPostInstallTimeout"
    if asked_for is not None:
        return asked_for
    if not extension.is_backup:
        return None
    if (missing := missing_setting(extension)) is not None:
        return missing
    if has_bad_quantities(extension.settings):
        return "BadQuantity"
    return "HelmPostInstallTimeout" if memory_request_mi(extension.settings) > largest_node_mi else None


def missing_setting(extension: Extension) -> str | None:
    """The first required key that the backup extension was not given (assumed: it is not checked before)."""
    needed = list(_REQUIRED)
    if extension.settings.get(f"{_LOCATION}config.useAAD", "").lower() == "true":
        needed.append(f"{_LOCATION}config.storageAccountURI")
    return next((key for key in needed if not extension.settings.get(key)), None)


def error_of(reason: str, extension: Extension, region: str, doing: str) -> dict[str, Any]:
    """The `error` of the operation, `errorInfo` of the extension. `doing` is Create, Update or Delete."""
    missing = (
        "Helm installation failed : Unable to create/update Kubernetes resources for the extension : InnerError "
        f"[release {{name}} failed: the value '{reason}' is required]"
    )
    inner = _REASONS.get(reason, missing).format(name=extension.name, region=region)
    return {
        "code": "ExtensionOperationFailed",
        "message": f"The extension operation failed with the following error:  Error: [ InnerError: [{inner}]] "
        f"occurred while doing the operation : [{doing}] on the config, For general troubleshooting visit: "
        "https://aka.ms/k8s-extensions-TSG",
        "details": [],
        "additionalInfo": [],
    }
