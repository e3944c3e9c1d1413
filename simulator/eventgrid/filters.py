"""Which events an event subscription wants: event types, subject, advanced filters.

Rules from Microsoft's page on event filtering: values of one filter are alternatives, all filters must match, strings
compare without regard to case, a key that is absent matches only the Not... operators and IsNullOrUndefined.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MAX_FILTERS = 25
MAX_VALUES = 25  # over all filters of one subscription
MAX_STRING = 512

_ABSENT = object()

Test = Callable[[Any, Any], bool]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numbers(compare: Test) -> Test:
    return lambda actual, wanted: _number(actual) and compare(actual, wanted)


def _strings(compare: Callable[[str, str], bool]) -> Test:
    return lambda actual, wanted: isinstance(actual, str) and compare(actual.lower(), wanted.lower())


# One value of the event against one value of the filter. A Not... operator is the opposite of its counterpart.
_TESTS: Mapping[str, Test] = {
    "NumberIn": _numbers(lambda actual, wanted: actual == wanted),
    "NumberLessThan": _numbers(lambda actual, wanted: actual < wanted),
    "NumberLessThanOrEquals": _numbers(lambda actual, wanted: actual <= wanted),
    "NumberGreaterThan": _numbers(lambda actual, wanted: actual > wanted),
    "NumberGreaterThanOrEquals": _numbers(lambda actual, wanted: actual >= wanted),
    "NumberInRange": _numbers(lambda actual, wanted: wanted[0] <= actual <= wanted[1]),
    "BoolEquals": lambda actual, wanted: isinstance(actual, bool) and actual == wanted,
    "StringIn": _strings(lambda actual, wanted: actual == wanted),
    "StringContains": _strings(lambda actual, wanted: wanted in actual),
    "StringBeginsWith": _strings(lambda actual, wanted: actual.startswith(wanted)),
    "StringEndsWith": _strings(lambda actual, wanted: actual.endswith(wanted)),
    "IsNullOrUndefined": lambda actual, _: actual is None or actual is _ABSENT,
}
_OPPOSITES: Mapping[str, str] = {
    "NumberNotIn": "NumberIn",
    "NumberNotInRange": "NumberInRange",
    "StringNotIn": "StringIn",
    "StringNotContains": "StringContains",
    "StringNotBeginsWith": "StringBeginsWith",
    "StringNotEndsWith": "StringEndsWith",
    "IsNotNull": "IsNullOrUndefined",
}
OPERATORS = frozenset(_TESTS) | frozenset(_OPPOSITES)
_SINGLE_VALUE = frozenset(
    {
        "BoolEquals",
        "NumberLessThan",
        "NumberLessThanOrEquals",
        "NumberGreaterThan",
        "NumberGreaterThanOrEquals",
    }
)
_NO_VALUE = frozenset({"IsNullOrUndefined", "IsNotNull"})


@dataclass(frozen=True, slots=True)
class AdvancedFilter:
    operator: str
    key: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """`event_types` are lower-case; None means every type."""

    event_types: frozenset[str] | None = None
    subject_begins_with: str = ""
    subject_ends_with: str = ""
    subject_case_sensitive: bool = False
    advanced: tuple[AdvancedFilter, ...] = ()
    on_arrays: bool = False

    def matches(self, event: Mapping[str, Any]) -> bool:
        """Whether an event body (of either schema) is wanted."""
        if self.event_types is not None and str(_value(event, "eventType")).lower() not in self.event_types:
            return False
        subject, begins, ends = str(event.get("subject") or ""), self.subject_begins_with, self.subject_ends_with
        if not self.subject_case_sensitive:
            subject, begins, ends = subject.lower(), begins.lower(), ends.lower()
        if not (subject.startswith(begins) and subject.endswith(ends)):
            return False
        return all(self._passes(one, _value(event, one.key)) for one in self.advanced)

    def _passes(self, one: AdvancedFilter, actual: Any) -> bool:
        opposite = _OPPOSITES.get(one.operator)
        test = _TESTS[opposite or one.operator]
        actuals = actual if self.on_arrays and isinstance(actual, list) else [actual]
        found = any(test(a, wanted) for a in actuals for wanted in one.values or (None,))
        return not found if opposite else found


# Names of envelope attributes: filters may use those of the Event Grid schema or of CloudEvents.
_ALIASES = {"eventtype": "type", "type": "eventtype", "topic": "source", "source": "topic"}


def _value(event: Mapping[str, Any], key: str) -> Any:
    """The value at a dotted key. Envelope names ignore case; names inside `data` are exact (assumed)."""
    head, _, rest = key.partition(".")
    envelope = {name.lower(): value for name, value in event.items()}
    wanted = head.lower()
    actual = envelope.get(wanted, envelope.get(_ALIASES.get(wanted, wanted), _ABSENT))
    for part in rest.split(".") if rest else ():
        actual = actual.get(part, _ABSENT) if isinstance(actual, Mapping) else _ABSENT
    return actual


def parse_filter(raw: Mapping[str, Any]) -> Filter:
    """The filter of an event subscription body. Raises ValueError that says what is wrong with it."""
    types = raw.get("includedEventTypes")
    if types is not None and not (isinstance(types, list) and all(isinstance(t, str) for t in types)):
        raise ValueError("includedEventTypes must be an array of strings.")
    advanced = raw.get("advancedFilters") or []
    if not isinstance(advanced, list):
        raise ValueError("advancedFilters must be an array.")
    if len(advanced) > MAX_FILTERS:
        raise ValueError(f"The number of advanced filters, {len(advanced)}, exceeds the limit of {MAX_FILTERS}.")
    parsed = tuple(_parse_advanced(one) for one in advanced)
    if (count := sum(len(one.values) for one in parsed)) > MAX_VALUES:
        raise ValueError(f"The number of advanced filter values, {count}, exceeds the limit of {MAX_VALUES}.")
    return Filter(
        frozenset(t.lower() for t in types) if types else None,
        _text(raw, "subjectBeginsWith"),
        _text(raw, "subjectEndsWith"),
        _flag(raw, "isSubjectCaseSensitive"),
        parsed,
        _flag(raw, "enableAdvancedFilteringOnArrays"),
    )


def _text(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name) or ""
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a string.")
    return value


def _flag(raw: Mapping[str, Any], name: str) -> bool:
    value = raw.get(name) or False
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false.")
    return value


def _parse_advanced(raw: Any) -> AdvancedFilter:
    if not isinstance(raw, dict) or not isinstance(raw.get("key"), str) or not raw["key"]:
        raise ValueError("An advanced filter needs an operatorType and a key.")
    key = raw["key"]
    operator = next((o for o in OPERATORS if o.lower() == str(raw.get("operatorType")).lower()), None)
    if operator is None:
        raise ValueError(f"The operatorType '{raw.get('operatorType')}' of the advanced filter on '{key}' is unknown.")
    if operator in _NO_VALUE:
        return AdvancedFilter(operator, key, ())
    values = [raw.get("value")] if operator in _SINGLE_VALUE else raw.get("values")
    if not isinstance(values, list) or not values:
        raise ValueError(f"The advanced filter '{operator}' on '{key}' needs values.")
    for value in values:
        _check_value(operator, key, value)
    return AdvancedFilter(operator, key, tuple(values))


def _check_value(operator: str, key: str, value: Any) -> None:
    if operator.startswith("String"):
        right, kind = isinstance(value, str), "strings"
    elif operator.endswith("Range"):
        right, kind = isinstance(value, list) and len(value) == 2 and all(map(_number, value)), "pairs of numbers"
    elif operator.startswith("Number"):
        right, kind = _number(value), "numbers"
    else:
        right, kind = isinstance(value, bool), "true or false"
    if not right:
        raise ValueError(f"The advanced filter '{operator}' on '{key}' takes {kind}, not {value!r}.")
    if isinstance(value, str) and len(value) > MAX_STRING:
        raise ValueError(f"A value of the advanced filter on '{key}' is longer than {MAX_STRING} characters.")
