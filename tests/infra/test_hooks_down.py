"""What `azd down` can reach, and what is said of what remains (docs/decisions/0015)."""

import re
import shutil
from pathlib import Path

import pytest

from infra.hooks import postdown, predown
from tests.infra.hooks_terminal import ONE, OUTPUTS, PRINCIPAL, ROOT, THREE, TWO, Terminal, somebodys, terminal  # noqa: F401


def test_what_remains_is_said_before_and_after(terminal: Terminal) -> None:  # noqa: F811
    vault = f"/subscriptions/{TWO}/resourceGroups/AKSAzureBackup_x/providers/Microsoft.DataProtection/backupVaults/v"
    terminal.world["rows"]["instances"] = [{"subscriptionId": TWO, "vault": vault}] * 2
    terminal.world["groups"] = {TWO: {"AKSAzureBackupSnapshots_westeurope": "westeurope"}}
    terminal.world["management_groups"] = {"platform": [THREE]}
    topic = somebodys("x")["id"]
    terminal.environment |= {
        "MONITORED_SUBSCRIPTIONS": f"{ONE},{TWO}",
        "GUARD_MANAGEMENT_GROUPS": "platform",
        "GUARD_SYSTEM_TOPICS": topic,
        "AUTH_CLIENT_ID": "my-client",
    }
    state = {key: value for key, value in terminal.world.items() if key != "calls"}
    said = terminal.run(predown)
    assert {key: value for key, value in terminal.world.items() if key != "calls"} == state, "it only looks"
    text = "\n".join(said)
    assert "2 backup instances in 1 vaults" in text
    assert vault.lower() in text
    assert "1 resource groups AKSAzureBackupSnapshots_*" in text
    for subscription in (ONE, TWO, THREE):
        assert f"az role assignment delete --subscription {subscription} --assignee-object-id {PRINCIPAL}" in text
    assert f"az group delete --subscription {TWO} --name rg-prod-events" in text
    assert f"az group delete --subscription {ONE}" not in text, "azd deletes that"
    assert "--name 'AKS Backup Guard of func-prod platform'" in text
    assert f"{topic}/eventSubscriptions/func-prod" in text
    assert "az ad app delete --id my-client" in text
    assert "az group delete" not in "\n".join(line for line in said if "AKSAzureBackup" in line)

    terminal.environment = {"AZURE_ENV_NAME": "prod"}  # azd forgets the outputs
    assert terminal.run(postdown) == said
    terminal.environment = {"AZURE_ENV_NAME": "other"}
    assert "docs/deploy.md" in terminal.run(postdown)[0]


def test_down_is_never_stopped(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    terminal.environment = {"AZURE_ENV_NAME": "prod"}
    assert "nothing was provisioned" in terminal.run(predown)[0]
    terminal.environment = {**OUTPUTS, "GUARD_MANAGEMENT_GROUPS": "nothing-there"}
    said = terminal.run(predown)
    assert "could not be read" in said[0]
    assert "No backup is touched" in "\n".join(said)


def reached_from(path: Path) -> set[Path]:
    """A Bicep file and its modules, theirs too."""
    found, waiting = set(), [path.resolve()]
    while waiting:
        if (file := waiting.pop()) not in found:
            found.add(file)
            modules = re.findall(r"^module \w+ '([^']+)'", file.read_text(encoding="utf-8"), re.MULTILINE)
            waiting += [(file.parent / module).resolve() for module in modules]
    return found


def groups_named(main: Path) -> list[str]:
    """Every resource group but the app's that a deployment of main.bicep names."""
    text = main.read_text(encoding="utf-8")
    said = [scope for scope in re.findall(r"^\s+scope: (.+)$", text, re.MULTILINE) if scope not in _SCOPES]
    said += re.findall(r"^resource (\w+) 'Microsoft.Resources/resourceGroups@", text, re.MULTILINE)[1:]
    for file in reached_from(main) - {main.resolve()}:
        inner = file.read_text(encoding="utf-8")
        said += [f"{file.name}: {each}" for each in re.findall(r"resourceGroups@|scope: resourceGroup\(", inner)]
    return said


_SCOPES = ("group", "subscription(id)")


def test_azd_down_can_reach_the_apps_own_group_alone(tmp_path: Path) -> None:
    infra = ROOT / "infra"
    assert groups_named(infra / "main.bicep") == []
    assert len(reached_from(infra / "main.bicep")) > 10
    for file in infra.rglob("*.bicep"):
        assert "Microsoft.DataProtection/" not in file.read_text(encoding="utf-8"), file

    shutil.copytree(infra, tmp_path / "infra")
    planted = tmp_path / "infra" / "main.bicep"
    text = planted.read_text(encoding="utf-8")
    planted.write_text(text.replace("scope: subscription(id)", "scope: resourceGroup(id, 'backups')"), encoding="utf-8")
    assert groups_named(planted) == ["resourceGroup(id, 'backups')"]
    planted.write_text(text.replace("'fleet/subscription.bicep'", "'fleet/snapshot-groups.bicep'"), encoding="utf-8")
    assert groups_named(planted) == [
        "snapshot-groups.bicep: resourceGroups@",
        "snapshot-groups.bicep: scope: resourceGroup(",
    ]
