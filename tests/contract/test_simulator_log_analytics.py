"""Log Analytics by the official client: what arrives when, who may ask, and how it says no."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.monitor.query import LogsBatchQuery, LogsQueryError, LogsQueryPartialResult, LogsQueryResult, LogsQueryStatus
from azure.monitor.query.aio import LogsQueryClient

from simulator.clock import RealClock
from simulator.cloud import Cloud
from simulator.http import Request
from simulator.server import endpoints, start
from simulator.transport import BASE_URL, AllowHttp, SimulatedCredential, SimulatedTransport
from tests.contract.data_protection_world import CLUSTER, VAULT, World
from tests.contract.test_simulator_diagnostic_settings import JOBS, SETTING, WORKSPACE, put, setting, workspace

LOG_ANALYTICS_READER = "73c42c96-874c-492b-b04d-ab87d138a893"
TABLE = f"{JOBS} | project JobUniqueId, JobStatus, JobFailureCode | order by JobUniqueId asc"
PODS = "KubePodInventory | where Namespace == 'dataprotection-microsoft'"


class Logs:
    """A protected cluster whose vault's logs go to a workspace, and a client."""

    def __init__(self) -> None:
        self.world = World()
        self.workspace_id = ""

    async def made(self, **said: Any) -> "Logs":
        await self.world.ready()
        await self.world.protect()
        self.workspace_id = (await workspace(self.world))["properties"]["customerId"]
        assert (await put(self.world, **said)).status == 200
        self.delay = self.world.cloud.timings.log_ingestion
        return self

    def client(self, principal: Any = None) -> LogsQueryClient:
        cloud = self.world.cloud
        return LogsQueryClient(
            SimulatedCredential(cloud, principal or cloud.identity.operator),
            endpoint=f"{BASE_URL}/loganalytics",
            transport=SimulatedTransport(cloud),
            per_call_policies=[AllowHttp()],
            retry_total=0,
        )

    async def rows(self, query: str = TABLE, timespan: Any = None, **said: Any) -> list[dict[str, Any]]:
        async with self.client() as client:
            return as_rows(await client.query_workspace(self.workspace_id, query, timespan=timespan, **said))

    async def ended(self, **said: Any) -> str:
        """A job that has just come to its end; its name."""
        job = self.world.cloud.data_protection.add_job(CLUSTER, **said)
        await self.world.clock.advance(self.world.cloud.timings.backup_job)
        return job.rpartition("/")[2]


def as_rows(result: LogsQueryResult | LogsQueryPartialResult) -> list[dict[str, Any]]:
    assert isinstance(result, LogsQueryResult)
    (table,) = result.tables
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


async def refused(asked: Any) -> HttpResponseError:
    with pytest.raises(HttpResponseError) as error:
        await asked
    return error.value


def code(error: HttpResponseError) -> str:
    assert isinstance(error.model, LogsQueryError)
    return error.model.code


@pytest.fixture
async def logs() -> Logs:
    return await Logs().made()


async def test_a_job_arrives_when_it_was_ingested(logs: Logs) -> None:
    job = await logs.ended(outcome="warnings")
    pushed = logs.world.clock.now()
    missing = await refused(logs.rows())
    assert missing.status_code == 400
    assert code(missing) == "BadArgumentError"
    assert isinstance(missing.model, LogsQueryError)
    assert missing.model.message == f"Failed to resolve table or column expression named '{JOBS}'"
    await logs.world.clock.advance(logs.delay - 1)
    await refused(logs.rows())
    await logs.world.clock.advance(1)
    (row,) = await logs.rows(JOBS)
    assert row["TimeGenerated"] == pushed
    assert (row["JobUniqueId"], row["JobStatus"], row["JobFailureCode"]) == (job, "CompletedWithWarnings", "Success")
    assert row["JobDurationInSecs"] == logs.world.cloud.timings.backup_job
    assert row["JobStartDateTime"] == pushed - timedelta(seconds=row["JobDurationInSecs"])
    assert (row["_ResourceId"], row["DatasourceResourceId"]) == (VAULT.lower(), CLUSTER)
    assert (row["AdHocOrScheduledJob"], row["JobOperation"]) == ("Scheduled", "Backup")
    assert (row["TenantId"], row["Type"]) == (logs.workspace_id, JOBS)


