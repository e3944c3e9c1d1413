"""The sources of ended jobs and the jobs API against the simulated Azure, with its lags and its quotas."""

import json
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from shared.arm.client import ArmClient
from shared.arm.log_analytics import LogAnalytics
from shared.arm.resource_graph import query
from shared.domain.errors import BlockedError, TransientError
from shared.domain.ids import ClusterId
from shared.domain.jobs import EndedJob, OutOfMemorySign
from shared.domain.steps import CreateBackupInstance
from shared.observe.ended_jobs_graph import ResourceGraphJobs
from shared.observe.ended_jobs_logs import LogAnalyticsJobs
from shared.observe.job_details import JobDetails
from shared.observe.out_of_memory import ContainerInsightsSigns
from shared.observe.queries import running_jobs_in_graph
from shared.ports import JobSource
from simulator.clock import RealClock
from simulator.cloud import FIRST_SUBSCRIPTION, Cloud
from simulator.server import endpoints, start
from simulator.transport import BASE_URL, SimulatedCredential, SimulatedTransport
from tests.contract.azure_under_test import BACKUP_GROUP, SUBSCRIPTION, VAULT, AzureUnderTest
from tests.fakes.storage import FakeQuota

WORKSPACE = f"{BACKUP_GROUP}/providers/Microsoft.OperationalInsights/workspaces/backup-logs"
SETTING = f"{VAULT}/providers/Microsoft.Insights/diagnosticSettings/jobs"
LAG, INGESTION = 60, 1500
SCOPES = ("https://management.azure.com/.default",)


async def control(azure: AzureUnderTest, name: str, **body: Any) -> Any:
    answer = await azure.call("POST", f"/simulator/{name}", "", json.dumps(body).encode())
    assert answer.status < 300, answer.body
    return answer.body


async def put(azure: AzureUnderTest, path: str, version: str, body: Any) -> Any:
    answer = await azure.call("PUT", path, version, json.dumps(body).encode())
    assert answer.status in (200, 201), answer.body
    return answer.body


async def workspace(azure: AzureUnderTest) -> str:
    """Its workspace id; the vault sends its jobs to it."""
    made = await put(azure, WORKSPACE, "2023-09-01", {"location": "westeurope"})
    properties = {
        "workspaceId": WORKSPACE,
        "logAnalyticsDestinationType": "Dedicated",
        "logs": [{"category": "AddonAzureBackupJobs", "enabled": True}],
    }
    await put(azure, SETTING, "2021-05-01-preview", {"properties": properties})
    return str(made["properties"]["customerId"])


def log_analytics(azure: AzureUnderTest) -> LogAnalytics:
    credential, transport = SimulatedCredential(azure.cloud), SimulatedTransport(azure.cloud)
    return LogAnalytics(f"{BASE_URL}/loganalytics", credential, clock=azure.clock, transport=transport)


async def ended(source: JobSource, since: datetime) -> list[EndedJob]:
    found = [news async for news in source.ended_since(since)]
    return [news for news in found if isinstance(news, EndedJob)]


def names(jobs: list[EndedJob]) -> list[str]:
    return [job.arm_id.rsplit("/", 1)[-1] for job in jobs]


async def add_job(azure: AzureUnderTest, cluster: ClusterId, outcome: str) -> str:
    made = await control(azure, "jobs", cluster=cluster.arm_id, operation="backup", outcome=outcome)
    return str(made["id"])


async def test_jobs_are_found_in_the_graph_once_it_shows_them() -> None:
    azure = AzureUnderTest()
    cluster, _ = await azure.protected()
    began = azure.clock.now()
    job_ids = []
    for outcome in ("completed", "warnings", "failed"):
        job_ids.append(await add_job(azure, cluster, outcome))
        await azure.clock.advance(600)
    source = ResourceGraphJobs(azure.arm, [FIRST_SUBSCRIPTION])
    jobs = await ended(source, began)
    assert [job.arm_id for job in jobs] == job_ids
    assert [job.status for job in jobs] == ["completed", "completedwithwarnings", "failed"]
    assert {job.cluster for job in jobs} == {cluster}
    assert [job.needs_details for job in jobs] == [False, True, False]
    assert jobs[2].errors
    assert names(await ended(source, jobs[1].ended_at)) == names(jobs[1:])
    assert names(await ended(source, jobs[1].ended_at + timedelta(microseconds=1))) == names(jobs[2:])
    assert await ended(ResourceGraphJobs(azure.arm, ["00000000-0000-0000-0000-00000000dead"]), began) == []
    assert source.rows.unreadable == 0


