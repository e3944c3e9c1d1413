"""App settings, read once into small frozen objects. `python -m shared.settings` prints docs/settings.md.

Every setting has a default that runs locally. What is wrong is reported all at once, and an unknown setting with our
prefix is wrong too: a misspelt emergency stop that is ignored would be the worst of errors.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

PREFIX = "AKS_BACKUP_GUARD_"
_HOST_PREFIX = PREFIX + "HOST_"
"""Settings of the local Functions host, which reads them itself."""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PUBLIC_ARM = "https://management.azure.com"
_CLOCK_SKEW = 120
"""Azure's seconds by which the clocks of two instances may differ. A scaled world is one machine, one clock."""
# Storage emulator: the account and key are published by Microsoft, the same on every machine
# (https://learn.microsoft.com/azure/storage/common/storage-connect-azurite). The SDKs do not know the short form.
_DEVELOPMENT_STORAGE = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;"
    "TableEndpoint=http://127.0.0.1:10002/devstoreaccount1;"
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the documentation; the code reads each setting by the same entry."""

    name: str
    default: str
    meaning: str


ARM_ENDPOINT = Setting(PREFIX + "ARM_ENDPOINT", _PUBLIC_ARM, "Azure Resource Manager of the cloud; https, or loopback.")
ARM_AUDIENCE = Setting(
    PREFIX + "ARM_AUDIENCE",
    "",
    f"Whom ARM tokens are for. Empty: the ARM endpoint itself, or `{_PUBLIC_ARM}` when that is loopback.",
)
AUTHORITY = Setting(
    PREFIX + "AUTHORITY", "https://login.microsoftonline.com", "Microsoft Entra ID of the cloud; https, or loopback."
)
STORAGE_SUFFIX = Setting(PREFIX + "STORAGE_SUFFIX", "core.windows.net", "Domain of the cloud's storage endpoints.")
CLIENT_ID = Setting(
    PREFIX + "CLIENT_ID", "", "Client id of the app's user-assigned identity. Empty: the system-assigned one."
)
SUBSCRIPTIONS = Setting(
    PREFIX + "SUBSCRIPTIONS",
    "",
    "Subscription ids, separated by commas, whose clusters are looked for without an event; "
    "added to `subscriptions` of guard.yaml.",
)
MANAGEMENT_GROUPS = Setting(
    PREFIX + "MANAGEMENT_GROUPS",
    "",
    "Names of management groups, separated by commas, whose subscriptions' clusters are looked for too; "
    "added to `management_groups` of guard.yaml.",
)
CONFIGURATION = Setting(
    PREFIX + "CONFIGURATION", "guard.yaml", "Path of the configuration, from the folder of function_app.py."
)
CONFIGURATION_YAML = Setting(
    PREFIX + "CONFIGURATION_YAML", "", "The configuration itself, as text. Given, no file is read."
)
STOPPED = Setting(
    PREFIX + "STOPPED",
    "false",
    "Emergency stop. `true`: everything is still observed and alerted, nothing in Azure is changed.",
)
PASS_SECONDS = Setting(
    PREFIX + "PASS_SECONDS",
    "240",
    "Longest time of one pass over a cluster, in seconds. A minute less than `functionTimeout` of host.json, after "
    "which the host kills every pass of the process: a slow one can still release its record.",
)
LEASE_SECONDS = Setting(
    PREFIX + "LEASE_SECONDS",
    "420",
    "How long a pass holds its record, in seconds: `functionTimeout` and two minutes (÷ time scale) of clock skew.",
)
TIME_SCALE = Setting(
    PREFIX + "TIME_SCALE",
    "1",
    "How much faster than Azure the simulator runs. Anything but 1 needs a loopback ARM endpoint.",
)
MAX_CALLS_IN_FLIGHT = Setting(
    PREFIX + "MAX_CALLS_IN_FLIGHT", "64", "ARM calls in flight per subscription, of all instances together."
)
QUOTA_RESERVE = Setting(
    PREFIX + "QUOTA_RESERVE", "5", "Calls of each ARM quota that are left to people and other programs."
)
EVENT_TOPIC = Setting(
    PREFIX + "EVENT_TOPIC",
    "",
    "Endpoint of the app's own Event Grid topic (CloudEvents 1.0), as the portal shows it. Empty: nothing is "
    "published, and news of jobs is taken in at once.",
)
RESOURCE_GRAPH_JOBS = Setting(
    PREFIX + "RESOURCE_GRAPH_JOBS",
    "true",
    "Whether ended jobs are looked for in Resource Graph (minutes old, 14 days).",
)
LOG_ANALYTICS_WORKSPACES = Setting(
    PREFIX + "LOG_ANALYTICS_WORKSPACES",
    "",
    "Workspace ids (GUIDs), separated by commas, to which the vaults' diagnostic settings or Container insights send; "
    "ended jobs and out-of-memory kills are looked for there too.",
)
LOG_ANALYTICS_ENDPOINT = Setting(
    PREFIX + "LOG_ANALYTICS_ENDPOINT", "https://api.loganalytics.io", "Query endpoint of Log Analytics in the cloud."
)
STORAGE = Setting(
    "AzureWebJobsStorage",
    "UseDevelopmentStorage=true",
    "Connection string of the storage account for state and queues; when it is given, the settings below do not count.",
)
STORAGE_ACCOUNT = Setting("AzureWebJobsStorage__accountName", "", "Name of the storage account, reached by identity.")
STORAGE_TABLES = Setting(
    "AzureWebJobsStorage__tableServiceUri", "", "Table endpoint; needed by identity without an account name."
)
STORAGE_QUEUES = Setting(
    "AzureWebJobsStorage__queueServiceUri", "", "Queue endpoint; needed by identity without an account name."
)
STORAGE_CREDENTIAL = Setting(
    "AzureWebJobsStorage__credential", "", "`managedidentity`, as the Functions host has it; any other is refused."
)
STORAGE_CLIENT_ID = Setting(
    "AzureWebJobsStorage__clientId", "", "Client id of the identity for storage. Empty: the system-assigned one."
)

CHANNEL_PREFIX = PREFIX + "CHANNEL_"
"""Settings that hold the addresses of the channels named in guard.yaml, one each, as Apprise URLs. They are secrets:
Key Vault references, never repeated in any message."""

SETTINGS = tuple(value for value in list(globals().values()) if isinstance(value, Setting))
"""All of them, in the order of the documentation."""


class InvalidSettingsError(ValueError):
    """`errors` holds one sentence per wrong setting: its name, what was given, what to do."""

    def __init__(self, errors: tuple[str, ...]) -> None:
        super().__init__("the app settings are wrong:\n" + "\n".join(f"- {error}" for error in errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class AzureEndpoints:
    """The cloud. URLs without a slash at the end."""

    arm: str
    arm_audience: str
    authority: str
    storage_suffix: str

    @property
    def arm_scope(self) -> str:
        return f"{self.arm_audience}/.default"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the app is towards ARM; None is its system-assigned identity."""

    client_id: str | None


