"""Before and after stage one: sign-in, app registration, snapshot groups, rights."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from infra.hooks import postprovision, preprovision
from infra.hooks.app_registration import complete_app, register_app
from infra.hooks.azure_cli import CommandError, StepError
from tests.infra.hooks_terminal import ONE, PRINCIPAL, RBAC_ADMINISTRATOR, THREE, TWO, Terminal, terminal  # noqa: F401


def test_an_app_registration_is_made_once(terminal: Terminal) -> None:  # noqa: F811
    said = terminal.run(preprovision)
    assert terminal.world["environment"] == {"AUTH_CLIENT_ID": "client-1", "AUTH_APP_OBJECT_ID": "applications-1"}
    (application,) = terminal.world["directory"]["applications"]
    assert application["identifierUris"] == ["api://client-1"]
    roles = {role["value"]: role["allowedMemberTypes"] for role in application["appRoles"]}
    assert roles.keys() == {"AksBackupGuard.Reader", "AksBackupGuard.Operator", "ActionGroupsSecureWebhook"}
    assert roles["ActionGroupsSecureWebhook"] == ["Application"]
    own, azure_monitor = terminal.world["directory"]["servicePrincipals"]
    assert (own["appId"], azure_monitor["appId"]) == ("client-1", "461e8683-5575-4561-ac7f-899cc907d62a")
    webhook = next(role["id"] for role in application["appRoles"] if role["value"] == "ActionGroupsSecureWebhook")
    given = {"principalId": azure_monitor["id"], "resourceId": own["id"], "appRoleId": webhook}
    assert own["appRoleAssignedTo"] == [given]
    assert said[0].startswith("signed in as someone@example.com")

    directory = terminal.world["directory"]
    terminal.environment |= terminal.world["environment"]
    assert len(terminal.run(preprovision)) == 2, "there is nothing left to say but who is signed in, and what guards"
    assert terminal.world["directory"] == directory


def test_a_registration_of_that_name_is_not_taken_unseen(terminal: Terminal) -> None:  # noqa: F811
    stranger = {"id": "object", "appId": "stranger", "displayName": "AKS Backup Guard (prod)", "appRoles": []}
    terminal.world["directory"] = {"applications": [stranger]}
    said = "\n".join(terminal.run(preprovision))
    assert "azd env set AUTH_CLIENT_ID stranger" in said
    assert "stays closed" in said
    assert terminal.world["environment"] == {}
    assert terminal.world["directory"]["applications"] == [stranger]


def test_a_registration_that_was_half_made_is_completed(terminal: Terminal) -> None:  # noqa: F811
    terminal.world["may_not_post"] = ["servicePrincipals"]
    assert "not complete yet" in "\n".join(terminal.run(preprovision))
    terminal.environment |= terminal.world["environment"]
    theirs = {"value": "Their.Role", "id": "their-role"}
    terminal.world["directory"]["applications"][0] |= {"identifierUris": [], "appRoles": [theirs]}
    terminal.world["may_not_post"] = []
    terminal.run(preprovision)
    (application,) = terminal.world["directory"]["applications"]
    assert application["identifierUris"] == ["api://client-1"]
    assert application["appRoles"][0] == theirs
    assert len(application["appRoles"]) == 4
    assert len(terminal.world["directory"]["servicePrincipals"]) == 2


def test_without_azd_the_registration_is_not_lost(terminal: Terminal) -> None:  # noqa: F811
    (Path(os.environ["PATH"].split(":")[0]) / "azd").unlink()
    with pytest.raises(StepError, match="azd cannot be run") as failed:
        terminal.run(preprovision)
    assert failed.value.remedy == "azd env set AUTH_CLIENT_ID client-1"


def test_a_registration_of_ones_own_is_taken(terminal: Terminal) -> None:  # noqa: F811
    roles = [{"value": "ActionGroupsSecureWebhook", "id": "my-role"}]
    terminal.world["directory"] = {"applications": [{"id": "my-object", "appId": "mine", "appRoles": roles}]}
    terminal.environment["AUTH_CLIENT_ID"] = "mine"
    assert "mine" in terminal.run(preprovision)[1]
    assert terminal.world["environment"] == {}
    assert [each["appId"] for each in terminal.world["directory"]["applications"]] == ["mine"]
    (given,) = terminal.world["directory"]["servicePrincipals"][0]["appRoleAssignedTo"]
    assert given["appRoleId"] == "my-role"

    terminal.world["directory"]["applications"][0]["appRoles"] = []
    assert "no app role ActionGroupsSecureWebhook" in terminal.run(preprovision)[2]


def test_who_may_not_grant_app_roles_opens_the_http_side_all_the_same(terminal: Terminal) -> None:  # noqa: F811
    terminal.world["may_not_post"] = ["servicePrincipals/servicePrincipals-1/appRoleAssignedTo"]
    said = terminal.run(preprovision)
    assert "may not call the app yet" in said[-2]
    assert "azd hooks run preprovision" in said[-1]
    assert terminal.world["environment"]["AUTH_CLIENT_ID"] == "client-1"

    terminal.world["may_not_post"] = []
    terminal.environment |= terminal.world["environment"]
    assert terminal.run(preprovision)[-1] == "Azure Monitor may call the app's webhook"


def test_who_may_not_register_applications_goes_on_and_hears_what_to_do(terminal: Terminal) -> None:  # noqa: F811
    terminal.world["may_register"] = False
    said = "\n".join(terminal.run(preprovision))
    assert terminal.world["environment"] == {}
    assert "Insufficient privileges" in said
    assert "azd hooks run preprovision" in said
    assert "azd env set AUTH_CLIENT_ID" in said


def test_who_is_not_signed_in_is_told_so(terminal: Terminal) -> None:  # noqa: F811
    terminal.world["signed_in"] = False
    with pytest.raises(StepError) as failed:
        terminal.run(preprovision)
    assert failed.value.remedy == "az login"


def test_the_azure_cli_must_be_in_the_tenant(terminal: Terminal) -> None:  # noqa: F811
    terminal.world["default_tenant"] = "elsewhere"
    with pytest.raises(StepError, match="tenant elsewhere") as failed:
        terminal.run(preprovision)
    assert failed.value.remedy == f"az account set --subscription {ONE}"
    assert terminal.world["directory"] == {}


@pytest.mark.parametrize(("late", "enough"), [(5, True), (50, False)])
def test_what_was_just_made_is_not_known_everywhere(terminal: Terminal, late: int, enough: bool) -> None:  # noqa: F811
    terminal.world["graph_is_late"] = late
    terminal.file.write_text(json.dumps(terminal.world), encoding="utf-8")
    slept: list[float] = []
    made = register_app("guard", terminal.said.append)
    world = json.loads(terminal.file.read_text(encoding="utf-8"))
    world["directory"]["applications"][0]["identifierUris"] = []
    terminal.file.write_text(json.dumps(world), encoding="utf-8")
    if enough:
        complete_app(made.client_id, "guard", terminal.said.append, slept.append)
        assert len(slept) == late
        return
    with pytest.raises(CommandError, match="does not exist"):
        complete_app(made.client_id, "guard", terminal.said.append, slept.append)
    assert sum(slept) == 60


def test_without_the_azure_cli(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(StepError, match="not installed"):
        terminal.run(preprovision)


def test_snapshot_groups_are_made_where_clusters_are_and_once(terminal: Terminal) -> None:  # noqa: F811
    terminal.world["groups"] = {ONE: {"rg-prod": "westeurope"}}
    terminal.environment["GUARD_VAULT_CLASSES"] = "Gold"
    terminal.run(postprovision)
    names = {"AKSAzureBackupSnapshots_westeurope", "AKSAzureBackupSnapshots_westeurope_gold"}
    assert terminal.world["groups"][ONE].keys() == {"rg-prod", *names}
    values = terminal.deployed("snapshot-groups.bicep")[ONE]
    assert (set(values["groupNames"]), values["appPrincipalId"]) == (names, PRINCIPAL)

    terminal.run(postprovision)
    assert len(terminal.world["deployments"]) == 1
    again = terminal.deployed("snapshot-groups.bicep")[ONE]
    assert (again["groupsToMake"], set(again["groupNames"])) == ([], names)


def test_regions_can_be_named(terminal: Terminal) -> None:  # noqa: F811
    terminal.environment["GUARD_REGIONS"] = "northeurope, WestEurope"
    terminal.run(postprovision)
    groups = terminal.world["groups"][ONE]
    assert groups == {
        "AKSAzureBackupSnapshots_northeurope": "northeurope",
        "AKSAzureBackupSnapshots_westeurope": "westeurope",
    }


def test_a_group_of_ones_own_gets_the_grant_where_it_lies(terminal: Terminal) -> None:  # noqa: F811
    terminal.world["groups"] = {TWO: {"my-snapshots": "westeurope"}}
    terminal.environment |= {
        "MONITORED_SUBSCRIPTIONS": f"{ONE},{TWO}",
        "GUARD_MORE_SNAPSHOT_GROUPS": f"/subscriptions/{TWO}/resourceGroups/my-snapshots",
    }
    terminal.run(postprovision)
    found = terminal.deployed("snapshot-groups.bicep")
    assert found[ONE]["groupNames"] == ["AKSAzureBackupSnapshots_westeurope"]
    assert (found[TWO]["groupNames"], found[TWO]["groupsToMake"]) == (["my-snapshots"], [])

    del terminal.world["groups"][TWO]["my-snapshots"]
    with pytest.raises(StepError, match="my-snapshots is not in") as failed:
        terminal.run(postprovision)
    assert "az group create" in failed.value.remedy


def test_management_groups_are_looked_up_and_granted(terminal: Terminal) -> None:  # noqa: F811
    terminal.world["management_groups"] = {"platform": [TWO, THREE]}
    terminal.world["rows"]["clusters"] += [{"subscriptionId": THREE, "location": "northeurope"}]
    terminal.environment |= {"MONITORED_SUBSCRIPTIONS": "", "GUARD_MANAGEMENT_GROUPS": "platform"}
    said = "\n".join(terminal.run(postprovision))
    rights = terminal.deployed("management-group.bicep")["platform"]
    assert rights == {"mode": "enforce", "appPrincipalId": PRINCIPAL, "roleName": "AKS Backup Guard of func-prod"}
    assert terminal.deployed("snapshot-groups.bicep").keys() == {THREE}
    assert f"{TWO}: no clusters yet" in said

    terminal.environment["GUARD_MANAGEMENT_GROUPS"] = "elsewhere"
    with pytest.raises(StepError, match="no subscription is visible below the management group elsewhere"):
        terminal.run(postprovision)


def test_one_subscription_without_rights_does_not_stop_the_others(terminal: Terminal) -> None:  # noqa: F811
    terminal.environment |= {"MONITORED_SUBSCRIPTIONS": f"{TWO},{ONE}", "GUARD_REGIONS": "westeurope"}
    terminal.world["no_rights_at"] = [TWO]
    with pytest.raises(StepError, match=f"deploy to {TWO}") as failed:
        terminal.run(postprovision)
    assert failed.value.remedy.splitlines()[-1] == "azd hooks run postprovision"
    assert terminal.deployed("snapshot-groups.bicep").keys() == {ONE}


def test_audit_mode_makes_nothing_and_takes_back_what_enforce_gave(terminal: Terminal) -> None:  # noqa: F811
    def assignment(name: str, scope: str, role: str, principal: str = PRINCIPAL) -> dict[str, Any]:
        role_id = f"/subscriptions/{ONE}/providers/Microsoft.Authorization/roleDefinitions/{role}"
        properties = {"principalId": principal, "scope": scope, "roleDefinitionId": role_id}
        return {"id": f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}", "properties": properties}

    kept = [
        assignment("custom", f"/subscriptions/{ONE}", "my-role"),
        assignment("somebody", f"/subscriptions/{ONE}", RBAC_ADMINISTRATOR, "somebody"),
        assignment("above", "/providers/Microsoft.Management/managementGroups/above", RBAC_ADMINISTRATOR),
    ]
    taken = [
        assignment("subscription", f"/subscriptions/{ONE}", RBAC_ADMINISTRATOR),
        assignment("group", f"/subscriptions/{ONE}/resourceGroups/AKSAzureBackupSnapshots_x", RBAC_ADMINISTRATOR),
    ]
    terminal.world["role_assignments"] = [*kept, *taken]
    terminal.environment["DEPLOYED_MODE"] = "audit"
    assert "took away 2 rights" in terminal.run(postprovision)[0]
    assert terminal.world["role_assignments"] == kept
    assert terminal.world["deployments"] == {}
    assert terminal.world["groups"] == {}


def test_people_come_back_to_the_app_after_they_signed_in(terminal: Terminal) -> None:  # noqa: F811
    terminal.run(preprovision)
    terminal.environment |= terminal.world["environment"]
    terminal.run(postprovision)
    terminal.run(postprovision)
    (application,) = terminal.world["directory"]["applications"]
    assert application["web"] == {
        "implicitGrantSettings": {"enableIdTokenIssuance": True},
        "redirectUris": ["https://func-prod.azurewebsites.net/.auth/login/aad/callback"],
    }

    terminal.environment["FUNCTION_APP_URL"] = "https://func-other.azurewebsites.net"
    terminal.world["may_register"] = False
    said = "\n".join(terminal.run(postprovision))
    assert "https://func-other.azurewebsites.net/.auth/login/aad/callback" in said
