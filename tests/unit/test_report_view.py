"""What clusters a view leaves, in which order, on which page; and that ten thousand do not make it slow."""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.compliance import Verdict
from shared.report.view import NONE, InvalidViewError, View, failing_since, viewed, worst
from tests.contract.http_api_world import CLUSTERS, NOW, OTHER, judged

NAMES = {OTHER: "Sandbox"}


def names(**view: Any) -> list[str]:
    return [row.name for row in viewed(CLUSTERS, View(**view), NAMES).rows]


@pytest.mark.parametrize(
    ("view", "left"),
    [
        ({}, {"alpha", "beta", "gamma"}),
        ({"text": "ALPH"}, {"alpha"}),
        ({"text": "apps blue"}, {"alpha"}),
        ({"text": "sandbox"}, {"gamma"}),
        ({"text": "a nobody"}, set()),
        ({"text": "   "}, {"alpha", "beta", "gamma"}),
        ({"team": "RED"}, {"beta"}),
        ({"team": NONE}, {"gamma"}),
        ({"subscription": OTHER.upper()}, {"gamma"}),
        ({"subscription": "sandbox"}, {"gamma"}),
        ({"location": "NorthEurope"}, {"beta"}),
        ({"profile": "standard"}, {"alpha", "beta", "gamma"}),
        ({"profile": NONE}, set()),
        ({"restorable": "No"}, {"alpha"}),
        ({"control": "protected-by-an-instance"}, {"alpha"}),
        ({"control": "protected-by-an-instance", "status": "Exempt"}, {"gamma"}),
        ({"control": "extension-healthy"}, {"alpha"}),
        ({"status": "Unknown"}, {"alpha"}),
        ({"restorable": "No", "team": "red"}, set()),
    ],
)
def test_a_filter_leaves_what_it_says(view: dict[str, Any], left: set[str]) -> None:
    assert set(names(**view)) == left


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("name", ["alpha", "beta", "gamma"]),
        ("team", ["gamma", "alpha", "beta"]),
        ("subscription", ["beta", "alpha", "gamma"]),
        ("location", ["beta", "alpha", "gamma"]),
        ("score", ["gamma", "alpha", "beta"]),
        ("restorable", ["alpha", "beta", "gamma"]),
    ],
)
def test_clusters_are_sorted_and_ties_keep_their_order(sort: str, order: list[str]) -> None:
    assert names(sort=sort) == order


def test_every_sort_is_the_other_way_round_when_descending() -> None:
    rows = [
        judged(f"c{n}", team=f"t{n}", location=f"l{n}", score=n, subscription_id=f"{n}", restorable=restorable)
        for n, restorable in enumerate(["No", "Unknown", "Yes", "Exempt"])
    ]
    for sort in ("name", "team", "subscription", "location", "score", "restorable"):
        up, down = (
            [row.name for row in viewed(rows, View(sort=sort, descending=descending)).rows]
            for descending in (False, True)
        )
        assert up == down[::-1] == ["c0", "c1", "c2", "c3"]


def test_ties_keep_their_order_when_descending_too() -> None:
    rows = [judged(name) for name in ("z", "a", "m")]
    for descending in (False, True):
        for sort in ("team", "score", "worst", "since"):
            view = View(sort=sort, descending=descending)
            assert [row.name for row in viewed(rows, view).rows] == ["z", "a", "m"]


def test_the_gravest_verdict_comes_first_and_no_trouble_last_in_either_direction() -> None:
    def with_(name: str, *verdicts: Verdict) -> Any:
        return judged(name, verdicts=verdicts)

    fine, exempt = Verdict("a", "Compliant", "Critical"), Verdict("b", "Exempt", "Critical")
    rows = [
        with_("fine", fine, exempt),
        with_("warning", fine, Verdict("c", "NonCompliant", "Warning", since=NOW)),
        with_("unknown", Verdict("c", "Unknown", "Critical", since=NOW - timedelta(days=1)), fine),
        with_("critical", Verdict("c", "NonCompliant", "Critical", since=NOW - timedelta(days=2))),
    ]
    assert [row.name for row in viewed(rows, View(sort="worst")).rows] == ["critical", "unknown", "warning", "fine"]
    up = [row.name for row in viewed(rows, View(sort="since")).rows]
    down = [row.name for row in viewed(rows, View(sort="since", descending=True)).rows]
    assert up == ["critical", "unknown", "warning", "fine"]
    assert down == ["warning", "unknown", "critical", "fine"]
    assert [bool(worst(row)) for row in rows] == [False, True, True, True]
    assert failing_since(rows[3]) == NOW - timedelta(days=2)
    assert failing_since(rows[0]) is None


def test_pages_hold_every_cluster_once() -> None:
    rows = [judged(f"c{n:02}") for n in range(23)]
    pages = [viewed(rows, View(size=10, page=page)) for page in (1, 2, 3, 4)]
    assert [row.name for page in pages for row in page.rows] == [row.name for row in rows]
    assert [(page.total, page.pages, len(page.rows)) for page in pages] == [
        (23, 3, 10), (23, 3, 10), (23, 3, 3), (23, 3, 0),
    ]  # fmt: skip
    assert viewed([], View()).pages == 1


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("sort", "colour", "name, team, location"),
        ("restorable", "Maybe", "Yes, No, Unknown, Exempt"),
        ("status", "Bad", "Compliant, NonCompliant"),
        ("page", 0, "the first is 1"),
        ("size", 0, "1 to 500"),
        ("size", 501, "1 to 500"),
        ("text", "x" * 301, "300"),
    ],
)
def test_what_cannot_be_viewed_is_refused_with_what_can(field: str, value: Any, says: str) -> None:
    with pytest.raises(InvalidViewError, match=says) as refused:
        View(**{field: value})
    assert refused.value.field == field
