"""From verdicts to a judged cluster: exemptions, profiles, score, restorability, facts, controls of one's own."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shared.domain.compliance import JudgedCluster, Verdict
from shared.domain.facts import Present, Unobserved
from shared.domain.fleet import Remembered, SeenCluster
from shared.domain.profile import Exemption, KqlControl, Rule, Selector
from shared.plan.compliance.catalogue import CONTROLS, FLEET_CONTROLS
from shared.plan.compliance.control import Control, Outcome
from shared.plan.compliance.facts import FACT_SOURCES
from shared.plan.compliance.handbook import handbook
from shared.plan.compliance.judge import WEIGHTS, newest_extension_of
from shared.plan.compliance.kql import kql_control
from shared.plan.compliance.posture import Posture
from shared.plan.compliance.trend import to_be_noted
from shared.plan.repairs import REPAIRABLE
from shared.plan.selection import EXEMPT_TAG, PROFILE_TAG
from tests.unit.controls_world import CLUSTER, NONE, NOW, SUBSCRIPTION, UNREAD, Scene, ago, healthy, here

ROOT = Path(__file__).resolve().parents[2]
MINE = Selector(names=("shop",))


def statuses(judged: JudgedCluster) -> set[str]:
    return {verdict.status for verdict in judged.verdicts}


def test_a_judged_cluster_says_whose_it_is_and_what_the_guard_has_left_to_do() -> None:
    scene = healthy()
    scene.remember(remaining=("GrantRole",))
    judged = scene.judged()
    assert judged.cluster_id == scene.cluster.arm_id
    assert (judged.name, judged.resource_group, judged.subscription_id) == ("Shop", "Apps", SUBSCRIPTION)
    assert (judged.location, judged.team, judged.profile, judged.mode) == ("westeurope", "shop", "gold", "enforce")
    assert (judged.remaining, judged.judged_at) == (("GrantRole",), NOW)


def test_an_exempt_cluster_is_exempt_in_all_that_would_be_asked() -> None:
    scene = healthy()
    asked = [verdict.control for verdict in scene.judged().verdicts]
    scene.exemptions = (Exemption(MINE, "Retired in spring", NOW + timedelta(days=3)),)
    scene.instances = here(())
    judged = scene.judged()
    assert [verdict.control for verdict in judged.verdicts] == asked
    assert {(v.status, v.reason, v.message, v.expires, v.remedy) for v in judged.verdicts} == {
        ("Exempt", "Exempt", "Exempt by guard.yaml: Retired in spring.", NOW + timedelta(days=3), "")
    }
    assert (judged.restorable, judged.score, judged.profile) == ("Exempt", 100.0, "gold")


def test_an_exemption_by_tag_has_no_end() -> None:
    scene = healthy()
    scene.cluster = replace(scene.cluster, tags={EXEMPT_TAG.upper(): "ask the shop team"})
    judged = scene.judged()
    assert statuses(judged) == {"Exempt"}
    assert {verdict.expires for verdict in judged.verdicts} == {None}
    assert "ask the shop team" in judged.verdicts[0].message


def test_an_exemption_that_has_ended_is_said_and_excuses_nothing() -> None:
    scene = healthy()
    scene.instances = here(())
    scene.exemptions = (
        Exemption(MINE, "long ago", ago(days=90)),
        Exemption(Selector(names=("other",)), "another", ago(days=1)),
        Exemption(MINE, "Retired in winter", NOW),
    )
    judged = scene.judged()
    verdict = next(verdict for verdict in judged.verdicts if verdict.control == "exemption-valid")
    assert (verdict.status, verdict.reason) == ("NonCompliant", "ExemptionExpired")
    assert "2026-03-01 12:00 UTC (Retired in winter)" in verdict.message
    assert judged.restorable == "No"
    assert judged.facts["exemption"] == "Retired in winter"
    scene.exemptions = (*scene.exemptions, Exemption(MINE, "renewed"))
    assert statuses(scene.judged()) == {"Exempt"}


def test_a_rule_that_leaves_the_cluster_alone_exempts_it() -> None:
    scene = healthy()
    scene.rules = (Rule(MINE, None), *scene.rules)
    judged = scene.judged()
    (verdict,) = judged.verdicts
    assert (verdict.control, verdict.status, verdict.reason) == ("selected-by-a-profile", "Exempt", "LeftAlone")
    assert (judged.restorable, judged.profile, judged.mode) == ("Exempt", "", "")
    assert judged.facts["last_job_status"] == "completed"


def test_a_cluster_that_no_rule_matches_does_not_comply() -> None:
    scene = healthy()
    scene.rules = (Rule(Selector(names=("other",)), "gold"),)
    judged = scene.judged()
    (verdict,) = judged.verdicts
    assert (verdict.control, verdict.status, verdict.reason) == ("selected-by-a-profile", "NonCompliant", "NotSelected")
    assert verdict.remedy
    assert (judged.restorable, judged.score) == ("No", 0.0)


def test_a_tag_that_names_no_profile_does_not_comply() -> None:
    scene = healthy()
    scene.cluster = replace(scene.cluster, tags={PROFILE_TAG: "golden"})
    judged = scene.judged()
    (verdict,) = judged.verdicts
    assert (verdict.status, verdict.reason) == ("NonCompliant", "UnknownProfile")
    assert "gold" in verdict.remedy
    scene.exemptions = (Exemption(MINE, "retired"),)
    (verdict,) = scene.judged().verdicts
    assert (verdict.status, verdict.reason) == ("Exempt", "Exempt")


def test_a_cluster_younger_than_its_profile_asks_is_exempt_until_it_is_old_enough() -> None:
    scene = healthy()
    scene.promise(minimum_age=7200.0)
    scene.cluster = replace(scene.cluster, created_at=ago(hours=1))
    scene.instances = here(())
    judged = scene.judged()
    assert {(v.status, v.reason, v.expires) for v in judged.verdicts} == {
        ("Exempt", "TooYoung", NOW + timedelta(hours=1))
    }
    scene.cluster = replace(scene.cluster, created_at=ago(hours=2))
    assert scene.judged().restorable == "No"
    # Resource Graph does not always say when it was made: then the last look's word counts.
    scene.cluster = replace(scene.cluster, created_at=None)
    assert scene.judged().restorable == "No"
    scene.remember(ready="TooYoung")
    assert statuses(scene.judged()) == {"Exempt"}


def test_the_score_is_the_share_of_what_complies_by_weight() -> None:
    scene = healthy()
    scene.vault(guarded=False)  # Warning
    scene.last("failed", "X")  # Warning; and what that job would have told of volumes is not known: Error
    judged = scene.judged()
    whole = sum(WEIGHTS[verdict.severity] for verdict in judged.verdicts)
    lost = 2 * WEIGHTS["Warning"] + WEIGHTS["Error"]
    assert judged.score == pytest.approx(100 * (whole - lost) / whole, abs=0.05)
    assert judged.restorable == "Yes"


def test_the_profile_says_how_grave_a_control_is() -> None:
    scene = healthy()
    scene.rule(severities={"vault-multi-user-authorisation": "Critical"})
    severities = {verdict.control: verdict.severity for verdict in scene.judged().verdicts}
    assert severities["vault-multi-user-authorisation"] == "Critical"
    assert severities["vault-diagnostics"] == "Warning"
    scene.vault(guarded=False)
    verdict = scene.verdict("vault-multi-user-authorisation")
    assert verdict is not None
    assert verdict.severity == "Critical"


def test_what_is_known_to_be_wrong_goes_before_what_is_not_known() -> None:
    scene = healthy()
    scene.extension = UNREAD
    assert scene.judged().restorable == "Unknown"
    scene.vaults = UNREAD
    scene.instance(latest_recovery_point=ago(days=2))
    assert scene.judged().restorable == "No"


def test_where_nothing_essential_is_asked_nobody_can_tell() -> None:
    scene = healthy()
    scene.rule(without=tuple(control.id for control in CONTROLS[1:] if control.essential))
    judged = scene.judged()
    assert statuses(judged) == {"Compliant"}
    assert judged.restorable == "Unknown"


def test_compliant_verdicts_are_shared() -> None:
    """A hundred thousand clusters would not fit otherwise."""
    scene = healthy()
    scene.controls = (CONTROLS[0], CONTROLS[3])
    judged = scene.judged()
    assert judged.verdicts == (
        Verdict("selected-by-a-profile", "Compliant", "Error"),
        Verdict("protected", "Compliant", "Critical"),
    )


QUERY = KqlControl("private-cluster", "Private", "resources | project id", "Error", "Make it private.", essential=True)


def test_a_query_of_guard_yaml_is_a_control() -> None:
    scene = healthy()
    scene.queries = (QUERY,)
    scene.own = {"private-cluster": {CLUSTER.arm_id: "It is public."}}
    verdict = scene.verdict("private-cluster")
    assert verdict == Verdict(
        "private-cluster", "NonCompliant", "Error", "FoundByQuery", "It is public.", "Make it private."
    )
    assert scene.judged().restorable == "No"
    scene.own = {"private-cluster": {CLUSTER.arm_id: ""}}
    verdict = scene.verdict("private-cluster")
    assert verdict is not None
    assert verdict.message == "A query of guard.yaml names the cluster."
    scene.own = {"private-cluster": {}}
    verdict = scene.verdict("private-cluster")
    assert verdict is not None
    assert verdict.status == "Compliant"
    for own in ({"private-cluster": Unobserved("BadRequest: no such column")}, {}):
        scene.own = own
        verdict = scene.verdict("private-cluster")
        assert verdict is not None
        assert (verdict.status, verdict.reason) == ("Unknown", "Unobserved")
    scene.rule(without=("private-cluster",))
    assert scene.verdict("private-cluster") is None


def test_a_query_among_the_controls_is_judged_once() -> None:
    scene = healthy()
    scene.queries = (QUERY,)
    scene.controls = (*CONTROLS, kql_control(QUERY))
    scene.own = {"private-cluster": {}}
    assert [v.control for v in scene.judged().verdicts].count("private-cluster") == 1


def test_an_outcome_made_by_hand_counts_as_the_constant_does() -> None:
    def judge(posture: Posture) -> Outcome:
        return Outcome("Compliant", message=posture.cluster.name)

    scene = healthy()
    scene.controls = (*CONTROLS, Control("mine", "Mine", "", "", "Warning", False, (), judge))
    assert scene.judged().verdicts[-1] == Verdict("mine", "Compliant", "Warning")


@pytest.mark.parametrize("control", CONTROLS, ids=[control.id for control in CONTROLS])
def test_what_a_control_rests_on_is_in_every_fact_sheet(control: Control) -> None:
    assert control.rests_on
    alone = healthy()
    alone.rules = ()
    nothing = Scene(extension=UNREAD)
    for scene in (healthy(), alone, nothing):
        assert set(control.rests_on) <= set(scene.judged().facts)


def test_every_fact_has_its_source_and_fits_json() -> None:
    for scene in (healthy(), Scene(instances=NONE, extension=NONE)):
        facts = scene.judged().facts
        assert set(facts) == set(FACT_SOURCES)
        json.dumps(facts, allow_nan=False)


def test_the_fact_sheet_holds_what_was_read() -> None:
    scene = healthy()
    scene.digest(last_out_of_memory_at=ago(days=13))
    scene.without_role("acdd72a7-3385-48ef-bd42-f606fba81ae7")
    facts = scene.judged().facts
    assert facts["latest_recovery_point"] == "2026-03-01T10:00:00+00:00"
    assert facts["last_out_of_memory_at"] == "2026-02-16T12:00:00+00:00"
    assert facts["bindings_read_at"] == "2026-02-28T16:00:00+00:00"
    assert facts["diagnostics_read_at"] == "2026-02-27T12:00:00+00:00"
    assert facts["scope"] == ("excluded_namespaces: scratch",)
    assert (facts["interval"], facts["operational_days"], facts["vault_days"]) == ("PT4H", 14, 90)
    assert (facts["soft_delete"], facts["soft_delete_days"], facts["resource_guard"]) == ("AlwaysOn", 30.0, True)
    assert facts["recovery_point_within"] == 6 * 3600
    missing = facts["missing_roles"]
    assert isinstance(missing, tuple)
    assert all(role.startswith("Reader for vault-principal on /subscriptions/") for role in missing)
    assert len(missing) == 2
    assert facts["unread"] == ()


def test_what_could_not_be_read_is_in_the_fact_sheet_with_its_reason() -> None:
    facts = Scene().judged().facts
    unread = facts["unread"]
    assert isinstance(unread, tuple)
    assert [entry.partition(":")[0] for entry in unread] == [
        "extensions",
        "instances",
        "jobs",
        "vaults",
        "policies",
        "grants",
        "record",
    ]
    assert "jobs: AuthorizationFailed: no" in unread


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "=1+1", "\u202egnp.exe", "x" * 250, "", "\x00\ud800"])
def test_hostile_names_and_tags_are_only_text(text: str) -> None:
    scene = healthy()
    scene.cluster = replace(scene.cluster, name=text, tags={"TEAM": text, text: text})
    scene.instance(name=text, protection_state=text)
    scene.installed(error=text, provisioning_state="Failed", version=text)
    scene.last(text, text)
    scene.policy(name=text, interval=text)
    scene.vault(name=text, soft_delete=text)
    judged = scene.judged()
    assert judged.team == text
    assert judged.restorable == "No"


def test_nothing_that_is_said_is_longer_than_a_row_has_room_for() -> None:
    scene = healthy()
    scene.installed(provisioning_state="Failed", error="e\ud800" * 100_000)
    judged = scene.judged()
    verdict = next(verdict for verdict in judged.verdicts if verdict.control == "extension-healthy")
    error = judged.facts["extension_error"]
    assert isinstance(error, str)
    assert len(verdict.message) == len(error) == 2000
    verdict.message.encode()


def test_ids_are_unique_and_words_are_whole_sentences() -> None:
    everything = (*CONTROLS, *FLEET_CONTROLS)
    assert len({control.id for control in everything}) == len(everything)
    for control in everything:
        assert control.title
        assert not control.title.endswith(".")
        assert control.why.endswith(".")
        assert control.remedy.endswith((".", ")"))


def test_memory_that_the_loop_has_raised_wakes_nobody() -> None:
    """It was killed two days ago, and has backed up since then."""
    scene = healthy()
    scene.digest(last_out_of_memory_at=ago(days=2))
    verdict = scene.verdict("memory-adequate")
    assert verdict is not None
    assert verdict.status == "NonCompliant"
    assert to_be_noted(scene.judged(), scene.remembered, scene.profile, NOW) is None


def test_what_the_loop_can_repair_is_a_control() -> None:
    assert {control.id for control in CONTROLS} >= REPAIRABLE


def test_the_newest_extension_is_found_by_its_numbers() -> None:
    scene = healthy()
    clusters: list[SeenCluster] = []
    for version in ("1.9.0", "1.10.0-rc", "", "1.2"):
        scene.installed(version=version)
        clusters.append(scene.seen)
    assert newest_extension_of([*clusters, Scene().seen]) == "1.10.0-rc"
    assert newest_extension_of([]) == ""


def test_the_page_of_controls_is_current() -> None:
    shown = (ROOT / "docs" / "controls.md").read_text()
    assert shown == handbook(), "run: python -m shared.plan.compliance > docs/controls.md"


def test_a_record_of_nothing_is_as_good_as_none() -> None:
    scene = healthy()
    scene.remembered = Remembered()
    verdict = scene.verdict("trusted-access")
    assert verdict is not None
    assert verdict.status == "Unknown"
    assert isinstance(scene.judged().facts["unread"], tuple)


def test_time_in_a_hurry_counts_for_the_minimum_age_only() -> None:
    """Promises go by the calendar: a simulator that hurries does not make recovery points old."""
    scene = healthy()
    scene.scale = 60.0
    assert scene.judged().restorable == "Yes"
    scene.promise(minimum_age=7200.0)
    scene.cluster = replace(scene.cluster, created_at=ago(seconds=60))
    judged = scene.judged()
    assert {verdict.expires for verdict in judged.verdicts} == {NOW + timedelta(seconds=60)}
    assert isinstance(scene.instances, Present)
