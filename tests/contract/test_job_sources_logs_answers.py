"""Log Analytics as the app's client meets it: parts of answers, tables that are not there yet, refusals, odd rows."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError

from shared.arm.log_analytics import LogAnalytics
from shared.domain.errors import BlockedError, GuardError, TransientError
from shared.domain.jobs import JobIssue
from shared.observe.ended_jobs_logs import LogAnalyticsJobs
from shared.observe.out_of_memory import ContainerInsightsSigns
from simulator.http import ConnectionLost, Request, Response
from simulator.transport import BASE_URL, SimulatedCredential, SimulatedTransport
from tests.contract.azure_under_test import SUBSCRIPTION, VAULT, AzureUnderTest

SINCE = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORKSPACE = "11111111-2222-3333-4444-555555555555"
CLUSTER = f"{SUBSCRIPTION}/resourcegroups/shop/providers/microsoft.containerservice/managedclusters/shop"
NO_TABLE = "Failed to resolve table or column expression named"


class Logs:
    """An Azure whose Log Analytics answers as a test says, and what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: Response | Callable[[], Response]) -> None:
        self.azure = AzureUnderTest()
        self.asked: list[dict[str, Any]] = []
        self._answer = answer
        self.client = LogAnalytics(
            f"{BASE_URL}/loganalytics",
            SimulatedCredential(self.azure.cloud),
            clock=self.azure.clock,
            scale=10,
            transport=SimulatedTransport(self.azure.cloud),
        )
        monkeypatch.setattr(self.azure.cloud.front_door, "respond", self._respond)

    async def _respond(self, request: Request) -> Response:
        assert (request.method, request.path) == ("POST", f"/loganalytics/v1/workspaces/{WORKSPACE}/query")
        self.asked.append(json.loads(request.body))
        return self._answer if isinstance(self._answer, Response) else self._answer()

    async def rows(self) -> list[Any]:
        return list(await self.client.query(WORKSPACE, "T | take 1", "T"))

    async def refusal(self) -> GuardError:
        with pytest.raises(GuardError) as raised:
            await self.rows()
        return raised.value


def table(columns: dict[str, str], *rows: list[Any], **more: Any) -> Response:
    described = [{"name": name, "type": kind} for name, kind in columns.items()]
    tables = [{"name": "PrimaryResult", "columns": described, "rows": list(rows)}]
    return Response(200, {"tables": tables, **more})


def refused(status: int, code: str, *inner: tuple[str, str], headers: dict[str, str] | None = None) -> Response:
    error: dict[str, Any] = {"code": code, "message": "The request had some invalid properties"}
    deepest = error
    for inner_code, message in inner:
        deepest["innererror"] = {"code": inner_code, "message": message}
        deepest = deepest["innererror"]
    return Response(status, {"error": error}, headers or {})


async def test_rows_come_by_their_columns_names(monkeypatch: pytest.MonkeyPatch) -> None:
    found = table({"at": "datetime", "n": "long", "odd": "datetime"}, ["2026-03-01T12:00:00.1234567Z", 3, "never"])
    logs = Logs(monkeypatch, found)
    assert await logs.rows() == [{"at": "2026-03-01T12:00:00.123456+00:00", "n": 3, "odd": "never"}]
    assert logs.asked == [{"query": "T | take 1", "timespan": None, "workspaces": None}]


async def test_a_table_without_rows_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await Logs(monkeypatch, table({"n": "long"})).rows() == []


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (table({"n": "long"}, [1], error={"code": "PartialError", "message": "cut"}), "PartialError"),
        (Response(200, {}), "UnreadableAnswer"),
        (Response(200, []), "UnreadableAnswer"),
        (Response(200, b"<html>"), "UnreadableAnswer"),
        (table({"n": "long"}, [1, 2]), "UnreadableAnswer"),
        (Response(502, b"<html>"), "UnreadableAnswer"),
        (refused(503, "ServiceUnavailable"), "ServiceUnavailable"),
        (refused(504, "GatewayTimeout"), "GatewayTimeout"),
        (refused(401, "InvalidTokenError"), "InvalidTokenError"),
    ],
)
async def test_what_is_no_whole_answer_is_an_error(
    monkeypatch: pytest.MonkeyPatch, answer: Response, code: str
) -> None:
    error = await Logs(monkeypatch, answer).refusal()
    assert (error.kind, error.code) == ("transient", code)


