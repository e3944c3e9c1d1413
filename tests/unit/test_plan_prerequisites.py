"""What Azure Backup asks of a cluster, as a table."""

from dataclasses import replace
from typing import Any

import pytest

from shared.plan.prerequisites import A_PERSON_MUST_ACT, PASSES_BY_ITSELF, check_prerequisites
from tests.unit.test_plan_selection import CLUSTER


def test_a_cluster_as_azure_makes_it_has_them_all() -> None:
    part = check_prerequisites(CLUSTER)
    assert part.complete
    assert [said.status for said in part.said] == ["True"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"service_principal": True}, "ServicePrincipalCluster"),
        ({"service_principal": True, "identity_principal_id": None}, "ServicePrincipalCluster"),
        ({"identity_principal_id": None}, "NoClusterIdentity"),
        ({"power_state": "Stopped"}, "ClusterStopped"),
        ({"provisioning_state": "Failed"}, "ClusterFailed"),
        ({"provisioning_state": "Canceled"}, "ClusterFailed"),
        ({"network_isolated": True}, "NetworkIsolated"),
        ({"has_x86_linux_pool": False}, "NoX86LinuxPool"),
        ({"disk_csi_driver": False}, "DiskCsiDriverDisabled"),
        ({"snapshot_controller": False}, "SnapshotControllerDisabled"),
        ({"kubernetes_version": "1.20.15"}, "KubernetesTooOld"),
        ({"pod_identity": True}, "PodIdentity"),
    ],
)
def test_an_obstacle_has_a_reason_a_message_and_an_action(change: dict[str, Any], reason: str) -> None:
    part = check_prerequisites(replace(CLUSTER, **change))
    (said,) = part.said
    assert (said.status, said.reason) == ("False", reason)
    assert said.message
    assert said.recommended_action
    assert part.requeue_after == A_PERSON_MUST_ACT
    assert not part.steps


@pytest.mark.parametrize("state", ["Creating", "Updating", "Upgrading", "Scaling", "Starting", "Stopping", "Deleting"])
def test_what_azure_is_still_working_on_is_waited_for_whatever_else_is_wrong(state: str) -> None:
    part = check_prerequisites(replace(CLUSTER, provisioning_state=state, service_principal=True))
    (said,) = part.said
    assert said.reason == "ClusterNotSettled"
    assert not said.recommended_action
    assert part.requeue_after == PASSES_BY_ITSELF


@pytest.mark.parametrize("version", ["1.21.1", "1.33.5", "2.0", "", "unheard of"])
def test_a_version_that_is_new_enough_or_not_understood_is_no_obstacle(version: str) -> None:
    assert check_prerequisites(replace(CLUSTER, kubernetes_version=version)).complete


def test_all_obstacles_are_said_and_the_gravest_gives_the_reason() -> None:
    part = check_prerequisites(replace(CLUSTER, disk_csi_driver=False, power_state="Stopped", pod_identity=True))
    (said,) = part.said
    assert said.reason == "ClusterStopped"
    assert "CSI" in said.message
    assert "pod identity" in said.message
