"""docs/telemetry.md, made of the catalogue."""

from collections.abc import Iterator

from shared.telemetry.catalogue import ARM, METRICS, OTHER, SPANS, Metric, Span
from shared.telemetry.words import CONDITIONS, REASONS, RESOURCE_TYPES, STEPS

_SETTINGS = (
    (
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        "that of the Application Insights resource",
        "Host and app send their telemetry there. Without it, and without an OTLP endpoint, the app tells nothing.",
    ),
    (
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
        "`Authorization=AAD;ClientId=<client id of the app's identity>`",
        "By identity instead of by key, for host and app. The identity needs Monitoring Metrics Publisher on the "
        "resource, which can then refuse local authentication.",
    ),
    (
        "PYTHON_ENABLE_OPENTELEMETRY",
        "`true`",
        "The worker hands the host's trace context to each function, and the host no longer passes the app's log lines "
        "on: the app exports them itself.",
    ),
    (
        "OTEL_SERVICE_NAME",
        "name of the function app",
        "`AppRoleName` of everything the app sends. Not set: `aks-backup-guard`.",
    ),
    (
        "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
        "`true`",
        "The exporter sends no statistics about itself to Microsoft.",
    ),
    (
        "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
        "`true`",
        "The exporter takes no settings from Microsoft's control plane.",
    ),
)
_OPTIONAL = (
    (
        "OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG",
        "`parentbased_traceidratio` and a number from 0 to 1 keep that part of the stories. Not set: all. Metrics and "
        "log lines are never sampled.",
    ),
    (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "Sends to a collector too, when the package opentelemetry-exporter-otlp-proto-http is deployed with the app.",
    ),
    (
        "OTEL_TRACES_EXPORTER, OTEL_METRICS_EXPORTER, OTEL_LOGS_EXPORTER",
        "What is used beside Azure Monitor, by signal: `console` on a developer's machine, `otlp`, `none`.",
    ),
    ("OTEL_METRIC_EXPORT_INTERVAL", "Milliseconds between two exports of metrics. Not set: 60000."),
)
_BEGINNING = """\
# Telemetry

What the app tells about itself: [app settings](#app-settings) that say to whom, [traces](#traces) that follow one
cluster from an event to its outcome, [metrics](#metrics) of the loop, and its [log lines](#log-lines).
This page is made by `python -m shared.telemetry > docs/telemetry.md`.

## App settings

| app setting | value | meaning |
|---|---|---|
"""
_NOT_SET = """\

Not to be set: `PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY`, by which the worker would look for Azure Monitor's distro,
which is not deployed (decision 0016). `host.json` says `"telemetryMode": "OpenTelemetry"`; its
`logging.applicationInsights` would no longer count, and its log levels are the host's alone.

Optional:

| app setting | meaning |
|---|---|
"""
_TRACES = """\

## Traces

A story is what happens to one cluster or region from the moment somebody asks for a look until nothing remains to be
done. It is one trace, over all the looks and queue messages it takes:

```
event cluster_events
├─ look cluster              the message of the queue `reconcile` brings the trace along
│  ├─ ARM GET microsoft.containerservice/managedclusters
│  └─ step InstallExtension
│     └─ ARM PUT microsoft.kubernetesconfiguration/extensions
├─ look cluster              every look of the story is a child of what began it
│  └─ alert Opened
│     └─ delivery            the message of the queue `notify` brings it along
└─ look region               asked for by a look: a child of that look
```

- The record holds the story's `traceparent` beside the wake-up it belongs to, and every message is a copy: a message
  that comes twice, one that comes back after a kill, and one that the timer sends anew because it was lost, all go on
  with the same trace.
- A story ends when nothing remains, when the next look is more than a quarter of an hour away, or after a day. The look
  after that begins another.
- Who asks for a look in the middle of a story does not begin another: the event's span has a link to the story's trace.
- A look nobody asked for (the regular one, a roll call, a sweep's) begins a trace of its own.
- `job published` begins a trace that goes on in `event job_events`: the CloudEvent has a `traceparent`. One of a sender
  that did not record its span is not taken over.
- Where the parent is not the host's invocation, the span has a link to it.
- Old messages have no `traceparent`, old code leaves it unread; one that is malformed counts as none.

How much it is, as counted in the simulator: protecting a cluster takes some 54 spans, a protected one that rests some 8
a day, and the timers some 360 a day for the whole fleet. Of the metrics a calm fleet has about 50 series.

In Application Insights spans of kind consumer are requests (`AppRequests`), the others dependencies
(`AppDependencies`), and `OperationId` is the trace. To find the stories of one cluster:

```kql
union AppRequests, AppDependencies
| where Properties["aks_backup_guard.subject"] =~ "/subscriptions/…/managedClusters/NAME"
| distinct OperationId
```

Names are few; what a span is about stands in its attributes, `aks_backup_guard.NAME` unless the table says otherwise.
`error.type` is the code or class of an error; no span holds an error's text.

| span | kind | attributes | meaning |
|---|---|---|---|
"""
_ATTRIBUTE_NAMES = """\

`method`, `status` and `request_id` are exported as `http.request.method`, `http.response.status_code` and
`azure.service.request.id`.

"""
_METRICS = """\
## Metrics

Meter `aks_backup_guard`. In Application Insights: table `AppMetrics`, columns `Name`, `Sum`, `ItemCount`, `Properties`
(the attributes). Counters are told as what was added since the last export, so `sum(Sum)` over any time is the count.
No attribute ever holds an id or a name that somebody outside chose: what the lists below do not have is `other`, so the
number of series has the bound in the table, however many clusters there are.

| metric | kind | unit | attributes | most series | meaning |
|---|---|---|---|---|---|
"""
_LOGS = """\

## Log lines

From INFO upwards, in `AppTraces` with the `OperationId` of the span they were written in. Of libraries only warnings,
of the exporter and the SDK under it nothing. Announced alerts have a line of their own: notifications.md.
"""


