"""Roles in Bicep are those of infra/rights/app.json and no other; nothing of infra/ can be reached by a shared key."""

import json
import re
from collections.abc import Iterator, Mapping

from tests.infra.bicep_deployment import Placed, walk
from tests.infra.bicep_functions import choices_of
from tests.infra.bicep_language import calls_in, parts_of
from tests.infra.bicep_syntax import Array, Call, Constant, Expression, Object, Text
from tests.infra.infra_folder import InfraFolder

RBAC_ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
"""Always under a condition (Azure built-in roles: Role Based Access Control Administrator)."""

NO_KEYS: Mapping[str, Mapping[str, bool]] = {
    "Microsoft.Storage/storageAccounts": {"allowSharedKeyAccess": False, "allowBlobPublicAccess": False},
    "Microsoft.EventGrid/topics": {"disableLocalAuth": True},
    "Microsoft.Insights/components": {"DisableLocalAuth": True},
    "Microsoft.KeyVault/vaults": {"enableRbacAuthorization": True},
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": {"allow": False},
}
"""The properties that turn keys and passwords off."""

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KEY_FUNCTIONS = frozenset({"listKeys", "listAccountSas", "listSecrets", "listServiceSas"})


def rights_complaints(infra: InfraFolder) -> list[str]:
    path = infra.path / "rights" / "app.json"
    grants = json.loads(path.read_text())
    roles = {each["guid"]: each["role"] for each in grants}
    by_a_person = {each["guid"] for each in grants if "by a person" in each["when"]}
    said, used = [], set()
    for placed in infra.of_type("Microsoft.Authorization/roleAssignments"):
        guids = {guid for value in _role(placed) for guid in _guids(value)}
        used |= guids
        for guid in sorted(guids - roles.keys() - {RBAC_ADMINISTRATOR}):
            said.append(f"{placed.place}: the role {guid} is not in {path.name}")
        if RBAC_ADMINISTRATOR in guids and not _conditioned(placed, infra):
            said.append(f"{placed.place}: Role Based Access Control Administrator without its condition")
        name, properties = placed.body.get("name"), placed.body.get("properties")
        if not isinstance(name, Call) or name.function.name != "guid":
            said.append(f"{placed.place}: the name of a role assignment is a guid() of what it is about")
        if not isinstance(properties, Object) or properties.get("principalType") is None:
            said.append(f"{placed.place}: `principalType` tells Azure not to look for a new identity in vain")
    lines = path.read_text().splitlines()
    for guid in sorted(roles.keys() - used - by_a_person):
        line = next(number for number, text in enumerate(lines, 1) if guid in text)
        said.append(f"{path}:{line}: nothing in infra/ gives {roles[guid]}")
    return list(dict.fromkeys(said))


def _role(placed: Placed) -> Iterator[Expression]:
    properties = placed.body.get("properties")
    role = properties.get("roleDefinitionId") if isinstance(properties, Object) else None
    yield from choices_of(role) if role else ()


def _guids(value: Expression) -> Iterator[str]:
    if isinstance(value, Text):
        yield from _GUID.findall(value.pattern.lower())
    for part in parts_of(value):
        yield from _guids(part)


def _conditioned(placed: Placed, infra: InfraFolder) -> bool:
    """Under the reviewed text: in a resource group the one for Contributor, elsewhere that for the other roles."""
    name = "assign-contributor" if placed.file.scope == "resourceGroup" else "assign-roles"
    text = (infra.path / "rights" / f"{name}.condition").read_text().replace("{appPrincipalId}", "{}")
    properties = placed.body.get("properties")
    condition = properties.get("condition") if isinstance(properties, Object) else None
    return isinstance(condition, Text) and condition.pattern == text


def custom_role_complaints(infra: InfraFolder) -> list[str]:
    """A custom role gives the reviewed actions of its file, all or those of audit mode, and nothing else."""
    files = [json.loads((infra.path / "rights" / f"{n}.json").read_text()) for n in ("actions", "workspace-actions")]
    reviewed = [{each["action"] for each in rows} for rows in files]
    reviewed += [{each["action"] for each in rows if each["audit"]} for rows in files]
    said = []
    for placed in infra.of_type("Microsoft.Authorization/roleDefinitions"):
        if placed.resource.condition is not None:
            said.append(f"{placed.place}: deployed under a condition, it keeps what it gave when that no longer holds")
        for permissions in (value for value in walk(placed.body) if isinstance(value, Object) and value.get("actions")):
            for actions in choices_of(permissions.get("actions") or permissions):
                listed = actions.items if isinstance(actions, Array) and actions.complete else ()
                given = {each.literal for each in listed if isinstance(each, Text)}
                if not given or given not in reviewed:
                    odd = sorted(map(str, given.difference(*reviewed))) or "what is given"
                    said.append(f"{placed.place}: {odd} is not what infra/rights lists")
            data = permissions.get("dataActions")
            if isinstance(data, Array) and data.items:
                said.append(f"{placed.place}: the app has no business with data")
    return list(dict.fromkeys(said))


def key_complaints(infra: InfraFolder) -> list[str]:
    """Keys and passwords are turned off wherever they can be, and nowhere asked for."""
    said = []
    for placed in infra.resources:
        wanted = {} if placed.resource.existing else NO_KEYS.get(placed.resource.type, {})
        properties = placed.body.get("properties")
        for name, value in wanted.items():
            given = properties.get(name) if isinstance(properties, Object) else None
            if not isinstance(given, Constant) or given.value is not value:
                line = given.line if given else placed.resource.line
                said.append(f"{placed.file.at(line)}: {placed.resource.type}: `{name}` must be {str(value).lower()}")
        for call in calls_in(placed.body):
            if call.function.name in _KEY_FUNCTIONS:
                said.append(f"{placed.file.at(call.line)}: `{call.function.name}` asks for a key")
    return list(dict.fromkeys(said))