async def test_a_job_that_the_graph_does_not_show_yet_is_there_later() -> None:
    azure = AzureUnderTest()
    cluster, _ = await azure.protected()
    began = azure.clock.now()
    job_id = await add_job(azure, cluster, "completed")
    source = ResourceGraphJobs(azure.arm, [FIRST_SUBSCRIPTION])
    for _ in range(60):  # until it has ended
        await azure.clock.advance(10)
        if await JobDetails(azure.arm).read(job_id) is not None:
            break
    assert await ended(source, began) == []
    await azure.clock.advance(LAG)
    assert [job.arm_id for job in await ended(source, began)] == [job_id]


async def test_more_jobs_than_a_page_holds_are_each_there_once() -> None:
    azure = AzureUnderTest()
    cluster, _ = await azure.protected()
    began = azure.clock.now()
    for _ in range(1100):
        await add_job(azure, cluster, "completed")
    await azure.clock.advance(3600)
    jobs = await ended(ResourceGraphJobs(azure.arm, [FIRST_SUBSCRIPTION]), began)
    assert len(jobs) == len({job.key for job in jobs}) == 1100
    assert [job.ended_at for job in jobs] == sorted(job.ended_at for job in jobs)


async def test_the_jobs_that_run_on_a_cluster() -> None:
    azure = AzureUnderTest()
    cluster, _ = await azure.protected()
    other = await azure.cluster()
    await azure.clock.advance(600)

    async def running(of: ClusterId) -> list[str]:
        rows = await query(azure.arm, running_jobs_in_graph(of), [FIRST_SUBSCRIPTION])
        return [str(row["id"]) for row in rows]

    job_id = await add_job(azure, cluster, "completed")
    await azure.clock.advance(LAG + 5)
    assert (await running(cluster), await running(other)) == ([job_id], [])
    hostile = ClusterId("s", "g", "x\" or true // '\\")
    assert await running(hostile) == []
    await azure.clock.advance(3600)
    assert await running(cluster) == []


async def test_a_query_the_graph_refuses_blocks() -> None:
    azure = AzureUnderTest()
    with pytest.raises(BlockedError) as raised:
        await query(azure.arm, "where where", [FIRST_SUBSCRIPTION])
    assert raised.value.code == "InvalidQuery"
    assert "<EOF>" in raised.value.message


async def test_the_graphs_quota_ends_what_is_asked_too_fast() -> None:
    azure = AzureUnderTest()
    ask = partial(query, azure.arm, "resources | project id | order by id asc", [FIRST_SUBSCRIPTION])
    for _ in range(15):
        await ask()
    with pytest.raises(TransientError) as raised:
        await ask()
    assert raised.value.retry_after
    await azure.clock.advance(raised.value.retry_after + 1)
    await ask()


async def test_details_say_what_was_missed_and_why() -> None:
    azure = AzureUnderTest()
    cluster, _ = await azure.protected()
    reader = JobDetails(azure.arm)
    warned, failed = await add_job(azure, cluster, "warnings"), await add_job(azure, cluster, "failed")
    assert await reader.read(warned) is None  # it runs
    await azure.clock.advance(3600)
    job = await reader.read(warned)
    assert job is not None
    assert (job.arm_id, job.cluster, job.detailed, job.needs_details) == (warned, cluster, True, False)
    assert job.warnings
    assert all(issue.code and issue.message and issue.resource for issue in job.warnings)
    job = await reader.read(failed)
    assert job is not None
    assert job.errors[0].code
    assert job.errors[0].recommended_action
    assert await reader.read(f"{VAULT}/backupJobs/00000000-0000-0000-0000-00000000dead") is None
    for hostile in ("", f"{failed}/../../x", "https://evil.example/x", f"{failed}?x=y", SUBSCRIPTION):
        assert await reader.read(hostile) is None


