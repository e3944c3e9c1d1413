"""Who has drifted, and whether all of it may be repaired at once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.compliance import JudgedCluster
from shared.domain.fleet import Remembered
from shared.domain.ids import ClusterId
from shared.domain.profile import Configuration, ProtectionProfile, Repairs, SweepRules, VaultSettings
from shared.domain.sweeps import Drift
from shared.plan.compliance.catalogue import CONTROLS
from shared.plan.names import instance_id
from shared.plan.repairs import REPAIRABLE, SHARED, decide, has_drifted, region_to_look_at, seen
from tests.fakes.judged import NOON, SUBSCRIPTION, bad, good, judged, unknown

PROFILE = ProtectionProfile("standard", VaultSettings("On"), mode="enforce", digest="now")
PROTECTED = Remembered(protected=True, profile_digest="now")
CONFIGURATION = Configuration(1, {"standard": PROFILE}, ())
VAULT = "/subscriptions/s/resourceGroups/b/providers/Microsoft.DataProtection/backupVaults/kv"
OURS = instance_id(VAULT, ClusterId.parse(judged("shop").cluster_id))


def test_every_control_that_is_repaired_is_one_of_the_catalogue() -> None:
    assert {control.id for control in CONTROLS} >= REPAIRABLE | SHARED


@pytest.mark.parametrize(
    ("cluster", "known", "profile", "drifted"),
    [
        (judged("shop", bad()), PROTECTED, {}, True),
        (judged("shop", good()), PROTECTED, {}, False),
        (judged("shop", unknown()), PROTECTED, {}, False),
        (judged("shop", bad("restored-lately")), PROTECTED, {}, False),
        (judged("shop", good()), replace(PROTECTED, remaining=("AssignRoles",)), {}, True),
        (judged("shop", bad()), Remembered(), {}, False),
        (judged("shop", bad()), None, {}, False),
        (judged("shop", bad()), replace(PROTECTED, deleted_at=NOON), {}, False),
        (judged("shop", bad()), PROTECTED, {"mode": "audit"}, False),
        (judged("shop", bad(), restorable="Exempt"), PROTECTED, {}, False),
        (judged("shop", bad("right-policy")), replace(PROTECTED, profile_digest="older"), {}, False),
        (judged("shop", bad("right-policy")), replace(PROTECTED, ready="WaitingForRing"), {}, False),
        (judged("shop", bad("protection-healthy", reason="BackupsSuspended")), PROTECTED, {}, True),
        (judged("shop", bad("protection-healthy", reason="ProtectionStopped")), PROTECTED, {}, False),
        (
            judged("shop", bad("protection-healthy", reason="ProtectionStopped")),
            PROTECTED,
            {"repairs": Repairs(resume_stopped=True)},
            True,
        ),
        (judged("shop", bad("right-scope"), facts={"instance": OURS, "vault": VAULT}), PROTECTED, {}, True),
        (judged("shop", bad("right-scope"), facts={"instance": VAULT + "/x", "vault": VAULT}), PROTECTED, {}, False),
        (judged("shop", bad("vault-soft-delete")), PROTECTED, {}, False),
    ],
)
def test_what_has_drifted(
    cluster: JudgedCluster, known: Remembered | None, profile: dict[str, Any], drifted: bool
) -> None:
    assert has_drifted(cluster, known, replace(PROFILE, **profile)) is drifted


def test_a_vault_that_falls_short_is_looked_at_once_for_its_region() -> None:
    region = region_to_look_at(judged("shop", bad("vault-soft-delete"), location="WestEurope"), PROFILE)
    assert region is not None
    assert region.key == f"{SUBSCRIPTION}|westeurope|default"
    assert region_to_look_at(judged("shop", bad("right-scope")), PROFILE) is None
    many = [(judged(f"c{number}", bad("vault-soft-delete")), PROTECTED) for number in range(50)]
    assert seen(Drift(), many, "s1", CONFIGURATION).regions == (region.key,)


def test_those_that_come_first_are_others_in_each_sweep_and_the_same_when_a_batch_comes_again() -> None:
    fleet = [(judged(f"c{number}", bad()), PROTECTED) for number in range(40)]
    configuration = replace(CONFIGURATION, sweep=SweepRules(repairs_per_sweep=5))
    whole = seen(Drift(), fleet, "s1", configuration)
    parts = seen(seen(Drift(), fleet[:17], "s1", configuration), fleet[17:], "s1", configuration)
    assert whole == parts
    assert (whole.enforced, whole.drifted, len(whole.chosen)) == (40, 40, 5)
    first = {frozenset(key for _, key in seen(Drift(), fleet, f"s{n}", configuration).chosen) for n in range(5)}
    assert len(first) == 5


@pytest.mark.parametrize(
    ("drifted", "enforced", "opens"),
    [(9, 10, False), (10, 50, False), (11, 50, True), (10, 10, True), (200, 1000, False), (201, 1000, True)],
)
def test_the_breaker_opens_above_a_share_and_a_number(drifted: int, enforced: int, opens: bool) -> None:
    drift = Drift(enforced, drifted, tuple((str(n), str(n)) for n in range(min(100, drifted))))
    decision = decide(drift, SweepRules(), held=None, approved_until=None, now=NOON)
    assert decision.opens is opens
    assert decision.repairs.asked == (0 if opens else min(100, drifted))
    assert bool(decision.repairs.held) is (opens or drifted > 100)


@pytest.mark.parametrize("share", [0.07, 0.29, 0.57, 0.58])
def test_exactly_the_share_does_not_open_the_breaker(share: float) -> None:
    exactly = Drift(100, round(share * 100))
    one_more = replace(exactly, drifted=exactly.drifted + 1)
    opened = [
        decide(drift, SweepRules(stop_above=share, stop_least=1), held=None, approved_until=None, now=NOON).opens
        for drift in (Drift(), exactly, one_more)
    ]
    assert opened == [False, False, True]


def test_a_person_opens_the_way_for_a_day_and_nobody_else_does() -> None:
    many, few = Drift(20, 20, (("1", "a"),)), Drift(20, 1, (("1", "a"),))
    rules = SweepRules(repairs_per_sweep=1)
    held = decide(few, rules, held="yesterday", approved_until=None, now=NOON)
    assert (held.repairs.asked, held.opens) == (0, False)
    assert "person" in held.repairs.held
    approved = NOON + timedelta(hours=1)
    assert decide(many, rules, held=None, approved_until=approved, now=NOON).repairs.asked == 1
    assert decide(many, rules, held=None, approved_until=approved, now=approved).opens