def document() -> str:
    return "".join(_parts())


def _parts() -> Iterator[str]:
    yield _BEGINNING
    for name, value, meaning in _SETTINGS:
        yield f"| `{name}` | {value} | {meaning} |\n"
    yield _NOT_SET
    for names, meaning in _OPTIONAL:
        yield f"| {', '.join(f'`{name}`' for name in names.split(', '))} | {meaning} |\n"
    yield _TRACES
    for span in SPANS:
        yield f"| {_names(span)} | {span.kind.lower()} | {_listed(span.attributes)} | {span.meaning} |\n"
    yield _ATTRIBUTE_NAMES
    yield f"`SUBJECT` of `ARM` is a resource type: {_listed(RESOURCE_TYPES)}; or `{OTHER}`.\n\n"
    yield _METRICS
    for metric in METRICS:
        yield (
            f"| `{metric.name}` | {metric.kind} | {metric.unit} | {_attributes(metric)} | {metric.most_series} | "
            f"{metric.meaning} |\n"
        )
    yield f"\nSTEP: {_listed(STEPS)}.\n\nCONDITION: {_listed(CONDITIONS)}.\n\nREASON: {_listed(REASONS)}, `{OTHER}`.\n"
    yield _LOGS


def _names(span: Span) -> str:
    short = {STEPS: "STEP", ARM.variants: "METHOD SUBJECT"}.get(span.variants)
    if short:
        return f"`{span.name} {short}`"
    return ", ".join(f"`{span.name_of(variant)}`" for variant in span.variants) or f"`{span.name}`"


def _attributes(metric: Metric) -> str:
    short = {STEPS: "STEP", CONDITIONS: "CONDITION", REASONS: "REASON"}
    return "; ".join(f"{each.name}: {short.get(each.values) or _listed(each.values)}" for each in metric.attributes)


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)
