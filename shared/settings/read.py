"""Reading the environment, once."""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from shared.settings import values
from shared.settings.catalogue import (
    ARM_AUDIENCE,
    ARM_ENDPOINT,
    AUTHORITY,
    CHANNEL_PREFIX,
    CLIENT_ID,
    CONFIGURATION,
    CONFIGURATION_YAML,
    EVENT_TOPIC,
    LEASE_SECONDS,
    LOG_ANALYTICS_ENDPOINT,
    LOG_ANALYTICS_WORKSPACES,
    MANAGEMENT_GROUPS,
    MAX_CALLS_IN_FLIGHT,
    PASS_SECONDS,
    PREFIX,
    PUBLIC_ARM,
    QUOTA_RESERVE,
    RESOURCE_GRAPH_JOBS,
    SETTINGS,
    STOPPED,
    STORAGE,
    STORAGE_ACCOUNT,
    STORAGE_CLIENT_ID,
    STORAGE_CREDENTIAL,
    STORAGE_QUEUES,
    STORAGE_SUFFIX,
    STORAGE_TABLES,
    SUBSCRIPTIONS,
    TIME_SCALE,
    Setting,
)
from shared.settings.objects import (
    AzureEndpoints,
    ConfigurationSource,
    EmergencyStop,
    Identity,
    JobWatch,
    Loop,
    Quota,
    Scope,
    Settings,
    StateStorage,
    StorageByConnectionString,
    StorageByIdentity,
)

_HOST_PREFIX = PREFIX + "HOST_"
"""Settings of the local Functions host, which reads them itself."""
_CLOCK_SKEW = 120
"""Azure's seconds by which the clocks of two instances may differ. A scaled world is one machine, one clock."""


class InvalidSettingsError(ValueError):
    """`errors` holds one sentence per wrong setting: its name, what was given, what to do."""

    def __init__(self, errors: tuple[str, ...]) -> None:
        super().__init__("the app settings are wrong:\n" + "\n".join(f"- {error}" for error in errors))
        self.errors = errors


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Raises InvalidSettingsError with everything that is wrong."""
    read = _Reading(environ)
    arm = read(ARM_ENDPOINT, values.url)
    local = urlsplit(arm or "").hostname in values.LOOPBACK
    audience = read(ARM_AUDIENCE, values.url_or_empty) or (PUBLIC_ARM if local else arm)
    endpoints = AzureEndpoints(arm, audience, read(AUTHORITY, values.url), read(STORAGE_SUFFIX, values.text))
    loop = Loop(
        read(PASS_SECONDS, values.positive), read(LEASE_SECONDS, values.positive), read(TIME_SCALE, values.positive)
    )
    settings = Settings(
        azure=endpoints,
        identity=Identity(read(CLIENT_ID, values.guid_or_empty) or None),
        storage=_storage(read, endpoints.storage_suffix),
        scope=Scope(read(SUBSCRIPTIONS, values.guids), read(MANAGEMENT_GROUPS, values.group_names)),
        loop=loop,
        quota=Quota(read(MAX_CALLS_IN_FLIGHT, values.at_least_one), read(QUOTA_RESERVE, values.not_negative)),
        emergency_stop=EmergencyStop(read(STOPPED, values.boolean)),
        job_watch=JobWatch(
            read(EVENT_TOPIC, values.url_or_empty) or None,
            read(RESOURCE_GRAPH_JOBS, values.boolean),
            read(LOG_ANALYTICS_WORKSPACES, values.guids),
            read(LOG_ANALYTICS_ENDPOINT, values.url),
        ),
        configuration=ConfigurationSource(
            read(CONFIGURATION, values.app_path), read(CONFIGURATION_YAML, values.any_text) or None
        ),
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
    account = read(STORAGE_ACCOUNT, values.any_text)
    tables, queues = read(STORAGE_TABLES, values.url_or_empty), read(STORAGE_QUEUES, values.url_or_empty)
    if read.is_given(STORAGE) or not (account or tables or queues):
        return StorageByConnectionString(read(STORAGE, values.connection_string))
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
    return StorageByIdentity(tables, queues, read(STORAGE_CLIENT_ID, values.guid_or_empty) or None)
