"""NCRONTAB expressions, as timer triggers use them: second minute hour day month day-of-week, in UTC.

The rules are those of the NCrontab library the host uses (https://github.com/atifaziz/NCrontab): six fields, or
five without seconds; days of the week 0-6 from Sunday; month and day names; `a/n` means from a to the end in steps
of n; and a time fires only when day AND day-of-week both match, where Unix cron takes either.
"""

import calendar
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

_MONTHS = [name.lower() for name in calendar.month_name[1:]]
_DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
# 29 February on one given day of the week comes back after 40 years at most (2100 is no leap year).
_HORIZON_DAYS = 41 * 366


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, tuple(_MONTHS)),
    _Field("day-of-week", 0, 6, tuple(_DAYS)),
)


class NCrontab:
    """One parsed expression; raises ValueError for a text the timer extension would not run."""

    def __init__(self, expression: str) -> None:
        parts = expression.split()
        if len(parts) == 1 and ":" in expression:
            raise ValueError("a time span as schedule works on an App Service plan only, not on Consumption or Flex")
        if len(parts) == 5:
            parts = ["0", *parts]
        if len(parts) != 6:
            raise ValueError(f"it has {len(parts)} fields, not six: second minute hour day month day-of-week")
        self.expression = expression
        seconds, minutes, hours, days, months, weekdays = (
            _values(part, field) for part, field in zip(parts, _FIELDS, strict=True)
        )
        self._times = [time(h, m, s) for h in sorted(hours) for m in sorted(minutes) for s in sorted(seconds)]
        self._days, self._months, self._weekdays = days, months, weekdays
        self.next_after(datetime.now(UTC))

    def next_after(self, moment: datetime) -> datetime:
        """The first occurrence later than `moment`; ValueError if there is none."""
        moment = moment.astimezone(UTC)
        day = moment.date()
        if self._matches(day):
            later = bisect_right(self._times, moment.time())
            if later < len(self._times):
                return datetime.combine(day, self._times[later], UTC)
        for _ in range(_HORIZON_DAYS):
            day += timedelta(days=1)
            if self._matches(day):
                return datetime.combine(day, self._times[0], UTC)
        raise ValueError("it never fires: no such day exists")

    def _matches(self, day: date) -> bool:
        return day.month in self._months and day.day in self._days and day.isoweekday() % 7 in self._weekdays


def _values(text: str, field: _Field) -> frozenset[int]:
    values: set[int] = set()
    for item in text.split(","):
        values.update(_item(item, field))
    return frozenset(values)


def _item(text: str, field: _Field) -> range:
    spread, slash, step_text = text.partition("/")
    if slash and (not step_text.isdecimal() or int(step_text) < 1):
        raise ValueError(f"{field.name}: {text!r} has no step of at least 1 after the slash")
    step = int(step_text) if slash else 1
    if spread == "*":
        return range(field.low, field.high + 1, step)
    first_text, dash, last_text = spread.partition("-")
    first = _number(first_text, field)
    last = _number(last_text, field) if dash else field.high if slash else first
    if last < first:
        raise ValueError(f"{field.name}: {text!r} runs backwards")
    return range(first, last + 1, step)


def _number(text: str, field: _Field) -> int:
    if text.isdecimal():
        number = int(text)
        if field.low <= number <= field.high:
            return number
        raise ValueError(f"{field.name}: {number} is not between {field.low} and {field.high}")
    if len(text) >= 3:
        for offset, name in enumerate(field.names):
            if name.startswith(text.lower()):
                return field.low + offset
    raise ValueError(f"{field.name}: {text!r} is not a value")
