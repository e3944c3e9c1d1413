"""DuckDB's values as the JSON that Kusto answers."""

import json
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from duckdb_kql.types import kusto_type


def converter(duckdb_type: str) -> tuple[str, Callable[[Any], Any]]:
    """Kusto's type of a result column, and what makes its values JSON. A string is never null in Kusto."""
    kind = kusto_type(duckdb_type)
    return kind, _CONVERTERS.get(kind, _plain)


def _plain(value: Any) -> Any:
    return value


def _string(value: Any) -> str:
    return "" if value is None else str(value)


def _dynamic(value: Any) -> Any:
    if isinstance(value, str):
        return json.loads(value)
    if isinstance(value, list):
        return [_nested(each) for each in value]
    if isinstance(value, dict):
        return {name: _nested(each) for name, each in value.items()}
    return _nested(value)


def _nested(value: Any) -> Any:
    if isinstance(value, datetime):
        return _moment(value)
    return _dynamic(value) if isinstance(value, list | dict) else value


def _moment(value: datetime | None) -> str | None:
    return None if value is None else f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond:06d}0Z".rjust(28, "0")


def _span(value: timedelta | None) -> str | None:
    """`[-][d.]hh:mm:ss[.fffffff]`, as .NET writes it."""
    if value is None:
        return None
    sign, value = ("-", -value) if value < timedelta(0) else ("", value)
    minutes, seconds = divmod(value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days = f"{value.days}." if value.days else ""
    part = f".{value.microseconds:06d}0" if value.microseconds else ""
    return f"{sign}{days}{hours:02}:{minutes:02}:{seconds:02}{part}"


def _real(value: float | Decimal | None) -> float | str | None:
    if value is None:
        return None
    number = float(value)
    return number if math.isfinite(number) else str(number).replace("nan", "NaN").replace("inf", "Infinity")


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "string": _string,
    "guid": _string,
    "dynamic": _dynamic,
    "datetime": _moment,
    "timespan": _span,
    "real": _real,
    "decimal": _real,
}
