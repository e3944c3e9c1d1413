"""What the rows of all clusters say to a sweep, without being read whole: the fake and Azurite alike."""

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest

from functions_host.azurite import Azurite
from shared.domain.conditions import COMPLIANT, READY, Condition
from shared.domain.facts import Absent, Present, Unobserved
from shared.domain.fleet import Remembered
from shared.domain.ids import ClusterId, RegionId
from shared.domain.observed import ObservedCluster, ObservedRegion, TrustedAccessBinding
from shared.domain.record import ExtensionMemory, Record
from shared.ports import Records
from shared.record.brief import from_brief
from shared.record.entity import to_row
from shared.record.storage import Storage
from shared.record.tables import TableRecords
from tests.fakes.judged import NOON
from tests.fakes.storage import FakeRecords

BINDING = TrustedAccessBinding("/binding", "binding", "/vault", ("backup-operator",), "Succeeded")


@pytest.fixture(params=["fake", "azurite"])
async def records(request: pytest.FixtureRequest) -> AsyncIterator[Records]:
    if request.param == "fake":
        yield FakeRecords()
        return
    azurite: Azurite = request.getfixturevalue("azurite")
    storage = Storage.by_connection_string(azurite.connection_string)
    yield TableRecords(storage)
    await storage.close()


def a_record(**changes: object) -> Record:
    cluster = ClusterId("00000000-0000-0000-0000-000000000001", "rg", f"aks-{uuid4().hex[:12]}")
    return replace(Record(cluster, NOON, ObservedCluster()), **changes)  # type: ignore[arg-type]


async def remembered(records: Records) -> dict[ClusterId, Remembered]:
    return {cluster: known async for cluster, known in records.remembered()}


async def test_what_a_sweep_needs_is_remembered_of_each_cluster(records: Records) -> None:
    said = Condition(COMPLIANT, "False", "NotProtected", "It is not.", NOON, "Protect it.", "Error")
    full = a_record(
        observed=ObservedCluster(bindings=Present((BINDING,), NOON)),
        conditions={READY: Condition(READY, "False", "RoleMissing", "…", NOON), COMPLIANT: said},
        remaining=("AssignRoles",),
        last_restore_at=NOON,
        memory=ExtensionMemory(exhausted="Nothing more can be done."),
        resource_uid="uid-2",
        reborn_at=NOON,
        protected_uid="uid",
        profile_digest="digest",
        deleted_at=NOON,
    )
    ready = a_record(
        observed=ObservedCluster(bindings=Absent(NOON)), conditions={READY: Condition(READY, "True", "Ok", "", NOON)}
    )
    new = a_record(observed=ObservedCluster(bindings=Unobserved("no right")))
    region = Record(RegionId("sub", f"west-{uuid4().hex[:6]}", "default"), NOON, ObservedRegion())
    for record in (full, ready, new, region):
        await records.save(record)
    known = await remembered(records)
    assert known[full.subject] == Remembered(  # type: ignore[index]
        bindings=Present((BINDING,), NOON),
        remaining=("AssignRoles",),
        ready="RoleMissing",
        last_restore_at=NOON,
        memory_exhausted="Nothing more can be done.",
        deleted_at=NOON,
        resource_uid="uid-2",
        reborn_at=NOON,
        protected=True,
        profile_digest="digest",
        compliant=said.digest,
    )
    assert known[ready.subject] == Remembered(bindings=Absent(NOON), ready="")  # type: ignore[index]
    assert known[new.subject] == Remembered(bindings=Unobserved("no right"), ready="NotLookedAt")  # type: ignore[index]
    assert region.subject not in known


async def test_many_clusters_are_all_remembered_once(records: Records) -> None:
    fleet = [a_record() for _ in range(60)]
    for record in fleet:
        await records.save(record)
    listed = [cluster async for cluster, _ in records.remembered()]
    assert len(listed) == len(set(listed))
    assert {record.subject for record in fleet} <= set(listed)


def test_rows_of_older_versions_and_broken_ones_say_what_they_can() -> None:
    row = to_row(a_record(deleted_at=NOON))
    for brief in (None, "not json", "[]", '{"bindings":[1]}'):
        changed = {name: value for name, value in row.items() if name != "brief"}
        if brief is not None:
            changed["brief"] = brief
        known = from_brief(changed)
        assert known is not None
        assert known[1] == Remembered(ready="NotLookedAt", deleted_at=NOON)
    assert from_brief({"cluster_id": "nonsense"}) is None
    assert from_brief({"region_key": "a|b|c"}) is None


def test_what_is_too_much_for_a_column_is_left_out() -> None:
    binding = replace(BINDING, source_id="x" * 5000)
    record = a_record(observed=ObservedCluster(bindings=Present((binding,) * 8, NOON)), remaining=("y" * 900,) * 90)
    row = to_row(record)
    assert len(row["brief"]) <= 32_000
    known = from_brief(row)
    assert known is not None
    assert isinstance(known[1].bindings, Unobserved)
    assert known[1].remaining