async def test_a_broken_connection_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost() -> Response:
        raise ConnectionLost("cut")

    assert (await Logs(monkeypatch, lost).refusal()).code == "NoAnswer"


@pytest.mark.parametrize(("headers", "azures"), [({"Retry-After": "7"}, 70), ({}, 30)])
async def test_a_throttle_says_when_to_come_back(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], azures: float
) -> None:
    """In Azure's seconds: the world of this test runs ten times faster."""
    error = await Logs(monkeypatch, refused(429, "ThrottledError", headers=headers)).refusal()
    assert isinstance(error, TransientError)
    assert (error.code, error.retry_after) == ("ThrottledError", azures)


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (refused(403, "InsufficientAccessError"), "Log Analytics Reader"),
        (refused(404, "WorkspaceNotFoundError"), "AKS_BACKUP_GUARD_LOG_ANALYTICS_WORKSPACES"),
        (refused(400, "BadArgumentError", ("SyntaxError", "A syntax error occurred.")), ""),
        (refused(400, "BadArgumentError", ("SemanticError", ""), ("SEM0100", f"{NO_TABLE} 'Other'")), ""),
        (refused(400, "BadArgumentError", ("SemanticError", ""), ("SEM0100", "scalar expression named 'T'")), ""),
    ],
)
async def test_what_a_person_must_mend_blocks(monkeypatch: pytest.MonkeyPatch, answer: Response, advice: str) -> None:
    error = await Logs(monkeypatch, answer).refusal()
    assert isinstance(error, BlockedError)
    assert advice in error.recommended_action
    assert bool(advice) == bool(error.recommended_action)


