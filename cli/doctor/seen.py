"""What was read of a deployment. Names and ids as Azure spells them."""

from collections.abc import Mapping
from dataclasses import dataclass

from cli.app_health import AppHealth


@dataclass(frozen=True, slots=True)
class Unread:
    """It could not be read, which says nothing of how it is. `right` is what the reader would need; empty when that
    is not what is missing."""

    why: str
    right: str = ""


type Seen[T] = T | Unread


@dataclass(frozen=True, slots=True)
class FunctionApp:
    """`identities` are the ARM ids, in lower case, of those assigned to it."""

    state: str
    runtime: str
    runtime_version: str
    identities: frozenset[str]


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    disabled: bool


@dataclass(frozen=True, slots=True)
class Reference:
    """An app setting that refers to a secret of a key vault."""

    setting: str
    status: str
    details: str


@dataclass(frozen=True, slots=True)
class Authentication:
    enabled: bool
    required: bool
    client_id: str
    issuer: str
    audiences: frozenset[str]
    excluded_paths: frozenset[str]


@dataclass(frozen=True, slots=True)
class Identity:
    principal_id: str
    client_id: str


@dataclass(frozen=True, slots=True)
class Account:
    shared_key_access: bool


@dataclass(frozen=True, slots=True)
class Topic:
    """The app's own one, or a system topic. `principal_id` is its identity's, empty when it has none."""

    id: str
    state: str
    principal_id: str
    input_schema: str = ""
    local_auth: bool = False


@dataclass(frozen=True, slots=True)
class EventSubscription:
    """`target` is the ARM id of a function, or of a storage account with `queue`; `operations` those that a filter on
    `data.operationName` lets through, None when there is none. All that is compared is in lower case."""

    id: str
    state: str
    target: str
    queue: str
    event_types: frozenset[str]
    operations: frozenset[str] | None
    other_filters: tuple[str, ...]
    """What else events are chosen by, as a person reads it."""
    dead_letters: str
    """`ACCOUNT_ID/CONTAINER`; empty when there is no place for them."""
    attempts: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Role:
    """A role definition; `custom`: not one of Azure's own. What it may do with data is not in it."""

    name: str
    custom: bool
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """`scope` and `guid`, the role's, in lower case."""

    id: str
    scope: str
    guid: str
    role: Seen[Role]
    condition: str = ""


type Assignments = tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class SnapshotGroup:
    """`location` where it would have to be made; empty when nobody says."""

    id: str
    location: str
    there: Seen[bool]


@dataclass(frozen=True, slots=True)
class Listening:
    """A topic and who listens to it; no topic is None."""

    topic: Seen[Topic | None]
    subscriptions: Seen[tuple[EventSubscription, ...]] = ()
    delivery: Seen[Assignments] = ()
    """What the topic's identity may do in the subscription of the app."""


@dataclass(frozen=True, slots=True)
class Monitored:
    """A subscription. `assignments` are the app's: at it, above it and below it."""

    id: str
    assignments: Seen[Assignments]
    providers: Mapping[str, Seen[str]]
    """Registration state by namespace."""
    snapshot_groups: Seen[tuple[SnapshotGroup, ...]]
    system_topic: Listening


@dataclass(frozen=True, slots=True)
class Sight:
    """All of it."""

    app: Seen[FunctionApp | None]
    functions: Seen[tuple[Function, ...]]
    settings: Seen[Mapping[str, str]]
    references: Seen[tuple[Reference, ...]]
    authentication: Seen[Authentication]
    identity: Seen[Identity | None]
    account: Seen[Account | None]
    tables: Seen[frozenset[str]]
    queues: Seen[frozenset[str]]
    containers: Seen[frozenset[str]]
    own_topic: Listening
    own_assignments: Seen[Assignments]
    """The app's, in the subscription it lies in."""
    management_groups: Mapping[str, Seen[Assignments]]
    """The app's assignments at each of them and above."""
    monitored: Seen[tuple[Monitored, ...]]
    hidden_groups: tuple[str, ...]
    """Management groups of which Resource Graph shows no subscription."""
    health: Seen[AppHealth]
