"""The body of an event subscription: what Event Grid accepts and what it refuses."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from simulator.arm.errors import ArmError
from simulator.eventgrid.filters import parse_filter
from simulator.eventgrid.identities import principal_of
from simulator.eventgrid.models import (
    CLOUD_EVENT_SCHEMA,
    EVENT_GRID_SCHEMA,
    DeadLetterDestination,
    Destination,
    Specification,
)

_NAME = re.compile(r"[A-Za-z0-9-]{3,64}")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_FUNCTION = re.compile(
    r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.web/sites/[^/]+/functions/[^/]+"
)
_ACCOUNT = re.compile(r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.storage/storageaccounts/[^/]+")
_QUEUE = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")
_WEEK = 604_800
_DEFAULT_ATTEMPTS, _DEFAULT_MINUTES = 30, 1440

FunctionUrl = Callable[[str], str | None]


def refused(message: str) -> ArmError:
    """Event Grid's 400: its code has been seen, most of the texts here are ours."""
    return ArmError(400, "InvalidRequest", message)


def check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise refused(f"'{name}' is invalid: 3 to 64 letters, digits and hyphens are allowed.")


def parse_specification(
    body: Mapping[str, Any],
    *,
    input_schema: str,
    identity: Mapping[str, Any],
    function_url: FunctionUrl,
    now: datetime,
) -> Specification:
    """The accepted form of a PUT body, defaults filled in; `identity` is the topic's block. Raises ArmError 400."""
    properties = _object(body.get("properties"), "properties")
    destination, destination_answer = _delivery(properties, identity, function_url)
    raw_filter = properties.get("filter") or {}
    try:
        chosen = parse_filter(_object(raw_filter, "filter"))
    except ValueError as error:
        raise refused(f"Invalid event filter: {error}") from error
    schema = properties.get("eventDeliverySchema") or input_schema
    if schema not in (EVENT_GRID_SCHEMA, CLOUD_EVENT_SCHEMA) or (input_schema, schema) == (
        CLOUD_EVENT_SCHEMA,
        EVENT_GRID_SCHEMA,
    ):
        raise refused(
            f'The specified EventDeliverySchema value "{schema}" cannot be used in combination with the topic\'s input '
            f"schema of {input_schema}."
        )
    retry = _object(properties.get("retryPolicy") or {}, "retryPolicy")
    attempts = _whole(retry, "maxDeliveryAttempts", _DEFAULT_ATTEMPTS, 30)
    minutes = _whole(retry, "eventTimeToLiveInMinutes", _DEFAULT_MINUTES, 1440)
    dead_letter = _dead_letter(properties, identity)
    expires = _expiration(properties.get("expirationTimeUtc"), now)
    answer: dict[str, Any] = {
        **destination_answer,
        "filter": {"subjectBeginsWith": "", "subjectEndsWith": ""}
        | {name: value for name, value in raw_filter.items() if value not in (None, False)},
        "labels": properties.get("labels"),
        "eventDeliverySchema": schema,
        "retryPolicy": {"maxDeliveryAttempts": attempts, "eventTimeToLiveInMinutes": minutes},
    }
    for name in ("deadLetterDestination", "deadLetterWithResourceIdentity", "expirationTimeUtc"):
        if properties.get(name) is not None:
            answer[name] = properties[name]
    return Specification(destination, chosen, schema, attempts, minutes, dead_letter, expires, answer)


