"""Event Grid of the simulated Azure delivers into a real queue."""

import base64
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from azure.storage.queue import AccountSasPermissions, ResourceTypes, generate_account_sas
from azure.storage.queue.aio import QueueServiceClient

from functions_host.azurite import Azurite
from simulator.clock import VirtualClock
from tests.contract.event_grid_world import GROUP, ONLY_CLUSTERS, ROOT, START, TOPIC, ask, cluster_written
from tests.contract.event_grid_world import subscribed_cloud as new_cloud

ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/guardstore"
SENDER = "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a"


@pytest.fixture
async def queues(azurite: Azurite) -> QueueServiceClient:
    return QueueServiceClient.from_connection_string(azurite.connection_string)


async def test_an_event_arrives_in_a_real_queue(queues: QueueServiceClient) -> None:
    clock, name = VirtualClock(START), f"events-{uuid4().hex[:8]}"
    cloud = new_cloud(clock)
    async with queues:
        await queues.create_queue(name)
        sas = generate_account_sas(
            str(queues.account_name),
            queues.credential.account_key,
            ResourceTypes(object=True),
            AccountSasPermissions(add=True),
            datetime.now(UTC) + timedelta(hours=1),
        )
        cloud.storage.seed_account(ACCOUNT, "westeurope", {}, {})
        cloud.event_grid.bind_queues(ACCOUNT, f"{queues.primary_endpoint.rstrip('/')}?{sas}")
        source = {"source": ROOT, "topicType": "Microsoft.Resources.Subscriptions"}
        identity = {"type": "SystemAssigned"}
        made = await ask(cloud, "PUT", TOPIC, {"location": "global", "identity": identity, "properties": source})
        cloud.authorization.grant(made.body["identity"]["principalId"], SENDER, ACCOUNT)
        queue = {"endpointType": "StorageQueue", "properties": {"resourceId": ACCOUNT, "queueName": name}}
        delivery = {"identity": identity, "destination": queue}
        properties = {
            "deliveryWithResourceIdentity": delivery,
            "filter": ONLY_CLUSTERS,
            "eventDeliverySchema": "CloudEventSchemaV1_0",
        }
        assert (await ask(cloud, "PUT", f"{TOPIC}/eventSubscriptions/guard", {"properties": properties})).status == 201
        await clock.advance(10)
        cluster_written(cloud)
        await clock.advance(0)
        async with queues.get_queue_client(name) as client:
            message = await client.receive_message()
        assert message is not None
        event = json.loads(base64.b64decode(message.content, validate=True))
        assert event["type"] == "Microsoft.Resources.ResourceWriteSuccess"
        await cloud.event_grid.close()