@dataclass(frozen=True, slots=True)
class StorageByConnectionString:
    connection_string: str


@dataclass(frozen=True, slots=True)
class StorageByIdentity:
    table_uri: str
    queue_uri: str
    client_id: str | None


StateStorage = StorageByConnectionString | StorageByIdentity


@dataclass(frozen=True, slots=True)
class Scope:
    """Subscriptions (lower-case), and management groups by name, whose clusters are looked for."""

    subscriptions: tuple[str, ...]
    management_groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Loop:
    """Seconds of the wall clock. `time_scale` is how much faster than Azure the world runs."""

    pass_seconds: float
    lease_seconds: float
    time_scale: float


@dataclass(frozen=True, slots=True)
class Quota:
    """Manners towards ARM: calls in flight per subscription, and calls of a quota left to others."""

    max_calls_in_flight: int
    reserve: int


@dataclass(frozen=True, slots=True)
class EmergencyStop:
    stopped: bool


@dataclass(frozen=True, slots=True)
class JobWatch:
    """Where ended jobs are looked for, and where they are published (None: nowhere)."""

    topic: str | None
    resource_graph: bool
    workspaces: tuple[str, ...]
    log_analytics: str


@dataclass(frozen=True, slots=True)
class ConfigurationSource:
    """`text` when the configuration is a setting itself, else `path` is read."""

    path: Path
    text: str | None


