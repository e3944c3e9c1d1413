"""Event Grid's filters: every operator, the envelope's names, and the documented limits."""

from typing import Any

import pytest

from simulator.eventgrid.filters import OPERATORS, parse_filter

EVENT = {
    "id": "e1",
    "topic": "/subscriptions/s1",
    "subject": "/subscriptions/s1/resourceGroups/Blue/providers/Microsoft.ContainerService/managedClusters/One",
    "eventType": "Microsoft.Resources.ResourceWriteSuccess",
    "dataVersion": "2",
    "data": {
        "operationName": "Microsoft.ContainerService/managedClusters/write",
        "count": 5,
        "ready": True,
        "nothing": None,
        "zones": ["One", "Two"],
        "sizes": [1, 9],
        "claims": {"http://schemas.example/claim.name": "x"},
    },
}

OPERATOR_CASES: list[tuple[str, str, dict[str, Any], bool]] = [
    ("NumberIn", "data.count", {"values": [4, 5.0]}, True),
    ("NumberIn", "data.count", {"values": [4, 6]}, False),
    ("NumberNotIn", "data.count", {"values": [4, 6]}, True),
    ("NumberNotIn", "data.count", {"values": [5]}, False),
    ("NumberLessThan", "data.count", {"value": 6}, True),
    ("NumberLessThan", "data.count", {"value": 5}, False),
    ("NumberLessThanOrEquals", "data.count", {"value": 5}, True),
    ("NumberLessThanOrEquals", "data.count", {"value": 4}, False),
    ("NumberGreaterThan", "data.count", {"value": 4}, True),
    ("NumberGreaterThan", "data.count", {"value": 5}, False),
    ("NumberGreaterThanOrEquals", "data.count", {"value": 5}, True),
    ("NumberGreaterThanOrEquals", "data.count", {"value": 6}, False),
    ("NumberInRange", "data.count", {"values": [[0, 1], [5, 7]]}, True),
    ("NumberInRange", "data.count", {"values": [[0, 1]]}, False),
    ("NumberNotInRange", "data.count", {"values": [[0, 1]]}, True),
    ("NumberNotInRange", "data.count", {"values": [[5, 7]]}, False),
    ("BoolEquals", "data.ready", {"value": True}, True),
    ("BoolEquals", "data.ready", {"value": False}, False),
    ("StringIn", "data.operationName", {"values": ["x", "microsoft.containerservice/managedclusters/WRITE"]}, True),
    ("StringIn", "data.operationName", {"values": ["Microsoft.ContainerService/managedClusters"]}, False),
    ("StringNotIn", "data.operationName", {"values": ["x"]}, True),
    ("StringNotIn", "data.operationName", {"values": ["MICROSOFT.ContainerService/managedClusters/write"]}, False),
    ("StringContains", "subject", {"values": ["/resourcegroups/BLUE/"]}, True),
    ("StringContains", "subject", {"values": ["red"]}, False),
    ("StringNotContains", "subject", {"values": ["red"]}, True),
    ("StringNotContains", "subject", {"values": ["red", "blue"]}, False),
    ("StringBeginsWith", "data.operationName", {"values": ["microsoft.containerservice/"]}, True),
    ("StringBeginsWith", "data.operationName", {"values": ["managedClusters"]}, False),
    ("StringNotBeginsWith", "data.operationName", {"values": ["managedClusters"]}, True),
    ("StringNotBeginsWith", "data.operationName", {"values": ["Microsoft."]}, False),
    ("StringEndsWith", "data.operationName", {"values": ["/delete", "/Write"]}, True),
    ("StringEndsWith", "data.operationName", {"values": ["/delete"]}, False),
    ("StringNotEndsWith", "data.operationName", {"values": ["/delete"]}, True),
    ("StringNotEndsWith", "data.operationName", {"values": ["/write"]}, False),
    ("IsNullOrUndefined", "data.nothing", {}, True),
    ("IsNullOrUndefined", "data.missing", {}, True),
    ("IsNullOrUndefined", "data.count", {}, False),
    ("IsNotNull", "data.count", {}, True),
    ("IsNotNull", "data.nothing", {}, False),
    ("IsNotNull", "data.missing", {}, False),
]


def matches(filter_body: dict[str, Any], event: dict[str, Any] = EVENT) -> bool:
    return parse_filter(filter_body).matches(event)


def advanced(operator: str, key: str, **values: Any) -> dict[str, Any]:
    return {"advancedFilters": [{"operatorType": operator, "key": key, **values}]}


@pytest.mark.parametrize(("operator", "key", "values", "wanted"), OPERATOR_CASES)
def test_operator(operator: str, key: str, values: dict[str, Any], wanted: bool) -> None:
    assert matches(advanced(operator, key, **values)) is wanted


