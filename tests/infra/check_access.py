"""App Service authentication before the HTTP side, and who the code takes its callers for."""

import json
from collections.abc import Iterator, Mapping

from tests.infra.bicep_deployment import Placed, walk
from tests.infra.bicep_syntax import Array, Constant, Expression, Object, Text
from tests.infra.code_facts import CodeFacts
from tests.infra.infra_folder import InfraFolder

EXCLUDED: Mapping[str, str] = {
    "/api/health": "tells strangers whether the app is well, and no more",
    "/runtime/webhooks/eventgrid": "Event Grid brings the system key of the Functions host",
}
"""The only paths that anybody reaches without a token, with the reason."""


def access_complaints(infra: InfraFolder, code: CodeFacts) -> list[str]:
    sites = [each for each in infra.of_type("Microsoft.Web/sites/config") if _name(each) == "authsettingsV2"]
    said = [wrong for each in sites for wrong in _authentication(each)]
    if not sites:
        said.append(f"{infra.main.at(1)}: there is no App Service authentication")
    path = infra.path / "hooks" / "app-roles.json"
    offered = {each["value"] for each in json.loads(path.read_text())}
    said += [f"{path}:1: the code knows no app role {each}" for each in sorted(offered - code.app_roles)]
    return said + [f"{path}:1: the app role {each} is missing" for each in sorted(code.app_roles - offered)]


def _authentication(placed: Placed) -> Iterator[str]:
    values = [value for value in walk(placed.body) if isinstance(value, Object)]
    listed = next((v for each in values if (v := each.get("excludedPaths")) is not None), None)
    paths = {each.literal for each in listed.items if isinstance(each, Text)} if isinstance(listed, Array) else set()
    if paths != EXCLUDED.keys():
        line = listed.line if listed is not None else placed.resource.line
        yield f"{placed.file.at(line)}: the excluded paths are {', '.join(sorted(EXCLUDED))}, and no other"
    required = [v for each in values if (v := each.get("requireAuthentication")) is not None]
    if not required or not all(_is_true(each) for each in required):
        line = required[0].line if required else placed.resource.line
        yield f"{placed.file.at(line)}: authentication must be required"
    for each in values:
        if (secret := each.get("clientSecretSettingName")) is not None:
            yield f"{placed.file.at(secret.line)}: nobody needs a client secret here"


def _name(placed: Placed) -> str | None:
    name = placed.body.get("name")
    return name.literal if isinstance(name, Text) else None


def _is_true(value: Expression) -> bool:
    return isinstance(value, Constant) and value.value is True