@dataclass(frozen=True, slots=True)
class Settings:
    azure: AzureEndpoints
    identity: Identity
    storage: StateStorage
    scope: Scope
    loop: Loop
    quota: Quota
    emergency_stop: EmergencyStop
    job_watch: JobWatch
    configuration: ConfigurationSource
    channels: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Addresses by the channel's name in guard.yaml. Secrets."""


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Raises InvalidSettingsError with everything that is wrong."""
    read = _Reading(environ)
    arm = read(ARM_ENDPOINT, _url)
    local = urlsplit(arm or "").hostname in _LOOPBACK
    audience = read(ARM_AUDIENCE, _url_or_empty) or (_PUBLIC_ARM if local else arm)
    endpoints = AzureEndpoints(arm, audience, read(AUTHORITY, _url), read(STORAGE_SUFFIX, _text))
    loop = Loop(read(PASS_SECONDS, _positive), read(LEASE_SECONDS, _positive), read(TIME_SCALE, _positive))
    settings = Settings(
        azure=endpoints,
        identity=Identity(read(CLIENT_ID, _guid_or_empty) or None),
        storage=_storage(read, endpoints.storage_suffix),
        scope=Scope(read(SUBSCRIPTIONS, _guids), read(MANAGEMENT_GROUPS, _group_names)),
        loop=loop,
        quota=Quota(read(MAX_CALLS_IN_FLIGHT, _at_least_one), read(QUOTA_RESERVE, _not_negative)),
        emergency_stop=EmergencyStop(read(STOPPED, _boolean)),
        job_watch=JobWatch(
            read(EVENT_TOPIC, _url_or_empty) or None,
            read(RESOURCE_GRAPH_JOBS, _boolean),
            read(LOG_ANALYTICS_WORKSPACES, _guids),
            read(LOG_ANALYTICS_ENDPOINT, _url),
        ),
        configuration=ConfigurationSource(read(CONFIGURATION, _app_path), read(CONFIGURATION_YAML, _any_text) or None),
        channels={
            name.removeprefix(CHANNEL_PREFIX): value.strip()
            for name, value in environ.items()
            if name.startswith(CHANNEL_PREFIX) and value.strip()
        },
    )
    if not read.errors:
        if loop.time_scale != 1 and not local:
            read.wrong(TIME_SCALE, "time runs as it does in Azure; remove it, or point the ARM endpoint at loopback")
        least = loop.pass_seconds + _CLOCK_SKEW / loop.time_scale
        if loop.lease_seconds < least:
            read.wrong(LEASE_SECONDS, f"shorter than a pass and the clock skew; use at least {least:g}")
    read.refuse_unknown()
    if read.errors:
        raise InvalidSettingsError(tuple(read.errors))
    return settings


@dataclass(frozen=True, slots=True)
class Hosting:
    """`deployed`: not on a developer's machine. `authenticated`: App Service authentication stands before the app, so
    that the header with the caller's name can be believed."""

    deployed: bool
    authenticated: bool


def read_hosting(environ: Mapping[str, str]) -> Hosting:
    """From what Azure sets itself (https://learn.microsoft.com/azure/app-service/reference-app-settings). A Functions
    host of which nobody says that it is for development counts as deployed, wherever it runs."""
    in_azure = any(environ.get(name) for name in ("WEBSITE_INSTANCE_ID", "WEBSITE_SITE_NAME", "WEBSITE_POD_NAME"))
    development = environ.get("AZURE_FUNCTIONS_ENVIRONMENT", "").lower() == "development"
    hosted = bool(environ.get("FUNCTIONS_WORKER_RUNTIME")) and not development
    return Hosting(in_azure or hosted, environ.get("WEBSITE_AUTH_ENABLED", "").lower() in ("true", "1"))


def documentation() -> str:
    """docs/settings.md."""
    lines = [
        "# App settings",
        "",
        "Written by `python -m shared.settings > docs/settings.md`. Every default runs locally; all that is wrong is",
        f"reported at once, and so is a setting with the prefix `{PREFIX}` that is not listed here.",
        "",
        "| setting | default | meaning |",
        "|---|---|---|",
    ]
    channels = "Address of the channel `<NAME>` of guard.yaml, as an Apprise URL; a Key Vault reference."
    rows = [f"| `{s.name}` | {f'`{s.default}`' if s.default else 'empty'} | {s.meaning} |" for s in SETTINGS]
    return "\n".join([*lines, *rows, f"| `{CHANNEL_PREFIX}<NAME>` | empty | {channels} |"]) + "\n"


