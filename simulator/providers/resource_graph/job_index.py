"""What the graph shows of jobs. They need no history: they say when they began and ended. A running one shows as it was
at its beginning."""

import heapq
import json
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from simulator.providers.data_protection.models import Job, Vault
from simulator.providers.resource_graph.index import Difference
from simulator.providers.resource_graph.sources import JOBS_KEPT, job_row

if TYPE_CHECKING:
    from simulator.cloud import Cloud


class JobIndex:
    """Jobs come, end, and go with their vault only: those are looked at that are new or have not shown their end. What
    has shown goes on to show if the lag grows."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._known: dict[str, tuple[Vault, int]] = {}  # by vault: how many of its jobs were seen
        self._open: dict[str, tuple[Vault, Job]] = {}
        self._expiries: list[tuple[datetime, str]] = []
        self._shown: dict[str, bool] = {}

    def look(self, now: datetime, lag: timedelta) -> Difference:
        vaults = {vault.id: vault for vault in self._cloud.data_protection.vaults.all()}
        before: dict[str, bool] = {}
        if any(vaults.get(key) is not vault for key, (vault, _) in self._known.items()):
            before = self._begin_again()
        for key, vault in vaults.items():
            _, count = self._known.get(key, (vault, 0))
            if len(vault.jobs) > count:
                new = islice(vault.jobs.values(), count, None)
                self._open.update((job.id.lower(), (vault, job)) for job in new)
            self._known[key] = vault, len(vault.jobs)
        found = self._advanced(now, lag, before)
        found.gone += [key for key in before if key not in self._shown]
        return found

    def _begin_again(self) -> dict[str, bool]:
        """Forget all; answers what showed."""
        before, self._shown = self._shown, {}
        self._known.clear()
        self._open.clear()
        self._expiries.clear()
        return before

    def _advanced(self, now: datetime, lag: timedelta, before: dict[str, bool]) -> Difference:
        found, moment, oldest = Difference(), now - lag, now - JOBS_KEPT
        for key, (vault, job) in list(self._open.items()):
            if job.started > moment:
                continue
            running = job.ended is None or job.ended > moment
            if not running or job.started < oldest:
                del self._open[key]
            if job.started < oldest:
                continue
            shows = self._shown.get(key, before.get(key))
            if key not in self._shown:
                heapq.heappush(self._expiries, (job.started + JOBS_KEPT, key))
            self._shown[key] = running
            if shows is not running:
                found.put[key] = json.dumps(job_row(self._cloud, vault, job, running=running))
                if shows is not None:
                    found.gone.append(key)
        while self._expiries and self._expiries[0][0] < now:
            key = heapq.heappop(self._expiries)[1]
            if self._shown.pop(key, None) is not None:
                found.gone.append(key)
                found.put.pop(key, None)
        return found
