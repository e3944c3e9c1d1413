"""Events: the Microsoft.Resources events of ARM calls, and the two schemas they are delivered in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulator.arm.route import Principal


@dataclass(frozen=True, slots=True)
class Event:
    """An event as published: `schema` is the shape `body` has."""

    schema: str
    body: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.body["id"])

    def rendered(self, schema: str) -> dict[str, Any]:
        """The body in the schema a subscription wants. CloudEvents are never turned into the Event Grid schema:
        Azure refuses such subscriptions."""
        if schema == self.schema:
            return dict(self.body)
        body = self.body
        return {
            "specversion": "1.0",
            "id": body["id"],
            "source": body["topic"],
            "subject": body["subject"],
            "type": body["eventType"],
            "time": body["eventTime"],
            "data": body.get("data"),
        }


def timestamp(moment: datetime) -> str:
    """Event Grid's timestamps carry seven digits of a second."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}0Z"


def resource_event_body(
    *,
    event_id: str,
    event_type: str,
    resource_id: str,
    subscription_id: str,
    operation_name: str,
    principal: Principal,
    status: str,
    http_request: Mapping[str, str] | None,
    correlation_id: str,
    with_claims: bool,
    moment: datetime,
) -> dict[str, Any]:
    """A Microsoft.Resources event in the Event Grid schema, as Microsoft documents it. `http_request` is None on a
    first create; claims are absent for calls a service makes by itself."""
    claims: dict[str, str] = {}
    if with_claims:
        claims = {
            "aud": "https://management.core.windows.net/",
            "iss": f"https://sts.windows.net/{principal.tenant_id}/",
            "appid": principal.application_id,
            "http://schemas.microsoft.com/identity/claims/objectidentifier": principal.object_id,
            "http://schemas.microsoft.com/identity/claims/tenantid": principal.tenant_id,
        }
    data: dict[str, Any] = {
        "authorization": {
            "scope": resource_id,
            "action": operation_name,
            "evidence": {"role": "Subscription Admin"},
        },
        "claims": claims,
        "correlationId": correlation_id,
        "resourceProvider": operation_name.partition("/")[0],
        "resourceUri": resource_id,
        "operationName": operation_name,
        "status": status,
        "subscriptionId": subscription_id,
        "tenantId": principal.tenant_id,
    }
    if http_request is not None:
        data["httpRequest"] = dict(http_request)
    return {
        "id": event_id,
        "topic": f"/subscriptions/{subscription_id}",
        "subject": resource_id,
        "eventType": event_type,
        "eventTime": timestamp(moment),
        "dataVersion": "2",
        "metadataVersion": "1",
        "data": data,
    }
