"""A program: Microsoft's worker library and the app, with nothing but the standard library and one package folder.

    python -I -S alone.py PACKAGE start     index the app, run the function `health` once
    python -I -S alone.py PACKAGE import    import every module of the app, and each name given on stdin

`-I -S` leaves the standard library alone on sys.path; the package's two folders are added as the worker in Azure does.
Prints one JSON object; `compiled` names the files of the package that were compiled meanwhile, for want of bytecode.
Knows nothing of the checkout: it is run by its path.
"""

import asyncio
import importlib
import json
import pkgutil
import sys
import sysconfig
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any


class Message(SimpleNamespace):
    """Any message of FunctionRpc.proto: what the library writes into it, it keeps."""

    def __getattr__(self, name: str) -> Any:
        """A field that was not set is empty."""
        if name.startswith("__"):
            raise AttributeError(name)
        return None


class TypedData(Message):
    """rpc TypedData: one of its fields is set. A field it does not have is asked for, and has to be missing."""

    def WhichOneof(self, _: str) -> str:  # noqa: N802 - protobuf's
        return next(iter(vars(self)))

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


class ParameterBinding(Message):
    """rpc ParameterBinding: nothing here is passed through shared memory."""

    def WhichOneof(self, _: str) -> str:  # noqa: N802 - protobuf's
        return "data"


class Protos:
    """The module of messages, which the host gives the library."""

    BindingInfo = type("BindingInfo", (Message,), {"in_": 0, "out": 1, "inout": 2, "undefined": 0, "string": 1})
    StatusResult = type("StatusResult", (Message,), {"Failure": 0, "Success": 1, "Cancelled": 2})
    TypedData = TypedData

    def __getattr__(self, name: str) -> type[Message]:
        return Message


async def start(package: Path) -> dict[str, Any]:
    began = time.perf_counter()
    runtime = importlib.import_module("azure_functions_runtime")
    runtime.start_threadpool_executor()
    properties = {"protos": Protos(), "host": "127.0.0.1"}

    async def ask(verb: Callable[[Any], Awaitable[Any]], **fields: Any) -> Any:
        request = SimpleNamespace(**{verb.__name__: Message(**fields)})
        answer = await verb(SimpleNamespace(request=request, properties=properties))
        if answer.result.status != 1:
            raise SystemExit(f"{answer.result.exception.message}\n{answer.result.exception.stack_trace}")
        return answer

    await ask(runtime.worker_init_request, capabilities={}, function_app_directory=str(package))
    indexed = (await ask(runtime.functions_metadata_request)).function_metadata_results or []
    ids = {each.name: each.function_id for each in indexed}
    seconds = time.perf_counter() - began
    for function_id in ids.values():
        await ask(runtime.function_load_request, function_id=function_id)
    http = Message(
        method="GET", url="http://alone/api/health", headers={}, params={}, query={}, body=TypedData(bytes=b"")
    )
    invoked = await ask(
        runtime.invocation_request,
        invocation_id="alone",
        function_id=ids["health"],
        input_data=[ParameterBinding(name="req", data=TypedData(http=http))],
        trigger_metadata={},
        trace_context=Message(trace_parent="", trace_state="", attributes={}),
        retry_context=Message(retry_count=0, max_retry_count=0),
    )
    answer = invoked.return_value.http
    return {
        "functions": sorted(ids),
        "indexed_seconds": seconds,
        "answered_seconds": time.perf_counter() - began,
        "health": {"status": int(answer.status_code), "body": json.loads(answer.body.bytes)},
    }


def import_all(package: Path) -> dict[str, Any]:
    own = ["function_app", "functions", "shared"]
    for folder in ("functions", "shared"):
        walked = pkgutil.walk_packages([str(package / folder)], f"{folder}.")
        own += [module.name for module in walked if not module.name.endswith(".__main__")]
    failed = {}
    for name in [*own, *sys.stdin.read().split()]:
        try:
            importlib.import_module(name)
        except ImportError as error:
            failed[name] = str(error)
    return {"modules": own, "failed": failed}


def outside(package: Path) -> list[str]:
    """The files of modules that are neither the package's nor the standard library's."""
    standard = [Path(sysconfig.get_path(kind)).resolve() for kind in ("stdlib", "platstdlib")]
    files = [getattr(module, "__file__", None) for name, module in sys.modules.items() if name != "__main__"]
    places = [Path(file).resolve() for file in files if file]
    site = [place for place in places if {"site-packages", "dist-packages"} & {*place.parts}]
    foreign = [place for place in places if not any(place.is_relative_to(folder) for folder in standard)]
    return sorted({str(place) for place in site + foreign if not place.is_relative_to(package)})


def main() -> None:
    package = Path(sys.argv[1]).resolve()
    compiled: list[str] = []

    def listen(event: str, what: tuple[Any, ...]) -> None:
        if event == "compile" and str(what[1]).startswith(str(package)):
            compiled.append(str(what[1]))

    sys.addaudithook(listen)
    sys.path[:0] = [str(package), str(package / ".python_packages/lib/site-packages")]
    said = asyncio.run(start(package)) if sys.argv[2] == "start" else import_all(package)
    print(json.dumps({**said, "outside": outside(package), "compiled": compiled}))


if __name__ == "__main__":
    main()
