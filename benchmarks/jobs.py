"""From a job's end to its alert: how long, how many calls, how much CPU."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from benchmarks import virtual_time
from benchmarks.hosts import Hosts
from benchmarks.report import Report, Sheet, Spread
from shared.arm.log_analytics import LogAnalytics
from shared.domain.ids import ClusterId
from shared.domain.jobs import EndedJob, JobIssue
from shared.job_watch import watch_jobs
from shared.observe.ended_jobs_logs import LogAnalyticsJobs
from shared.ports import JobSource, News
from simulator.arm.path import arm_path
from simulator.cloud import FIRST_SUBSCRIPTION
from simulator.http import Request
from simulator.transport import SimulatedCredential, SimulatedTransport

CLUSTERS = 250
ROUNDS = 4
WATCH_EVERY = 300.0
"""Seconds, as the timer's schedule has it."""
BETWEEN_ROUNDS = 4 * 3600.0
OUTCOMES = {0: "warnings", 5: "failed"}
"""By the last digit of a cluster's number: one in ten ends with warnings, one in ten fails, the others are clean."""
_WORKSPACE = (
    f"/subscriptions/{FIRST_SUBSCRIPTION}/resourceGroups/logs/providers/Microsoft.OperationalInsights/workspaces/logs"
)


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds from the end of each troubled job to its alert, and the calls of all that."""

    seconds: list[float]
    calls: Counter[str]
    jobs: int


def measure() -> Report:
    graph = virtual_time.run(_run(log_analytics=False))
    logs = virtual_time.run(_run(log_analytics=True))
    cpu = virtual_time.run(_cpu())
    runs = {"Resource Graph": (graph, 60.0), "Log Analytics": (logs, 1500.0)}
    rows: list[tuple[str | float, ...]] = []
    figures: dict[str, object] = {}
    for name, (run, delay) in runs.items():
        spread = Spread.of(run.seconds)
        rows.append((name, delay, spread.least, spread.median, spread.most, spread.median / delay))
        figures[name] = {
            "source_delay_seconds": delay,
            "job_end_to_alert_seconds": spread.figures(1),
            "calls_per_1000_jobs": {kind: round(1000 * n / run.jobs, 1) for kind, n in run.calls.most_common()},
        }
    kinds = sorted(graph.calls | logs.calls)
    calls: list[tuple[str | float, ...]] = [
        (kind, *(1000 * run.calls[kind] / run.jobs for run, _ in runs.values())) for kind in kinds
    ]
    calls.append(("all", *(1000 * run.calls.total() / run.jobs for run, _ in runs.values())))
    return Report(
        {
            "clusters": CLUSTERS,
            "jobs": graph.jobs,
            "watch_every_seconds": WATCH_EVERY,
            "sources": figures,
            "cpu_milliseconds_per_job": {name: round(value, 2) for name, value in cpu.items()},
        },
        [
            Sheet(
                "From the end of a job to its alert, seconds (virtual time)",
                ("source", "its own delay", "least", "median", "most", "median ÷ delay"),
                rows,
            ),
            Sheet("Calls to Azure per 1,000 ended jobs", ("kind", *runs), calls),
            Sheet("CPU a job, milliseconds", ("kind of job", "ms"), list(cpu.items())),
        ],
        [
            "The delays are the simulator's: for Resource Graph assumed, for Log Analytics the 20-30 minutes that are "
            "documented. The watch itself runs every five minutes, and jobs end spread over its interval.",
            "CPU: watching, taking in, one look and its alert, with the stores in memory; no call to Azure is made.",
        ],
    )


async def _run(*, log_analytics: bool) -> Run:
    hosts = Hosts(2)
    clusters = await _protected(hosts, CLUSTERS)
    if log_analytics:
        logs = LogAnalyticsJobs(await _logs(hosts), await _workspace(hosts))
        hosts.worlds[:] = [replace(world, job_sources=(logs,)) for world in hosts.worlds]
    await watch_jobs(hosts.worlds[0])
    hosts.cloud.front_door.calls.clear()
    ends: dict[str, datetime] = {}
    watching = asyncio.create_task(_watch(hosts))
    for _ in range(ROUNDS):
        for number, cluster in enumerate(clusters):
            hosts.cloud.data_protection.add_job(cluster.arm_id, "Backup", OUTCOMES.get(number % 10, "completed"))
            await asyncio.sleep(WATCH_EVERY / CLUSTERS)
        await asyncio.sleep(BETWEEN_ROUNDS)
    watching.cancel()
    for vault in hosts.cloud.data_protection.vaults.all():
        for job in vault.jobs.values():
            if job.ended is not None and job.status in ("Failed", "CompletedWithWarnings"):
                cluster_id = job.instance.datasource_id.lower()
                ends[cluster_id] = min(job.ended, ends.get(cluster_id, job.ended))
    calls = Counter(
        f"{call.method} {((path := arm_path(call.path)).resource_type or path.namespace or call.path).lower()}"
        for call in hosts.cloud.front_door.calls.all()
    )
    shown = hosts.alert_book.shown_at
    await hosts.close()
    assert ends.keys() <= shown.keys(), "an alert is missing"
    return Run([(shown[key] - end).total_seconds() for key, end in ends.items()], calls, CLUSTERS * ROUNDS)


async def _watch(hosts: Hosts) -> None:
    while True:
        await asyncio.sleep(WATCH_EVERY)
        await watch_jobs(hosts.worlds[0])


async def _protected(hosts: Hosts, count: int) -> list[ClusterId]:
    clusters = hosts.create_clusters(count, FIRST_SUBSCRIPTION)
    await hosts.protect(clusters)
    await asyncio.sleep(3600)
    return clusters


async def _logs(hosts: Hosts) -> LogAnalytics:
    transport = SimulatedTransport(hosts.cloud)
    return LogAnalytics(
        "http://127.0.0.1/loganalytics", SimulatedCredential(hosts.cloud), clock=hosts.clock, transport=transport
    )


async def _workspace(hosts: Hosts) -> str:
    """Every vault sends its jobs there from now on; its customer id."""
    group = _WORKSPACE.partition("/providers/")[0]
    await _put(hosts, group, "2025-04-01", {"location": "westeurope"})
    body = await _put(hosts, _WORKSPACE, "2023-09-01", {"location": "westeurope", "properties": {}})
    for vault in hosts.cloud.data_protection.vaults.all():
        settings = {
            "workspaceId": _WORKSPACE,
            "logAnalyticsDestinationType": "Dedicated",
            "logs": [{"category": "AddonAzureBackupJobs", "enabled": True}],
        }
        path = f"{vault.id}/providers/Microsoft.Insights/diagnosticSettings/jobs"
        await _put(hosts, path, "2021-05-01-preview", {"properties": settings})
    return str(body["properties"]["customerId"])


async def _put(hosts: Hosts, path: str, version: str, body: Mapping[str, object]) -> dict[str, dict[str, str]]:
    token = hosts.cloud.identity.token(hosts.cloud.identity.operator)
    headers = {"authorization": f"Bearer {token}"}
    request = Request("PUT", path, query={"api-version": version}, headers=headers, body=json.dumps(body).encode())
    response = await hosts.cloud.respond(request)
    assert response.status < 300, (path, response.body)
    found: dict[str, dict[str, str]] = response.body
    return found


class _Given:
    """A source that has the jobs at hand."""

    name, keeps, overlap = "given", 14 * 86400.0, 3600.0

    def __init__(self, jobs: list[EndedJob]) -> None:
        self._jobs = jobs

    async def ended_since(self, since: datetime) -> AsyncIterator[News]:
        for job in self._jobs:
            if job.ended_at >= since:
                yield job


async def _cpu() -> dict[str, float]:
    """Milliseconds of CPU a job, by how it ended."""
    found: dict[str, float] = {}
    hosts = Hosts()
    clusters = await _protected(hosts, CLUSTERS)
    for status in ("completed", "completedwithwarnings", "failed"):
        await asyncio.sleep(3600)
        source: JobSource = _Given([_job(cluster, status, hosts) for cluster in clusters])
        world = replace(hosts.worlds[0], job_sources=(source,))
        before = hosts.passes
        began = time.process_time()
        await watch_jobs(world)
        while hosts.passes < before + len(clusters):  # noqa: ASYNC110 - in virtual time
            await asyncio.sleep(1)
        found[status] = 1000 * (time.process_time() - began) / len(clusters)
    await hosts.close()
    return found


def _job(cluster: ClusterId, status: str, hosts: Hosts) -> EndedJob:
    instance = hosts.cloud.data_protection.instances_of(cluster.arm_id)[0]
    issue = JobIssue("KubernetesBackupGenericWarning", "not backed up", "Look at it.", "web/data")
    now = hosts.clock.now()
    return EndedJob(
        arm_id=f"{instance.vault_id}/backupJobs/{hosts.cloud.new_uuid()}",
        cluster=cluster,
        instance_id=instance.id,
        operation="Backup",
        status=status,
        user_triggered=False,
        started_at=now - timedelta(minutes=3),
        ended_at=now,
        errors=(issue,) if status == "failed" else (),
        warnings=(issue,) if status == "completedwithwarnings" else (),
        detailed=True,
    )