class _Reading:
    """Reads single settings; what is wrong is kept and the default stands in, so that the rest is checked too."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.errors: list[str] = []

    def __call__[T](self, setting: Setting, parse: Callable[[str], T]) -> T:
        try:
            return parse(self.given(setting))
        except ValueError as error:
            self.wrong(setting, str(error))
            return parse(setting.default)

    def given(self, setting: Setting) -> str:
        return self._environ.get(setting.name, "").strip() or setting.default

    def is_given(self, setting: Setting) -> bool:
        return bool(self._environ.get(setting.name, "").strip())

    def wrong(self, setting: Setting, what: str) -> None:
        # A connection string holds a key: it is never repeated.
        given = "what is given" if setting is STORAGE else repr(self.given(setting)[:100])
        self.errors.append(f"{setting.name}: {given} is {what}")

    def refuse_unknown(self) -> None:
        known = [setting.name for setting in SETTINGS]
        for name in sorted(self._environ):
            others = name.upper().startswith(_HOST_PREFIX) or name.startswith(CHANNEL_PREFIX)
            if name.upper().startswith(PREFIX) and not others and name not in known:
                from difflib import get_close_matches

                ours = [setting.removeprefix(PREFIX) for setting in known]
                close = get_close_matches(name.upper().removeprefix(PREFIX), ours, 1)
                hint = f"did you mean {PREFIX}{close[0]}?" if close else "remove it; docs/settings.md lists all"
                self.errors.append(f"{name}: no such setting; {hint}")


def _storage(read: _Reading, suffix: str) -> StateStorage:
    account = read(STORAGE_ACCOUNT, _any_text)
    tables, queues = read(STORAGE_TABLES, _url_or_empty), read(STORAGE_QUEUES, _url_or_empty)
    if read.is_given(STORAGE) or not (account or tables or queues):
        return StorageByConnectionString(read(STORAGE, _connection_string))
    if account:
        tables, queues = (
            tables or f"https://{account}.table.{suffix}",
            queues or f"https://{account}.queue.{suffix}",
        )
    for setting, uri in ((STORAGE_TABLES, tables), (STORAGE_QUEUES, queues)):
        if not uri:
            read.wrong(setting, f"needed beside the other endpoint; give it, or {STORAGE_ACCOUNT.name}")
    if read.given(STORAGE_CREDENTIAL).lower() not in ("", "managedidentity"):
        read.wrong(STORAGE_CREDENTIAL, "no credential the Guard knows; use managedidentity")
    return StorageByIdentity(tables, queues, read(STORAGE_CLIENT_ID, _guid_or_empty) or None)


def _any_text(text: str) -> str:
    return text


def _text(text: str) -> str:
    if not text or any(letter.isspace() or letter == "/" for letter in text):
        raise ValueError("no domain; use for example core.windows.net")
    return text


def _url(text: str) -> str:
    parts = urlsplit(text)
    local = parts.hostname in _LOOPBACK
    if not parts.hostname or parts.scheme not in (("http", "https") if local else ("https",)) or parts.query:
        raise ValueError("no https URL (http is for loopback only); use for example https://management.azure.com")
    return text.rstrip("/")


def _url_or_empty(text: str) -> str:
    return _url(text) if text else ""


def _guid_or_empty(text: str) -> str:
    shape = [len(part) for part in text.split("-")]
    if text and (shape != [8, 4, 4, 4, 12] or not set(text.lower()) <= set("0123456789abcdef-")):
        raise ValueError("no id like 00000000-0000-0000-0000-000000000000; copy it from Azure")
    return text.lower()


def _guids(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_guid_or_empty(part.strip()) for part in text.split(",") if part.strip()))


def _group_names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for name in names:
        if len(name) > 90 or not all(letter.isalnum() or letter in "-_.()" for letter in name):
            raise ValueError("no list of names (not display names) of management groups; copy them from the portal")
    return names


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise ValueError("no number above 0 (and below a million)")
    return number


def _not_negative(text: str) -> int:
    if not text.isdecimal() or len(text) > 6:
        raise ValueError("no whole number from 0 to 999999")
    return int(text)


def _at_least_one(text: str) -> int:
    if (number := _not_negative(text)) < 1:
        raise ValueError("less than 1; use at least 1")
    return number


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise ValueError("neither true nor false; use one of them")
    return text.lower() in ("true", "1")


def _app_path(text: str) -> Path:
    return Path(__file__).resolve().parent.parent / text


def _connection_string(text: str) -> str:
    if text.replace(" ", "").rstrip(";").lower() == "usedevelopmentstorage=true":
        return _DEVELOPMENT_STORAGE
    names = {part.partition("=")[0].strip().lower() for part in text.split(";")}
    if not {"accountname", "accountkey"} <= names and "sharedaccesssignature" not in names:
        raise ValueError("no connection string: it has neither AccountName and AccountKey nor SharedAccessSignature")
    return text


if __name__ == "__main__":
    sys.stdout.write(documentation())
