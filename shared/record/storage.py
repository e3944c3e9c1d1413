"""The storage account: its tables and queues, made when first used, and its errors in the loop's words."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from azure.core import MatchConditions
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient, TableServiceClient
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from shared.domain.errors import RecordConflict, TransientError
from shared.record.keys import RowAddress
from shared.record.retry import repeated

_CLIENT_OPTIONS: Mapping[str, Any] = {
    # A retried conditional write would meet its own first attempt as a conflict, so nothing retries but `repeated`.
    "retry_total": 0,
    "connection_timeout": 5,
    "read_timeout": 20,
}
_CONFLICT, _PRECONDITION_FAILED, _NOT_FOUND = 409, 412, 404
_CONTAINER_GONE = frozenset({"TableNotFound", "QueueNotFound", "TableBeingDeleted", "QueueBeingDeleted"})

type Row = Mapping[str, Any]


class Storage:
    """One storage account. Clients are bound to the event loop they are first used on."""

    def __init__(self, tables: TableServiceClient, queues: QueueServiceClient) -> None:
        self._tables, self._queues = tables, queues
        self._made: set[str] = set()

    @classmethod
    def by_connection_string(cls, connection_string: str) -> "Storage":
        """Raises ValueError when the connection string is none."""
        return cls(
            TableServiceClient.from_connection_string(connection_string, **_CLIENT_OPTIONS),
            QueueServiceClient.from_connection_string(connection_string, **_CLIENT_OPTIONS),
        )

    @classmethod
    def by_identity(cls, table_uri: str, queue_uri: str, credential: AsyncTokenCredential) -> "Storage":
        """`credential` stays the caller's to close. Token credentials need https."""
        return cls(
            TableServiceClient(table_uri, credential=credential, **_CLIENT_OPTIONS),
            QueueServiceClient(queue_uri, credential=credential, **_CLIENT_OPTIONS),
        )

    @property
    def account(self) -> str:
        return str(self._tables.account_name)

    async def close(self) -> None:
        await self._tables.close()
        await self._queues.close()

    @asynccontextmanager
    async def table(self, name: str, operation: str) -> AsyncIterator[TableClient]:
        """The table, there for sure. Inside the block storage's errors become RecordConflict and TransientError.

        TransientError may leave the outcome unknown: the write can have reached the table and only its answer been
        lost. Whoever must know reads the row again and compares what only they can have written (the lease id).
        """
        client = self._tables.get_table_client(name)
        with _Translated(self, f"table {name}", operation):
            if name not in self._made:
                await _unless_there(client.create_table)
                self._made.add(name)
            yield client

    @asynccontextmanager
    async def queue(self, name: str, operation: str) -> AsyncIterator[QueueClient]:
        """The queue, there for sure, with the base64 encoding Functions queue triggers expect."""
        client = self._queues.get_queue_client(name, message_encode_policy=TextBase64EncodePolicy())
        with _Translated(self, f"queue {name}", operation):
            if name not in self._made:
                await _unless_there(client.create_queue)
                self._made.add(name)
            yield client

    async def read(self, table: str, address: RowAddress) -> Row | None:
        """The row with its etag under `etag`, None when there is none. Raises TransientError."""

        async def once() -> Row | None:
            async with self.table(table, "read a row") as client:
                try:
                    entity = await client.get_entity(address.partition, address.row)
                except ResourceNotFoundError as error:
                    if is_container_gone(error):
                        raise
                    return None
                return {**entity, "etag": entity.metadata["etag"]}

        return await repeated()(once)

    async def write(self, table: str, row: Row, etag: str) -> str:
        """Create (empty `etag`) or replace the row written under `etag`; the answer is the new etag.
        Raises RecordConflict, and TransientError with the outcome unknown."""
        async with self.table(table, "write a row") as client:
            if not etag:
                return str((await client.create_entity(dict(row)))["etag"])
            answer = await client.update_entity(
                dict(row), mode=UpdateMode.REPLACE, etag=etag, match_condition=MatchConditions.IfNotModified
            )
            return str(answer["etag"])

    def forget(self, name: str) -> None:
        """Look again before the next use whether the table or queue is there."""
        self._made.discard(name)


async def _unless_there(create: Callable[[], Awaitable[object]]) -> None:
    try:
        await create()
    except ResourceExistsError as error:
        if is_container_gone(error):
            raise


def is_container_gone(error: HttpResponseError) -> bool:
    """Whether the table or queue is missing, and not what was looked for in it."""
    return _code(error) in _CONTAINER_GONE


class _Translated:
    """Storage's errors in the loop's words. An answer that no table here explains stays what it is."""

    def __init__(self, storage: Storage, place: str, operation: str) -> None:
        self._storage, self._place, self._operation = storage, place, operation

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, AzureError) and (translated := self._in_our_words(error)):
            raise translated from error

    def _in_our_words(self, error: AzureError) -> Exception | None:
        where = f"storage account {self._storage.account}, {self._place}: could not {self._operation}"
        if not isinstance(error, HttpResponseError) or error.status_code is None:
            # No answer: refused, reset, timed out, or no token to be had.
            known = isinstance(error, ServiceRequestError | ServiceResponseError | HttpResponseError)
            return TransientError("StorageUnavailable", f"{where}: {_first_line(error)}") if known else None
        status, code = error.status_code, _code(error)
        if code in _CONTAINER_GONE:
            self._storage.forget(self._place.rsplit(" ", 1)[-1])
            return TransientError(code, f"{where}: it has been deleted")
        if status in (_CONFLICT, _PRECONDITION_FAILED, _NOT_FOUND):
            return RecordConflict(f"{where}: somebody else wrote first ({code})")
        if status in (401, 403):
            return TransientError(
                code or "StorageAccessDenied",
                f"{where}: access denied: {_first_line(error)}",
                recommended_action="Give the app's identity Storage Table Data Contributor and Storage Queue Data "
                "Contributor on the account, and let the account's network rules admit the app.",
            )
        if status in (408, 429) or status >= 500:
            return TransientError(
                code or "StorageUnavailable", f"{where}: HTTP {status}", retry_after=_retry_after(error)
            )
        return None


def _code(error: HttpResponseError) -> str:
    """The service's code. Some calls of the tables SDK raise without having read it from the body."""
    code = getattr(error, "error_code", None)
    if code is None and error.response is not None:
        try:
            code = json.loads(error.response.text())["odata.error"]["code"]
        except (ValueError, LookupError, TypeError):
            code = None
    return str(getattr(code, "value", code or ""))


def _retry_after(error: HttpResponseError) -> float | None:
    headers: Mapping[str, str] = getattr(error.response, "headers", {})
    value = headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
