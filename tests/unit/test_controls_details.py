"""What single verdicts take into account: adopted instances, inherited roles, what a scope leaves out."""

from dataclasses import replace

import pytest

from shared.domain.facts import Present
from shared.domain.observed import Grant
from shared.domain.profile import BackupScope, HookReference
from tests.unit.controls_world import OTHER_VAULT, SUBSCRIPTION, healthy, here


def test_an_adopted_instance_counts_and_is_judged_by_its_own_vault_and_policy() -> None:
    scene = healthy()
    scene.adopt()
    judged = scene.judged()
    assert [verdict for verdict in judged.verdicts if verdict.status != "Compliant"] == []
    assert judged.facts["vault"] == OTHER_VAULT
    assert scene.verdict("right-policy") is None
    scene.vault(soft_delete="Off")
    scene.policy(operational_days=1)
    wrong = [verdict.control for verdict in scene.judged().verdicts if verdict.status != "Compliant"]
    assert wrong == ["retention-as-promised", "vault-soft-delete"]


def test_of_several_instances_the_one_that_protects_counts() -> None:
    scene = healthy()
    assert isinstance(scene.instances, Present)
    (ours,) = scene.instances.value
    stopped = replace(ours, arm_id=f"{OTHER_VAULT}/backupInstances/old", protection_state="ProtectionStopped")
    scene.instances = here((stopped, ours))
    verdict = scene.verdict("protection-healthy")
    assert verdict is not None
    assert verdict.status == "Compliant"
    assert scene.judged().facts["instances"] == (stopped.arm_id, ours.arm_id)


@pytest.mark.parametrize(
    "above",
    [
        f"/subscriptions/{SUBSCRIPTION}",
        "/providers/microsoft.management/managementgroups/platform",
        "/",
    ],
)
def test_a_role_that_is_inherited_counts(above: str) -> None:
    scene = healthy()
    needed = scene.needed().value
    scene.grants = here(frozenset(Grant(grant.principal_id, grant.role, above) for grant in needed))
    verdict = scene.verdict("roles-present")
    assert verdict is not None
    assert verdict.status == "Compliant"


def test_a_role_beside_the_scope_does_not_count() -> None:
    scene = healthy()
    needed = scene.needed().value
    beside = frozenset(Grant(g.principal_id, g.role, f"{g.scope[:-1]}") for g in needed)
    scene.grants = here(beside)
    verdict = scene.verdict("roles-present")
    assert verdict is not None
    assert verdict.status == "NonCompliant"


def test_a_role_nobody_may_see_is_not_called_missing() -> None:
    scene = healthy()
    scene.grants = here(frozenset[Grant]())
    scene.unread_assignments = frozenset({SUBSCRIPTION})
    verdict = scene.verdict("roles-present")
    assert verdict is not None
    assert (verdict.status, verdict.reason) == ("Unknown", "Unobserved")
    assert SUBSCRIPTION in verdict.message


def test_every_missing_role_is_named() -> None:
    for grant in healthy().needed().value:
        scene = healthy()
        scene.grants = here(scene.needed().value - {grant})
        verdict = scene.verdict("roles-present")
        assert verdict is not None
        assert verdict.status == "NonCompliant"
        assert grant.principal_id in verdict.message
        assert grant.scope in verdict.message


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (BackupScope(included_namespaces=("web",)), "all namespaces but web"),
        (BackupScope(excluded_namespaces=("scratch", "shop")), "the namespaces shop"),
        (BackupScope(excluded_resource_types=("v1/Secret",)), "the resource types v1/secret"),
        (BackupScope(label_selectors=("app=web",)), "what does not have the labels app=web"),
        (BackupScope(include_cluster_scoped_resources=False), "resources outside of namespaces"),
        (BackupScope(snapshot_volumes=False), "the volumes"),
        (BackupScope(volume_types=("AzureFileShareSMB",)), "volumes of the type azuredisk"),
    ],
)
def test_what_the_scope_leaves_out_is_named(given: BackupScope, said: str) -> None:
    scene = healthy()
    scene.instance(scope=given)
    verdict = scene.verdict("right-scope")
    assert verdict is not None
    assert verdict.message == f"The backup instance leaves out {said}."


def test_a_hook_that_is_promised_belongs_to_the_scope() -> None:
    scene = healthy()
    scene.promise(scope=BackupScope(hooks=(HookReference("freeze", "web"),)))
    scene.instance(scope=BackupScope())
    verdict = scene.verdict("right-scope")
    assert verdict is not None
    assert verdict.message == "The backup instance leaves out the hooks freeze."
