"""Queues, tables, containers, event types, functions and routes: what infra/ names is what the code has, and the
other way round."""

import re
from collections.abc import Iterator, Mapping

from tests.infra.bicep_deployment import Placed, walk
from tests.infra.bicep_functions import choices_of
from tests.infra.bicep_syntax import Array, Expression, Object, Text
from tests.infra.code_facts import CodeFacts
from tests.infra.infra_folder import InfraFolder

_STORAGE = "Microsoft.Storage/storageAccounts"
_MOST_FILTER_VALUES = 25
"""Of all advanced filters of an event subscription together (Event Grid: quotas and limits)."""


def storage_complaints(infra: InfraFolder, code: CodeFacts) -> list[str]:
    """Queues and tables are those of the code; containers are those that something in infra/ writes to."""
    return [
        *_same(infra, "queueServices/queues", "queue", dict.fromkeys(code.queues)),
        *_same(infra, "tableServices/tables", "table", dict.fromkeys(code.tables)),
        *_same(infra, "blobServices/containers", "container", dict(_containers_used(infra))),
    ]


def _same(infra: InfraFolder, type_: str, what: str, wanted: Mapping[str, str | None]) -> Iterator[str]:
    """`wanted`: the names, with the place of each that is wanted in infra/ itself."""
    made: dict[str, str] = {}
    for placed in infra.of_type(f"{_STORAGE}/{type_}"):
        for name in choices_of(placed.body.get("name") or Text((), 0)):
            made[name.pattern if isinstance(name, Text) else "?"] = placed.place
    for each, place in made.items():
        if each not in wanted:
            yield f"{place}: nobody uses the {what} {each}"
    anywhere = next(iter(made.values()), f"{infra.path}:1")
    for each in sorted(wanted - made.keys()):
        yield f"{wanted[each] or anywhere}: the {what} {each} is not made"


def _containers_used(infra: InfraFolder) -> Iterator[tuple[str, str]]:
    """Those of dead letters, and the one the app's code is deployed to, with the places."""
    for placed in infra.resources:
        for value in walk(placed.body):
            if isinstance(value, Object) and (name := value.get("blobContainerName")) is not None:
                yield _text(name), placed.file.at(name.line)
            elif isinstance(value, Object) and _text(value.get("type")) == "blobContainer":
                url = value.get("value") or value
                yield re.split(r"[/}]", _text(url))[-1], placed.file.at(url.line)


def event_complaints(infra: InfraFolder, code: CodeFacts) -> list[str]:
    """The event subscriptions let through exactly what the parsers take, to functions and queues that are there."""
    clusters = infra.of_type("Microsoft.EventGrid/systemTopics/eventSubscriptions")
    jobs = infra.of_type("Microsoft.EventGrid/topics/eventSubscriptions")
    said = [
        f"{infra.path}:1: no event subscription of {what}"
        for what, p in (("clusters", clusters), ("jobs", jobs))
        if not p
    ]
    for placed in clusters:
        said += _types(placed, code.cluster_event_types, "shared/events/cluster_events.py")
        names = [
            v for f in _filters(placed) if _text(f.get("key")) == "data.operationName" for v in _texts(f.get("values"))
        ]
        said += _differences(placed, "operation name", names, code.operation_names, "shared/events/cluster_events.py")
    for placed in jobs:
        said += _types(placed, code.job_event_types, "shared/events/job_events.py")
    for placed in (*clusters, *jobs):
        if sum(len(_texts(each.get("values"))) for each in _filters(placed)) > _MOST_FILTER_VALUES:
            said.append(f"{placed.place}: more than {_MOST_FILTER_VALUES} filter values")
        said += _destinations(placed, code)
    return list(dict.fromkeys(said))


def _types(placed: Placed, wanted: frozenset[str], where: str) -> Iterator[str]:
    filter_ = _inside(placed.body, "properties", "filter")
    return _differences(placed, "event type", _texts(_inside(filter_, "includedEventTypes")), wanted, where)


def _differences(placed: Placed, what: str, found: list[str], wanted: frozenset[str], where: str) -> Iterator[str]:
    for name in found:
        if name not in wanted:
            yield f"{placed.place}: {where} does not take the {what} {name}"
    for name in sorted(wanted - set(found)):
        yield f"{placed.place}: the {what} {name}, which {where} takes, is not let through"


def _filters(placed: Placed) -> list[Object]:
    listed = _inside(placed.body, "properties", "filter", "advancedFilters")
    return [each for each in listed.items if isinstance(each, Object)] if isinstance(listed, Array) else []


def _destinations(placed: Placed, code: CodeFacts) -> Iterator[str]:
    kinds = set()
    for value in walk(placed.body):
        if not isinstance(value, Object) or value.get("endpointType") is None:
            continue
        kind, told = _text(value.get("endpointType")), value.get("properties")
        kinds.add(kind)
        url, queue = _inside(told, "resourceId"), _inside(told, "queueName")
        if kind == "AzureFunction" and url and (name := _text(url).rpartition("/")[2]) not in code.event_grid_functions:
            yield f"{placed.file.at(url.line)}: there is no Event Grid function {name!r}"
        elif kind == "StorageQueue" and queue and _text(queue) not in code.queues:
            yield f"{placed.file.at(queue.line)}: no function takes from the queue {_text(queue)!r}"
    for kind in {"AzureFunction", "StorageQueue", "StorageBlob"} - kinds:
        yield f"{placed.place}: no destination of the kind {kind}"


def endpoint_complaints(infra: InfraFolder, code: CodeFacts) -> list[str]:
    """Functions and HTTP routes that infra/ and its hooks name are there."""
    said = []
    for place, text in _all_texts(infra):
        for name in re.findall(r"(?:/functions/|^function:|functionName=)([A-Za-z_]\w*)$", text):
            if name not in code.functions:
                said.append(f"{place}: there is no function {name!r}")
        for path in re.findall(r"/api/[\w./-]+", text):
            if not code.answers(path):
                said.append(f"{place}: no HTTP function answers {path}")
    return list(dict.fromkeys(said))


def _all_texts(infra: InfraFolder) -> Iterator[tuple[str, str]]:
    for placed in infra.resources:
        for value in walk(placed.body):
            if isinstance(value, Text):
                yield placed.file.at(value.line), value.pattern
    yield from infra.hook_texts


def _inside(value: Expression | None, *names: str) -> Expression | None:
    for name in names:
        value = value.get(name) if isinstance(value, Object) else None
    return value


def _text(value: Expression | None) -> str:
    return value.pattern if isinstance(value, Text) else ""


def _texts(value: Expression | None) -> list[str]:
    return [_text(each) for each in value.items] if isinstance(value, Array) else []
