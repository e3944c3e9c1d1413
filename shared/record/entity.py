"""A record as a table row and back. Times are real columns (they are queried), the rest is JSON.

Rows outlive versions of the code: unknown keys are ignored, missing ones take their defaults, and what was observed
in an older shape is forgotten and read again. Only the memory of steps must be readable: an intent that is not
understood may be a backup already started.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, get_type_hints

from azure.data.tables import EdmType, EntityProperty
from pydantic import TypeAdapter, ValidationError

from shared.domain.ids import ClusterId, RegionId, Subject
from shared.domain.observed import ObservedCluster, ObservedRegion
from shared.domain.record import Record
from shared.record.brief import put_brief
from shared.record.keys import RowAddress

_CHUNK = 32_000
"""Characters of a string property; the service takes 32 Ki UTF-16 units."""
_LARGEST_ROW = 1_000_000
"""Bytes; the service takes 1 MiB and counts a little overhead of its own."""

# The columns follow from the record's own fields, so that a new field is never forgotten here.
_KINDS = get_type_hints(Record)
_TIMES = [name for name, kind in _KINDS.items() if kind in (datetime, datetime | None)]
_TEXTS = [name for name, kind in _KINDS.items() if kind is str and name != "etag"]
_NUMBERS = [name for name, kind in _KINDS.items() if kind is int]
_DOCUMENTS = [name for name in _KINDS if name not in (*_TIMES, *_TEXTS, *_NUMBERS, "subject", "etag")]
_READ_AGAIN = ("observed", "conditions")


class RecordTooLargeError(ValueError):
    """The record does not fit into one row of a table (1 MiB)."""


class RecordUnreadableError(ValueError):
    """A row that this version cannot read; acting on a guess would be worse than stopping."""


def to_row(record: Record) -> dict[str, Any]:
    """Raises RecordTooLargeError."""
    key = record.subject.key
    row: dict[str, Any] = RowAddress.of(key).as_columns()
    row["cluster_id" if isinstance(record.subject, ClusterId) else "region_key"] = key
    for name in _TEXTS:
        row[name] = getattr(record, name)
    for name in _TIMES:
        if (time := getattr(record, name)) is not None:
            row[name] = as_column(time)
    for name in _NUMBERS:
        row[name] = EntityProperty(getattr(record, name), EdmType.INT64)
    for name in _DOCUMENTS:
        if (value := getattr(record, name)) is not None:
            put_json(row, name, dump(_kind_of(name, record.subject), value))
    if isinstance(record.subject, ClusterId):
        put_brief(row, record)
    refuse_too_large(key, row)
    return row


def from_row(row: Mapping[str, Any]) -> Record:
    """Raises RecordUnreadableError."""
    try:
        subject = ClusterId.parse(row["cluster_id"]) if "cluster_id" in row else RegionId.parse(row["region_key"])
        nothing = _kind_of("observed", subject)()
        fields: dict[str, Any] = {"first_seen_at": datetime.fromtimestamp(0, UTC), "observed": nothing}
        for names, read in ((_TIMES, as_time), (_NUMBERS, as_int), (_TEXTS, str)):
            fields |= {name: read(row[name]) for name in names if row.get(name) is not None}
        for document in _DOCUMENTS:
            if document in row:
                read_document = _load_what_is_readable if document in _READ_AGAIN else load
                fields[document] = read_document(_kind_of(document, subject), get_json(row, document))
        return Record(subject=subject, etag=row.get("etag", ""), **fields)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        whose = row.get("cluster_id") or row.get("region_key") or row.get("RowKey")
        raise RecordUnreadableError(f"the row of {whose} cannot be read: {error}") from error


def dump(kind: Any, value: object) -> Any:
    """`value` as what JSON can hold."""
    return _adapter(kind).dump_python(value, mode="json")


def load(kind: Any, value: object) -> Any:
    """The inverse of `dump`. Raises ValueError."""
    return _adapter(kind).validate_python(value)


def put_json(row: dict[str, Any], name: str, value: object, *, parts: int = 1) -> None:
    """As properties `name`, `name_1`, …, as many as its length needs, and empty ones up to `parts`."""
    # ASCII only: a character is one UTF-16 unit then, whatever Azure's answers held.
    text = json.dumps(value, separators=(",", ":"))
    for number, start in enumerate(range(0, max(len(text), parts * _CHUNK), _CHUNK)):
        row[f"{name}_{number}" if number else name] = text[start : start + _CHUNK]


def get_json(row: Mapping[str, Any], name: str) -> Any:
    """The inverse of `put_json`. Raises ValueError and KeyError."""
    parts, number = [str(row[name])], 1
    while f"{name}_{number}" in row:
        parts.append(str(row[f"{name}_{number}"]))
        number += 1
    return json.loads("".join(parts))


def refuse_too_large(key: str, row: Mapping[str, Any]) -> None:
    """Raises RecordTooLargeError, naming the largest column."""
    sizes: dict[str, int] = {}
    for name, value in row.items():
        column = name.rstrip("0123456789").rstrip("_")
        sizes[column] = sizes.get(column, 0) + 2 * (len(name) + (len(value) if isinstance(value, str) else 8))
    if sum(sizes.values()) > _LARGEST_ROW:
        largest = max(sizes, key=lambda column: sizes[column])
        raise RecordTooLargeError(
            f"the record of {key} needs {sum(sizes.values())} bytes and a row holds {_LARGEST_ROW}; "
            f"most of it is {largest} ({sizes[largest]} bytes)"
        )


def as_column(time: datetime) -> datetime:
    """UTC for a DateTime property. Raises ValueError for a time without a zone."""
    if time.tzinfo is None:
        raise ValueError(f"{time.isoformat()} has no time zone")
    return time.astimezone(UTC)


def as_time(column: datetime) -> datetime:
    """A plain datetime from the SDK's own kind."""
    return datetime.combine(column.date(), column.timetz()).astimezone(UTC)


def as_int(column: Any) -> int:
    """From an Int32 or Int64 property."""
    return int(column.value if isinstance(column, EntityProperty) else column)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _kind_of(name: str, subject: Subject) -> Any:
    if name == "observed":
        return ObservedRegion if isinstance(subject, RegionId) else ObservedCluster
    return _KINDS[name]


def _load_what_is_readable(kind: Any, value: dict[str, Any]) -> Any:
    try:
        return load(kind, value)
    except ValidationError as error:
        unreadable = {problem["loc"][0] for problem in error.errors() if problem["loc"]}
        return load(kind, {name: item for name, item in value.items() if name not in unreadable})
