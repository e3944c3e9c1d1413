"""Everything the app can tell about itself. docs/telemetry.md is made of this; nothing that is not here makes a series
or a name of a span."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Literal

from shared.telemetry.words import CONDITIONS, REASONS, RESOURCE_TYPES, STEPS

OTHER = "other"
"""Stands for a word of Azure's that an attribute does not know."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """Of a metric. `open`: what it tells may also be a word of Azure's, which becomes `other`."""

    name: str
    values: tuple[str, ...]
    open: bool = False

    def known(self, value: str) -> str:
        """Raises ValueError."""
        if value in self.values:
            return value
        if not self.open:
            raise ValueError(f"{self.name} is never {value!r}")
        return OTHER


@dataclass(frozen=True, slots=True)
class Metric:
    """`unit` as in UCUM, which OpenTelemetry uses."""

    name: str
    kind: Literal["counter", "gauge"]
    unit: str
    meaning: str
    attributes: tuple[Attribute, ...] = ()

    @property
    def most_series(self) -> int:
        return prod(len(each.values) + each.open for each in self.attributes)

    def series(self, given: Mapping[str, str]) -> dict[str, str]:
        """The attributes as they are exported. Raises ValueError for others than are declared."""
        if len(given) != len(self.attributes):
            raise ValueError(f"{self.name} has {[each.name for each in self.attributes]}, not {list(given)}")
        try:
            return {each.name: each.known(given[each.name]) for each in self.attributes}
        except KeyError as missing:
            raise ValueError(f"{self.name} needs {missing}") from None


@dataclass(frozen=True, slots=True)
class Span:
    """`variants` follow the name, so that there are as many names as variants, and one for every other. `attributes`
    are exported under `aks_backup_guard.NAME`, but those of OpenTelemetry's conventions, which have a dot."""

    name: str
    kind: Literal["CONSUMER", "CLIENT", "INTERNAL"]
    meaning: str
    variants: tuple[str, ...]
    attributes: tuple[str, ...]

    def name_of(self, variant: str) -> str:
        if not self.variants:
            return self.name
        return f"{self.name} {variant if variant in self.variants else OTHER}"

    def named(self, given: Mapping[str, str | int | float | bool | None]) -> dict[str, str | int | float | bool]:
        """As they are exported, without what is None. Raises ValueError for one that is not declared."""
        names = _EXPORTED_AS
        for name in given:
            if name != "error" and name not in self.attributes:
                raise ValueError(f"a span {self.name!r} has no attribute {name!r}")
        return {names.get(n, f"aks_backup_guard.{n}"): v for n, v in given.items() if v is not None}


_EXPORTED_AS = {
    "error": "error.type",
    "method": "http.request.method",
    "status": "http.response.status_code",
    "request_id": "azure.service.request.id",
}
"""Where OpenTelemetry's conventions have a name."""

FUNCTIONS = ("cluster_events", "job_events", "queued_events", "events_poison")
KINDS = ("cluster", "region")

EVENT = Span(
    "event",
    "CONSUMER",
    "An event came in. Child of the event's own `traceparent`, or of the host's invocation.",
    FUNCTIONS,
    ("outcome",),
)
LOOK = Span(
    "look",
    "CONSUMER",
    "One pass of the loop over one cluster or region.",
    KINDS,
    ("subject", "outcome"),
)
STEP = Span("step", "INTERNAL", "One step was sent to Azure; child of its look.", STEPS, ("subject", "key", "outcome"))
ARM = Span(
    "ARM",
    "CLIENT",
    "One call of Azure Resource Manager; child of the step or look that made it.",
    tuple(f"{method} {kind}" for kind in RESOURCE_TYPES for method in ("GET", "PUT", "PATCH", "POST", "DELETE")),
    ("method", "status", "resource_type", "request_id"),
)
JOB = Span(
    "job published",
    "INTERNAL",
    "News of a job that ended is on its way to the app's own topic; begins a trace, which goes on where it arrives.",
    (),
    ("subject", "key"),
)
ALERT = Span(
    "alert",
    "INTERNAL",
    "Somebody shall be told; child of the look it follows from.",
    ("Opened", "Updated", "Escalated", "Resolved"),
    ("subject", "alert_id", "severity", "code"),
)
DELIVERY = Span(
    "delivery",
    "CONSUMER",
    "A message of the queue `notify`: something is sent to one destination, or it is not time yet. Child of the alert "
    "that asked for it, with links to the other alerts in what is sent.",
    (),
    ("destination", "announcements"),
)
SPANS = (EVENT, LOOK, STEP, ARM, JOB, ALERT, DELIVERY)

_KIND = Attribute("subject", KINDS)

