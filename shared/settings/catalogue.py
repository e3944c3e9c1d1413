"""Every app setting: its name, its default, and what it means. docs/settings.md is made of this."""

from dataclasses import dataclass

PREFIX = "AKS_BACKUP_GUARD_"
PUBLIC_ARM = "https://management.azure.com"


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the documentation; the code reads each setting by the same entry."""

    name: str
    default: str
    meaning: str


ARM_ENDPOINT = Setting(PREFIX + "ARM_ENDPOINT", PUBLIC_ARM, "Azure Resource Manager of the cloud; https, or loopback.")
ARM_AUDIENCE = Setting(
    PREFIX + "ARM_AUDIENCE",
    "",
    f"Whom ARM tokens are for. Empty: the ARM endpoint itself, or `{PUBLIC_ARM}` when that is loopback.",
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
