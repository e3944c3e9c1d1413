"""A terminal where the hooks of azure.yaml run: `az`, `azd` and `aks-backup-guard` are stand-ins that keep a small
Azure (fake_az.py)."""

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.infra.fake_az import TENANT

ROOT = Path(__file__).parents[2]
ONE, TWO, THREE = (f"{number * 8}-0000-0000-0000-000000000000" for number in "123")
PRINCIPAL = "aaaaaaaa-0000-0000-0000-000000000000"
TOPIC = f"/subscriptions/{ONE}/resourceGroups/rg-prod/providers/Microsoft.EventGrid/topics/evgt-prod"
RBAC_ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
OUTPUTS = {
    "AZURE_ENV_NAME": "prod",
    "AZURE_SUBSCRIPTION_ID": ONE,
    "AZURE_LOCATION": "westeurope",
    "AZURE_RESOURCE_GROUP": "rg-prod",
    "FUNCTION_APP_NAME": "func-prod",
    "FUNCTION_APP_ID": f"/subscriptions/{ONE}/resourceGroups/rg-prod/providers/Microsoft.Web/sites/func-prod",
    "FUNCTION_APP_URL": "https://func-prod.azurewebsites.net",
    "APP_PRINCIPAL_ID": PRINCIPAL,
    "STORAGE_ACCOUNT_ID": f"/subscriptions/{ONE}/resourceGroups/rg-prod/providers/Microsoft.Storage/storageAccounts/st",
    "EVENT_TOPIC_ID": TOPIC,
    "EVENT_TOPIC_ENDPOINT": "https://evgt-prod.westeurope-1.eventgrid.azure.net/api/events",
    "ACTION_GROUP_ID": f"/subscriptions/{ONE}/resourceGroups/rg-prod/providers/Microsoft.Insights/actionGroups/ag",
    "MONITORED_SUBSCRIPTIONS": ONE,
    "EVENT_DELIVERY": "function",
    "DEPLOYED_MODE": "enforce",
}
FUNCTIONS = ["cluster_events", "job_events", "reconcile", "queued_events"]


def somebodys(principal_id: str | None) -> dict[str, Any]:
    arm_id = f"/subscriptions/{ONE}/resourceGroups/rg-Audit/providers/Microsoft.EventGrid/systemTopics/arm-events"
    properties = {"topicType": "Microsoft.Resources.Subscriptions"}
    return {"id": arm_id, "identity": {"principalId": principal_id}, "properties": properties}


class Terminal:
    """Runs hooks in a folder of their own; `world` is the small Azure."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "azure.json"
        self.said: list[str] = []
        self.environment = dict(OUTPUTS)
        self.world: dict[str, Any] = {
            "calls": [], "signed_in": True, "default_tenant": TENANT, "graph_is_late": 0, "may_not_post": [],
            "may_register": True, "environment": {}, "groups": {}, "functions": [],
            "functions_after": 0, "no_rights_at": [], "subscribed": {}, "system_topics": {}, "role_assignments": [],
            "without_event_grid": [], "identities_for_global_topics": True,
            "deployments": {}, "management_groups": {}, "directory": {}, "guard": [], "guard_exit_codes": {},
            "rows": {"clusters": [{"subscriptionId": ONE, "location": "westeurope"}], "instances": []},
        }  # fmt: skip

    def run(self, hook: ModuleType, **more: Any) -> list[str]:
        """What it said. The world may be changed before; it is read again after."""
        self.file.write_text(json.dumps(self.world), encoding="utf-8")
        before = len(self.said)
        try:
            hook.run(self.environment, self.said.append, **more)
        finally:
            self.world = json.loads(self.file.read_text(encoding="utf-8"))
            assert "broken" not in self.world, self.world["broken"]
        return self.said[before:]

    def deployed(self, template: str) -> dict[str, dict[str, Any]]:
        """Parameters of the deployments of a template, by where they went."""
        found = [each for each in self.world["deployments"].values() if each["template"].endswith(template)]
        return {each["where"]: each["values"] for each in found}


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    binaries = tmp_path / "bin"
    binaries.mkdir()
    for program in ("az", "azd"):
        script = f'#!/bin/sh\nexec "{sys.executable}" -IS "{ROOT}/tests/infra/fake_az.py" {program} "$@"\n'
        (binaries / program).write_text(script)
        (binaries / program).chmod(0o755)
    (tmp_path / "cli").mkdir()  # stands before the real one: `python -m` looks where it is run
    (tmp_path / "cli" / "__main__.py").write_text(
        "import json, os, pathlib, sys\n"
        "state = pathlib.Path(os.environ['FAKE_AZURE']); world = json.loads(state.read_text())\n"
        "world['guard'].append([len(world['subscribed']), *sys.argv[1:]]); state.write_text(json.dumps(world))\n"
        "sys.exit(world['guard_exit_codes'].get(sys.argv[1], 0))\n"
    )
    monkeypatch.setenv("PATH", f"{binaries}:/usr/bin:/bin")
    monkeypatch.setenv("FAKE_AZURE", str(tmp_path / "azure.json"))
    monkeypatch.chdir(tmp_path)
    return Terminal(tmp_path)
