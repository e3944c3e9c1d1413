"""What a cloud says about itself (`/metadata/endpoints`): the Azure CLI builds its endpoints from it.

Every endpoint of this cloud that the simulator serves points back at it; the others are empty or Azure's own names,
used as token audiences only.
"""

from typing import TYPE_CHECKING, Any

from simulator.http import Request, Response

if TYPE_CHECKING:
    from simulator.cloud import Cloud

CLOUD_NAME = "AzureInABox"


def endpoints(cloud: "Cloud", request: Request) -> Response:
    """A few endpoints up to 2015-01-01, a list of clouds from 2019-05-01 on (what ARM_CLOUD_METADATA_URL is for), this
    one cloud from 2022-09-01 on (what `az cloud register --endpoint-resource-manager` reads)."""
    version = request.query.get("api-version", "")
    if version < "2019":
        return Response(200, _single(request.base_url))
    cloud_itself = _cloud(cloud.identity.tenant_id, request.base_url)
    return Response(200, [cloud_itself] if version < "2022-09-01" else cloud_itself)


def _single(base: str) -> dict[str, Any]:
    return {
        "galleryEndpoint": f"{base}/",
        "graphEndpoint": f"{base}/",
        "portalEndpoint": f"{base}/",
        "authentication": {"loginEndpoint": f"{base}/", "audiences": [f"{base}/"]},
    }


def _cloud(tenant_id: str, base: str) -> dict[str, Any]:
    return {
        "name": CLOUD_NAME,
        "portal": f"{base}/",
        "authentication": {
            "loginEndpoint": base,
            "audiences": [f"{base}/", "https://management.core.windows.net/", "https://management.azure.com/"],
            "tenant": tenant_id,
            "identityProvider": "AAD",
        },
        "media": "https://rest.media.azure.net",
        "graph": f"{base}/",
        "graphAudience": f"{base}/",
        "microsoftGraphResourceId": f"{base}/",
        "batch": "https://batch.core.windows.net/",
        "gallery": f"{base}/",
        "resourceManager": f"{base}/",
        "sqlManagement": f"{base}/",
        "vmImageAliasDoc": f"{base}/",
        "activeDirectoryDataLake": "https://datalake.azure.net/",
        "ossrDbmsResourceId": "https://ossrdbms-aad.database.windows.net",
        "logAnalyticsResourceId": "https://api.loganalytics.io",
        "appInsightsResourceId": "https://api.applicationinsights.io",
        "suffixes": {
            "storage": "core.windows.net",
            "keyVaultDns": "vault.azure.net",
            "sqlServerHostname": "database.windows.net",
            "azureDataLakeStoreFileSystem": "azuredatalakestore.net",
            "azureDataLakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net",
            "acrLoginServer": "azurecr.io",
        },
    }