def _object(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise refused(f"The property '{name}' is required and must be an object.")
    return value


def _whole(raw: Mapping[str, Any], name: str, default: int, most: int) -> int:
    value = raw.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise refused(f"The property '{name}' must be a whole number from 1 to {most}, not {value!r}.")
    return value


def _delivery(
    properties: Mapping[str, Any], identity: Mapping[str, Any], function_url: FunctionUrl
) -> tuple[Destination, dict[str, Any]]:
    """Where to, and how the answer says it: `destination`, or `deliveryWithResourceIdentity` around one."""
    wrapped, plain = properties.get("deliveryWithResourceIdentity"), properties.get("destination")
    if wrapped is None:
        destination, answer = _destination(_object(plain, "destination"), function_url)
        return destination, {"destination": answer}
    if plain is not None:
        raise refused("Either destination or deliveryWithResourceIdentity is given, not both.")  # assumed
    wrapped = _object(wrapped, "deliveryWithResourceIdentity")
    inner = _object(wrapped.get("destination"), "deliveryWithResourceIdentity.destination")
    if inner.get("endpointType") != "StorageQueue":
        raise refused("With a resource identity this simulator delivers to a StorageQueue only.")
    principal_id = principal_of(identity, wrapped.get("identity"))
    destination, answer = storage_queue(_object(inner.get("properties"), "destination.properties"), principal_id)
    said = {
        "identity": dict(wrapped["identity"]),
        "destination": {"endpointType": "StorageQueue", "properties": answer},
    }
    return destination, {"deliveryWithResourceIdentity": said}


def _destination(raw: Mapping[str, Any], function_url: FunctionUrl) -> tuple[Destination, dict[str, Any]]:
    kind = raw.get("endpointType")
    properties = _object(raw.get("properties"), "destination.properties")
    if properties.get("deliveryAttributeMappings"):
        raise refused("deliveryAttributeMappings are not modelled by this simulator.")
    batch = {
        "maxEventsPerBatch": _whole(properties, "maxEventsPerBatch", 1, 5000),
        "preferredBatchSizeInKilobytes": _whole(properties, "preferredBatchSizeInKilobytes", 64, 1024),
    }
    if kind == "WebHook":
        url = properties.get("endpointUrl")
        if not isinstance(url, str) or not _acceptable(url):
            raise refused("The property 'endpointUrl' of a WebHook destination must be an absolute https URL.")
        answer = {"endpointUrl": None, "endpointBaseUrl": url.partition("?")[0], **batch}
        return Destination(kind, url), {"endpointType": kind, "properties": answer}
    if kind == "AzureFunction":
        resource_id = str(properties.get("resourceId"))
        if not _FUNCTION.fullmatch(resource_id.lower()):
            raise refused("The property 'resourceId' of an AzureFunction destination must be the id of a function.")
        found = function_url(resource_id)
        if found is None:  # assumed text
            raise refused(f"The Azure Function '{resource_id}' was not found.")
        answer = {"resourceId": resource_id, **batch}
        return Destination(kind, found, resource_id), {"endpointType": kind, "properties": answer}
    if kind == "StorageQueue":
        raise refused("To a StorageQueue this simulator delivers by deliveryWithResourceIdentity only.")
    raise refused(f"The endpointType '{kind}' is not one this simulator delivers to: WebHook or AzureFunction.")


def storage_queue(properties: Mapping[str, Any], principal_id: str) -> tuple[Destination, dict[str, Any]]:
    """A queue of a storage account; messages live for a week, or as long as is said (-1: for ever)."""
    account, queue = properties.get("resourceId"), properties.get("queueName")
    if not isinstance(account, str) or not _ACCOUNT.fullmatch(account.lower()):
        raise refused("The property 'resourceId' of a StorageQueue destination must be the id of a storage account.")
    if not isinstance(queue, str) or not _QUEUE.fullmatch(queue):
        raise refused("The property 'queueName' of a StorageQueue destination must be the name of a queue.")
    seconds = properties.get("queueMessageTimeToLiveInSeconds", _WEEK)
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not (seconds == -1 or seconds > 0):
        raise refused("queueMessageTimeToLiveInSeconds is a number of seconds, or -1.")
    answer = {"resourceId": account, "queueName": queue, "queueMessageTimeToLiveInSeconds": seconds}
    return Destination("StorageQueue", "", account, queue, seconds, principal_id), answer


def _acceptable(url: str) -> bool:
    """Azure takes https alone; receivers on this machine may speak http."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )


def _dead_letter(properties: Mapping[str, Any], identity: Mapping[str, Any]) -> DeadLetterDestination | None:
    wrapped, raw, principal_id = properties.get("deadLetterWithResourceIdentity"), None, None
    if wrapped is not None:
        wrapped = _object(wrapped, "deadLetterWithResourceIdentity")
        raw, principal_id = wrapped.get("deadLetterDestination"), principal_of(identity, wrapped.get("identity"))
        _object(raw, "deadLetterDestination")
    if properties.get("deadLetterDestination") is not None:
        if wrapped is not None:
            raise refused("Either deadLetterDestination or deadLetterWithResourceIdentity is given, not both.")
        raw = properties["deadLetterDestination"]
    if raw is None:
        return None
    where = _object(_object(raw, "deadLetterDestination").get("properties"), "deadLetterDestination.properties")
    account, container = where.get("resourceId"), where.get("blobContainerName")
    if raw.get("endpointType") != "StorageBlob" or not isinstance(account, str) or not isinstance(container, str):
        raise refused("A deadLetterDestination is a StorageBlob with resourceId and blobContainerName.")
    if "/providers/microsoft.storage/storageaccounts/" not in account.lower():
        raise refused("The resourceId of the deadLetterDestination must be the id of a storage account.")
    return DeadLetterDestination(account, container, principal_id)


def _expiration(raw: Any, now: datetime) -> datetime | None:
    if raw is None:
        return None
    try:
        moment = datetime.fromisoformat(str(raw))
    except ValueError as error:
        raise refused(f"expirationTimeUtc '{raw}' is not a date and time.") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)
    if moment <= now:
        raise refused("expirationTimeUtc must lie in the future.")
    return moment
