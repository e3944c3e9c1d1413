"""The proof that a webhook wants the events: asked before an event subscription becomes active."""

import json
from datetime import datetime
from uuid import UUID

from simulator.eventgrid.events import timestamp
from simulator.eventgrid.models import CLOUD_EVENT_SCHEMA
from simulator.eventgrid.retries import phrase
from simulator.eventgrid.webhooks import Deliver, Preflight, Unanswered

ORIGIN = "eventgrid.azure.net"


async def cloud_events_handshake(url: str, preflight: Preflight) -> str | None:
    """The OPTIONS request of the CloudEvents webhook specification. None when allowed, else what went wrong."""
    headers = {"WebHook-Request-Origin": ORIGIN, "WebHook-Request-Rate": "120"}
    try:
        status, answered, _ = await preflight(url, headers)
    except (TimeoutError, *Unanswered):
        return "Http OPTIONS request failed with response code Unknown."
    if status != 200:
        return f"Http OPTIONS request failed with response code {phrase(status)}."
    allowed = {name.lower(): value for name, value in answered.items()}.get("webhook-allowed-origin", "")
    if allowed.strip().lower() not in ("*", ORIGIN):
        return f"The WebHook-Allowed-Origin header of the response, '{allowed}', does not allow '{ORIGIN}'."  # assumed
    return None


async def event_grid_handshake(
    url: str, subscription_name: str, topic: str, code: UUID, moment: datetime, deliver: Deliver
) -> str | None:
    """The validation event, answered with its code. None when answered, else what went wrong.

    The other way, a GET on validationUrl within minutes, is not modelled: an answer without the code fails at once.
    """
    validation_code = str(code).upper()
    event = {
        "id": str(code),
        "topic": topic,
        "subject": "",
        "data": {
            "validationCode": validation_code,
            "validationUrl": f"https://rp-simulated.{ORIGIN}:553/eventsubscriptions/{subscription_name}/validate",
        },
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": timestamp(moment),
        "metadataVersion": "1",
        "dataVersion": "2",
    }
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "aeg-event-type": "SubscriptionValidation",
        "aeg-subscription-name": subscription_name.upper(),
        "aeg-delivery-count": "0",
        "aeg-data-version": "2",
        "aeg-metadata-version": "1",
    }
    try:
        status, _, body = await deliver(url, headers, json.dumps([event]).encode())
    except (TimeoutError, *Unanswered):
        return "Http POST request failed with response code Unknown."
    if status != 200:  # 202 is not accepted either
        return f"Http POST request failed with response code {phrase(status)}."
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if isinstance(answer, dict) and str(answer.get("validationResponse")).upper() == validation_code:
        return None
    return (
        f"Http POST request retuned 2XX response with response body {body.decode(errors='replace')[:200]}. When a "
        "validation request is accepted without validation code in the response body, Http GET is expected on the "
        "validation url included in the validation event(within 10 minutes)."
    )


def failure_message(url: str, schema: str, reason: str, activity: UUID, moment: datetime) -> str:
    """The message of the failed operation, as it has been seen (its spelling too)."""
    page = "esvalidationcloudevent" if schema == CLOUD_EVENT_SCHEMA else "esvalidation"
    clock = f"{moment.month}/{moment.day}/{moment.year} {moment.hour % 12 or 12}:{moment:%M:%S %p}"
    return (
        f"Webhook validation handshake failed for {url.partition('?')[0]}. {reason} For troublehooting, visit "
        f"https://aka.ms/{page}. Activity id:{activity}, timestamp: {clock} (UTC)."
    )
