"""All hooks of azure.yaml."""

import json
import subprocess

import pytest
import yaml

from infra.hooks.__main__ import HOOKS, main
from infra.hooks.azure_cli import CommandError, StepError
from infra.hooks.installation import read_installation
from tests.infra.fake_az import CAUSE, wrapped
from tests.infra.hooks_terminal import OUTPUTS, ROOT, Terminal, terminal  # noqa: F401


def test_what_is_missing_is_named_at_once() -> None:
    with pytest.raises(StepError, match="lacks FUNCTION_APP_ID, DEPLOYED_MODE") as failed:
        read_installation(
            {name: value for name, value in OUTPUTS.items() if name not in ("FUNCTION_APP_ID", "DEPLOYED_MODE")}
        )
    assert failed.value.remedy == "azd provision"


def test_a_failure_is_printed_with_what_to_run(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    terminal.world["signed_in"] = False
    terminal.file.write_text(json.dumps(terminal.world), encoding="utf-8")
    assert main(["preprovision"]) == 1
    printed = capsys.readouterr().err
    assert "FAILED: the Azure CLI cannot see subscription" in printed
    assert "run: az login" in printed
    assert main(["nothing"]) == 2


@pytest.mark.parametrize(
    ("said", "code", "told"),
    [
        (f"ERROR: {wrapped(CAUSE)}\n", "BadRequest", "az a b c: BadRequest: The requested operation"),
        ('Bad Request({"error":{"code":"Odd","message":"No."}})', "Odd", "az a b c: Odd: No."),
        ("ERROR: (NotFound) It is gone.\nCode: NotFound", "NotFound", "az a b c: (NotFound) It is gone. Code"),
        ("ERROR: Please run {az login}", "", "az a b c: Please run {az login}"),
        ('ERROR: [{"code": 3}] {"error": null} {', "", "az a b c: [{"),
        ("", "", "az a b c: no reason was given"),
    ],
)
def test_the_cause_is_what_is_told(said: str, code: str, told: str) -> None:
    failed = CommandError(("a", "b", "c", "d"), said)
    assert failed.code == code
    assert str(failed).startswith(told)


def test_azure_yaml_runs_every_hook_from_the_root() -> None:
    project = yaml.safe_load((ROOT / "azure.yaml").read_text(encoding="utf-8"))
    service = project["services"]["app"]
    assert service == {"project": "./dist/app", "language": "python", "host": "function", "remoteBuild": False}
    hooks = {name: hook["posix"] for name, hook in project["hooks"].items()}
    assert hooks.keys() == {*HOOKS, "prepackage", "predeploy"}
    for hook in project["hooks"].values():
        assert hook["windows"]["run"].endswith("; exit 1"), "azd on Windows asks for a command of its own"
    for name, hook in hooks.items():
        assert (hook["shell"], hook["interactive"]) == ("sh", True), "azd shows the output of interactive hooks alone"
        assert subprocess.run(["sh", "-n"], input=hook["run"], text=True, check=False).returncode == 0
        assert hook["run"].endswith(f"-m infra.hooks {name}" if name in HOOKS else "package")