RECONCILES = Metric(
    "aks_backup_guard.reconciles",
    "counter",
    "{look}",
    "Looks. `acted`: steps were started; `waiting`: something remains and nothing could be started; `at_rest`: nothing "
    "remains; `stale`: the wake-up was superseded; `held`: somebody else looks at it now; `lost`: somebody else wrote "
    "first; `unknown`: no such record; `failed`: it ended in an error, and the message comes again.",
    (_KIND, Attribute("outcome", ("acted", "waiting", "at_rest", "stale", "held", "lost", "unknown", "failed"))),
)
STEPS_SENT = Metric(
    "aks_backup_guard.steps",
    "counter",
    "{step}",
    "Steps sent to Azure. `done` and `accepted` are successes, `error` is what nobody expected, the rest are kinds of "
    "errors (docs/operations.md).",
    (
        Attribute("step", STEPS),
        Attribute(
            "outcome",
            (
                "done",
                "accepted",
                "transient",
                "not_ready_yet",
                "blocked",
                "invalid_profile",
                "ambiguous_effect",
                "error",
            ),
        ),
    ),
)
WAITS = Metric(
    "aks_backup_guard.waits",
    "counter",
    "{look}",
    "Looks that ended with the condition not True, by its reason; `Ready` says what stands in the way first.",
    (Attribute("condition", CONDITIONS), Attribute("reason", REASONS, open=True)),
)
THROTTLES = Metric(
    "aks_backup_guard.throttles",
    "counter",
    "{call}",
    "ARM calls refused for want of quota: by Azure (429), or held back by the Guard before they were sent. `provider` "
    "is a resource provider's own quota, the others are the subscription's.",
    (Attribute("quota", ("reads", "writes", "deletes", "provider")), Attribute("by", ("azure", "guard"))),
)
ALERTS = Metric(
    "aks_backup_guard.alerts",
    "counter",
    "{change}",
    "Changes of alerts that were announced; again after a pass that died while it told.",
    (
        Attribute("severity", ("Critical", "Error", "Warning", "Informational")),
        Attribute("change", ("Opened", "Updated", "Escalated", "Resolved")),
    ),
)
DELIVERIES = Metric(
    "aks_backup_guard.deliveries",
    "counter",
    "{message}",
    "Messages to channels and to the topic; `given_up` counts announcements that are too old to be tried again.",
    (Attribute("outcome", ("delivered", "failed", "given_up")),),
)
EVENTS = Metric(
    "aks_backup_guard.events",
    "counter",
    "{event}",
    "Events that came in. `ignored`: nothing for the Guard; `malformed`: dropped; `failed`: it comes again.",
    (Attribute("function", FUNCTIONS), Attribute("outcome", ("taken", "ignored", "malformed", "failed"))),
)
POISON_MESSAGES = Metric(
    "aks_backup_guard.poison_messages",
    "counter",
    "{message}",
    "Messages that failed as often as the host tries.",
    (Attribute("queue", ("reconcile", "notify", "events")),),
)
MALFORMED_MESSAGES = Metric(
    "aks_backup_guard.malformed_messages",
    "counter",
    "{message}",
    "Queue messages that are not the Guard's, and were dropped.",
    (Attribute("queue", ("reconcile", "notify")),),
)
SWEEPS = Metric(
    "aks_backup_guard.sweeps",
    "counter",
    "{invocation}",
    "Invocations that worked at a sweep. `complete`: it is done; `partial`: the next one goes on; `failed`: as "
    "`partial`, after an error; `lost`: another host has it.",
    (Attribute("outcome", ("complete", "partial", "failed", "lost")),),
)
SWEEP_AGE = Metric(
    "aks_backup_guard.sweep_age",
    "gauge",
    "s",
    "Since the newest complete sweep began; told every five minutes, by one instance, once there is one.",
)
ROLL_CALLS = Metric(
    "aks_backup_guard.roll_calls",
    "counter",
    "{search}",
    "Searches for clusters that no event told of.",
    (Attribute("outcome", ("complete", "failed")),),
)
JOB_SOURCES = Metric(
    "aks_backup_guard.job_sources",
    "counter",
    "{reading}",
    "Readings of a source of ended jobs. `gap`: it has forgotten jobs that nobody saw.",
    (Attribute("outcome", ("read", "failed", "gap")),),
)
PUBLICATIONS = Metric(
    "aks_backup_guard.publications",
    "counter",
    "{news}",
    "News of ended jobs for the app's own topic; `refused` counts attempts.",
    (Attribute("outcome", ("published", "refused")),),
)
HTTP_FAULTS = Metric(
    "aks_backup_guard.http_faults", "counter", "{call}", "Calls of the HTTP API that ended in an error nobody expected."
)
METRICS = (
    RECONCILES,
    STEPS_SENT,
    WAITS,
    THROTTLES,
    ALERTS,
    DELIVERIES,
    EVENTS,
    POISON_MESSAGES,
    MALFORMED_MESSAGES,
    SWEEPS,
    SWEEP_AGE,
    ROLL_CALLS,
    JOB_SOURCES,
    PUBLICATIONS,
    HTTP_FAULTS,
)
