"""The `timespan` of a request: `PT1H`, `start/end`, `start/duration` or `duration/end` (ISO 8601)."""

import re
from datetime import UTC, datetime, timedelta

_DURATION = re.compile(
    r"P(?:(?P<weeks>[\d.]+)W)?(?:(?P<days>[\d.]+)D)?"
    r"(?:T(?:(?P<hours>[\d.]+)H)?(?:(?P<minutes>[\d.]+)M)?(?:(?P<seconds>[\d.]+)S)?)?",
    re.IGNORECASE,
)


def window(timespan: str, now: datetime) -> tuple[datetime, datetime]:
    """Beginning and end, UTC. Raises ValueError for what is none."""
    first, slash, second = timespan.partition("/")
    if not slash:
        return now - _duration(first), now
    if first.upper().startswith("P"):
        end = _moment(second)
        return end - _duration(first), end
    start = _moment(first)
    return start, start + _duration(second) if second.upper().startswith("P") else _moment(second)


def _duration(text: str) -> timedelta:
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        raise ValueError(f"{text} is not an ISO 8601 duration")
    return timedelta(**{name: float(value) for name, value in found.groupdict().items() if value})


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
