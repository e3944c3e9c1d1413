"""Records as rows: nothing is lost on the way, and older or newer rows are read as far as they can be."""

import dataclasses
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal, TypeAliasType, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.domain.conditions import Condition
from shared.domain.facts import UNOBSERVED, Absent, Present
from shared.domain.ids import ClusterId, RegionId
from shared.domain.observed import ObservedCluster, ObservedRegion, TrustedAccessBinding
from shared.domain.record import Record
from shared.domain.steps import Intent, StepHistory
from shared.record.entity import RecordTooLargeError, RecordUnreadableError, from_row, to_row
from shared.record.keys import SHARDS, RowAddress

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLUSTER = ClusterId("00000000-0000-0000-0000-000000000001", "rg", "aks-1")
TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
SCALARS: Mapping[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=20),
    int: st.integers(0, 2**31 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    datetime: TIMES,
    type(None): st.none(),
}


def values_of(kind: Any, variables: Mapping[Any, Any] | None = None) -> st.SearchStrategy[Any]:
    """Every value a type of the domain can have, found from its annotations: a new field is covered by itself."""
    variables = variables or {}
    origin, arguments = get_origin(kind), get_args(kind)
    if isinstance(kind, TypeVar):
        return values_of(variables[kind])
    if kind in SCALARS:
        return SCALARS[kind]
    if isinstance(origin, TypeAliasType):
        return values_of(origin.__value__, dict(zip(origin.__type_params__, arguments, strict=True)))
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.lists(values_of(arguments[0], variables), max_size=2).map(tuple)
    if origin is Union or type(kind).__name__ == "UnionType":
        return st.one_of(*(values_of(argument, variables) for argument in arguments))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return st.dictionaries(st.text(max_size=8), values_of(arguments[1], variables), max_size=2)
    generic: Any = origin or kind
    assert dataclasses.is_dataclass(generic), f"no strategy for {kind}"
    inner = {
        parameter: variables.get(argument, argument)
        for parameter, argument in zip(getattr(generic, "__type_params__", ()), arguments, strict=True)
    }
    fields = {name: values_of(hint, inner) for name, hint in get_type_hints(generic).items()}
    return st.builds(cast(Any, generic), **fields)


def records() -> st.SearchStrategy[Record]:
    kinds = get_type_hints(Record)
    subjects = {
        ObservedCluster: st.just(CLUSTER),
        ObservedRegion: st.just(RegionId("00000000-0000-0000-0000-000000000001", "westeurope", "default")),
    }
    kept: dict[str, Any] = {
        name: values_of(kind) for name, kind in kinds.items() if name not in ("subject", "observed")
    }
    return st.one_of(
        *(st.builds(Record, subject=subject, observed=values_of(kind), **kept) for kind, subject in subjects.items())
    )


def a_record(**changes: Any) -> Record:
    return dataclasses.replace(Record(CLUSTER, NOW, ObservedCluster()), **changes)


@given(records())
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
def test_every_record_survives_its_row(record: Record) -> None:
    row = to_row(record)
    assert from_row({**row, "etag": record.etag}) == record
    assert all(len(value) <= 32_768 for value in row.values() if isinstance(value, str))


def test_a_row_lies_under_the_hash_of_the_lower_cased_id() -> None:
    row = to_row(a_record())
    assert row["PartitionKey"] in SHARDS
    assert len(row["RowKey"]) == 64
    assert row["cluster_id"] == CLUSTER.arm_id
    assert RowAddress.of(CLUSTER.arm_id.upper()) == RowAddress(row["PartitionKey"], row["RowKey"])


def test_keys_spread_over_all_shards() -> None:
    assert {RowAddress.of(f"/subscriptions/s/cluster-{number}").partition for number in range(500)} == set(SHARDS)


def test_times_are_columns_in_utc() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=9)))
    row = to_row(a_record(due_at=elsewhere))
    assert row["due_at"] == NOW
    assert row["due_at"].tzinfo is UTC
    assert from_row(row).due_at == NOW


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        to_row(a_record(due_at=NOW.replace(tzinfo=None)))


def test_a_row_of_a_newer_version_is_read_without_what_is_new() -> None:
    binding = TrustedAccessBinding("/b", "b", "/v", ("r",), "Succeeded")
    record = a_record(
        observed=ObservedCluster(bindings=Present((binding,), NOW), extension=Absent(NOW)),
        conditions={"Ready": Condition("Ready", "True", "Protected", "", NOW)},
        steps=StepHistory(intents={"StartBackup": Intent("StartBackup", NOW)}),
    )
    row = to_row(record)
    observed, steps = json.loads(row["observed"]), json.loads(row["steps"])
    observed["extension"]["surprise"] = observed["node_pools"] = {"kind": "present"}
    observed["bindings"]["value"][0]["zone"] = 3
    steps["intents"]["StartBackup"]["by"] = steps["wishes"] = "x"
    row |= {"observed": json.dumps(observed), "steps": json.dumps(steps), "new_column": 7, "conditions_x": "?"}
    assert from_row(row) == record


def test_a_row_of_an_older_version_takes_the_defaults() -> None:
    row = to_row(a_record())
    oldest = {name: row[name] for name in ("PartitionKey", "RowKey", "cluster_id", "first_seen_at")}
    assert from_row(oldest) == a_record()


def test_what_was_observed_in_an_older_shape_is_read_again() -> None:
    row = to_row(a_record(observed=ObservedCluster(extension=Absent(NOW))))
    observed = json.loads(row["observed"])
    observed["cluster"] = {"kind": "present", "observed_at": NOW.isoformat(), "value": {"arm_id": "/x"}}
    record = from_row(row | {"observed": json.dumps(observed)})
    assert record.observed == ObservedCluster(cluster=UNOBSERVED, extension=Absent(NOW))


def test_a_present_fact_never_turns_into_an_absent_one() -> None:
    row = to_row(a_record())
    observed = json.dumps({"extension": {"kind": "present", "observed_at": NOW.isoformat()}})
    record = from_row(row | {"observed": observed})
    assert isinstance(record.observed, ObservedCluster)
    assert record.observed.extension == UNOBSERVED


@pytest.mark.parametrize(
    "change",
    [
        {"steps": '{"intents": {"StartBackup": {"at": "yesterday"}}}'},
        {"steps": "{"},
        {"steps": "[]"},
        {"cluster_id": "/subscriptions/x"},
        {"observed": '"text"'},
        {"due_at": "tomorrow"},
    ],
)
def test_an_unreadable_row_is_an_error_that_names_it(change: dict[str, str]) -> None:
    with pytest.raises(RecordUnreadableError, match=r"the row of /subscriptions/\S+ cannot be read"):
        from_row(to_row(a_record()) | change)


def test_long_texts_are_split_over_properties() -> None:
    condition = Condition("Ready", "False", "Long", "ä" * 30_000, NOW)
    row = to_row(a_record(conditions={"Ready": condition}))
    parts = [name for name in row if name.startswith("conditions")]
    assert parts == [f"conditions{suffix}" for suffix in ("", "_1", "_2", "_3", "_4", "_5")]
    assert from_row(row).conditions == {"Ready": condition}


def test_a_record_too_large_for_a_row_says_what_is_large() -> None:
    condition = Condition("Ready", "False", "Long", "x" * 600_000, NOW)
    with pytest.raises(
        RecordTooLargeError, match=r"the record of /subscriptions/\S+ needs .* most of it is conditions"
    ):
        to_row(a_record(conditions={"Ready": condition}))
