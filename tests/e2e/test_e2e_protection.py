"""From a cluster's birth to its first recovery point, with nobody doing anything."""

from collections.abc import Callable

from demo import azure_now
from demo.stack import Stack, is_change
from tests.e2e.conftest import NewStack

AUDIT = """\
revision: 1
profiles:
  observed:
    vault: { soft_delete: AlwaysOn }
rules:
  - profile: observed
"""


def ready_reason(stack: Stack, cluster: str) -> str:
    ready = stack.tables.conditions().get(cluster.lower(), {}).get("Ready")
    return ready.reason if ready else ""


def test_a_created_cluster_is_protected_by_its_events_alone(new_stack: NewStack, until: Callable[..., None]) -> None:
    stack = new_stack(settings={"AzureWebJobs.requeue_overdue.Disabled": "true"})
    stack.start_host()
    stack.subscribe()
    [cluster] = stack.create_clusters("westeurope", tags={"team": "shop"})
    until(lambda: ready_reason(stack, cluster) == "Protected", "the cluster to be protected")

    azure = azure_now.read(stack.operator, stack.subscription)
    [instance] = azure.instances_of(cluster)
    assert (instance.state, instance.on_demand_jobs) == ("ProtectionConfigured", 1)
    assert instance.recovery_points >= 1
    assert list(azure.vaults.values()) == ["westeurope"]
    assert azure.doubled() == []
    deliveries = [line for line in stack.host_log() if line.get("function") == "cluster_events"]
    assert deliveries
    assert {line["outcome"] for line in deliveries if "outcome" in line} == {"Succeeded"}
    noted = {line.target.lower() for line in stack.tables.actions()}
    assert {call["path"].lower() for call in stack.calls() if call["method"] != "GET"} <= noted


def test_in_audit_mode_nothing_is_changed_and_the_conditions_say_what_would_be(
    new_stack: NewStack, until: Callable[..., None]
) -> None:
    stack = new_stack(AUDIT)
    stack.start_host()
    stack.subscribe()
    clusters = [
        *stack.create_clusters("westeurope", 2, settled=True),
        *stack.create_clusters("eastus", settled=True, identity="ServicePrincipal"),
    ]

    def said(cluster: str) -> str:
        ready = stack.tables.conditions().get(cluster.lower(), {}).get("Ready")
        return ready.message if ready else ""

    until(lambda: all("InstallExtension" in said(cluster) for cluster in clusters[:2]), "the plan to be told", stack)
    until(lambda: ready_reason(stack, clusters[2]) == "ServicePrincipalCluster", "the third to be looked at", stack)

    assert [call for call in stack.calls() if is_change(call)] == []
    assert stack.calls()
    for cluster in clusters[:2]:
        for step in ("CreateTrustedAccessBinding", "GrantRole", "CreateBackupInstance", "StartBackup"):
            assert step in said(cluster)
    prerequisites = stack.tables.conditions()[clusters[2].lower()]["PrerequisitesMet"]
    assert prerequisites.reason == "ServicePrincipalCluster"
    azure = azure_now.read(stack.operator, stack.subscription)
    assert (azure.vaults, azure.instances, azure.accounts) == ({}, (), ())
    assert stack.tables.actions() == []
