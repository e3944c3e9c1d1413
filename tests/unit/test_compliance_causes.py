"""When what a sweep said of a cluster is an alert."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.alerts import Severity
from shared.domain.conditions import COMPLIANT, READY, Condition
from shared.domain.profile import Alerting, ComplianceRules, ProtectionProfile, VaultSettings
from shared.domain.time import Moment
from shared.plan.alert_causes import compliance_causes, condition_causes, next_due_in
from tests.fakes.judged import NOON

HOUR = timedelta(hours=1)
PROFILE = ProtectionProfile("standard", VaultSettings("On"), mode="enforce")


def conditions(severity: Severity = "Error", **changes: Any) -> dict[str, Condition]:
    """Ready for an hour when a sweep found fault with it."""
    ready = Condition(READY, "True", "Ready", "", NOON - HOUR)
    said = Condition(COMPLIANT, "False", "NotProtected", "It is not.", NOON, "Protect it.", severity)
    return {READY: replace(ready, **changes), COMPLIANT: said}


@pytest.mark.parametrize(
    ("severity", "least", "told"),
    [("Error", "Error", 1), ("Critical", "Error", 1), ("Warning", "Error", 0), ("Warning", "Warning", 1)],
)
def test_what_is_grave_enough_for_the_profile_is_an_alert(severity: Severity, least: Severity, told: int) -> None:
    profile = replace(PROFILE, compliance=ComplianceRules(alert_from=least))
    causes = compliance_causes(conditions(severity), profile)
    assert [(cause.key, cause.severity, cause.due) for cause in causes] == [
        ("Condition:Compliant", severity, True)
    ] * told


@pytest.mark.parametrize("compliance", [ComplianceRules(alert_from=None)])
def test_a_profile_may_want_none(compliance: ComplianceRules) -> None:
    assert compliance_causes(conditions(), replace(PROFILE, compliance=compliance)) == ()
    assert compliance_causes(conditions(), replace(PROFILE, mode="audit")) == ()
    assert compliance_causes(conditions(), None) == ()
    assert compliance_causes(conditions(status="False", reason="ClusterDeleted"), PROFILE) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "False", "reason": "RoleMissing"},
        {"status": "Unknown", "reason": "Unobserved"},
        {"last_transition": NOON + HOUR},
    ],
)
def test_the_loop_has_the_first_word_and_the_newer_one(changes: dict[str, Any]) -> None:
    """An alert that is open stays open, and none opens."""
    (cause,) = compliance_causes(conditions(**changes), PROFILE)
    assert not cause.due


def test_what_a_sweep_could_not_tell_ends_nothing_and_begins_nothing() -> None:
    said = replace(conditions()[COMPLIANT], status="Unknown", severity=None)
    (cause,) = compliance_causes({**conditions(), COMPLIANT: said}, PROFILE)
    assert not cause.due


def test_the_condition_is_no_cause_of_its_own() -> None:
    moment = Moment(NOON + 100 * HOUR)
    assert condition_causes(conditions(), Alerting(), moment) == ()
    assert next_due_in(conditions(), Alerting(), moment) == []
