"""The functions about ended jobs, in the local Functions host with storage and without Azure: what they take, refuse
and keep."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions_host.azurite import Azurite
from shared.domain.ids import ClusterId
from shared.domain.jobs import EndedJob, JobIssue
from shared.domain.observed import ObservedCluster
from shared.domain.record import Record
from shared.events.app_events import as_cloud_event, news_event
from shared.ports import OutgoingNews
from shared.record.history import TableJobHistory
from shared.record.outbox import TableOutbox
from shared.record.storage import Storage
from shared.record.tables import TableRecords
from tests.conftest import CHECKOUT, RunningHost, StartHost
from tests.triggers.conftest import Answer, Call
from tests.unit.test_common_alert import JOB as ALERTED_JOB
from tests.unit.test_common_alert import VAULT as ALERTED_VAULT
from tests.unit.test_common_alert import alert

NOTIFICATION = {"aeg-event-type": "Notification", "Content-Type": "application/json"}
ROOT = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups"
VAULT = f"{ROOT}/backup/providers/Microsoft.DataProtection/backupVaults/kv"
NOW = datetime.now(UTC)


def job(name: str) -> EndedJob:
    return EndedJob(
        arm_id=f"{VAULT}/backupJobs/{name}",
        cluster=ClusterId.parse(f"{ROOT}/apps/providers/Microsoft.ContainerService/managedClusters/{name}"),
        instance_id=f"{VAULT}/backupInstances/{name}",
        operation="Backup",
        status="failed",
        user_triggered=False,
        started_at=NOW - timedelta(minutes=9),
        ended_at=NOW - timedelta(minutes=3),
        errors=(JobIssue("UserErrorX", "why"),),
    )


def event(name: str, **changes: Any) -> dict[str, Any]:
    return as_cloud_event(news_event(job(name))) | changes


@pytest.fixture(scope="module")
def host(storage_account: Azurite, start_functions_host: StartHost) -> RunningHost:
    return start_functions_host(
        CHECKOUT,
        {
            "AzureWebJobsStorage": storage_account.connection_string,
            "AKS_BACKUP_GUARD_ARM_ENDPOINT": "http://127.0.0.1:9",
            "AKS_BACKUP_GUARD_RESOURCE_GRAPH_JOBS": "false",
            "AKS_BACKUP_GUARD_SUBSCRIPTIONS": "00000000-0000-0000-0000-00000000000a",
            "AzureWebJobs.reconcile.Disabled": "true",
            "AzureWebJobs.requeue_overdue.Disabled": "true",
            "IDENTITY_ENDPOINT": "http://127.0.0.1:9",
            "IDENTITY_HEADER": "none",
        },
    )


def stored[T](storage_account: Azurite, look: Callable[[Storage], Awaitable[T]]) -> T:
    async def ask() -> T:
        storage = Storage.by_connection_string(storage_account.connection_string)
        try:
            return await look(storage)
        finally:
            await storage.close()

    return asyncio.run(ask())


def known_jobs(storage_account: Azurite, name: str) -> tuple[EndedJob, ...]:
    async def look(storage: Storage) -> tuple[EndedJob, ...]:
        return (await TableJobHistory(storage).of(job(name).cluster, NOW - timedelta(days=1))).jobs

    return stored(storage_account, look)


def outgoing(storage_account: Azurite) -> list[OutgoingNews]:
    async def look(storage: Storage) -> list[OutgoingNews]:
        return [entry async for entry in TableOutbox(storage).outgoing_news()]

    return stored(storage_account, look)


@pytest.fixture
def deliver(host: RunningHost, call: Call) -> Callable[[object], Answer]:
    def send(body: object) -> Answer:
        url = f"{host.api}/runtime/webhooks/eventgrid?functionName=job_events"
        return call("POST", url, json.dumps(body), NOTIFICATION)

    return send


@pytest.fixture
def send_alert(host: RunningHost, call: Call) -> Callable[[str], Answer]:
    def send(body: str) -> Answer:
        return call("POST", f"{host.api}/api/v1/azure-monitor-alerts", body, {"Content-Type": "application/json"})

    return send


def test_an_event_is_kept_once_and_its_cluster_is_to_be_looked_at(
    deliver: Callable[[object], Answer], storage_account: Azurite
) -> None:
    one = Record(job("one").cluster, NOW, ObservedCluster())
    stored(storage_account, lambda storage: TableRecords(storage).save(one))
    assert deliver(event("one")).status == 202
    assert deliver([event("one"), event("two")]).status == 202
    assert known_jobs(storage_account, "one") == (job("one"),)
    assert known_jobs(storage_account, "two") == (job("two"),)
    record = stored(storage_account, lambda storage: TableRecords(storage).get(job("one").cluster))
    assert record is not None
    assert record.news_at is not None
    unknown = stored(storage_account, lambda storage: TableRecords(storage).get(job("two").cluster))
    assert unknown is None, "news of a cluster makes it no part of the fleet"


@pytest.mark.parametrize(
    "changes",
    [{"id": "forged"}, {"data": None}, {"specversion": "2"}, {"type": "Someone.Else"}, {"type": 5}],
)
def test_what_is_no_event_of_ours_is_dropped_and_not_brought_again(
    deliver: Callable[[object], Answer], storage_account: Azurite, changes: dict[str, Any]
) -> None:
    assert deliver(event("three", **changes)).status == 202
    assert known_jobs(storage_account, "three") == ()


def test_an_alert_of_azure_backup_is_kept_once_to_be_looked_into(
    send_alert: Callable[[str], Answer], storage_account: Azurite
) -> None:
    for _ in range(2):
        answer = send_alert(alert())
        assert (answer.status, answer.json()) == (202, {"jobId": f"{ALERTED_VAULT}/backupJobs/{ALERTED_JOB}"})
    (entry,) = outgoing(storage_account)
    assert (entry.job_id, entry.news) == (f"{ALERTED_VAULT}/backupJobs/{ALERTED_JOB}", None)


def test_an_alert_that_is_not_for_the_guard_is_answered_and_ignored(
    send_alert: Callable[[str], Answer], storage_account: Azurite
) -> None:
    before = outgoing(storage_account)
    elsewhere = ALERTED_VAULT.replace("00000000000A", "00000000000b")
    for body in (alert(essentials__monitoringService="Platform"), alert(essentials__alertTargetIDs=[elsewhere])):
        answer = send_alert(body)
        assert answer.status == 200
        assert "ignored" in answer.json()
    assert outgoing(storage_account) == before


@pytest.mark.parametrize(
    ("body", "names"),
    [("", "JSON"), ("[]", "object"), ("{}", "schemaId"), (alert(alertContext__extendedInfo={}), "jobId")],
)
def test_a_malformed_alert_is_a_bad_request_that_names_the_field(
    send_alert: Callable[[str], Answer], body: str, names: str
) -> None:
    answer = send_alert(body)
    assert answer.status == 400
    assert answer.json()["error"]["code"] == "MalformedAlert"
    assert names in answer.json()["error"]["message"]


def test_an_alert_can_only_be_posted(host: RunningHost, call: Call) -> None:
    assert call("GET", f"{host.api}/api/v1/azure-monitor-alerts").status in (404, 405)


def test_the_timer_runs_and_says_what_it_did(host: RunningHost, call: Call, eventually: Callable[..., Any]) -> None:
    url = f"{host.api}/admin/functions/job_watch"
    assert call("POST", url, "{}", {"Content-Type": "application/json"}).status == 202

    def done() -> list[dict[str, Any]]:
        return [line for line in host.logs() if line.get("function") == "job_watch" and "outcome" in line]

    assert eventually(done, "the run of the timer")[0]["outcome"] == "Succeeded"
