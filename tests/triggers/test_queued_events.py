"""Events that Event Grid puts into a queue, in the local Functions host with storage and without Azure: the same comes
of them as of those it brings itself."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from functions_host.azurite import Azurite
from shared.domain.ids import ClusterId
from shared.domain.jobs import EndedJob
from shared.domain.record import Record
from shared.events.app_events import as_cloud_event, news_event
from shared.record.history import TableJobHistory
from shared.record.storage import Storage
from shared.record.tables import TableRecords
from tests.conftest import CHECKOUT, RunningHost, StartHost
from tests.contract.test_take_event import synthetic
from tests.triggers.conftest import Call
from tests.triggers.test_job_functions import job, stored

NOTIFICATION = {"aeg-event-type": "Notification", "Content-Type": "application/json"}
SETTINGS = {
    "AKS_BACKUP_GUARD_ARM_ENDPOINT": "http://127.0.0.1:9",
    "AKS_BACKUP_GUARD_RESOURCE_GRAPH_JOBS": "false",
    "IDENTITY_ENDPOINT": "http://127.0.0.1:9",
    "IDENTITY_HEADER": "none",
    "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.2",
} | {
    f"AzureWebJobs.{name}.Disabled": "true"
    for name in ("reconcile", "requeue_overdue", "job_watch", "compliance_sweep", "notifications")
}


@pytest.fixture(scope="module")
def host(storage_account: Azurite, start_functions_host: StartHost) -> RunningHost:
    return start_functions_host(CHECKOUT, SETTINGS | {"AzureWebJobsStorage": storage_account.connection_string})


def put(storage_account: Azurite, payload: object, queue: str = "events") -> None:
    """As Event Grid does: one event a message, JSON in base64."""
    text = payload if isinstance(payload, str) else json.dumps(payload)
    with QueueClient.from_connection_string(
        storage_account.connection_string, queue, message_encode_policy=TextBase64EncodePolicy()
    ) as client:
        with suppress(ResourceExistsError):
            client.create_queue()
        client.send_message(text)


def left(storage_account: Azurite, queue: str) -> int:
    with QueueClient.from_connection_string(storage_account.connection_string, queue) as client:
        return client.get_queue_properties().approximate_message_count or 0


def record_of(storage_account: Azurite, cluster: ClusterId) -> Record | None:
    return stored(storage_account, lambda storage: TableRecords(storage).get(cluster))


def jobs_of(storage_account: Azurite, cluster: ClusterId) -> tuple[EndedJob, ...]:
    since = datetime.now(UTC) - timedelta(days=1)

    async def look(storage: Storage) -> tuple[EndedJob, ...]:
        return (await TableJobHistory(storage).of(cluster, since)).jobs

    return stored(storage_account, look)


def cluster_event(cluster: ClusterId, **changes: Any) -> dict[str, Any]:
    data = {"resourceUri": cluster.arm_id, "operationName": "Microsoft.ContainerService/managedClusters/write"}
    kind = "Microsoft.Resources.ResourceWriteSuccess"
    return {"specversion": "1.0", "id": "1", "type": kind, "source": "/subscriptions/x", "data": data} | changes


def handled(host: RunningHost, call: Call) -> str:
    event = call("GET", f"{host.api}/api/health").json()["synthetic_event"]
    return str(event["id"]) if event else ""


def test_a_queued_event_has_its_cluster_looked_at(
    host: RunningHost, storage_account: Azurite, eventually: Callable[..., Any]
) -> None:
    cluster = job("queued").cluster
    put(storage_account, cluster_event(cluster))
    assert eventually(lambda: record_of(storage_account, cluster), "the cluster to be known").wake_id


def test_a_queued_event_of_event_grids_own_schema_does_too(
    host: RunningHost, storage_account: Azurite, eventually: Callable[..., Any]
) -> None:
    cluster = job("older-schema").cluster
    event = cluster_event(cluster)
    put(storage_account, {"eventType": event["type"], "id": "2", "data": event["data"], "subject": cluster.arm_id})
    assert eventually(lambda: record_of(storage_account, cluster), "the cluster to be known").wake_id


def test_a_queued_job_is_kept(host: RunningHost, storage_account: Azurite, eventually: Callable[..., Any]) -> None:
    put(storage_account, as_cloud_event(news_event(job("ended"))))
    cluster = job("ended").cluster
    assert eventually(lambda: jobs_of(storage_account, cluster), "the job to be kept") == (job("ended"),)


@pytest.mark.parametrize("way", ["webhook", "queue"])
def test_the_synthetic_event_shows_in_the_apps_health(
    host: RunningHost, storage_account: Azurite, call: Call, eventually: Callable[..., Any], way: str
) -> None:
    event_id = {"webhook": "a", "queue": "b"}[way] * 32
    if way == "queue":
        put(storage_account, synthetic(event_id))
    else:
        url = f"{host.api}/runtime/webhooks/eventgrid?functionName=job_events"
        assert call("POST", url, json.dumps([synthetic(event_id)]), NOTIFICATION).status == 202
    eventually(lambda: handled(host, call) == event_id, "the event to be handled")


@pytest.mark.parametrize(
    "payload",
    ["not JSON", "[]", "[" * 5000, {}, {"type": 5}, {"type": "Someone.Else"}, synthetic("no-id")],
    ids=["no JSON", "an array", "an endless array", "no type", "a number", "another's", "synthetic without an id"],
)
def test_what_is_no_event_of_ours_is_dropped_and_holds_nothing_up(
    host: RunningHost, storage_account: Azurite, call: Call, eventually: Callable[..., Any], payload: object
) -> None:
    before = handled(host, call)
    put(storage_account, payload)
    eventually(lambda: left(storage_account, "events") == 0, "the queue to be empty")
    assert left(storage_account, "events-poison") == 0
    assert handled(host, call) == before


def test_a_poison_event_is_tried_once_more(
    host: RunningHost, storage_account: Azurite, call: Call, eventually: Callable[..., Any]
) -> None:
    put(storage_account, synthetic("c" * 32), "events-poison")
    eventually(lambda: handled(host, call) == "c" * 32, "the event to be handled")
    eventually(lambda: left(storage_account, "events-poison") == 0, "the queue to be empty")
