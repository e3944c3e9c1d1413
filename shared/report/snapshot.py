"""The latest sweep with all its clusters, kept in memory while it is the latest."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.domain.compliance import JudgedCluster, SweepSummary
from shared.ports import SweepBook
from shared.report.view import Fleet


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One finished sweep. The clusters are in the order they are given in."""

    summary: SweepSummary
    clusters: tuple[JudgedCluster, ...]
    _by_id: Mapping[str, JudgedCluster] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_id = {cluster.cluster_id.lower(): cluster for cluster in self.clusters}
        object.__setattr__(self, "_by_id", by_id)

    def cluster(self, cluster_id: str) -> JudgedCluster | None:
        """By its ARM id, however that is spelt; None when the sweep did not see it."""
        return self._by_id.get(cluster_id.strip().rstrip("/").lower())


class Snapshots:
    """Asks storage each time which sweep is the latest, and reads its clusters once."""

    def __init__(self, book: SweepBook) -> None:
        self._book = book
        self._latest: Snapshot | None = None
        self._lock = asyncio.Lock()

    async def latest(self) -> Snapshot | None:
        """None before the first sweep has ended. Sorted by name. Raises TransientError."""
        summary = await self._book.latest()
        if summary is None:
            return None
        async with self._lock:  # many ask at once after a sweep: one reads
            if self._latest is None or self._latest.summary.sweep_id < summary.sweep_id:
                clusters = [cluster async for cluster in self._book.clusters(summary.sweep_id)]
                clusters.sort(key=lambda cluster: (cluster.name.casefold(), cluster.cluster_id))
                self._latest = Snapshot(summary, Fleet(clusters))
            return self._latest
