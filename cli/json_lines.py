"""The JSON of a sweep, cluster by cluster as it is written: the document of shared/report/json_export.py, for fleets of
which the whole text would be larger than everything else in memory."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from shared.domain.compliance import JudgedCluster, Verdict
from shared.plan.compliance.control import Control
from shared.report.json_export import render
from shared.report.snapshot import Snapshot

_CLUSTERS = '"clusters": ['


def lines(snapshot: Snapshot, controls: Sequence[Control]) -> Iterator[str]:
    """Pieces of one JSON object, ASCII only, so that nothing in it hides or turns the direction of writing round."""
    head, found, tail = render(Snapshot(snapshot.summary, ()), controls).rpartition(_CLUSTERS)
    yield json.dumps(json.loads(head.rstrip().rstrip(",") + "}"))[:-1] + ",\n" + found + "\n"
    compliant: dict[int, str] = {}
    """Texts of the verdicts that many clusters share, by the object."""
    for number, cluster in enumerate(snapshot.clusters):
        yield (",\n" if number else "") + _cluster(cluster, compliant)
    yield "\n" + tail.lstrip()


def _cluster(cluster: JudgedCluster, compliant: dict[int, str]) -> str:
    about = {name: _value(getattr(cluster, field)) for field, name in _CLUSTER.items()}
    verdicts = ",".join(_verdict(verdict, compliant) for verdict in cluster.verdicts)
    return f'{_json(about)[:-1]},"verdicts":[{verdicts}]}}'


def _verdict(verdict: Verdict, compliant: dict[int, str]) -> str:
    known = compliant.get(id(verdict))
    if known is None:
        known = _json({name: _value(getattr(verdict, field)) for field, name in _VERDICT.items()})
        if verdict.status == "Compliant":
            compliant[id(verdict)] = known
    return known


def _value(value: Any) -> Any:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def _camel(name: str) -> str:
    first, *more = name.split("_")
    return first + "".join(word.capitalize() for word in more)


_json = json.JSONEncoder(separators=(",", ":")).encode
_CLUSTER = {field.name: _camel(field.name) for field in fields(JudgedCluster) if field.name != "verdicts"}
_VERDICT = {field.name: _camel(field.name) for field in fields(Verdict)}
