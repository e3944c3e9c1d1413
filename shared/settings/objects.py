"""The app settings as small frozen objects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


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
