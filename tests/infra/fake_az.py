"""Stands in for the Azure CLI (`az`) and azd in tests of the hooks: keeps a small Azure in the file that FAKE_AZURE
names, and does to it what each command would do. Run as a program; takes nothing but the standard library."""

import json
import os
import re
import sys
import traceback
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

ROOT = Path(__file__).parents[2]
TENANT = "99999999-9999-9999-9999-999999999999"

CAUSE = {
    "code": "BadRequest",
    "message": "The requested operation on resource 'Microsoft.EventGrid/systemTopics/t' failed since identity is "
    "unavailable for location 'global'.\r\nResource identity is supported in other locations.",
}


def wrapped(cause: dict[str, Any]) -> str:
    """What the Azure CLI prints of an error in a module of a deployment."""
    once = {
        "code": "DeploymentFailed",
        "target": "/x",
        "message": "At least one operation failed. " * 20,
        "details": [cause],
    }
    twice = {"code": "ResourceDeploymentFailure", "target": "/x", "message": "It failed.", "details": [once]}
    error = {"code": "DeploymentFailed", "message": "At least one operation failed.", "details": [twice]}
    return json.dumps({"status": "Failed", "error": error})


IDENTITY_REFUSED = wrapped(CAUSE)


class Refused(Exception):  # noqa: N818 - an answer, not an error of the test's
    pass


def main(program: str, arguments: list[str]) -> int:
    state = Path(os.environ["FAKE_AZURE"])
    world = json.loads(state.read_text(encoding="utf-8"))
    world["calls"].append([program, *arguments])
    try:
        answer, code = (azd if program == "azd" else az)(world, arguments), 0
    except Refused as refused:
        print(f"ERROR: {refused}", file=sys.stderr)
        answer, code = None, 1
    except Exception:  # noqa: BLE001 - the test must hear of it, whatever the hook makes of it
        world["broken"] = traceback.format_exc()
        answer, code = None, 1
    state.write_text(json.dumps(world), encoding="utf-8")
    if answer is not None:
        print(json.dumps(answer))
    return code


def azd(world: dict[str, Any], arguments: list[str]) -> Any:
    assert arguments[:2] == ["env", "set"], arguments
    world["environment"][arguments[2]] = arguments[3]


def az(world: dict[str, Any], arguments: list[str]) -> Any:
    options = {name: value for name, value in pairwise(arguments) if name.startswith("--")}
    assert options["--output"] == "json", arguments
    match arguments:
        case ["account", "show", *_]:
            if not world["signed_in"]:
                raise Refused("Please run 'az login' to setup account.")
            user = {"name": "someone@example.com"}
            tenant = TENANT if "--subscription" in options else world["default_tenant"]
            return {"id": options.get("--subscription"), "name": "Production", "tenantId": tenant, "user": user}
        case ["group", "list", *_]:
            return [{"name": name} for name in world["groups"].get(options["--subscription"], {})]
        case ["deployment", kind, "create", *_]:
            return deployment(world, kind, options)
        case ["rest", *_]:
            body = json.loads(options["--body"]) if "--body" in options else None
            return rest(world, options["--method"], unquote(options["--url"]), body)
    raise AssertionError(arguments)


def deployment(world: dict[str, Any], kind: str, options: dict[str, str]) -> None:
    template = options["--template-file"]
    values = {name: each["value"] for name, each in json.loads(options["--parameters"]).items()}
    source = (ROOT / template).read_text(encoding="utf-8")
    declared = re.findall(r"^param (\w+) ", source, re.MULTILINE)
    assert sorted(declared) == sorted(values), f"{template} has the parameters {declared}"
    where = options["--subscription" if kind == "sub" else "--management-group-id"]
    if where in world["no_rights_at"]:
        raise Refused(f"(AuthorizationFailed) The client does not have authorization to deploy to {where}.")
    record = {"kind": kind, "where": where, "template": template, "values": values}
    if template.endswith("snapshot-groups.bicep"):
        groups = world["groups"].setdefault(where, {})
        for group in values["groupsToMake"]:
            assert group["name"] not in groups, "a group that is there would lose its tags"
            groups[group["name"]] = group["location"]
        assert set(values["groupNames"]) <= set(groups), "an assignment needs its group"
    if template.endswith("events/main.bicep"):
        if not world["functions"]:
            raise Refused("(DestinationNotFound) The specified function was not found.")
        if values["makeSystemTopic"]:
            if values["topicIdentity"] and not world["identities_for_global_topics"]:
                raise Refused(IDENTITY_REFUSED)
            make_topic(world, where, values)
        if values["monitored"]:
            topic = next(t for t in world["system_topics"][where] if t["id"].endswith("/" + values["systemTopicName"]))
            assert values["topicIdentity"] == bool(topic["identity"]["principalId"]), "not what the topic has"
            assert values["topicIdentity"] or values["eventDelivery"] == "function", "the queue asks who it is"
            world["subscribed"][f"{where}/{values['systemTopicName']}"] = values["eventDelivery"]
        if values["eventTopicId"]:
            world["subscribed"][values["eventTopicId"]] = values["eventDelivery"]
    name = options["--name"]
    world["deployments"][f"{where}/{name}"] = record


