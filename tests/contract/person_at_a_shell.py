"""What a person brings about who runs a command that `doctor` printed: the calls that Azure's command line makes for
it, and for azd the same deployment again."""

import json
import re
import shlex
from typing import Any

from infra.rights import FOLDER
from tests.contract.deployed_world import WEB, DeployedWorld
from tests.virtual.azure import RESOURCES, ROLES, STORAGE

_SED = re.compile(r"\$\(sed 's/\{appPrincipalId\}/([^/]+)/g' infra/rights/([\w.-]+)\)")
_VERSIONS = {
    "microsoft.web/sites": WEB,
    "microsoft.eventgrid/topics": "2025-02-15",
    "microsoft.eventgrid/systemtopics": "2025-02-15",
}


async def run(world: DeployedWorld, line: str) -> None:
    """One line, whose commands are joined by `&&`. A command nobody knows fails the test."""
    text = _SED.sub(lambda found: _file(found[2]).replace("{appPrincipalId}", found[1]).replace('"', '\\"'), line)
    for command in text.split(" && "):
        await _run(world, shlex.split(command))


def _file(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


async def _run(world: DeployedWorld, words: list[str]) -> None:
    names = [word for word in words if not word.startswith("-")]
    options: dict[str, list[str]] = {}
    for word in words:
        if word.startswith("--"):
            options[word] = []
        elif options:
            list(options.values())[-1].append(word)

    def one(option: str) -> str:
        [value] = options[option]
        return value

    match names:
        case ["azd", "provision", *_]:
            await world.stage_one()
        case ["azd", "up", *_]:
            await world.deploy()
        case ["azd", "deploy", *_]:
            world.deploy_code()
        case ["azd", "hooks", "run", "postdeploy"]:
            await world.stage_two()
        case ["azd", "env", "set", name, value]:
            world.given[name] = value
        case ["az", "role", "assignment", "create", *_]:
            condition = {}
            if "--condition" in options:
                condition = {"condition": one("--condition"), "conditionVersion": one("--condition-version")}
            assert one("--assignee-principal-type") == "ServicePrincipal"
            await world.grant(one("--role"), one("--scope"), one("--assignee-object-id"), **condition)
        case ["az", "role", "assignment", "delete", *_]:
            await world.done("DELETE", one("--ids"), ROLES)
        case ["az", "group", "create", *_]:
            group = f"/subscriptions/{one('--subscription')}/resourceGroups/{one('--name')}"
            await world.put(group, RESOURCES, {"location": one("--location")})
        case ["az", "provider", "register", *_]:
            path = f"/subscriptions/{one('--subscription')}/providers/{one('--namespace')}/register"
            await world.done("POST", path, RESOURCES)
        case ["az", "resource", "update", *_]:
            await _update(world, one("--ids"), options["--set"])
        case ["az", "resource", "delete", *_]:
            await world.done("DELETE", one("--ids"), _version(one("--ids")))
        case ["az", "functionapp", "start", *_]:
            await world.done("POST", f"{one('--ids')}/start", WEB)
        case ["az", "functionapp", "identity", "assign", *_]:
            site = await world.get(one("--ids"), WEB)
            identity = {"type": "UserAssigned", "userAssignedIdentities": {one("--identities"): {}}}
            body = {"location": site["location"], "kind": site["kind"], "identity": identity}
            await world.put(one("--ids"), WEB, body | {"properties": sent_of_site(site)})
        case ["az", "functionapp", "config", "appsettings", "set", *_]:
            pairs = dict(pair.split("=", 1) for pair in options["--settings"])
            await _change_settings(world, one("--ids"), pairs, [])
        case ["az", "functionapp", "config", "appsettings", "delete", *_]:
            await _change_settings(world, one("--ids"), {}, options["--setting-names"])
        case ["az", "storage", "account", "update", *_]:
            allowed = one("--allow-shared-key-access") == "true"
            await world.done("PATCH", one("--ids"), STORAGE, {"properties": {"allowSharedKeyAccess": allowed}})
        case ["az", "storage", ("table" | "queue") as kind, "create", *_]:
            path = f"{world.values['STORAGE_ACCOUNT_ID']}/{kind}Services/default/{kind}s/{one('--name')}"
            assert one("--account-name") == world.values["STORAGE_ACCOUNT_ID"].rsplit("/", 1)[-1]
            await world.put(path, STORAGE, {})
        case ["az", "storage", "container-rm", "create", *_]:
            path = f"{one('--storage-account')}/blobServices/default/containers/{one('--name')}"
            await world.put(path, STORAGE, {})
        case _:
            raise AssertionError(f"nobody knows this command: {words}")


async def _update(world: DeployedWorld, resource_id: str, changes: list[str]) -> None:
    """GET, change what the paths name, PUT (az resource update)."""
    body = _sent(await world.get(resource_id, _version(resource_id)))
    for change in changes:
        path, _, text = change.partition("=")
        try:
            value: Any = json.loads(text)
        except ValueError:
            value = text
        place = body
        *above, last = path.split(".")
        for name in above:
            place = place.setdefault(name, {})
        place[last] = value
    await world.put(resource_id, _version(resource_id), body)


async def _change_settings(world: DeployedWorld, site: str, more: dict[str, str], fewer: list[str]) -> None:
    found = await world.done("POST", f"{site}/config/appsettings/list", WEB)
    settings = {name: value for name, value in found["properties"].items() if name not in fewer} | more
    await world.put(f"{site}/config/appsettings", WEB, {"properties": settings})


def _sent(body: dict[str, Any]) -> dict[str, Any]:
    """What is sent back of a resource that was read."""
    return {name: body[name] for name in ("location", "tags", "kind", "identity", "properties") if body.get(name)}


def sent_of_site(site: dict[str, Any]) -> dict[str, Any]:
    """The properties of a function app that are anybody's to set."""
    return {name: site["properties"][name] for name in ("functionAppConfig", "keyVaultReferenceIdentity")}


def _version(resource_id: str) -> str:
    parts = resource_id.lower().split("/providers/")[-1].split("/")
    return _VERSIONS[f"{parts[0]}/{parts[1]}"]
