"""Every single thing the Guard once set up is broken in turn, and in pairs: a look that a sweep asks for puts back
exactly that, and nothing else changes."""

import os
from typing import Any

import pytest

from tests.virtual.breakages import BREAKAGES, Breakage, pairs
from tests.virtual.drift import Fleet, protected, whole

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
PAIRS = pairs() if DEEP else pairs()[::23]


async def broken_and_put_back(*breakages: Breakage) -> None:
    fleet = await protected()
    before = await whole(fleet)
    for breakage in breakages:
        await breakage.do(fleet)
    assert await whole(fleet) != before, "it is broken"
    sent = len(fleet.changes())

    await fleet.asked()

    after = await whole(fleet)
    assert ignored(after, *breakages) == ignored(before, *breakages)
    expected: set[str] = set()
    for breakage in breakages:
        expected |= await breakage.calls(fleet)
    made = fleet.changes()[sent:]
    assert sorted(set(made)) == sorted(expected)
    assert_settled(fleet)


def ignored(state: Any, *breakages: Breakage) -> dict[str, Any]:
    """What a person made to break something stays: the Guard deletes nothing."""
    policies = {name: body for name, body in state["policies"].items() if not name.endswith("/by-hand")}
    accounts = [account for account in state["accounts"] if not account.endswith("/elsewhere")]
    return {**state, "policies": policies, "accounts": accounts}


def assert_settled(fleet: Fleet) -> None:
    for subject in (*fleet.clusters, fleet.region):
        record = fleet.world.record(subject)
        assert record is not None
        assert record.remaining == ()
        assert not record.steps.attempts
    for cluster in fleet.clusters:
        assert fleet.world.is_ready(cluster), fleet.world.condition(cluster)


@pytest.mark.parametrize("breakage", BREAKAGES, ids=str)
async def test_what_is_broken_is_put_back_and_nothing_else(breakage: Breakage) -> None:
    await broken_and_put_back(breakage)


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=str)
async def test_two_broken_things_are_put_back_and_nothing_else(one: Breakage, other: Breakage) -> None:
    await broken_and_put_back(one, other)


async def test_a_look_at_what_is_whole_changes_nothing() -> None:
    fleet = await protected()
    before, sent = await whole(fleet), len(fleet.changes())
    await fleet.asked()
    assert await whole(fleet) == before
    assert fleet.changes()[sent:] == []
    assert_settled(fleet)
