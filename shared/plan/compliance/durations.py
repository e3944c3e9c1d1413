"""Lengths of time, as Azure writes them and as a person reads them."""

import re
from datetime import datetime
from functools import lru_cache

_DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_UNITS = (604800.0, 86400.0, 3600.0, 60.0, 1.0)


@lru_cache(256)
def seconds_of(interval: str) -> float | None:
    """Of an ISO 8601 duration between two backups; None when it is not understood, or is no time at all."""
    found = _DURATION.fullmatch(interval.upper())
    if found is None:
        return None
    return sum(int(part or 0) * unit for part, unit in zip(found.groups(), _UNITS, strict=True)) or None


def spoken(seconds: float) -> str:
    """36 hours, 14 days: in the largest unit that says it well."""
    if seconds < 120:
        return f"{max(0, round(seconds))} seconds"
    if seconds < 2 * 3600:
        return f"{round(seconds / 60)} minutes"
    return f"{round(seconds / 3600)} hours" if seconds < 3 * 86400 else f"{round(seconds / 86400)} days"


def minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
