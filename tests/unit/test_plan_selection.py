"""Which profile a cluster has, as tables."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.ids import ClusterId
from shared.domain.observed import Cluster
from shared.domain.profile import Configuration, Exemption, ProtectionProfile, Rule, Selector, VaultSettings
from shared.plan.selection import EXEMPT_TAG, PROFILE_TAG, NotSelected, Selected, matches, select_profile

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
SHOP = ClusterId(SUBSCRIPTION, "apps-prod", "shop")
CLUSTER = Cluster(
    arm_id=SHOP.arm_id,
    name="shop",
    location="westeurope",
    resource_uid="uid",
    tags={},
    power_state="Running",
    provisioning_state="Succeeded",
    kubernetes_version="1.33.5",
    identity_principal_id="principal",
    service_principal=False,
    disk_csi_driver=True,
    snapshot_controller=True,
    has_x86_linux_pool=True,
    network_isolated=False,
    pod_identity=False,
)


def configuration(*rules: Rule, exemptions: tuple[Exemption, ...] = ()) -> Configuration:
    profiles = {name: ProtectionProfile(name, VaultSettings("AlwaysOn")) for name in ("gold", "silver")}
    return Configuration(1, profiles, rules, exemptions)


@pytest.mark.parametrize(
    ("selector", "fits"),
    [
        (Selector(), True),
        (Selector(names=("shop",)), True),
        (Selector(names=("SH*",)), True),
        (Selector(names=("store", "shop")), True),
        (Selector(names=("sho",)), False),
        (Selector(resource_groups=("*-prod",)), True),
        (Selector(resource_groups=("*-test",)), False),
        (Selector(locations=("WestEurope",)), True),
        (Selector(locations=("northeurope",)), False),
        (Selector(subscriptions=(SUBSCRIPTION,)), True),
        (Selector(subscriptions=("00000000-0000-0000-0000-00000000000?",)), True),
        (Selector(subscriptions=("1*",)), False),
        (Selector(tags={"Team": "pay*"}), True),
        (Selector(tags={"team": "Payments", "stage": "prod"}), True),
        (Selector(tags={"team": "payments", "owner": "*"}), False),
        (Selector(names=("shop",), locations=("northeurope",)), False),
    ],
)
def test_all_that_a_selector_gives_must_fit(selector: Selector, fits: bool) -> None:
    tags = {"team": "payments", "stage": "prod"}
    assert matches(selector, SHOP, "westeurope", tags) is fits


def test_the_first_rule_that_matches_wins() -> None:
    rules = (Rule(Selector(names=("other",)), "silver"), Rule(Selector(), "gold"), Rule(Selector(), "silver"))
    selected = select_profile(configuration(*rules), SHOP, CLUSTER, NOW)
    assert isinstance(selected, Selected)
    assert selected.profile.name == "gold"


@pytest.mark.parametrize("rules", [(), (Rule(Selector(names=("other",)), "gold"),), (Rule(Selector(), None),)])
def test_a_cluster_that_no_rule_wants_is_left_alone(rules: tuple[Rule, ...]) -> None:
    selected = select_profile(configuration(*rules), SHOP, CLUSTER, NOW)
    assert isinstance(selected, NotSelected)
    assert selected.reason == "NotSelected"


@pytest.mark.parametrize(
    ("value", "exempt"), [("test", True), ("", True), ("true", True), ("false", False), ("No", False), (" 0 ", False)]
)
def test_the_exempt_tag_gives_the_reason_and_can_say_no(value: str, exempt: bool) -> None:
    cluster = replace(CLUSTER, tags={EXEMPT_TAG.upper(): value})
    selected = select_profile(configuration(Rule(Selector(), "gold")), SHOP, cluster, NOW)
    assert isinstance(selected, NotSelected) is exempt
    if isinstance(selected, NotSelected):
        assert selected.reason == "Exempt"
        assert (value or "no reason given") in selected.message


def test_the_profile_tag_goes_before_the_rules_and_an_exemption_before_the_tag() -> None:
    cluster = replace(CLUSTER, tags={PROFILE_TAG: "silver"})
    selected = select_profile(configuration(Rule(Selector(), "gold")), SHOP, cluster, NOW)
    assert isinstance(selected, Selected)
    assert selected.profile.name == "silver"
    exempt = configuration(Rule(Selector(), "gold"), exemptions=(Exemption(Selector(), "moved"),))
    assert isinstance(select_profile(exempt, SHOP, cluster, NOW), NotSelected)


def test_an_unknown_profile_in_the_tag_is_named_with_those_there_are() -> None:
    cluster = replace(CLUSTER, tags={PROFILE_TAG: "Gold"})
    selected = select_profile(configuration(Rule(Selector(), "gold")), SHOP, cluster, NOW)
    assert isinstance(selected, NotSelected)
    assert selected.reason == "UnknownProfile"
    assert "'Gold'" in selected.message
    assert "gold, silver" in selected.recommended_action


@pytest.mark.parametrize(("expires_in", "exempt"), [(None, True), (1, True), (0, False), (-1, False)])
def test_an_exemption_is_in_force_until_it_expires(expires_in: int | None, exempt: bool) -> None:
    expires = None if expires_in is None else NOW + timedelta(seconds=expires_in)
    read = configuration(Rule(Selector(), "gold"), exemptions=(Exemption(Selector(), "moving", expires),))
    selected = select_profile(read, SHOP, CLUSTER, NOW)
    assert isinstance(selected, NotSelected) is exempt
    if isinstance(selected, NotSelected):
        assert "moving" in selected.message
        assert selected.expires == expires
