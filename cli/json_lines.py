"""The JSON of a sweep, cluster by cluster as it is written: the document of shared/report/json_export.py, for fleets of
which the whole text would be larger than everything else in memory."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from operator import attrgetter

from shared.domain.compliance import JudgedCluster, Verdict
from shared.plan.compliance.control import Control
from shared.report.json_export import render
from shared.report.snapshot import Snapshot

_CLUSTERS = '"clusters": ['
_MOST_KEPT = 10_000
"""Texts of verdicts. What is said of many clusters is said of the first ones too."""


def lines(snapshot: Snapshot, controls: Sequence[Control]) -> Iterator[str]:
    """Pieces of one JSON object, ASCII only, so that nothing in it hides or turns the direction of writing round."""
    head, found, tail = render(Snapshot(snapshot.summary, ()), controls).rpartition(_CLUSTERS)
    yield json.dumps(json.loads(head.rstrip().rstrip(",") + "}"))[:-1] + ",\n" + found + "\n"
    kept: dict[int, str] = {}
    """By the object: clusters share the verdicts of which the same is said."""
    for number, cluster in enumerate(snapshot.clusters):
        yield (",\n" if number else "") + _cluster(cluster, kept)
    yield "\n" + tail.lstrip()


def _cluster(cluster: JudgedCluster, kept: dict[int, str]) -> str:
    about = _json(dict(zip(_CLUSTER_NAMES, _of_cluster(cluster), strict=True)))
    verdicts = ",".join([kept.get(id(verdict)) or _verdict(verdict, kept) for verdict in cluster.verdicts])
    return f'{about[:-1]},"verdicts":[{verdicts}]}}'


def _verdict(verdict: Verdict, kept: dict[int, str]) -> str:
    text = _json(dict(zip(_VERDICT_NAMES, _of_verdict(verdict), strict=True)))
    if len(kept) < _MOST_KEPT:
        kept[id(verdict)] = text
    return text


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _camel(name: str) -> str:
    first, *more = name.split("_")
    return first + "".join(word.capitalize() for word in more)


_json = json.JSONEncoder(separators=(",", ":"), default=_time).encode
_CLUSTER = [field.name for field in fields(JudgedCluster) if field.name != "verdicts"]
_VERDICT = [field.name for field in fields(Verdict)]
_of_cluster, _of_verdict = attrgetter(*_CLUSTER), attrgetter(*_VERDICT)
_CLUSTER_NAMES, _VERDICT_NAMES = [*map(_camel, _CLUSTER)], [*map(_camel, _VERDICT)]
