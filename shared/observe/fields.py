"""Reading fields of JSON that somebody else wrote: the wrong type is an error with a name, never a crash."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

JsonObject = Mapping[str, Any]


class UnreadableBodyError(ValueError):
    """An answer of Azure lacks a field that is needed, or has another shape than documented."""


def at(body: JsonObject, *path: str) -> Any:
    """The value at a path of names; None when any of them is missing, null or no object."""
    value: Any = body
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def text(body: JsonObject, *path: str) -> str:
    """The string at the path, empty when there is none. Raises UnreadableBodyError for another type."""
    value = at(body, *path)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UnreadableBodyError(f"{'.'.join(path)} is not a string")
    return value


def needed_text(body: JsonObject, *path: str) -> str:
    """The string at the path. Raises UnreadableBodyError when it is missing or empty."""
    value = text(body, *path)
    if not value:
        raise UnreadableBodyError(f"{'.'.join(path)} is missing")
    return value


def flag(body: JsonObject, *path: str, default: bool) -> bool:
    """The boolean at the path. Raises UnreadableBodyError for another type."""
    value = at(body, *path)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise UnreadableBodyError(f"{'.'.join(path)} is not true or false")
    return value


def number(body: JsonObject, *path: str, default: float = 0) -> float:
    """The number at the path. Raises UnreadableBodyError for another type."""
    value = at(body, *path)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnreadableBodyError(f"{'.'.join(path)} is not a number")
    return value


def objects(body: JsonObject, *path: str) -> Iterator[JsonObject]:
    """The objects of the list at the path; none when there is no list. Raises UnreadableBodyError for another type."""
    value = at(body, *path)
    if value is None:
        return
    if not isinstance(value, list):
        raise UnreadableBodyError(f"{'.'.join(path)} is not a list")
    yield from (item for item in value if isinstance(item, Mapping))


def strings(body: JsonObject, *path: str) -> tuple[str, ...]:
    """The strings of the list at the path; none when there is no list. Raises UnreadableBodyError for another type."""
    value = at(body, *path)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UnreadableBodyError(f"{'.'.join(path)} is not a list of strings")
    return tuple(value)


def string_map(body: JsonObject, *path: str) -> dict[str, str]:
    """The object of strings at the path (tags, settings); values that are no strings are written as text."""
    value = at(body, *path)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise UnreadableBodyError(f"{'.'.join(path)} is not an object")
    return {str(name): held if isinstance(held, str) else str(held) for name, held in value.items() if held is not None}


def moment(body: JsonObject, *path: str) -> datetime | None:
    """The time at the path, UTC. None when it is missing, or in the year 1, which was recorded as Azure's "not yet".
    Raises UnreadableBodyError when it is no time."""
    value = text(body, *path)
    if not value:
        return None
    try:
        found = datetime.fromisoformat(value)  # takes Azure's seven decimals, and cuts them to microseconds
        found = found if found.tzinfo else found.replace(tzinfo=UTC)
        return None if found.year == 1 else found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UnreadableBodyError(f"{'.'.join(path)} is not a time: {value[:60]!r}") from error


def needed_moment(body: JsonObject, *path: str) -> datetime:
    """The time at the path. Raises UnreadableBodyError when it is missing."""
    found = moment(body, *path)
    if found is None:
        raise UnreadableBodyError(f"{'.'.join(path)} is missing")
    return found


def last_segment(arm_id: str) -> str:
    return arm_id.rstrip("/").rsplit("/", 1)[-1]
