"""Fields of JSON that anybody may have written: what is missing, of another type or beyond all bounds is named and
refused, and nothing in it leads anywhere else."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.errors import MalformedEventError

LARGEST = 1024 * 1024
"""Bytes: Event Grid's own limit for one event, and more than any alert of Azure Monitor has."""
_LONGEST_ID = 1024
_SKEW = timedelta(days=1)
_GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_NAME = r"(?!\.+(?:/|$))[\w.()-]{1,90}"
_VAULT = rf"/subscriptions/{_GUID}/resourcegroups/{_NAME}/providers/microsoft\.dataprotection/backupvaults/{_NAME}"
_VAULT_ID = re.compile(_VAULT, re.IGNORECASE)
_JOB_ID = re.compile(rf"{_VAULT}/backupjobs/{_NAME}", re.IGNORECASE)


def parse_object(payload: str, what: str) -> dict[str, Any]:
    """The JSON object. Raises MalformedEventError."""
    if len(payload) > LARGEST or len(payload.encode(errors="surrogatepass")) > LARGEST:
        raise MalformedEventError(f"{what} is larger than {LARGEST} bytes")
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise MalformedEventError(f"{what} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise MalformedEventError(f"{what} is a JSON {type(found).__name__}, not an object")
    return found


def object_of(values: dict[str, Any], name: str) -> dict[str, Any]:
    """Raises MalformedEventError."""
    value = values.get(name)
    if not isinstance(value, dict):
        raise MalformedEventError(f"the field {name} is missing or not an object")
    return value


def text_of(values: dict[str, Any], name: str, longest: int = _LONGEST_ID, default: str | None = None) -> str:
    """`default` stands for a field that is missing or null. Raises MalformedEventError, also for halves of surrogate
    pairs: no storage takes them."""
    value = values.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise MalformedEventError(f"the field {name} is missing or not a text")
    if len(value) > longest:
        raise MalformedEventError(f"the field {name} has {len(value)} characters; {longest} are allowed")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise MalformedEventError(f"the field {name} is not Unicode: {error}") from error
    return value


def flag_of(values: dict[str, Any], name: str) -> bool:
    """Raises MalformedEventError."""
    value = values.get(name)
    if not isinstance(value, bool):
        raise MalformedEventError(f"the field {name} is missing or neither true nor false")
    return value


def count_of(values: dict[str, Any], name: str, most: int = 10_000_000) -> int | None:
    """None for null or nothing. Raises MalformedEventError."""
    value = values.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise MalformedEventError(f"the field {name} is not a whole number from 0 to {most}")
    return value


def moment_of(values: dict[str, Any], name: str, now: datetime) -> datetime:
    """UTC. Raises MalformedEventError, also for a moment without zone or more than a day ahead."""
    written = text_of(values, name, 64)
    try:
        moment = datetime.fromisoformat(written)
        moment = moment if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise MalformedEventError(f"the field {name} is not a moment: {written!r}") from error
    if moment.tzinfo is None:
        raise MalformedEventError(f"the field {name} has no time zone: {written!r}")
    if moment > now + _SKEW:
        raise MalformedEventError(f"the field {name} lies in the future: {written!r}")
    return moment


def vault_id_of(text: str, name: str) -> str:
    """The text, when it is the ARM id of a Backup vault. Raises MalformedEventError."""
    return _matching(_VAULT_ID, text, name, "a Backup vault")


def job_id_of(text: str, name: str) -> str:
    """The text, when it is the ARM id of a Backup vault's job. Raises MalformedEventError."""
    return _matching(_JOB_ID, text, name, "a Backup vault's job")


def is_job_id(text: str) -> bool:
    return _JOB_ID.fullmatch(text) is not None


def _matching(pattern: re.Pattern[str], text: str, name: str, what: str) -> str:
    if not pattern.fullmatch(text):
        raise MalformedEventError(f"the field {name} is not the ARM id of {what}: {text[:300]!r}")
    return text