async def test_a_running_job_never_shows(logs: Logs) -> None:
    first = await logs.ended(outcome="failed", code="UserErrorSomething")
    logs.world.cloud.timings = logs.world.cloud.timings.__class__(backup_job=86_400)
    logs.world.cloud.data_protection.add_job(CLUSTER)
    await logs.world.clock.advance(logs.delay)
    assert await logs.rows() == [{"JobUniqueId": first, "JobStatus": "Failed", "JobFailureCode": "UserErrorSomething"}]
    await logs.world.clock.advance(86_400)
    assert len(await logs.rows()) == 2


async def test_only_what_ended_while_the_setting_was_there(logs: Logs) -> None:
    await setting(logs.world, "DELETE")
    await logs.ended()
    await put(logs.world)
    kept = await logs.ended()
    await setting(logs.world, "DELETE")
    await logs.ended()
    await logs.world.clock.advance(2 * logs.delay)
    assert [row["JobUniqueId"] for row in await logs.rows()] == [kept]


@pytest.mark.parametrize("said", [{"destination": None}, {"categories": ("CoreAzureBackup",)}, {"enabled": False}])
async def test_settings_that_send_no_jobs(said: dict[str, Any]) -> None:
    logs = await Logs().made(**said)
    await logs.ended()
    await logs.world.clock.advance(logs.delay)
    assert (await refused(logs.rows())).status_code == 400
    items = "CoreAzureBackup | project BackupItemProtectionState, LatestRecoveryPointTime"
    if said.get("categories"):
        (row,) = await logs.rows(items)
        assert row["BackupItemProtectionState"] == "ProtectionConfigured"
        assert row["LatestRecoveryPointTime"] is not None
    else:
        assert (await refused(logs.rows(items))).status_code == 400


async def test_a_timespan_limits_what_is_read(logs: Logs) -> None:
    early = await logs.ended()
    middle = logs.world.clock.now()
    await logs.world.clock.advance(3600)
    late = await logs.ended()
    await logs.world.clock.advance(logs.delay)
    now = logs.world.clock.now()
    for timespan, expected in (
        (None, {early, late}),
        (timedelta(days=1), {early, late}),
        (timedelta(seconds=logs.delay), {late}),
        ((middle - timedelta(seconds=1), middle), {early}),
        ((middle, timedelta(seconds=1)), {early}),
        ((now, now + timedelta(days=1)), set()),
    ):
        assert {row["JobUniqueId"] for row in await logs.rows(timespan=timespan)} == expected, timespan


async def test_retention_forgets(logs: Logs) -> None:
    await logs.ended()
    await logs.world.clock.advance(30 * 86_400 + 1)
    assert await logs.rows() == []


async def test_several_at_once_each_answered_by_itself(logs: Logs) -> None:
    await logs.ended()
    await logs.world.clock.advance(logs.delay)
    texts = (TABLE, f"{JOBS} | where", TABLE)
    async with logs.client() as client:
        good, bad, again = await client.query_batch(
            [LogsBatchQuery(logs.workspace_id, text, timespan=None) for text in texts]
        )
    assert (good.status, bad.status, again.status) == (
        LogsQueryStatus.SUCCESS,
        LogsQueryStatus.FAILURE,
        LogsQueryStatus.SUCCESS,
    )
    assert isinstance(bad, LogsQueryError)
    assert bad.code == "BadArgumentError"
    assert isinstance(good, LogsQueryResult)
    assert len(as_rows(good)) == 1


async def test_asked_of_the_resource(logs: Logs) -> None:
    job = await logs.ended()
    await logs.world.clock.advance(logs.delay)
    async with logs.client() as client:
        result = await client.query_resource(VAULT, TABLE, timespan=None, include_statistics=True)
        assert [row["JobUniqueId"] for row in as_rows(result)] == [job]
        assert result.statistics is not None
        group = await client.query_resource(VAULT.partition("/providers/")[0], TABLE, timespan=None)
        assert len(as_rows(group)) == 1
        assert as_rows(await client.query_resource(CLUSTER, TABLE, timespan=None)) == []


async def test_more_workspaces_at_once(logs: Logs) -> None:
    other = await workspace(logs.world, f"{WORKSPACE}-2")
    await put(logs.world, f"{SETTING}-2", workspace_id=other["id"])
    await logs.ended()
    await logs.world.clock.advance(logs.delay)
    assert len(await logs.rows()) == 1
    for name in (other["properties"]["customerId"], other["id"], "logs-2"):
        assert len(await logs.rows(additional_workspaces=[name])) == 2


