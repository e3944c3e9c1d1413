"""The data plane of custom topics: who may publish, and what is an event."""

import hmac
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simulator.arm.errors import ArmError
from simulator.eventgrid.events import Event
from simulator.eventgrid.models import CLOUD_EVENT_SCHEMA, EVENT_GRID_SCHEMA, CustomTopic
from simulator.http import Request, Response
from simulator.identity.tokens import claims_of

if TYPE_CHECKING:
    from simulator.cloud import Cloud

MOST_BYTES = 1_048_576  # documented: 1 MB, a single event or all of a request
AUDIENCE = "https://eventgrid.azure.net"
SEND_ACTION = "Microsoft.EventGrid/events/send/action"
_PATH = re.compile(r"/eventgrid/topics/(?P<name>[^/]+)/api/events/?", re.IGNORECASE)
_REQUIRED = {
    EVENT_GRID_SCHEMA: ("id", "subject", "eventType", "eventTime", "dataVersion"),
    CLOUD_EVENT_SCHEMA: ("specversion", "id", "source", "type"),
}
_EVENT_GRID_NAMES = frozenset({*_REQUIRED[EVENT_GRID_SCHEMA], "data", "topic", "metadataVersion"})
_ATTRIBUTE = re.compile(r"[a-z0-9]{1,20}|data_base64")
_SCHEMA_NAMES = {EVENT_GRID_SCHEMA: "EventGridEvent", CLOUD_EVENT_SCHEMA: "CloudEventV10"}


def topic_name(path: str) -> str | None:
    """The custom topic a data plane path is about."""
    found = _PATH.fullmatch(path)
    return found["name"] if found else None


def refusal(status: int, code: str, message: str) -> ArmError:
    """Event Grid's error body: the details repeat the error."""
    details = [{"code": code, "message": message}]
    return ArmError(status, code, message, details=details)


def authorize(cloud: "Cloud", topic: CustomTopic, request: Request) -> None:
    """Raises ArmError 401 without a right key or token, 403 without the right to send."""
    host = topic.endpoint.split("/")[2].upper()
    if topic.public_network_access == "Disabled":  # assumed text; a simulator has no private endpoints
        raise refusal(403, "Forbidden", f"Publishing to {host} by the public network is disabled.")
    key = request.headers.get("aeg-sas-key") or request.query.get("aeg-sas-key")
    if key is not None:
        if topic.disable_local_auth:  # assumed text
            raise refusal(401, "Unauthorized", f"Local authentication is disabled for {host}.")
        if not any(hmac.compare_digest(key.encode(), right.encode()) for right in topic.keys.values()):
            raise refusal(401, "Unauthorized", f"The request authorization key is not authorized for {host}.")
        return
    if request.headers.get("authorization", "").lower().startswith("bearer "):
        object_id = _object_id(cloud, request.headers["authorization"].partition(" ")[2].strip())
        if object_id is None:
            raise refusal(401, "Unauthorized", f"The request authorization key is not authorized for {host}.")
        if not cloud.authorization.allowed(object_id, SEND_ACTION, topic.id, data=True):
            raise refusal(  # assumed text
                403,
                "Forbidden",
                "The principal associated with access token presented with the incoming request does not have "
                f"permission to send data to {topic.id}.",
            )
        return
    # SAS tokens are not modelled: a request that carries only one is told what it would be told without any.
    message = "Request must contain one of the following authorization signature: aeg-sas-token, aeg-sas-key."
    raise refusal(401, "Unauthorized", message)


def _object_id(cloud: "Cloud", token: str) -> str | None:
    """Whose token it is; None when it is malformed, expired, for another audience or of a principal that is gone."""
    try:
        claims = claims_of(token)
        object_id, audience, expires = str(claims["oid"]), str(claims["aud"]), int(claims["exp"])
    except (ValueError, KeyError, TypeError):
        return None
    valid = audience.rstrip("/") == AUDIENCE and expires > cloud.clock.now().timestamp()
    return object_id if valid and cloud.identity.principal_exists(object_id) else None


def parse_events(topic: CustomTopic, request: Request) -> list[Event]:
    """The events of a request, complete as they will be delivered. Raises ArmError 400 or 413."""
    if len(request.body) > MOST_BYTES:
        message = f"The maximum size for the JSON content has been exceeded: {MOST_BYTES} bytes are allowed."  # assumed
        raise refusal(413, "PayloadTooLarge", message)
    try:
        body = json.loads(request.body)
    except ValueError as error:
        raise refusal(400, "BadRequest", f"The request body is not valid JSON: {error}") from error
    configured = f"This resource is configured for '{_SCHEMA_NAMES[topic.input_schema]}' schema."
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    single = topic.input_schema == CLOUD_EVENT_SCHEMA and media == "application/cloudevents+json"
    if not isinstance(body, dict if single else list):
        expected, received = ("StartObject", "StartArray") if single else ("StartArray", "StartObject")
        message = f"{configured} Token Expected: {expected}, Actual Token Received: {received}."
        raise refusal(400, "BadRequest", message)
    return [_event(topic, one, configured) for one in ([body] if single else body)]


def _event(topic: CustomTopic, raw: Any, configured: str) -> Event:
    if not isinstance(raw, dict):
        raise refusal(400, "BadRequest", f"{configured} An event must be an object.")
    cloud_event = topic.input_schema == CLOUD_EVENT_SCHEMA
    for name in raw:
        if not (_ATTRIBUTE.fullmatch(name) if cloud_event else name in _EVENT_GRID_NAMES):
            message = (
                f"{configured} Received unexpected property '{name}' in JSON which does not conform to the expected "
                "schema."
            )
            raise refusal(400, "BadRequest", message)
    for name in _REQUIRED[topic.input_schema]:
        if not isinstance(raw.get(name), str) or not raw[name]:
            message = f"{configured} The required property '{name}' is missing or empty."  # assumed text
            raise refusal(400, "BadRequest", message)
    if cloud_event:
        if raw["specversion"] != "1.0":
            raise refusal(400, "BadRequest", f"{configured} specversion must be '1.0'.")
        return Event(CLOUD_EVENT_SCHEMA, raw)
    stamped: Mapping[str, Any] = raw | {"topic": topic.id, "metadataVersion": "1"}
    return Event(EVENT_GRID_SCHEMA, stamped)


def published() -> Response:
    return Response(200, b"")
