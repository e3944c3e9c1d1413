"""What readers of the topic get of a sweep, against the published schemas."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from shared.domain.compliance import Finding, Repairs, SweepSummary, Tally, VerdictChange
from shared.events.app_events import AppEvent, as_cloud_event, changed_event, sweep_event
from tests.fakes.judged import NOON, judged

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
HOSTILE = "<script>\U0001f600=1+1\U0001f600\U0001f600\U0001f600" * 400
FINDING = Finding("scope-readable", "sub", "NonCompliant", "Error", "NotShown", HOSTILE, since=NOON)
SUMMARY = SweepSummary(
    "20260301T120000Z-abc",
    NOON,
    NOON,
    3,
    Tally(3, 1, 1, 1, 0, 66.67),
    by_team={"": Tally(3)},
    by_control={"protected": {"Compliant": 2, "Unknown": 1}},
    findings=(FINDING, replace(FINDING, since=None)),
    changes=2,
    repairs=Repairs(3, 1, HOSTILE),
)
CHANGE = VerdictChange(
    SUMMARY.sweep_id,
    NOON,
    judged("Shop").cluster_id,
    "Shop",
    HOSTILE,
    "protected",
    "Compliant",
    "NonCompliant",
    "NotProtected",
    HOSTILE,
)


def published(event: AppEvent) -> dict[str, Any]:
    """As a reader gets it: through JSON."""
    read: dict[str, Any] = json.loads(json.dumps(as_cloud_event(event)))
    return read


@pytest.mark.parametrize(
    ("schema_name", "event"),
    [("compliance_sweep.json", sweep_event(SUMMARY)), ("verdict_changed.json", changed_event([CHANGE, CHANGE]))],
)
def test_events_are_as_their_schemas_say(schema_name: str, event: AppEvent) -> None:
    schema = json.loads((SCHEMAS / schema_name).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    read = published(event)
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert [error.message for error in validator.iter_errors(read)] == []
    assert set(schema["properties"]) == set(read)
    assert set(schema["properties"]["data"]["properties"]) == set(read["data"])


def test_an_event_stays_small_whatever_a_sweep_found() -> None:
    huge = replace(
        SUMMARY,
        by_team={f"{number}{HOSTILE}": Tally(number) for number in range(1000)},
        findings=tuple(replace(FINDING, subject=f"{number}{HOSTILE}") for number in range(1000)),
    )
    event = published(sweep_event(huge))
    assert len(json.dumps(event)) < 1_000_000
    assert (event["data"]["findingsLeftOut"], event["data"]["teamsLeftOut"]) == (950, 900)
    many = published(changed_event([CHANGE] * 300))
    assert len(json.dumps(many)) < 1_000_000
    assert many["data"]["changesLeftOut"] == 240


def test_the_same_change_has_the_same_id_and_another_has_another() -> None:
    ids = {
        changed_event([CHANGE]).id,
        changed_event([replace(CHANGE, cluster_id=CHANGE.cluster_id.upper())]).id,
        changed_event([replace(CHANGE, sweep_id="20260302T120000Z-abc")]).id,
        changed_event([replace(CHANGE, cluster_id=judged("other").cluster_id)]).id,
    }
    assert len(ids) == 3