def test_every_operator_has_a_case_for_each_answer() -> None:
    assert {(operator, wanted) for operator, _, _, wanted in OPERATOR_CASES} == {
        (operator, wanted) for operator in OPERATORS for wanted in (True, False)
    }


@pytest.mark.parametrize("operator", sorted(OPERATORS - {"IsNotNull", "IsNullOrUndefined"}))
def test_an_absent_key_matches_only_the_negative_operators(operator: str) -> None:
    value: Any = "x" if operator.startswith("String") else [1, 2] if operator.endswith("Range") else 1
    value = True if operator == "BoolEquals" else value
    assert matches(advanced(operator, "data.missing", value=value, values=[value])) is ("Not" in operator)


def test_a_number_is_not_a_string_and_a_boolean_not_a_number() -> None:
    assert not matches(advanced("StringIn", "data.count", values=["5"]))
    assert not matches(advanced("NumberIn", "data.ready", values=[1]))


def test_all_advanced_filters_must_match() -> None:
    both = advanced("NumberIn", "data.count", values=[5])["advancedFilters"]
    assert matches({"advancedFilters": both + advanced("BoolEquals", "data.ready", value=True)["advancedFilters"]})
    assert not matches({"advancedFilters": both + advanced("BoolEquals", "data.ready", value=False)["advancedFilters"]})


def test_arrays_are_looked_into_only_when_asked() -> None:
    one = advanced("StringIn", "data.zones", values=["two"])
    assert not matches(one)
    assert matches(one | {"enableAdvancedFilteringOnArrays": True})
    assert matches(advanced("NumberGreaterThan", "data.sizes", value=8) | {"enableAdvancedFilteringOnArrays": True})
    none_of_them = advanced("StringNotIn", "data.zones", values=["two"]) | {"enableAdvancedFilteringOnArrays": True}
    assert not matches(none_of_them)


def test_a_key_with_a_dot_in_it_cannot_be_filtered() -> None:
    assert not matches(advanced("StringIn", "data.claims.http://schemas.example/claim.name", values=["x"]))


def test_envelope_names_of_both_schemas_ignoring_case() -> None:
    assert matches(advanced("StringEndsWith", "EVENTTYPE", values=["WriteSuccess"]))
    cloud_event = {"type": "Job.Finished", "source": "/guard", "subject": "a", "data": {"n": 1}}
    assert matches(advanced("StringIn", "type", values=["job.finished"]), cloud_event)
    assert matches(advanced("StringIn", "eventType", values=["job.finished"]), cloud_event)
    assert matches({"includedEventTypes": ["job.finished"]}, cloud_event)


def test_event_types() -> None:
    assert matches({"includedEventTypes": ["microsoft.resources.resourcewritesuccess"]})
    assert not matches({"includedEventTypes": ["Microsoft.Resources.ResourceDeleteSuccess"]})
    assert matches({"includedEventTypes": None})


def test_subject_prefix_and_suffix() -> None:
    assert matches({"subjectBeginsWith": "/SUBSCRIPTIONS/S1/", "subjectEndsWith": "/one"})
    assert not matches({"subjectBeginsWith": "/subscriptions/s2"})
    assert not matches({"subjectEndsWith": "/two"})
    assert not matches({"subjectEndsWith": "/one", "isSubjectCaseSensitive": True})
    assert matches({"subjectEndsWith": "/One", "isSubjectCaseSensitive": True})


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (advanced("StringIs", "data.x", values=["a"]), "'StringIs'"),
        (advanced("StringIn", "", values=["a"]), "key"),
        (advanced("StringIn", "data.x"), "needs values"),
        (advanced("StringIn", "data.x", values=[1]), "takes strings"),
        (advanced("NumberIn", "data.x", values=["1"]), "takes numbers"),
        (advanced("NumberInRange", "data.x", values=[[1]]), "pairs"),
        (advanced("BoolEquals", "data.x", value="true"), "true or false"),
        (advanced("StringIn", "data.x", values=["a" * 513]), "512"),
        (advanced("StringIn", "data.x", values=[str(n) for n in range(26)]), "values, 26, exceeds the limit of 25"),
        ({"advancedFilters": advanced("IsNotNull", "data.x")["advancedFilters"] * 26}, "filters, 26, exceeds"),
        ({"includedEventTypes": "all"}, "includedEventTypes"),
        ({"isSubjectCaseSensitive": "yes"}, "isSubjectCaseSensitive"),
        ({"subjectBeginsWith": 5}, "subjectBeginsWith"),
    ],
)
def test_bad_filters_are_refused(body: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_filter(body)


def test_twenty_five_values_are_allowed() -> None:
    assert not matches(advanced("StringIn", "data.x", values=[str(n) for n in range(25)]))