def make_topic(world: dict[str, Any], subscription: str, values: dict[str, Any]) -> None:
    group, name = values["topicGroupName"], values["systemTopicName"]
    own = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.EventGrid/systemTopics/{name}"
    topics = world["system_topics"].setdefault(subscription, [])
    if any(topic["id"] != own for topic in topics):
        raise Refused("(InvalidRequest) Only one system topic is allowed per source.")
    if not topics:
        topics.append(system_topic(own, "made" if values["topicIdentity"] else None))


def system_topic(arm_id: str, principal_id: str | None) -> dict[str, Any]:
    properties = {"topicType": "Microsoft.Resources.Subscriptions"}
    return {"id": arm_id, "identity": {"principalId": principal_id}, "properties": properties}


def rest(world: dict[str, Any], method: str, url: str, body: Any) -> Any:
    path, _, query = url.partition("?")
    if "graph.microsoft.com" in path:
        return directory(world, method, path.partition("/v1.0/")[2], query, body)
    if path.endswith("/resources"):
        return resource_graph(world, body)
    if path.endswith("/functions"):
        if world["functions_after"] > 0:
            world["functions_after"] -= 1
            return {"value": []}
        return {"value": [{"name": f"{path.split('/')[-2]}/{name}"} for name in world["functions"]]}
    if path.endswith("/systemTopics"):
        if path.split("/")[2] in world["without_event_grid"]:
            raise Refused('Conflict({"error":{"code":"MissingSubscriptionRegistration","message":"Not registered."}})')
        return {"value": world["system_topics"].get(path.split("/")[2], [])}
    if method == "delete":
        world["role_assignments"] = [each for each in world["role_assignments"] if each["id"] != path]
        return None
    if path.endswith("/roleAssignments"):
        wanted = re.findall(r"principalId eq '([^']+)'", query)
        found = [each for each in world["role_assignments"] if each["properties"]["principalId"] in wanted]
        # two pages, as a long list has
        if query.endswith("page=2"):
            return {"value": found[1:]}
        return {"value": found[:1], "nextLink": f"{url}&page=2"}
    raise AssertionError(url)


def resource_graph(world: dict[str, Any], body: Any) -> Any:
    text = body["query"]
    if "managementGroups" in body:
        below = world["management_groups"].get(body["managementGroups"][0], [])
        skip = int(body["options"].get("$skipToken", "0"))
        page: dict[str, Any] = {"data": [{"subscriptionId": each} for each in below[skip : skip + 1]]}
        return page | ({"$skipToken": str(skip + 1)} if skip + 1 < len(below) else {})
    scope = body["subscriptions"]
    rows = world["rows"]["clusters"]
    if "backupinstances" in text:
        rows = world["rows"]["instances"]
    elif "resourcegroups" in text:
        rows = [{"subscriptionId": each, "name": name} for each in scope for name in world["groups"].get(each, {})]
    return {"data": [row for row in rows if row["subscriptionId"] in scope]}


def directory(world: dict[str, Any], method: str, path: str, query: str, body: Any) -> Any:
    if not world["may_register"] and method != "get":
        raise Refused('Forbidden({"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges"}})')
    if method != "get" and world["graph_is_late"] > 0 and world["directory"].get("applications"):
        world["graph_is_late"] -= 1
        raise Refused('Not Found({"error":{"code":"Request_ResourceNotFound","message":"Resource does not exist"}})')
    if method == "post" and path in world["may_not_post"]:
        raise Refused('Forbidden({"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges"}})')
    kind, *rest_of_path = path.split("/")
    there = world["directory"].setdefault(kind, [])
    if rest_of_path:
        found = next(each for each in there if each["id"] == rest_of_path[0])
        if rest_of_path[1:]:
            given = found.setdefault("appRoleAssignedTo", [])
            if method == "post":
                assert body not in given, "Permission being assigned already exists on the object"
                given.append(body)
            return {"value": given}
        if method == "patch":
            found.update(body)
            return None
        return found
    if method == "post":
        number = len(there) + 1
        made = {"id": f"{kind}-{number}", **({"appId": f"client-{number}"} if kind == "applications" else {}), **body}
        there.append(made)
        return made
    name, value = re.findall(r"(\w+) eq '([^']*)'", query)[0]
    return {"value": [each for each in there if each.get(name) == value]}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
