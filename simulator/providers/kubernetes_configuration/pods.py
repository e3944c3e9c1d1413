"""The pods of the backup extension that do the backups: one a cluster, with what its container went through."""

import hashlib
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import datetime

from simulator.providers.kubernetes_configuration.models import ContainerRestart, RunningContainer

_CONTAINER = "kubernetes-agent"  # assumed
_REMEMBERED = 1_000  # restarts of a cluster


@dataclass(slots=True)
class _Pod:
    name: str
    container_started: datetime
    restarts: int = 0


class Pods:
    """By lower-cased id of the cluster. Which pods there are follows from the extension: it tells."""

    def __init__(self) -> None:
        self._pods: dict[str, _Pod] = {}
        self._made: defaultdict[str, int] = defaultdict(int)
        self._ends: defaultdict[str, deque[ContainerRestart]] = defaultdict(lambda: deque(maxlen=_REMEMBERED))

    def running(self, cluster_id: str) -> RunningContainer | None:
        pod = self._pods.get(cluster_id.lower())
        return None if pod is None else RunningContainer(pod.name, _CONTAINER, pod.container_started, pod.restarts)

    def restarts(self, cluster_id: str) -> list[ContainerRestart]:
        return list(self._ends.get(cluster_id.lower(), ()))

    def replace(self, cluster_id: str, now: datetime) -> None:
        """A new pod comes up; the one before, if any, ends in good order."""
        key = cluster_id.lower()
        self.remove(cluster_id, now)
        self._made[key] += 1
        digest = hashlib.sha256(f"{key}|{self._made[key]}".encode()).hexdigest()
        self._pods[key] = _Pod(f"dataprotection-microsoft-kubernetes-agent-{digest[:10]}-{digest[10:15]}", now)

    def remove(self, cluster_id: str, now: datetime) -> None:
        """The pod is gone, in good order."""
        pod = self._pods.pop(cluster_id.lower(), None)
        if pod is not None:
            self._ended(cluster_id, pod, now, "Completed")

    def kill(self, cluster_id: str, now: datetime) -> None:
        """The container used more memory than it may: it is killed, and starts again in its pod."""
        pod = self._pods.get(cluster_id.lower())
        if pod is not None:
            pod.restarts += 1
            self._ended(cluster_id, pod, now, "OOMKilled")
            pod.container_started = now

    def _ended(self, cluster_id: str, pod: _Pod, now: datetime, reason: str) -> None:
        end = ContainerRestart(pod.name, _CONTAINER, pod.container_started, now, reason, pod.restarts)
        self._ends[cluster_id.lower()].append(end)
