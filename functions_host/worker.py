"""Microsoft's worker library, azure_functions_runtime, driven in process.

In Azure the .NET host talks to the library through gRPC. Indexing goes the same way here (`worker_init_request`,
`functions_metadata_request`), with stand-ins for the protobuf classes: the library only builds them and reads their
attributes. Invocations go through `native_invocation.invocation_request_native`, the library's own entry without
protobuf: the binding, type and execution code is the one production runs.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime
from azure_functions_runtime.bindings.datumdef import Datum
from azure_functions_runtime.http_v2 import HttpV2Registry
from azure_functions_runtime.native_invocation import invocation_request_native

from functions_host import bindings
from functions_host.bindings import Function
from functions_host.start_error import StartError

_SCRIPT_SETTING = "PYTHON_SCRIPT_FILE_NAME"


class _StatusResult(SimpleNamespace):
    """rpc StatusResult, with its enumeration (FunctionRpc.proto)."""

    Failure = 0
    Success = 1
    Cancelled = 2


class _BindingInfo(SimpleNamespace):
    """rpc BindingInfo, with the values of its Direction and DataType (FunctionRpc.proto)."""

    in_ = 0
    out = 1
    inout = 2
    undefined = 0
    string = 1
    binary = 2
    stream = 3


_PROTOS = SimpleNamespace(
    BindingInfo=_BindingInfo,
    StatusResult=_StatusResult,
    **dict.fromkeys(
        (
            "FunctionMetadataResponse",
            "RpcException",
            "RpcFunctionMetadata",
            "RpcRetryOptions",
            "WorkerInitResponse",
            "WorkerMetadata",
        ),
        SimpleNamespace,
    ),
)


@dataclass(frozen=True, slots=True)
class Result:
    """What one invocation came to."""

    ok: bool
    returned: Datum | None = None
    outputs: tuple[tuple[str, Datum], ...] = ()
    error: str = ""
    traceback: str = ""


async def index(app_dir: Path, *, has_bundle: bool) -> list[Function]:
    """Import the app and index its functions; one bad function is a StartError with the library's message."""
    script = app_dir / os.environ.get(_SCRIPT_SETTING, "function_app.py")
    if not script.is_file():
        raise StartError(f"{script} is missing: nothing to host")
    runtime.start_threadpool_executor()
    init = SimpleNamespace(
        request=SimpleNamespace(
            worker_init_request=SimpleNamespace(capabilities={}, function_app_directory=str(app_dir))
        ),
        properties={"protos": _PROTOS, "host": "127.0.0.1"},
    )
    try:
        response = await runtime.worker_init_request(init)
    except SystemExit as error:
        raise StartError(f"{script.name} ended the process while it was imported ({error.code})") from error
    if response.result.status != _StatusResult.Success:
        failure = response.result.exception
        raise StartError(f"the worker library cannot index {script}: {failure.message}\n{failure.stack_trace}")
    if HttpV2Registry.http_v2_enabled():
        raise StartError("HTTP streaming (azurefunctions-extensions-http-*) is not imitated by the local host")
    metadata = await runtime.functions_metadata_request(SimpleNamespace())
    indexed = metadata.function_metadata_results or []
    if not indexed:
        raise StartError(f"{script} registers no functions")
    for item in indexed:
        if item.retry_options is not None:
            raise StartError(f"function {item.name}: retry policies are not imitated by the local host")
    return [
        bindings.function(item.name, item.function_id, item.raw_bindings, has_bundle=has_bundle) for item in indexed
    ]


async def invoke(
    function: Function, invocation_id: str, data: Datum, metadata: Mapping[str, Datum], traceparent: str
) -> Result:
    """Run a function once. An exception of the function is part of the result."""
    ok, returned, outputs, error, trace = await invocation_request_native(
        invocation_id, function.function_id, [(function.trigger.name, data)], metadata, traceparent
    )
    return Result(ok, returned, tuple(outputs), error or "", trace or "")


def json_datum(text: str) -> Datum:
    """A value the real host would send as TypedData.json."""
    return Datum(text, "json")


def string_datum(text: str) -> Datum:
    """A value the real host would send as TypedData.string."""
    return Datum(text, "string")


def bytes_datum(data: bytes) -> Datum:
    """A value the real host would send as TypedData.bytes."""
    return Datum(data, "bytes")


def http_datum(value: dict[str, Any]) -> Datum:
    """A value the real host would send as TypedData.http."""
    return Datum(value, "http")


def keep_stdout_for_the_host() -> Any:
    """Send what the app prints to stderr: the first line on stdout is the host's. Returns the real stdout."""
    stdout, sys.stdout = sys.stdout, sys.stderr
    return stdout
