"""The app settings of the deployment, those the code reads and those of a developer's machine are the same set."""

from collections.abc import Iterator

from tests.infra.bicep_functions import choices_of
from tests.infra.bicep_syntax import Array, Expression, Object, Text
from tests.infra.code_facts import ROOT, CodeFacts
from tests.infra.infra_folder import InfraFolder

CHANNELS = "AKS_BACKUP_GUARD_CHANNEL_{}"
"""One setting for each channel that the configuration names: only the deployment knows which."""

NOT_READ_BY_THE_CODE = {
    "AzureWebJobsStorage__blobServiceUri": "the Functions host reaches its blobs there; the app uses none",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "read by the Functions host and by the exporter",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "telemetry by identity: the host and the exporter read it",
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "the exporter's own: nothing is reported to Microsoft",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "the exporter's own: no configuration is fetched",
    "PYTHON_ENABLE_OPENTELEMETRY": "the Python worker's own",
    "OTEL_SERVICE_NAME": "OpenTelemetry's own",
}
NOT_DEPLOYED = {
    "AzureWebJobsStorage": "a connection string is a key; the deployed app reaches its storage by identity",
    "AzureWebJobsStorage__accountName": "the endpoints are named one by one, as the host wants it by identity",
}
OTHER_DEFAULT = {
    "AzureWebJobsStorage__credential": "the deployed app's storage is reached by identity, which must be said",
}
ONLY_ON_A_MACHINE = {
    "FUNCTIONS_WORKER_RUNTIME": "Flex Consumption refuses it: functionAppConfig.runtime says so there",
}
_BY_IDENTITY = ["accountName", "tableServiceUri", "queueServiceUri", "credential", "clientId"]
NOT_ON_A_MACHINE = {f"AzureWebJobsStorage__{name}": "a developer's machine has no identity" for name in _BY_IDENTITY}


def settings_complaints(infra: InfraFolder, code: CodeFacts) -> list[str]:
    deployed = _deployed(infra)
    said = []
    for name, (place, value) in deployed.items():
        if name == CHANNELS or name in NOT_READ_BY_THE_CODE:
            continue
        if name not in code.settings:
            said.append(f"{place}: the code reads no setting {name}")
        elif name not in OTHER_DEFAULT and (wrong := _default(value, code.settings[name])):
            said.append(f"{place}: {name} is {wrong} by default, in the code {code.settings[name]!r}")
    site = next((each.place for each in infra.deployment.of_type("Microsoft.Web/sites")), f"{infra.path}:1")
    for name in (code.settings.keys() | NOT_READ_BY_THE_CODE | {CHANNELS}) - NOT_DEPLOYED.keys() - deployed.keys():
        said.append(f"{site}: the setting {name} is not deployed")
    said += [f"{deployed[name][0]}: {name}: {why}" for name, why in NOT_DEPLOYED.items() if name in deployed]
    said += [f"{deployed[name][0]}: {name}: {why}" for name, why in ONLY_ON_A_MACHINE.items() if name in deployed]
    return sorted([*said, *_local(code)])


def _local(code: CodeFacts) -> Iterator[str]:
    sample = ROOT / "local.settings.sample.json"
    for name in code.settings.keys() - code.local.keys() - NOT_ON_A_MACHINE.keys():
        yield f"{sample}:1: the setting {name} is missing"
    for name in code.local.keys() - code.settings.keys() - ONLY_ON_A_MACHINE.keys():
        yield f"{sample}:1: the code reads no setting {name}"
    for name in code.local.keys() & code.settings.keys():
        if code.local[name] != code.settings[name]:
            yield f"{sample}:1: {name} is {code.local[name]!r}, in the code {code.settings[name]!r}"


def _deployed(infra: InfraFolder) -> dict[str, tuple[str, Expression]]:
    """Place and value of every setting of the app, by its name or the pattern of it."""
    found = {}
    for site in infra.deployment.of_type("Microsoft.Web/sites"):
        properties = site.body.get("properties")
        config = properties.get("siteConfig") if isinstance(properties, Object) else None
        listed = config.get("appSettings") if isinstance(config, Object) else None
        for pairs in choices_of(listed) if listed else ():
            for pair in pairs.items if isinstance(pairs, Array) else ():
                if isinstance(pair, Object) and isinstance(name := pair.get("name"), Text):
                    value = pair.get("value") or name
                    found[name.pattern] = (site.file.at(name.line), value)
    return found


def _default(value: Expression, default: str) -> str:
    """The values it can have without anybody's doing, when the code's default is not among them. An empty setting is
    one that is not given."""
    literals = [each.literal for each in choices_of(value) if isinstance(each, Text) and each.literal is not None]
    if not literals or {default, ""} & set(literals):
        return ""
    return " or ".join(map(repr, literals))
