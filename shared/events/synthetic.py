"""The synthetic event, by which a person sees that events arrive: it carries nothing but its id."""

import re
from datetime import datetime

from shared.domain.alerts import THE_APP
from shared.domain.errors import MalformedEventError
from shared.events.app_events import SYNTHETIC, AppEvent
from shared.events.fields import parse_object, text_of

_ID = re.compile(r"[0-9a-f]{32}")


def parse_synthetic_event(payload: str) -> str | None:
    """Its id, 32 hexadecimal digits; None for an event of another type. Raises MalformedEventError, naming what is
    wrong."""
    event = parse_object(payload, "the event")
    if text_of(event, "eventType" if "eventType" in event else "type") != SYNTHETIC:
        return None
    if event.get("specversion") != "1.0":
        raise MalformedEventError("the event is not a CloudEvent 1.0: its field specversion says otherwise")
    event_id = text_of(event, "id", 64)
    if not _ID.fullmatch(event_id):
        raise MalformedEventError("the field id of a synthetic event is not 32 hexadecimal digits")
    return event_id


def synthetic_event(event_id: str, at: datetime) -> AppEvent:
    """As it is published. `event_id` has 32 hexadecimal digits."""
    return AppEvent(event_id, SYNTHETIC, THE_APP, "smoke-test", at, {})