async def test_jobs_are_found_in_the_log_when_they_have_landed() -> None:
    azure = AzureUnderTest()
    cluster, _ = await azure.protected()
    source = LogAnalyticsJobs(log_analytics(azure), await workspace(azure))
    began = azure.clock.now()
    assert await ended(source, began) == []  # there is no such table yet
    for outcome in ("completed", "failed", "warnings"):
        await add_job(azure, cluster, outcome)
        await azure.clock.advance(600)
    await azure.clock.advance(INGESTION)
    logged, shown = await ended(source, began), await ended(ResourceGraphJobs(azure.arm), began)
    assert [job.status for job in logged] == ["completed", "failed", "completedwithwarnings"]
    assert [job.key for job in logged] == [job.key for job in shown]  # without doubles, whoever tells of them
    assert [(job.cluster, job.operation, job.user_triggered) for job in logged] == [
        (job.cluster, job.operation, job.user_triggered) for job in shown
    ]
    for ours, theirs in zip(logged, shown, strict=True):
        assert abs(ours.ended_at - theirs.ended_at) < timedelta(milliseconds=1)
    assert [issue.code for issue in logged[1].errors] == [issue.code for issue in shown[1].errors]
    assert source.rows.unreadable == 0


async def test_a_workspace_the_app_may_not_read_blocks() -> None:
    azure = AzureUnderTest()
    await azure.region()
    workspace_id = await workspace(azure)
    stranger = SimulatedCredential(azure.cloud, azure.cloud.identity.new_principal("stranger"))
    logs = LogAnalytics(
        f"{BASE_URL}/loganalytics", stranger, clock=azure.clock, transport=SimulatedTransport(azure.cloud)
    )
    with pytest.raises(BlockedError) as raised:
        await ended(LogAnalyticsJobs(logs, workspace_id), azure.clock.now())
    assert raised.value.code == "InsufficientAccessError"
    assert "Log Analytics Reader" in raised.value.recommended_action
    nowhere = LogAnalyticsJobs(log_analytics(azure), "00000000-0000-0000-0000-00000000dead")
    with pytest.raises(BlockedError):
        await ended(nowhere, azure.clock.now())


async def test_kills_are_found_in_the_pod_inventory_once_each() -> None:
    azure = AzureUnderTest()
    await azure.region()
    workspace_id = await workspace(azure)
    cluster, quiet = await azure.cluster(container_insights=WORKSPACE), await azure.cluster()
    for each in (cluster, quiet):
        await azure.ready_to_protect(each)
        await azure.done(CreateBackupInstance(azure.body_of(each)), wait=600)
    source = ContainerInsightsSigns(log_analytics(azure), workspace_id)
    began = azure.clock.now()
    for _ in range(2):
        for each in (cluster, quiet):
            await add_job(azure, each, "oom")
        await azure.clock.advance(1800)
    signs = [sign async for sign in source.ended_since(began)]
    ends = azure.cloud.kubernetes_configuration.container_restarts(cluster.arm_id)
    kills = [end for end in ends if end.reason == "OOMKilled"]
    assert len(kills) == 2
    assert signs == [
        OutOfMemorySign(cluster, kill.pod, kill.container, kill.finished.replace(microsecond=0)) for kill in kills
    ]
    assert [sign async for sign in source.ended_since(signs[1].at)] == signs[1:]
    assert source.rows.unreadable == 0


async def test_the_same_over_a_socket_with_tokens_over_http() -> None:
    cloud = Cloud(RealClock(600))
    runner, base = await start(cloud)
    credential = SimulatedCredential(cloud)
    arm = ArmClient(base, credential, SCOPES, quota=FakeQuota(), clock=cloud.clock, instance="one")
    logs = LogAnalytics(endpoints(base)["loganalytics"], credential, clock=cloud.clock, scale=600)
    try:
        since = cloud.clock.now() - timedelta(days=1)
        assert await ended(ResourceGraphJobs(arm), since) == []
        with pytest.raises(BlockedError) as raised:
            await ended(LogAnalyticsJobs(logs, "00000000-0000-0000-0000-00000000dead"), since)
        assert raised.value.code == "WorkspaceNotFoundError"
        assert await JobDetails(arm).read(f"{VAULT}/backupJobs/none") is None
    finally:
        await arm.close()
        await logs.close()
        await runner.cleanup()
