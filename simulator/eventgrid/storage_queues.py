"""Delivery to a storage queue, as the topic's identity: one Put Message over HTTP.

The queue itself is not simulated. Where a storage account's queues really are (Azurite, say) is told by control order;
until then nobody answers."""

import base64
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from simulator.eventgrid.models import Destination
from simulator.eventgrid.webhooks import Answer, Deliver

if TYPE_CHECKING:
    from simulator.cloud import Cloud

_MESSAGES = "Microsoft.Storage/storageAccounts/queueServices/queues/messages"
_RIGHTS = (f"{_MESSAGES}/add/action", f"{_MESSAGES}/write")
"""Either lets put a message (https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory)."""


class StorageQueues:
    """`endpoints` by lower-case id of the account: the queue service's URL with a shared access signature as query."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self.endpoints: dict[str, str] = {}

    async def put(self, destination: Destination, event: bytes, deliver: Deliver) -> Answer:
        """Put the event, in base64 (documented), into the queue. 403 when the identity is gone or may not. Raises
        OSError when the account's queues are nowhere."""
        if not self._may(destination):
            return 403, {}, b""
        endpoint = self.endpoints.get((destination.resource_id or "").lower())
        if endpoint is None:
            raise OSError(f"nobody answers for the queues of {destination.resource_id}")
        parts = urlsplit(endpoint)
        url = (
            f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/{destination.queue}/messages"
            f"?messagettl={destination.message_seconds}{'&' if parts.query else ''}{parts.query}"
        )
        text = base64.b64encode(event).decode()
        body = f"<QueueMessage><MessageText>{text}</MessageText></QueueMessage>".encode()
        return await deliver(url, {"Content-Type": "application/xml", "x-ms-version": "2021-12-02"}, body)

    def _may(self, destination: Destination) -> bool:
        principal_id = destination.principal_id or ""
        queue = f"{destination.resource_id}/queueServices/default/queues/{destination.queue}"
        return self._cloud.identity.principal_exists(principal_id) and any(
            self._cloud.authorization.allowed(principal_id, right, queue, data=True) for right in _RIGHTS
        )
