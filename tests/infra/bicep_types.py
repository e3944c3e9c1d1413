"""Microsoft's own Bicep types, from the Azure MCP server that `make` puts into .tools/bicep-types.

The server holds them all and needs no network. It knows one stable api-version of each type, and does not hold a few
types at all; those are told in missing_types.json in the same words, from the documentation it names.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]
_TOOL = _ROOT / ".tools" / "bicep-types"
_MISSING = Path(__file__).with_name("missing_types.json")


class TypesUnavailableError(Exception):
    """The server is not installed, or does not answer."""


@dataclass(frozen=True)
class ResourceType:
    """One resource type, in the server's words. `body`: an Object or a DiscriminatedObject; `objects`: those it is made
    of, by name."""

    name: str
    api_version: str
    writable_scopes: frozenset[str]
    """ResourceGroup, Subscription, ManagementGroup, Tenant, Extension, or AllExceptExtension."""
    body: Mapping[str, Any]
    objects: Mapping[str, Mapping[str, Any]]


def resource_types(names: Iterable[str]) -> dict[str, ResourceType]:
    """By lower-cased name; a type that nobody knows is not among them. Raises TypesUnavailableError."""
    wanted = {name.lower(): name for name in names}
    if asked := [name for low, name in wanted.items() if _known(low) is None]:
        _ask(asked)
    return {low: type_ for low in wanted if (type_ := _known(low)) is not None}


def _known(low: str) -> ResourceType | None:
    """Told by hand, or what this version of the server has answered before."""
    if low in _missing():
        return _resource_type(_missing()[low])
    return _read(_cache(low)) if _cache(low).exists() else None


@cache
def _read(path: Path) -> ResourceType:
    return _resource_type(json.loads(path.read_text()))


def told_by_hand() -> frozenset[str]:
    """The types of missing_types.json."""
    return frozenset(json.loads(_MISSING.read_text())["types"])


@cache
def _missing() -> dict[str, list[dict[str, Any]]]:
    told = json.loads(_MISSING.read_text())
    return {name.lower(): _in_server_words(name, entry) for name, entry in told["types"].items()}


def _in_server_words(name: str, told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """missing_types.json is short: `"name": "type, Required"`; an object is told by its properties alone."""
    own = {f"{name}@{told['api_version']}": told["body"], **told.get("objects", {})}
    body, *objects = (_object(each, properties) for each, properties in own.items())
    fixed = [("apiVersion", told["api_version"]), ("id", "string"), ("type", name)]
    body["properties"] += [{"name": each, "type": type_, "flags": "ReadOnly"} for each, type_ in fixed]
    resource = {
        "$type": "Resource",
        "name": f"{name}@{told['api_version']}",
        "writableScopes": told["scope"],
        "bodyType": body,
    }
    return [resource, *objects]


def _object(name: str, properties: Mapping[str, str]) -> dict[str, Any]:
    listed = [(each, *told.partition(", ")[::2]) for each, told in properties.items() if each != "*"]
    body: dict[str, Any] = {
        "$type": "Object",
        "name": name,
        "properties": [{"name": each, "type": type_, "flags": flags} for each, type_, flags in listed],
    }
    return body | ({"additionalPropertiesType": properties["*"]} if "*" in properties else {})


def _resource_type(answer: list[dict[str, Any]]) -> ResourceType:
    resource = next(each for each in answer if each["$type"] == "Resource")
    name, _, version = resource["name"].partition("@")
    objects = {each["name"]: each for each in answer if each["$type"] in {"Object", "DiscriminatedObject"}}
    scopes = frozenset(each.strip() for each in resource["writableScopes"].split(","))
    return ResourceType(name, version, scopes, resource["bodyType"], objects)


def _cache(name: str) -> Path:
    return _folder() / f"{name.lower().replace('/', '_')}.json"


@cache
def _folder() -> Path:
    version = "".join((_ROOT / "requirements-bicep-types.txt").read_text().splitlines()[-1:]).partition("==")[2]
    folder = _TOOL / "cache" / version
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _ask(names: list[str]) -> None:
    """Keeps the answers. One server for all questions: it takes seconds to start, and a fifth of one for an answer."""
    program = _TOOL / "bin" / "azmcp"
    if not program.exists():
        raise TypesUnavailableError("Microsoft's Bicep types are not installed: run `make .tools/bicep-types/ready`")
    command = [str(program), "server", "start", "--mode", "all", "--tool", "bicepschema_get", "--disable-proxy-tools"]
    quiet = {**os.environ, "AZURE_MCP_COLLECT_TELEMETRY": "false"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, env=quiet) as server:
        try:
            client = {"name": "tests", "version": "1"}
            hello = {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": client}
            _call(server, "initialize", hello)
            _send(server, {"method": "notifications/initialized"})
            for name in names:
                asked = {"name": "bicepschema_get", "arguments": {"resource-type": name}}
                answer = json.loads(_call(server, "tools/call", asked)["content"][0]["text"])
                if told := answer["results"].get("BicepSchemaResult"):
                    _keep(name, told)
                elif not re.search(r"not (found|supported)", answer["message"]):
                    raise TypesUnavailableError(f"{name}: {answer['message']}")
        finally:
            server.kill()


def _keep(name: str, answer: list[dict[str, Any]]) -> None:
    """Whole or not at all: several test processes may keep the same answer at once."""
    path = _cache(name)
    new = path.with_suffix(f".{os.getpid()}")
    new.write_text(json.dumps(answer))
    new.replace(path)


def _call(server: "subprocess.Popen[str]", method: str, params: Mapping[str, Any]) -> dict[str, Any]:
    _send(server, {"id": 1, "method": method, "params": params})
    for line in server.stdout or ():
        answer = json.loads(line)
        if "result" in answer:
            return dict(answer["result"])
        if "error" in answer:
            raise TypesUnavailableError(str(answer["error"]))
    raise TypesUnavailableError("the server of Microsoft's Bicep types ended without an answer")


def _send(server: "subprocess.Popen[str]", message: Mapping[str, Any]) -> None:
    if server.stdin is not None:
        server.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        server.stdin.flush()
