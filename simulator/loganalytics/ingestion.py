"""What has arrived in the workspaces. Rows are kept when they are pushed and can be queried when they were ingested."""

import heapq
import itertools
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from simulator.loganalytics.backup_rows import item_row, job_row
from simulator.loganalytics.pod_rows import EVERY, LONGEST, pod_row, samples
from simulator.loganalytics.tables import ITEMS, JOBS, PODS, TABLES
from simulator.providers.data_protection.models import Job, Vault

if TYPE_CHECKING:
    from simulator.cloud import Cloud


class Ingestion:
    """Rows on their way and rows that are there, by table and workspace."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._numbers = itertools.count()
        self._under_way: list[tuple[datetime, int, str, str, dict[str, Any]]] = []
        self._collected: dict[str, datetime] = {}
        self._present: dict[str, set[str]] = {}
        cloud.data_protection.on_job_ended.append(self.push)

    def push(self, vault: Vault, job: Job) -> None:
        """A job has ended: what the vault's diagnostic settings ask for goes out now and is there after the delay."""
        now = self._cloud.clock.now()
        there = self._cloud.clock.after(self._cloud.timings.log_ingestion)
        for table, row in ((JOBS, job_row), (ITEMS, item_row)):
            for workspace_id in self._cloud.insights.destinations(vault, table.name):
                heapq.heappush(
                    self._under_way, (there, next(self._numbers), table.name, workspace_id, row(vault, job, now))
                )

    def arrive(self, tables: Iterable[str]) -> None:
        """Take in what is due of these tables."""
        wanted = set(tables)
        if PODS.name in wanted:
            self._collect_pods()
        now, arrived = self._cloud.clock.now(), []
        while self._under_way and self._under_way[0][0] <= now:
            arrived.append(heapq.heappop(self._under_way))
        for table in dict.fromkeys(name for _, _, name, _, _ in arrived):
            rows = [(workspace_id, row) for _, _, name, workspace_id, row in arrived if name == table]
            self._keep(table, rows)

    def workspaces_with(self, table: str) -> set[str]:
        """Workspace IDs of those that ever got data of the table: elsewhere it does not exist."""
        return self._present.get(table, set())

    def _keep(self, table: str, rows: Iterable[tuple[str, dict[str, Any]]]) -> None:
        texts: dict[str, str] = {}
        for workspace_id, row in rows:
            workspace = self._cloud.log_analytics.workspace(workspace_id)
            if workspace is None:  # deleted since: lost
                continue
            self._present.setdefault(table, set()).add(workspace.customer_id)
            key = f"{workspace.customer_id}|{next(self._numbers)}"
            texts[key] = json.dumps({**row, "TenantId": workspace.customer_id})
        if texts:
            store = store_of(table)
            self._cloud.kql.create(store, TABLES[table])
            self._cloud.kql.put(store, texts)

    def _collect_pods(self) -> None:
        """Samples since the last look, for clusters with Container insights."""
        lag = timedelta(seconds=self._cloud.clock.shorten(self._cloud.timings.container_insights_lag))
        until = self._cloud.clock.now() - lag
        every, longest = (timedelta(seconds=self._cloud.clock.shorten(seconds)) for seconds in (EVERY, LONGEST))
        rows = []
        for cluster in self._cloud.container_service.clusters():
            workspace_id, key = cluster.container_insights_workspace, cluster.id.lower()
            if workspace_id is None:
                continue
            after = max(self._collected.get(key, cluster.created_at), until - longest)
            self._collected[key] = max(until, after)
            if cluster.power != "Running" or until <= after:
                continue
            ends = self._cloud.kubernetes_configuration.container_restarts(cluster.id)
            running = self._cloud.kubernetes_configuration.running_container(cluster.id)
            found = (pod_row(cluster, ends, running, moment) for moment in samples(after, until, every))
            rows += [(workspace_id, row) for row in found if row is not None]
        self._keep(PODS.name, rows)


def store_of(table: str) -> str:
    """The engine's store of a table's rows of all workspaces; keys begin with the Workspace ID."""
    return f"log_analytics_{table}"
