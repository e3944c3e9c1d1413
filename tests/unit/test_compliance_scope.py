"""Which subscriptions are asked about together, and what becomes of those that no longer show."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.compliance import SweepSummary, Tally
from shared.domain.fleet import FleetScope, Scope, Subscription
from shared.domain.sweeps import Batch
from shared.plan.compliance.findings import bounded, not_shown, shrunk
from shared.plan.compliance.scope import MOST_CLUSTERS, MOST_SUBSCRIPTIONS, batches_of, halves, planned
from shared.plan.compliance.tally import OTHERS
from shared.plan.compliance.trend import found_since
from tests.fakes.judged import NOON

BEFORE = SweepSummary("s", NOON, NOON, 1, Tally(), by_subscription={"a": Tally(3), "b": Tally(4), "c": Tally()})
SHOWN = FleetScope((Subscription("a", "A", 3),))


@given(st.dictionaries(st.uuids().map(str), st.integers(0, 5000), max_size=60))
def test_every_subscription_is_in_one_batch_and_no_batch_is_too_much(counts: dict[str, int]) -> None:
    batches = batches_of(Subscription(name, "", clusters) for name, clusters in counts.items())
    assert sorted(name for batch in batches for name in batch.subscriptions) == sorted(counts)
    for batch in batches:
        assert len(batch.subscriptions) == 1 or sum(counts[n] for n in batch.subscriptions) <= MOST_CLUSTERS


def test_many_small_subscriptions_are_several_batches() -> None:
    batches = batches_of(Subscription(f"{number:04}", "", 1) for number in range(700))
    assert [len(batch.subscriptions) for batch in batches] == [MOST_SUBSCRIPTIONS, MOST_SUBSCRIPTIONS, 100]


def test_a_batch_is_divided_until_it_is_one_subscription() -> None:
    assert halves(Batch(("a", "b", "c"))) == (Batch(("a", "b")), Batch(("c",)))
    assert halves(Batch(("a",))) == (Batch(("a",)),)


def test_a_subscription_that_is_named_and_no_longer_shows_is_lost() -> None:
    shown = replace(SHOWN, unreadable=("b",))
    batches, findings = planned(Scope(("a", "b")), shown, BEFORE, NOON)
    assert [(batch.subscriptions, bool(batch.lost)) for batch in batches] == [(("a",), False), (("b",), True)]
    assert [(finding.control, finding.subject) for finding in findings] == [("scope-readable", "b")]


def test_of_more_subscriptions_than_are_counted_one_by_one_none_is_lost_unsaid() -> None:
    tallies = {"a": Tally(3), OTHERS: Tally(7)}
    before = replace(BEFORE, by_subscription=tallies, subscription_names={"a": "A", "b": "B", "c": "C"})
    shown = FleetScope((Subscription("a", "A", 3), Subscription("c", "C", 7)))
    batches, findings = planned(Scope((), ("root",)), shown, before, NOON)
    assert [batch.subscriptions for batch in batches if batch.lost] == [("b",)]
    assert [(finding.control, finding.subject) for finding in findings] == [("scope-complete", "b")]


def test_one_that_nobody_names_any_more_is_no_longer_ours() -> None:
    batches, findings = planned(Scope(("a",)), SHOWN, BEFORE, NOON)
    assert [batch.subscriptions for batch in batches] == [("a",)]
    assert findings == ()


def test_one_that_left_its_management_group_is_believed_after_a_week() -> None:
    scope = Scope(("a",), ("root",))
    batches, findings = planned(scope, SHOWN, BEFORE, NOON)
    assert [batch.subscriptions for batch in batches if batch.lost] == [("b",)]
    assert [(finding.control, finding.subject) for finding in findings] == [("scope-complete", "b")]
    said = replace(BEFORE, findings=found_since(findings, (), NOON))
    for days, lost in ((6, 1), (8, 0)):
        batches, findings = planned(scope, SHOWN, said, NOON + timedelta(days=days))
        assert (len([batch for batch in batches if batch.lost]), len(findings)) == (lost, lost)
    unreadable = replace(SHOWN, unreadable=("root",))
    batches, _ = planned(scope, unreadable, said, NOON + timedelta(days=8))
    assert [batch.subscriptions for batch in batches if batch.lost] == [("b",)]


@pytest.mark.parametrize(
    ("there", "unknown", "severity"), [((), (), "Warning"), (("b",), (), "Error"), ((), ("c",), "Error")]
)
def test_a_deletion_that_is_sure_is_less_grave_than_a_cluster_out_of_sight(
    there: tuple[str, ...], unknown: tuple[str, ...], severity: str
) -> None:
    found = shrunk("sub", ("a",), there, unknown)
    assert (found.status, found.severity) == ("NonCompliant", severity)


def test_findings_for_which_there_is_no_room_are_counted() -> None:
    kept, left_out = bounded([not_shown(str(number)) for number in range(12)], 10)
    assert len(kept) == 10
    assert left_out == {"scope-readable": 2}
