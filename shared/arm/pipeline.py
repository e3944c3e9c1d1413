"""How requests go out: the SDK's own management clients over one transport, without retries of their own, without the
silent registration of resource providers that they bring, and without redirects."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.pipeline.policies import SansIOHTTPPolicy
    from azure.core.pipeline.transport import AsyncHttpTransport
    from azure.core.rest import AsyncHttpResponse, HttpRequest
    from azure.mgmt.dataprotection.aio import DataProtectionMgmtClient
    from azure.mgmt.resource.resources.aio import ResourceManagementClient

CONNECT_TIMEOUT, READ_TIMEOUT = 10.0, 75.0
"""Seconds. ARM gives a resource provider 60 s to answer."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Where a token may go over http: it does not leave the machine."""
_ANY_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"  # the clients want one; whole paths are sent instead


def allow_http() -> "SansIOHTTPPolicy[Any, Any]":
    """For a pipeline on loopback: azure-core refuses a token over http, which is right but for this machine."""
    from azure.core.pipeline.policies import SansIOHTTPPolicy

    class AllowHttp(SansIOHTTPPolicy[Any, Any]):
        def on_request(self, request: Any) -> None:
            request.context.options["enforce_https"] = False

    return AllowHttp()


class Pipeline:
    """The two management clients, built on first use. Closes the transport, its own or the one it was given."""

    def __init__(
        self,
        endpoint: str,
        credential: "AsyncTokenCredential",
        scopes: tuple[str, ...],
        transport: "AsyncHttpTransport[Any, Any] | None" = None,
    ) -> None:
        """Raises ValueError for an endpoint that would send tokens in the clear to another machine."""
        parts = urlsplit(endpoint)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise ValueError(f"the ARM endpoint must be https, or http on this machine, not {endpoint[:200]!r}")
        self._endpoint, self._plain_http = endpoint.rstrip("/"), parts.scheme == "http"
        self._credential, self._scopes, self._transport = credential, scopes, transport
        self._resources: ResourceManagementClient | None = None
        self._data_protection: DataProtectionMgmtClient | None = None

    async def send(self, request: "HttpRequest") -> "AsyncHttpResponse":
        """Send it and return the answer, whatever its status. Raises azure-core's errors when there was none."""
        client = self._client_of(request.url)
        return await client.send_request(request)

    async def close(self) -> None:
        if self._transport is not None:
            await self._transport.close()

    def _client_of(self, url: str) -> "DataProtectionMgmtClient | ResourceManagementClient":
        if "/providers/microsoft.dataprotection/" in url.lower():
            if self._data_protection is None:
                from azure.mgmt.dataprotection.aio import DataProtectionMgmtClient

                self._data_protection = DataProtectionMgmtClient(
                    self._credential, _ANY_SUBSCRIPTION, self._endpoint, **self._options()
                )
            return self._data_protection
        if self._resources is None:
            from azure.mgmt.resource.resources.aio import ResourceManagementClient

            self._resources = ResourceManagementClient(
                self._credential, _ANY_SUBSCRIPTION, self._endpoint, **self._options()
            )
        return self._resources

    def _options(self) -> dict[str, Any]:
        from azure.core.pipeline.policies import HeadersPolicy, RequestIdPolicy, UserAgentPolicy
        from azure.core.pipeline.transport import AioHttpTransport
        from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy

        if self._transport is None:
            self._transport = AioHttpTransport(
                connection_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT, use_env_settings=not self._plain_http
            )
        policies: list[Any] = [
            RequestIdPolicy(),
            # Azure Backup answers 406 to an Accept header with parameters: seen with clients that send one.
            HeadersPolicy({"Accept": "application/json"}),
            UserAgentPolicy("aks-backup-guard"),
            *([allow_http()] if self._plain_http else []),
            AsyncARMChallengeAuthenticationPolicy(self._credential, *self._scopes),
        ]
        return {"transport": self._transport, "policies": policies, "credential_scopes": list(self._scopes)}
