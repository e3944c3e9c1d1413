"""What Container insights collects of the backup extension's pod, as rows of KubePodInventory.

Simplifications: a sample every five minutes instead of every minute, of the one container that does the backups, at
most a day back when nobody has asked for longer; a stopped cluster has no samples while it is stopped now."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_DNS, uuid5

from simulator.providers.kubernetes_configuration.models import ContainerRestart, RunningContainer

if TYPE_CHECKING:
    from simulator.providers.container_service.models import Cluster

EVERY = 300.0
"""Seconds between two samples."""
LONGEST = 86400.0
"""Seconds of samples at most at first."""
NAMESPACE = "dataprotection-microsoft"


def samples(after: datetime, until: datetime, every: timedelta) -> Iterator[datetime]:
    """The moments of collection in (after, until]."""
    midnight = after.replace(hour=0, minute=0, second=0, microsecond=0)
    moment = midnight + every * ((after - midnight) // every + 1)
    while moment <= until:
        yield moment
        moment += every


def pod_row(
    cluster: "Cluster", ends: Sequence[ContainerRestart], running: RunningContainer | None, moment: datetime
) -> dict[str, Any] | None:
    """The container as it was at `moment`; None when there was none. `ends` are how its runs ended, oldest first."""
    current = next((end for end in ends if end.started <= moment < end.finished), None)
    if current is not None:
        pod, container, started = current.pod, current.container, current.started
    elif running is not None and running.started <= moment:
        pod, container, started = running.pod, running.container, running.started
    else:
        return None
    of_pod = [end for end in ends if end.pod == pod]
    before = [end for end in of_pod if end.finished <= moment]
    last = before[-1] if before else None
    restarts = 0 if last is None else last.restarts
    born = of_pod[0].started if of_pod else started
    uid = str(uuid5(NAMESPACE_DNS, f"{cluster.id.lower()}/{pod}"))
    return {
        "TimeGenerated": _iso(moment),
        "ClusterId": cluster.id,
        "ClusterName": cluster.name,
        "_ResourceId": cluster.id.lower(),
        "_SubscriptionId": cluster.subscription_id,
        "SourceSystem": "Containers",
        "Type": "KubePodInventory",
        "Namespace": NAMESPACE,
        "Name": pod,
        "PodUid": uid,
        "PodStatus": "Running",
        "ContainerName": f"{uid}/{container}",
        "ContainerStatus": "running",
        "ContainerStatusReason": "",
        "ContainerLastStatus": json.dumps(_last_status(last)),
        "ControllerKind": "ReplicaSet",
        "ControllerName": pod.rpartition("-")[0],
        "PodStartTime": _iso(born),
        "PodCreationTimeStamp": _iso(born),
        "ContainerCreationTimeStamp": _iso(started),
        "PodRestartCount": restarts,
        "ContainerRestartCount": restarts,
    }


def _last_status(last: ContainerRestart | None) -> dict[str, str]:
    """The container's run before this one; empty when there was none (documented)."""
    if last is None:
        return {}
    return {
        "lastState": "terminated",
        "reason": last.reason,
        "startedAt": last.started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "finishedAt": last.finished.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "containerID": str(uuid5(NAMESPACE_DNS, f"{last.pod}/{last.started.isoformat()}")),
    }


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}0Z"