async def test_who_may_ask(logs: Logs) -> None:
    await logs.ended()
    await logs.world.clock.advance(logs.delay)
    somebody = logs.world.cloud.identity.new_principal("somebody")
    async with logs.client(somebody) as client:
        error = await refused(client.query_workspace(logs.workspace_id, TABLE, timespan=None))
        assert (error.status_code, code(error)) == (403, "InsufficientAccessError")
        assert (await refused(client.query_resource(VAULT, TABLE, timespan=None))).status_code == 403
        logs.world.cloud.authorization.grant(somebody.object_id, LOG_ANALYTICS_READER, WORKSPACE)
        assert len(as_rows(await client.query_workspace(logs.workspace_id, TABLE, timespan=None))) == 1
        unknown = await refused(client.query_workspace("00000000-0000-0000-0000-00000000000f", TABLE, timespan=None))
        assert unknown.status_code == 404


async def test_two_hundred_queries_in_thirty_seconds(logs: Logs) -> None:
    async with logs.client() as client:
        for _ in range(20):
            batch = [LogsBatchQuery(logs.workspace_id, "print 1", timespan=None)] * 10
            assert {each.status for each in await client.query_batch(batch)} == {LogsQueryStatus.SUCCESS}
        (throttled,) = await client.query_batch([LogsBatchQuery(logs.workspace_id, "print 1", timespan=None)])
        assert isinstance(throttled, LogsQueryError)
        assert throttled.code == "ThrottledError"
        error = await refused(client.query_workspace(logs.workspace_id, "print 1", timespan=None))
        assert error.status_code == 429
        response: Any = error.response
        assert response.headers["Retry-After"] == "30"
        await logs.world.clock.advance(30)
        await client.query_workspace(logs.workspace_id, "print 1", timespan=None)


async def test_too_many_rows_are_a_partial_answer(logs: Logs) -> None:
    async with logs.client() as client:
        query = "range n from 1 to 500001 step 1"
        result = await client.query_workspace(logs.workspace_id, query, timespan=None)
    assert isinstance(result, LogsQueryPartialResult)
    assert result.partial_error is not None
    assert result.partial_error.code == "PartialError"
    assert len(result.partial_data[0].rows) == 500_000


async def test_values_by_their_types(logs: Logs) -> None:
    query = """print s = 'a', n = 1, r = 0.5, b = true, t = datetime(2026-01-01T10:00:00.5Z), d = dynamic({"a": [1]}),
    p = 90m, none = long(null)"""
    (row,) = await logs.rows(query)
    assert row == {
        "s": "a",
        "n": 1,
        "r": 0.5,
        "b": True,
        "t": datetime(2026, 1, 1, 10, 0, 0, 500_000, tzinfo=UTC),
        "d": '{"a":[1]}',
        "p": "01:30:00",
        "none": None,
    }


async def test_by_get_and_malformed(logs: Logs) -> None:
    cloud = logs.world.cloud
    path = f"/loganalytics/v1/workspaces/{logs.workspace_id}/query"

    async def call(method: str = "GET", at: str = path, body: bytes = b"", **query: str) -> Any:
        token = cloud.identity.token(cloud.identity.operator, "https://api.loganalytics.io")
        headers = {"authorization": f"Bearer {token}"}
        return await cloud.respond(Request(method, at, query=query, headers=headers, body=body))

    answer = await call(query="print n = 1", timespan="P1D")
    assert answer.body["tables"] == [
        {"name": "PrimaryResult", "columns": [{"name": "n", "type": "long"}], "rows": [[1]]}
    ]
    assert (await call(query="print 1", timespan="yesterday")).status == 400
    assert (await call()).status == 400
    for body in (b"", b"[]", b"{", b'{"query": 1}'):
        assert (await call("POST", body=body)).status == 400
    for batch in (b"{}", b'{"requests": [1]}', b'{"requests": [{"id": "1", "workspace": "x", "body": 1}]}'):
        assert (await call("POST", "/loganalytics/v1/$batch", batch)).status == 400
    assert (await call("DELETE")).status == 404
    assert (await call(at="/loganalytics/v2/workspaces/x/query")).status == 404


