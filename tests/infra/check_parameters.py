"""What comes into the deployment from azd's environment, and what goes back there: main.parameters.json, the outputs of
main.bicep, and the variables that the hooks, azure.yaml and the terminal read."""

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.infra.bicep_syntax import Constant, Parameter, Text
from tests.infra.infra_folder import InfraFolder

OUTPUTS = frozenset(
    """
    AZURE_RESOURCE_GROUP FUNCTION_APP_NAME FUNCTION_APP_ID FUNCTION_APP_URL APP_IDENTITY_ID APP_PRINCIPAL_ID
    APP_CLIENT_ID STORAGE_ACCOUNT_ID EVENT_TOPIC_ID EVENT_TOPIC_ENDPOINT KEY_VAULT_NAME LOG_ANALYTICS_WORKSPACE_ID
    ACTION_GROUP_ID MONITORED_SUBSCRIPTIONS EVENT_DELIVERY DEPLOYED_MODE
    """.split()  # noqa: SIM905 - as long a list is read more easily
)
"""What scripts, hooks, doctor and smoke test may rely on after a deployment."""

OF_AZD = frozenset(
    {"AZURE_ENV_NAME", "AZURE_LOCATION", "AZURE_SUBSCRIPTION_ID", "AZURE_TENANT_ID", "AZURE_PRINCIPAL_ID"}
)
"""Variables that azd itself puts into every environment (documentation: azd environment variables)."""

_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)(?:=([^}]*))?\}")
_NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")


def parameter_complaints(infra: InfraFolder) -> list[str]:
    """azd's parameter file names parameters of main.bicep, and every one that has no default; where both tell a
    default, it is the same."""
    path, main = infra.path / "main.parameters.json", infra.main
    lines = path.read_text().splitlines()
    given = json.loads("\n".join(lines))["parameters"]
    known = {each.name: each for each in main.parameters}
    said = []
    for name, told in given.items():
        place = f"{path}:{next(number for number, text in enumerate(lines, 1) if f'"{name}"' in text)}"
        if name not in known:
            said.append(f"{place}: {main.path.name} has no parameter `{name}`")
        else:
            said += [f"{place}: `{name}`: {wrong}" for wrong in _value(told.get("value"), known[name])]
    for name, parameter in known.items():
        if parameter.is_required and name not in given:
            said.append(f"{path}:1: `{name}` of {main.path.name} is required")
    return said


def _value(value: object, parameter: Parameter) -> Iterator[str]:
    if not isinstance(value, str):
        return
    if "$" in _VARIABLE.sub("", value):
        yield f"`{value}` is no environment variable as azd reads it"
    default = parameter.default
    for variable, otherwise in _VARIABLE.findall(value):
        if f"${{{variable}}}" == value and parameter.type in {"int", "bool"}:
            yield f"{variable}, when it is not set, is no {parameter.type}"
        plain = (
            default.literal if isinstance(default, Text) else default.value if isinstance(default, Constant) else None
        )
        if plain is not None and otherwise != (str(plain).lower() if isinstance(plain, bool) else str(plain)):
            yield f"{variable} is {otherwise!r} by default, in {parameter.name} of main.bicep {plain!r}"


def output_complaints(infra: InfraFolder, others: Iterable[Path] = ()) -> list[str]:
    """The outputs are those above, and what the hooks or `others` (Python files) read beside them."""
    outputs = {each.name: each.line for each in infra.main.outputs}
    read = OUTPUTS | {text for _, text in (*infra.hook_texts, *_texts(others))}
    said = [f"{infra.main.at(1)}: the output {name} is missing" for name in sorted(OUTPUTS - outputs.keys())]
    return said + [f"{infra.main.at(outputs[name])}: nobody reads the output {name}" for name in outputs.keys() - read]


def variable_complaints(infra: InfraFolder, others: Iterable[Path] = ()) -> list[str]:
    """Every environment variable that hooks, azure.yaml and `others` (Python files) read is there: an output, one of
    azd's own, or one that a person sets, which main.parameters.json or the README of infra/fleet names. No output is
    called like one that a person sets: azd removes outputs on `azd down`, and the person's setting with them."""
    by_hand = {name for name, _ in _VARIABLE.findall((infra.path / "main.parameters.json").read_text())}
    by_hand |= set(re.findall(r"`(GUARD_[A-Z_]+)`", (infra.path / "fleet" / "README.md").read_text()))
    outputs = {each.name: each.line for each in infra.main.outputs}
    known = outputs.keys() | OF_AZD | by_hand
    said = [f"{infra.main.at(outputs[n])}: {n} is set by a person" for n in sorted(outputs.keys() & by_hand)]
    for place, text in (*infra.hook_texts, *_texts(others)):
        if _NAME.fullmatch(text) and text not in known:
            said.append(f"{place}: no output and no parameter brings {text}")
    project = infra.path.parent / "azure.yaml"
    for number, line in enumerate(project.read_text().splitlines(), 1):
        for name in re.findall(r"\$\{?([A-Z][A-Z0-9_]+)", line.partition("#")[0]):
            if name not in known:
                said.append(f"{project}:{number}: no output and no parameter brings {name}")
    return list(dict.fromkeys(said))


def _texts(paths: Iterable[Path]) -> Iterator[tuple[str, str]]:
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield f"{path}:{node.lineno}", node.value


def hook_deployment_complaints(infra: InfraFolder) -> list[str]:
    """The hooks give a template exactly the parameters it has."""
    said: list[str] = []
    seen = 0
    for path, tree in infra.hook_trees.items():
        constants = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "deploy":
                seen += 1
                said += _deployment(infra, f"{path}:{node.lineno}", node, constants)
    return said if seen else [f"{infra.path / 'hooks'}:1: no hook deploys a template"]


def _deployment(infra: InfraFolder, place: str, call: ast.Call, constants: Mapping[str, object]) -> Iterator[str]:
    *_, template, parameters = call.args
    named = constants.get(template.id) if isinstance(template, ast.Name) else getattr(template, "value", None)
    root = infra.files.get((infra.path.parent / str(named)).resolve())
    if root is None or not isinstance(parameters, ast.Dict):
        yield f"{place}: which template is deployed with which parameters cannot be seen"
        return
    given = {key.value for key in parameters.keys if isinstance(key, ast.Constant)}
    known = {each.name: each for each in root.parameters}
    for name in sorted(map(str, given - known.keys())):
        yield f"{place}: {root.path.name} has no parameter `{name}`"
    for name, parameter in known.items():
        if parameter.is_required and name not in given:
            yield f"{place}: `{name}` of {root.path.name} is required"
