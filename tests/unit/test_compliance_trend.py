"""Since when it is so, what changed, and what of it a record is told."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.compliance import Finding, Verdict
from shared.domain.fleet import Remembered
from shared.domain.profile import ComplianceRules, ProtectionProfile, VaultSettings
from shared.plan.compliance.trend import carried, compliant_condition, found_since, kept_unknown, to_be_noted
from tests.fakes.judged import NOON, bad, good, judged, unknown

DAY = timedelta(days=1)
ENFORCE = ProtectionProfile("standard", VaultSettings("On"), mode="enforce")


def test_what_is_seen_for_the_first_time_is_no_change() -> None:
    after, changes = carried(judged("shop", bad(), good("right-policy")), None, "s1", NOON)
    assert [verdict.since for verdict in after.verdicts] == [NOON, NOON]
    assert changes == ()


def test_a_status_that_stays_keeps_its_beginning_and_one_that_changes_begins_anew() -> None:
    first, _ = carried(judged("shop", bad(), good("right-policy"), bad("right-scope")), None, "s1", NOON)
    later = judged("shop", replace(bad(), message="Still not."), bad("right-policy"), good("right-scope"))
    second, changes = carried(later, first, "s2", NOON + DAY)
    assert [verdict.since for verdict in second.verdicts] == [NOON, NOON + DAY, NOON + DAY]
    assert [verdict.message for verdict in second.verdicts] == ["Still not.", "It is not.", ""]
    assert [(c.control, c.before, c.after, c.sweep_id) for c in changes] == [
        ("right-policy", "Compliant", "NonCompliant", "s2"),
        ("right-scope", "NonCompliant", "Compliant", "s2"),
    ]
    third, none = carried(later, second, "s3", NOON + 2 * DAY)
    assert [verdict.since for verdict in third.verdicts] == [NOON, NOON + DAY, NOON + DAY]
    assert none == ()


def test_a_control_that_is_new_or_no_longer_applies_is_no_change() -> None:
    first, _ = carried(judged("shop", good(), good("right-policy")), None, "s1", NOON)
    second, changes = carried(judged("shop", good(), bad("right-scope")), first, "s2", NOON + DAY)
    assert [verdict.since for verdict in second.verdicts] == [NOON, NOON + DAY]
    assert changes == ()


def test_clusters_share_what_is_said_of_all_of_them() -> None:
    one, _ = carried(judged("one"), None, "s1", NOON)
    other, _ = carried(judged("other"), None, "s1", NOON)
    assert one.verdicts[0] is other.verdicts[0]


def test_a_severity_that_guard_yaml_changed_is_the_new_one() -> None:
    first, _ = carried(judged("shop", Verdict("protected", "Compliant", "Warning")), None, "s1", NOON)
    second, _ = carried(judged("shop", Verdict("protected", "Compliant", "Critical")), first, "s2", NOON + DAY)
    assert second.verdicts == (Verdict("protected", "Compliant", "Critical", since=NOON),)


def test_nothing_good_is_said_of_a_cluster_that_could_not_be_looked_at() -> None:
    exempt = Verdict("vault-redundancy", "Exempt", "Error", "Exempt", "Says a tag.")
    before, _ = carried(judged("shop", good(), bad("right-scope"), exempt), None, "s1", NOON)
    kept = kept_unknown(before, "NotListed", "No rights.", "Give them.", NOON + DAY)
    assert [(v.status, v.reason) for v in kept.verdicts] == [
        ("Unknown", "NotListed"),
        ("Unknown", "NotListed"),
        ("Exempt", "Exempt"),
    ]
    assert (kept.restorable, kept.score, kept.judged_at) == ("Unknown", 0.0, NOON + DAY)
    assert kept.facts == {**before.facts, "unread": ("clusters: No rights.",)}, "they are of an earlier sweep"


def test_an_exemption_ends_also_for_a_cluster_that_could_not_be_looked_at() -> None:
    exempt = Verdict("protected", "Exempt", "Error", "Exempt", "Moving.", expires=NOON + DAY)
    before, _ = carried(judged("shop", exempt, restorable="Exempt", score=100.0), None, "s1", NOON)
    for at, status in ((NOON + DAY / 2, "Exempt"), (NOON + DAY, "Unknown")):
        kept = kept_unknown(before, "NotListed", "No rights.", "Give them.", at)
        assert ({verdict.status for verdict in kept.verdicts}, kept.restorable) == ({status}, status)
        assert (kept.score == 0.0) == (status == "Unknown")


def test_a_finding_keeps_its_beginning() -> None:
    found = Finding("scope-readable", "/Some", "NonCompliant", "Error", "NotShown", "It is not.")
    first = found_since((found,), (), NOON)
    other = replace(found, subject="/Other")
    second = found_since((replace(found, subject="/some", message="Not yet."), other), first, NOON + DAY)
    assert [finding.since for finding in second] == [NOON, NOON + DAY]


def test_the_condition_names_the_gravest_and_stays_the_same_while_the_same_is_wrong() -> None:
    cluster = judged("shop", bad("right-policy", severity="Warning"), bad("protected", severity="Critical"), good("x"))
    said = compliant_condition(cluster, NOON)
    assert (said.status, said.reason, said.severity) == ("False", "NotProtected", "Critical")
    assert "right-policy" in said.message
    older = replace(cluster, verdicts=tuple(replace(v, message="5 days old", since=NOON) for v in cluster.verdicts))
    assert compliant_condition(older, NOON + DAY).digest == said.digest
    assert compliant_condition(judged("shop", bad(), good("x")), NOON).digest != said.digest


@pytest.mark.parametrize(
    ("cluster", "status"),
    [
        (judged("shop", good()), "True"),
        (judged("shop", good(), unknown("x")), "Unknown"),
        (judged("shop", bad(), unknown("x")), "False"),
        (judged("shop", bad(status="Exempt"), restorable="Exempt"), "True"),
    ],
)
def test_the_condition_of_a_cluster(cluster: object, status: str) -> None:
    assert compliant_condition(cluster, NOON).status == status  # type: ignore[arg-type]


def test_a_record_is_written_only_where_it_leads_to_an_alert_or_says_something_else_by_now() -> None:
    wrong, slight = judged("shop", bad()), judged("shop", bad(severity="Warning"))
    fine, nothing = judged("shop"), Remembered()
    said = Remembered(compliant=compliant_condition(wrong, NOON).digest)

    def noted(cluster: object, known: Remembered | None, profile: ProtectionProfile = ENFORCE) -> str:
        condition = to_be_noted(cluster, known, profile, NOON)  # type: ignore[arg-type]
        return condition.status if condition else ""

    assert noted(wrong, nothing) == "False"
    assert noted(wrong, said) == ""  # it stands there already
    assert noted(fine, said) == "True"
    assert noted(fine, nothing) == ""
    assert noted(slight, nothing) == ""  # below alert_from
    assert noted(slight, said) == "False"
    assert noted(unknown_cluster := judged("shop", unknown()), nothing) == ""
    assert noted(unknown_cluster, said) == "Unknown"
    doubtful = judged("shop", bad("right-policy", severity="Warning"), unknown())
    assert noted(doubtful, said) == "Unknown"  # what the alert is about nobody could tell: it stays open
    assert noted(doubtful, nothing) == ""
    assert noted(judged("shop", bad(), unknown("x")), nothing) == "False"
    assert noted(wrong, None) == ""  # no record, nobody to tell
    assert noted(wrong, Remembered(deleted_at=NOON)) == ""
    assert noted(wrong, nothing, replace(ENFORCE, mode="audit")) == ""
    assert noted(wrong, nothing, replace(ENFORCE, compliance=ComplianceRules(alert_from=None))) == ""