async def test_a_table_that_is_not_there_yet_has_no_rows(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    inner = (("SemanticError", "A semantic error occurred."), ("SEM0100", f"'where' operator: {NO_TABLE} 'T'"))
    logs = Logs(monkeypatch, refused(400, "BadArgumentError", *inner))
    with caplog.at_level(logging.INFO, "shared.arm.log_analytics"):
        assert await logs.rows() == []
        assert await logs.rows() == []
    assert [record.getMessage() for record in caplog.records if record.name == "shared.arm.log_analytics"] == [
        f"workspace {WORKSPACE} has no table T yet: nothing has been sent to it"
    ]


async def test_without_a_token_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async def none(*_: str, **__: Any) -> Any:
        raise ClientAuthenticationError("no identity")

    logs = Logs(monkeypatch, table({}))
    monkeypatch.setattr(SimulatedCredential, "get_token", none)
    error = await logs.refusal()
    assert (error.kind, error.code, logs.asked) == ("transient", "NoToken", [])


@pytest.mark.parametrize("endpoint", ["http://logs.example", "ftp://127.0.0.1", "api.loganalytics.io"])
def test_a_token_never_goes_in_the_clear_to_another_machine(endpoint: str) -> None:
    azure = AzureUnderTest()
    with pytest.raises(ValueError, match="https"):
        LogAnalytics(endpoint, SimulatedCredential(azure.cloud), clock=azure.clock)


JOB_COLUMNS = {
    "TimeGenerated": "datetime",
    "JobUniqueId": "string",
    "vaultId": "string",
    "DatasourceResourceId": "string",
    "BackupItemId": "string",
    "JobOperation": "string",
    "JobStatus": "string",
    "JobFailureCode": "string",
    "AdHocOrScheduledJob": "string",
    "JobStartDateTime": "datetime",
    "JobDurationInSecs": "real",
}


def job(name: str, **changed: Any) -> list[Any]:
    values = {
        "TimeGenerated": "2026-03-01T12:30:00Z",
        "JobUniqueId": name,
        "vaultId": VAULT.lower(),
        "DatasourceResourceId": CLUSTER,
        "BackupItemId": f"{VAULT}/backupInstances/shop-1",
        "JobOperation": "Backup",
        "JobStatus": "Completed",
        "JobFailureCode": "Success",
        "AdHocOrScheduledJob": "Scheduled",
        "JobStartDateTime": "2026-03-01T11:50:00Z",
        "JobDurationInSecs": 184.5,
        **changed,
    }
    return [values[column] for column in JOB_COLUMNS]


async def test_jobs_of_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = Logs(
        monkeypatch,
        table(
            JOB_COLUMNS,
            job(
                "c", JobStatus="Failed", JobFailureCode="UserErrorX", AdHocOrScheduledJob="Adhoc", JobDurationInSecs=300
            ),
            job("b", JobStatus="Completed with warnings", JobFailureCode="UserErrorY", BackupItemId="item"),
            job("a", JobStartDateTime="2026-03-01T09:00:00Z"),
            job("d", JobStatus="Vanished"),
            job("e", JobDurationInSecs=None),
            job("f", JobDurationInSecs=-1),
            job("g", JobDurationInSecs=1e300),
            job("h", JobStartDateTime=None),
            job("i", DatasourceResourceId="/subscriptions/x"),
            job("x/../y"),
            job("j", vaultId=""),
        ),
    )
    source = LogAnalyticsJobs(logs.client, WORKSPACE)
    jobs = [found async for found in source.ended_since(SINCE)]
    # `a` ended long before, and came late: it is there
    assert [found.arm_id for found in jobs] == [f"{VAULT.lower()}/backupJobs/{name}" for name in "abc"]
    late, warned, failed = jobs
    assert (late.status, late.operation, late.user_triggered, late.errors) == ("completed", "Backup", False, ())
    assert late.ended_at == datetime(2026, 3, 1, 9, 3, 4, 500000, tzinfo=UTC)
    assert (warned.status, warned.instance_id, warned.needs_details) == ("completedwithwarnings", "", True)
    assert warned.warnings == (JobIssue("UserErrorY"),)
    assert (failed.errors, failed.user_triggered) == ((JobIssue("UserErrorX"),), True)
    assert failed.instance_id == f"{VAULT}/backupInstances/shop-1"
    assert source.rows.unreadable == 8
    assert source.name == f"log-analytics:{WORKSPACE}"


async def test_kills_of_the_pod_inventory(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = {"aksCluster": "string", "Name": "string", "ContainerName": "string", "finishedAt": "string"}
    logs = Logs(
        monkeypatch,
        table(
            columns,
            [CLUSTER, "agent-1", "uid/manager", "2026-03-01T12:05:00Z"],
            [CLUSTER, "agent-1", "uid/manager", "2026-03-01T12:00:00Z"],
            [CLUSTER, "agent-0", "uid/manager", "2026-03-01T11:59:59Z"],
            [CLUSTER, "agent-2", "uid/manager", ""],
            [CLUSTER, "", "uid/manager", "2026-03-01T12:00:00Z"],
            ["shop", "agent-3", "uid/manager", "2026-03-01T12:00:00Z"],
        ),
    )
    source = ContainerInsightsSigns(logs.client, WORKSPACE)
    signs = [sign async for sign in source.ended_since(SINCE)]
    assert [(sign.cluster.arm_id, sign.pod, sign.container, sign.at.minute) for sign in signs] == [
        (CLUSTER, "agent-1", "manager", 0),
        (CLUSTER, "agent-1", "manager", 5),
    ]
    assert source.rows.unreadable == 3
    assert source.name == f"container-insights:{WORKSPACE}"