async def test_tokens(logs: Logs) -> None:
    cloud = logs.world.cloud
    path = f"/loganalytics/v1/workspaces/{logs.workspace_id}/query"
    for token, status in (
        (None, 401),
        ("nonsense", 403),
        (cloud.identity.token(cloud.identity.operator, "https://management.azure.com"), 403),
        (cloud.identity.token(cloud.identity.operator, "https://api.loganalytics.io"), 200),
    ):
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        answer = await cloud.respond(Request("GET", path, query={"query": "print 1"}, headers=headers))
        assert answer.status == status


async def test_pods_of_clusters_with_container_insights(logs: Logs) -> None:
    cloud = logs.world.cloud
    (cluster,) = cloud.container_service.clusters()
    addon = {"enabled": True, "config": {"logAnalyticsWorkspaceResourceID": WORKSPACE}}
    cluster.properties["addonProfiles"] = {"omsagent": addon}
    await logs.world.clock.advance(600 + cloud.timings.container_insights_lag)
    query = f"{PODS} | summarize n = count(), end = max(ContainerLastStatus), r = max(ContainerRestartCount) by Name"
    (pod,) = await logs.rows(query)
    assert pod["Name"].startswith("dataprotection-microsoft-kubernetes-agent-")
    assert (pod["end"], pod["r"]) == ("{}", 0)
    cloud.kubernetes_configuration.kill_for_memory(CLUSTER)
    killed = logs.world.clock.now()
    (same,) = await logs.rows(query)
    assert same == pod  # not yet
    await logs.world.clock.advance(300 + cloud.timings.container_insights_lag)
    (row,) = await logs.rows(
        f"{PODS} | where TimeGenerated > {kusto(killed)} | summarize arg_max(TimeGenerated, *) by Name"
    )
    (end,) = await logs.rows(
        f"{PODS} | extend e = parse_json(ContainerLastStatus) | where tostring(e.reason) == 'OOMKilled' "
        "| summarize seen = max(TimeGenerated) by finished = tostring(e.finishedAt)"
    )
    assert (row["ContainerStatus"], row["ContainerStatusReason"], row["ContainerRestartCount"]) == ("running", "", 1)
    assert (row["ClusterId"], row["_ResourceId"]) == (CLUSTER, CLUSTER.lower())
    assert row["ContainerName"] == f"{row['PodUid']}/kubernetes-agent"
    assert end["finished"] == f"{killed:%Y-%m-%dT%H:%M:%SZ}"


async def test_pods_of_other_clusters_are_not_collected(logs: Logs) -> None:
    await logs.world.clock.advance(3600)
    assert (await refused(logs.rows(PODS))).status_code == 400


def kusto(moment: datetime) -> str:
    return f"datetime({moment:%Y-%m-%dT%H:%M:%SZ})"


@pytest.fixture
async def served() -> AsyncIterator[tuple[Cloud, str]]:
    cloud = Cloud(RealClock(1000))
    runner, base = await start(cloud)
    yield cloud, base
    await runner.cleanup()
    await cloud.event_grid.close()


async def test_over_http(served: tuple[Cloud, str]) -> None:
    cloud, base = served
    subscription = cloud.resources.subscriptions()[0].id
    cloud.resources.add_group(subscription, "logs", "westeurope")
    path = f"/subscriptions/{subscription}/resourceGroups/logs/providers/Microsoft.OperationalInsights/workspaces/logs"
    token = cloud.identity.token(cloud.identity.operator)
    made = await cloud.respond(
        Request(
            "PUT",
            path,
            query={"api-version": "2023-09-01"},
            headers={"authorization": f"Bearer {token}"},
            body=b'{"location": "westeurope"}',
        )
    )
    workspace_id = made.body["properties"]["customerId"]
    async with LogsQueryClient(
        SimulatedCredential(cloud), endpoint=endpoints(base)["loganalytics"], per_call_policies=[AllowHttp()]
    ) as client:
        result = await client.query_workspace(workspace_id, "print n = 1", timespan=None)
        assert as_rows(result) == [{"n": 1}]
        missing = await refused(client.query_workspace(workspace_id, TABLE, timespan=timedelta(days=1)))
        assert code(missing) == "BadArgumentError"
    stranger = SimulatedCredential(cloud, cloud.identity.new_principal("gone"))
    async with LogsQueryClient(
        stranger, endpoint=endpoints(base)["loganalytics"], per_call_policies=[AllowHttp()]
    ) as client:
        error = await refused(client.query_workspace(workspace_id, "print 1", timespan=None))
        assert error.status_code == 403
        assert not isinstance(error, ClientAuthenticationError)
