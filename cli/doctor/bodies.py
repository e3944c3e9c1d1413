"""Azure's answers as what was seen. A field that is missing has the meaning Azure gives to its absence."""

from collections.abc import Iterator, Sequence
from typing import Any

from cli.doctor.seen import (
    Account,
    Authentication,
    EventSubscription,
    Function,
    FunctionApp,
    Identity,
    Reference,
    Topic,
)
from shared.arm.answer import JsonObject

_CLUSTERS = "/providers/microsoft.containerservice/managedclusters/"


def function_app(body: JsonObject) -> FunctionApp:
    """Web Apps - Get; Flex Consumption keeps its runtime in `functionAppConfig`."""
    told = _properties(body)
    runtime = _object(_object(told, "functionAppConfig"), "runtime")
    assigned = _object(_object(body, "identity"), "userAssignedIdentities")
    return FunctionApp(
        _text(told, "state"), _text(runtime, "name"), _text(runtime, "version"), frozenset(map(str.lower, assigned))
    )


def functions(found: Sequence[JsonObject]) -> tuple[Function, ...]:
    """Web Apps - List Functions. An item's own name is APP/FUNCTION."""
    return tuple(
        Function(_text(each, "name").rsplit("/", 1)[-1], _properties(each).get("isDisabled") is True) for each in found
    )


def app_settings(body: JsonObject) -> dict[str, str]:
    """Web Apps - List Application Settings."""
    return {name: "" if value is None else str(value) for name, value in _properties(body).items()}


def references(found: Sequence[JsonObject]) -> tuple[Reference, ...]:
    """Web Apps - Get App Settings Key Vault References."""
    return tuple(
        Reference(_text(each, "name"), _text(_properties(each), "status"), _text(_properties(each), "details"))
        for each in found
    )


def authentication(body: JsonObject) -> Authentication:
    """Web Apps - Get Auth Settings V2 Without Secrets."""
    told = _properties(body)
    validation, providers = _object(told, "globalValidation"), _object(told, "identityProviders")
    entra = _object(providers, "azureActiveDirectory")
    return Authentication(
        enabled=_object(told, "platform").get("enabled") is True and entra.get("enabled") is not False,
        required=validation.get("requireAuthentication") is True
        and _text(validation, "unauthenticatedClientAction").lower() != "allowanonymous",
        client_id=_text(_object(entra, "registration"), "clientId"),
        issuer=_text(_object(entra, "registration"), "openIdIssuer").lower(),
        audiences=_lower(_object(entra, "validation").get("allowedAudiences")),
        excluded_paths=_lower(validation.get("excludedPaths")),
    )


def identity(body: JsonObject) -> Identity:
    """User Assigned Identities - Get."""
    return Identity(_text(_properties(body), "principalId"), _text(_properties(body), "clientId"))


def account(body: JsonObject) -> Account:
    """Storage Accounts - Get Properties: null means that keys are taken."""
    return Account(_properties(body).get("allowSharedKeyAccess") is not False)


def names(found: Sequence[JsonObject]) -> frozenset[str]:
    """Of tables, queues or containers."""
    return frozenset(_text(each, "name") for each in found)


def topic(body: JsonObject) -> Topic:
    """Topics - Get, System Topics - Get."""
    told = _properties(body)
    return Topic(
        _text(body, "id"),
        _text(told, "provisioningState"),
        _text(_object(body, "identity"), "principalId"),
        _text(told, "inputSchema"),
        told.get("disableLocalAuth") is not True,
    )


def source_of(body: JsonObject) -> str:
    """What a system topic tells of, in lower case."""
    return _text(_properties(body), "source").lower()


def event_subscription(body: JsonObject) -> EventSubscription:
    """Event Subscriptions - Get. What is delivered or dead-lettered with an identity stands in an object of its own."""
    told = _properties(body)
    destination = _object(told, "destination") or _object(_object(told, "deliveryWithResourceIdentity"), "destination")
    place, chosen, retry = _properties(destination), _object(told, "filter"), _object(told, "retryPolicy")
    dead = _object(told, "deadLetterDestination") or _object(
        _object(told, "deadLetterWithResourceIdentity"), "deadLetterDestination"
    )
    blob = _properties(dead)
    return EventSubscription(
        id=_text(body, "id"),
        state=_text(told, "provisioningState"),
        target=_text(place, "resourceId").lower(),
        queue=_text(place, "queueName").lower(),
        event_types=_lower(chosen.get("includedEventTypes")),
        operations=_operations(chosen.get("advancedFilters")),
        other_filters=tuple(_other_filters(chosen)),
        dead_letters=f"{_text(blob, 'resourceId')}/{_text(blob, 'blobContainerName')}".lower() if blob else "",
        attempts=_number(retry, "maxDeliveryAttempts"),
        minutes=_number(retry, "eventTimeToLiveInMinutes"),
    )


def registration(body: JsonObject) -> str:
    """Providers - Get."""
    return _text(body, "registrationState")


def _operations(filters: Any) -> frozenset[str] | None:
    """All that filters on the operation's name let through together."""
    found: frozenset[str] | None = None
    for each in filters if isinstance(filters, list) else ():
        if _is_by_operation(each):
            values = _lower(each.get("values"))
            found = values if found is None else found & values
    return found


def _other_filters(chosen: JsonObject) -> Iterator[str]:
    """But for the one that lets every cluster through, which the deployment has."""
    for name in ("subjectBeginsWith", "subjectEndsWith"):
        if value := _text(chosen, name):
            yield f"{name} {value}"
    filters = chosen.get("advancedFilters")
    for each in filters if isinstance(filters, list) else ():
        kind, key, values = _text(each, "operatorType"), _text(each, "key"), each.get("values", each.get("value"))
        of_clusters = (kind.lower(), key.lower()) == ("stringcontains", "subject") and _CLUSTERS in _lower(values)
        if not _is_by_operation(each) and not of_clusters:
            yield f"{kind} {key} {values}"


def _is_by_operation(each: JsonObject) -> bool:
    return (_text(each, "key").lower(), _text(each, "operatorType").lower()) == ("data.operationname", "stringin")


def _properties(body: JsonObject) -> JsonObject:
    return _object(body, "properties")


def _object(body: JsonObject, name: str) -> JsonObject:
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def _text(body: JsonObject, name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""


def _number(body: JsonObject, name: str) -> int:
    value = body.get(name)
    return value if isinstance(value, int) else 0


def _lower(values: Any) -> frozenset[str]:
    return frozenset(str(value).lower() for value in values) if isinstance(values, list) else frozenset()
