"""The endpoints that hand out tokens: App Service managed identity, and what MSAL needs for a service principal."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from simulator.http import Request, Response
from simulator.identity import graph, metadata
from simulator.identity.models import Entry
from simulator.identity.tokens import LIFETIME_SECONDS, issue

if TYPE_CHECKING:
    from simulator.cloud import Cloud

MSI_PATH = "/msi/token"


def respond(cloud: "Cloud", request: Request) -> Response | None:
    """Answer when the path is one of ours (lower-cased compare), else None."""
    parts = request.path.strip("/").lower().split("/")
    answer: Callable[[Cloud, Request], Response] | None = None
    match parts:
        case ["msi", "token"]:
            answer = _managed_identity
        case ["metadata", "endpoints"]:
            answer = metadata.endpoints
        case ["common", "discovery", "instance"]:
            answer = _instance_discovery
        case [_, ".well-known", "openid-configuration"] | [_, "v2.0", ".well-known", "openid-configuration"]:
            answer = _openid_configuration
        case [_, "oauth2", "token"] | [_, "oauth2", "v2.0", "token"]:
            answer = _token
        case ["v1.0", *_]:
            answer = graph.respond
    return answer(cloud, request) if answer else None


def _managed_identity(cloud: "Cloud", request: Request) -> Response:
    """App Service, api-version 2019-08-01: the header says which app asks, `client_id` or `principal_id` may choose
    another identity of it. Error shape documented; that a wrong header gives 401 is assumed."""
    header = request.headers.get("x-identity-header")
    resource = request.query.get("resource", "")
    if request.query.get("api-version") != "2019-08-01":
        return _msi_error(cloud, 400, "The parameter api-version must be 2019-08-01.")
    if not header:
        return _msi_error(cloud, 400, "The header X-IDENTITY-HEADER is required.")
    entry = cloud.identity.entry_with_secret(header)
    if entry is None:
        return _msi_error(cloud, 401, "The header X-IDENTITY-HEADER is not the one of this app.")
    if not resource:
        return _msi_error(cloud, 400, "The parameter resource is required.")
    chosen = _chosen(cloud, request, entry)
    if chosen is None:
        message = "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId."
        return _msi_error(cloud, 400, message)
    now = cloud.clock.now()
    return Response(
        200,
        {
            "access_token": issue(chosen.principal, resource, now),
            "client_id": chosen.principal.application_id,
            "expires_on": str(int(now.timestamp()) + LIFETIME_SECONDS),
            "not_before": str(int(now.timestamp())),
            "resource": resource,
            "token_type": "Bearer",
        },
    )


def _chosen(cloud: "Cloud", request: Request, default: Entry) -> Entry | None:
    client_id = request.query.get("client_id")
    object_id = request.query.get("principal_id") or request.query.get("object_id")
    if client_id:
        return cloud.identity.entry_of_application(client_id)
    if object_id:
        return cloud.identity.entry(object_id)
    return None if request.query.get("mi_res_id") else default


def _msi_error(cloud: "Cloud", status: int, message: str) -> Response:
    return Response(status, {"statusCode": status, "message": message, "correlationId": str(cloud.new_uuid())})


def _instance_discovery(_cloud: "Cloud", request: Request) -> Response:
    tenant = (request.query.get("authorization_endpoint") or "").split("/")[3:4] or ["common"]
    host = request.base_url.split("://")[-1]
    return Response(
        200,
        {
            "tenant_discovery_endpoint": f"{request.base_url}/{tenant[0]}/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        },
    )


def _openid_configuration(cloud: "Cloud", request: Request) -> Response:
    tenant = request.path.strip("/").split("/")[0]
    if tenant.lower() in ("common", "organizations"):
        tenant = cloud.identity.tenant_id
    if tenant.lower() != cloud.identity.tenant_id:
        return _oauth_error(cloud, "invalid_tenant", 90002, f"Tenant '{tenant}' not found.")
    base = f"{request.base_url}/{tenant}"
    return Response(
        200,
        {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "response_types_supported": ["token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        },
    )


def _token(cloud: "Cloud", request: Request) -> Response:
    """OAuth 2.0 client credentials with a secret, v1 (`resource`) and v2 (`scope`) alike."""
    form = {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
    if form.get("grant_type") != "client_credentials":
        return _oauth_error(cloud, "unsupported_grant_type", 70003, "Only client_credentials is supported here.")
    entry = cloud.identity.entry_of_application(form.get("client_id", ""))
    if entry is None:
        message = f"Application with identifier '{form.get('client_id')}' was not found in the directory."
        return _oauth_error(cloud, "unauthorized_client", 700016, message)
    if entry.secret is None or form.get("client_secret") != entry.secret:
        return _oauth_error(cloud, "invalid_client", 7000215, "Invalid client secret provided.", status=401)
    audience = form.get("resource") or form.get("scope", "").split(" ")[0].removesuffix("/.default")
    if not audience:
        return _oauth_error(cloud, "invalid_request", 900144, "The request must contain 'scope' or 'resource'.")
    lifetime = 3599  # documented: between 60 and 90 minutes
    return Response(
        200,
        {
            "token_type": "Bearer",
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": issue(entry.principal, audience, cloud.clock.now(), lifetime),
        },
    )


def _oauth_error(cloud: "Cloud", error: str, number: int, message: str, *, status: int = 400) -> Response:
    body = {
        "error": error,
        "error_description": f"AADSTS{number}: {message}",
        "error_codes": [number],
        "timestamp": f"{cloud.clock.now():%Y-%m-%d %H:%M:%SZ}",
        "trace_id": str(cloud.new_uuid()),
        "correlation_id": str(cloud.new_uuid()),
    }
    return Response(status, body)
