"""Log Analytics: one query of one workspace, all of its rows, by the SDK's own client."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shared.arm.answer import JsonObject, parse_json, read_error, retry_after_seconds
from shared.arm.client import NO_ANSWER, UNREADABLE
from shared.arm.pipeline import CONNECT_TIMEOUT, LOOPBACK, READ_TIMEOUT, allow_http
from shared.domain.errors import BlockedError, GuardError, TransientError
from shared.ports import Clock

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.exceptions import HttpResponseError
    from azure.core.pipeline.transport import AsyncHttpTransport
    from azure.monitor.query import LogsTableRow
    from azure.monitor.query.aio import LogsQueryClient

log = logging.getLogger(__name__)
PARTIAL = "PartialError"
_PUBLIC = "https://api.loganalytics.io"
_SERVER_TIMEOUT = 60  # s, below READ_TIMEOUT: the service says itself that a query took too long
_WAIT_UNSAID = 30.0
"""Azure's seconds, for a 429 without Retry-After: the quota is 200 queries in 30 s (Log Analytics API limits page)."""
_ADVICE = {
    403: "Give the app's identity Log Analytics Reader on the workspace.",
    404: "See that the workspace exists, and that AKS_BACKUP_GUARD_LOG_ANALYTICS_WORKSPACES holds workspace ids.",
}


class LogAnalytics:
    """`scale` as in `shared.domain.time.Moment`. Tokens are for the endpoint itself, or for the public one when that is
    this machine. The client is built on first use."""

    def __init__(
        self,
        endpoint: str,
        credential: "AsyncTokenCredential",
        *,
        clock: Clock,
        scale: float = 1.0,
        transport: "AsyncHttpTransport[Any, Any] | None" = None,
    ) -> None:
        """Raises ValueError for an endpoint that would send tokens in the clear to another machine."""
        parts = urlsplit(endpoint)
        local = parts.hostname in LOOPBACK
        if parts.scheme != "https" and not (parts.scheme == "http" and local):
            raise ValueError(f"Log Analytics must be https, or http on this machine, not {endpoint[:200]!r}")
        self._endpoint, self._plain_http = endpoint.rstrip("/"), parts.scheme == "http"
        self._scope = f"{_PUBLIC if local else self._endpoint}/.default"
        self._credential, self._transport = credential, transport
        self._clock, self._scale = clock, scale
        self._client: LogsQueryClient | None = None
        self._told: set[tuple[str, str]] = set()

    async def query(self, workspace_id: str, text: str, table: str) -> list[JsonObject]:
        """The rows, by column name, datetimes as ISO 8601. A workspace that lacks `table`, which the query begins with,
        has no rows: a table is made when its first row comes. Raises GuardError: all rows or an error."""
        from azure.core.exceptions import AzureError, HttpResponseError
        from azure.monitor.query import LogsQueryPartialResult

        if self._client is None:
            self._client = self._built()
        try:
            result = await self._client.query_workspace(
                workspace_id, text, timespan=None, server_timeout=_SERVER_TIMEOUT
            )
        except HttpResponseError as error:
            if error.response is None:  # no token was to be had
                raise TransientError("NoToken", f"No token for Log Analytics: {_words(error)}") from error
            if _lacks(table, _body(error)):
                self._tell(workspace_id, table)
                return []
            raise self._translated(error) from error
        except AzureError as error:
            raise TransientError(NO_ANSWER, f"Log Analytics did not answer: {_words(error)}") from error
        except (ValueError, TypeError, LookupError, AttributeError) as error:  # what the SDK makes of a gateway's page
            raise TransientError(UNREADABLE, f"Log Analytics' answer could not be read: {_words(error)}") from error
        if isinstance(result, LogsQueryPartialResult):
            said = result.partial_error
            raise TransientError(PARTIAL, f"Log Analytics gave a part of the rows only: {said.message if said else ''}")
        if not result.tables:  # an answer without rows has a table without rows
            raise TransientError(UNREADABLE, "Log Analytics answered without a table.")
        return [_row(result.tables[0].columns, row) for row in result.tables[0].rows]

    async def close(self) -> None:
        """Closes the transport, its own or the one it was given."""
        if self._client is not None:
            await self._client.close()

    def _built(self) -> "LogsQueryClient":
        from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy, RequestIdPolicy, UserAgentPolicy
        from azure.core.pipeline.transport import AioHttpTransport
        from azure.monitor.query.aio import LogsQueryClient

        transport = self._transport or AioHttpTransport(
            connection_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT, use_env_settings=not self._plain_http
        )
        policies: list[Any] = [  # no retries, no redirects: as towards Resource Manager
            RequestIdPolicy(),
            UserAgentPolicy("aks-backup-guard"),
            *([allow_http()] if self._plain_http else []),
            AsyncBearerTokenCredentialPolicy(self._credential, self._scope),
        ]
        return LogsQueryClient(self._credential, endpoint=self._endpoint, transport=transport, policies=policies)

    def _translated(self, error: "HttpResponseError") -> GuardError:
        status, body = error.status_code or 0, _body(error)
        said = read_error(body)
        code = said.code if said else f"HttpStatus{status}"
        message = " ".join(filter(None, (said.message, *said.details))) if said else _words(error)
        if status in (401, 408, 429) or status >= 500:
            response: Any = error.response
            headers = {name.lower(): value for name, value in response.headers.items()}
            wait = retry_after_seconds(headers, self._clock.now())
            unsaid = _WAIT_UNSAID if status == 429 else None
            return TransientError(code, message, retry_after=unsaid if wait is None else wait * self._scale)
        return BlockedError(code, message, recommended_action=_ADVICE.get(status, ""))

    def _tell(self, workspace_id: str, table: str) -> None:
        if (workspace_id, table) not in self._told:
            self._told.add((workspace_id, table))
            log.info("workspace %s has no table %s yet: nothing has been sent to it", workspace_id, table)


def _lacks(table: str, body: object) -> bool:
    """Whether the error says that the table is not known. Another name that is not known is a defect of the query."""
    said = read_error(body)
    words = said.details if said else ()
    return any("failed to resolve table" in each.lower() and f"'{table}'" in each for each in words)


def _row(columns: Sequence[str], values: "LogsTableRow") -> JsonObject:
    named = zip(columns, values, strict=False)  # what a row lacks, its reader misses
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in named}


def _body(error: "HttpResponseError") -> object:
    response: Any = error.response
    return parse_json(response.content)


def _words(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__)[:500]
