"""App settings: they run locally unsaid, and what is wrong is said all at once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.settings import (
    PREFIX,
    SETTINGS,
    AzureEndpoints,
    InvalidSettingsError,
    Loop,
    StorageByConnectionString,
    StorageByIdentity,
    documentation,
    read_settings,
)

ROOT = Path(__file__).resolve().parents[2]
ONE, TWO = "00000000-0000-0000-0000-00000000000a", "11111111-1111-1111-1111-11111111111b"


def errors_of(**environ: str) -> tuple[str, ...]:
    with pytest.raises(InvalidSettingsError) as caught:
        read_settings(
            {name if "__" in name or name.startswith("Azure") else PREFIX + name: environ[name] for name in environ}
        )
    assert all(error in str(caught.value) for error in caught.value.errors)
    return caught.value.errors


def test_nothing_said_runs_locally() -> None:
    settings = read_settings({})
    assert settings.azure == AzureEndpoints(
        "https://management.azure.com",
        "https://management.azure.com",
        "https://login.microsoftonline.com",
        "core.windows.net",
    )
    assert settings.azure.arm_scope == "https://management.azure.com/.default"
    assert settings.identity.client_id is None
    assert isinstance(settings.storage, StorageByConnectionString)
    assert "TableEndpoint=http://127.0.0.1:10002/devstoreaccount1" in settings.storage.connection_string
    assert settings.scope.subscriptions == ()
    assert settings.loop == Loop(pass_seconds=240, lease_seconds=420, time_scale=1)
    assert (settings.quota.max_calls_in_flight, settings.quota.reserve) == (64, 5)
    assert not settings.emergency_stop.stopped
    assert settings.configuration.path == ROOT / "guard.yaml"
    assert settings.configuration.text is None


def test_an_empty_setting_is_an_unsaid_one() -> None:
    assert read_settings({setting.name: " " for setting in SETTINGS}) == read_settings({})


def test_a_simulator_on_this_machine() -> None:
    settings = read_settings(
        {
            f"{PREFIX}ARM_ENDPOINT": "http://127.0.0.1:4711/",
            f"{PREFIX}AUTHORITY": "http://localhost:4711",
            f"{PREFIX}TIME_SCALE": "60",
            f"{PREFIX}PASS_SECONDS": "10",
            f"{PREFIX}LEASE_SECONDS": "12",
        }
    )
    assert settings.azure.arm == "http://127.0.0.1:4711"
    assert settings.azure.arm_scope == "https://management.azure.com/.default"
    assert settings.loop == Loop(pass_seconds=10, lease_seconds=12, time_scale=60)


def test_a_sovereign_cloud_is_only_settings() -> None:
    settings = read_settings(
        {
            f"{PREFIX}ARM_ENDPOINT": "https://management.chinacloudapi.cn",
            f"{PREFIX}AUTHORITY": "https://login.chinacloudapi.cn",
            f"{PREFIX}STORAGE_SUFFIX": "core.chinacloudapi.cn",
            "AzureWebJobsStorage__accountName": "state",
            "AzureWebJobsStorage__credential": "managedidentity",
            "AzureWebJobsStorage__clientId": ONE.upper(),
        }
    )
    assert settings.azure.arm_scope == "https://management.chinacloudapi.cn/.default"
    assert settings.storage == StorageByIdentity(
        "https://state.table.core.chinacloudapi.cn", "https://state.queue.core.chinacloudapi.cn", ONE
    )


def test_storage_by_uris() -> None:
    environ = {
        "AzureWebJobsStorage__tableServiceUri": "https://a.table.core.windows.net/",
        "AzureWebJobsStorage__queueServiceUri": "https://a.queue.core.windows.net",
    }
    expected = StorageByIdentity("https://a.table.core.windows.net", "https://a.queue.core.windows.net", None)
    assert read_settings(environ).storage == expected
    with_string = read_settings({**environ, "AzureWebJobsStorage": "AccountName=a;AccountKey=b"}).storage
    assert with_string == StorageByConnectionString("AccountName=a;AccountKey=b")


def test_subscriptions_are_listed_once_each() -> None:
    settings = read_settings({f"{PREFIX}SUBSCRIPTIONS": f" {ONE.upper()} ,{TWO},, {ONE}"})
    assert settings.scope.subscriptions == (ONE, TWO)


@pytest.mark.parametrize(
    ("text", "stopped"), [("true", True), ("TRUE", True), ("1", True), ("False", False), ("0", False)]
)
def test_the_emergency_stop(text: str, stopped: bool) -> None:
    assert read_settings({f"{PREFIX}STOPPED": text}).emergency_stop.stopped is stopped


def test_the_configuration_as_a_setting() -> None:
    settings = read_settings(
        {f"{PREFIX}CONFIGURATION_YAML": "revision: 1", f"{PREFIX}CONFIGURATION": "/etc/guard.yaml"}
    )
    assert settings.configuration.text == "revision: 1"
    assert settings.configuration.path == Path("/etc/guard.yaml")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("ARM_ENDPOINT", "http://management.azure.com", "no https URL"),
        ("ARM_ENDPOINT", "management.azure.com", "no https URL"),
        ("ARM_ENDPOINT", "http://127.0.0.1.evil.example", "no https URL"),
        ("AUTHORITY", "ftp://localhost", "no https URL"),
        ("ARM_AUDIENCE", "arm", "no https URL"),
        ("STORAGE_SUFFIX", "https://core.windows.net", "no domain"),
        ("CLIENT_ID", "me", "no id like"),
        ("SUBSCRIPTIONS", f"{ONE},prod", "no id like"),
        ("STOPPED", "yes please", "neither true nor false"),
        ("PASS_SECONDS", "five", "no number above 0"),
        ("PASS_SECONDS", "nan", "no number above 0"),
        ("PASS_SECONDS", "-1", "no number above 0"),
        ("LEASE_SECONDS", "350", "use at least 360"),
        ("TIME_SCALE", "60", "point the ARM endpoint at loopback"),
        ("MAX_CALLS_IN_FLIGHT", "0", "use at least 1"),
        ("QUOTA_RESERVE", "1.5", "no whole number"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_given_and_what_to_do(name: str, text: str, said: str) -> None:
    (error,) = errors_of(**{name: text})
    assert error.startswith(f"{PREFIX}{name}: {text!r} is ")
    assert said in error


def test_all_that_is_wrong_is_said_at_once() -> None:
    errors = errors_of(STOPPED="perhaps", TIME_SCALE="fast", CLIENT_ID="x", QUOTA_RESERVE="-")
    names = {error.split(":")[0].removeprefix(PREFIX) for error in errors}
    assert names == {"CLIENT_ID", "QUOTA_RESERVE", "STOPPED", "TIME_SCALE"}


def test_a_misspelt_emergency_stop_is_refused() -> None:
    assert errors_of(STOPED="true") == (f"{PREFIX}STOPED: no such setting; did you mean {PREFIX}STOPPED?",)
    assert "docs/settings.md" in errors_of(XYZW="1")[0]


def test_settings_of_others_are_let_be() -> None:
    environ = {"PATH": "/bin", "FUNCTIONS_WORKER_RUNTIME": "python", f"{PREFIX}HOST_QUEUE_LEASE_SECONDS": "5"}
    assert read_settings(environ) == read_settings({})


def test_a_key_is_never_repeated() -> None:
    (error,) = errors_of(AzureWebJobsStorage="AccountName=a;Key=s3cret")
    assert error.startswith("AzureWebJobsStorage: ")
    assert "s3cret" not in error


def test_storage_by_identity_needs_both_endpoints_and_a_managed_identity() -> None:
    errors = errors_of(
        AzureWebJobsStorage__tableServiceUri="https://a.table.core.windows.net",
        AzureWebJobsStorage__credential="clientsecret",
    )
    assert [error.split(":")[0] for error in errors] == [
        "AzureWebJobsStorage__queueServiceUri",
        "AzureWebJobsStorage__credential",
    ]


def test_the_sample_says_the_defaults() -> None:
    values = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    assert values.pop("FUNCTIONS_WORKER_RUNTIME") == "python"
    assert values == {s.name: s.default for s in SETTINGS if s.name.startswith(PREFIX) or "__" not in s.name}
    assert read_settings(values) == read_settings({})


def test_the_documentation_is_the_one_of_the_code() -> None:
    assert (ROOT / "docs" / "settings.md").read_text() == documentation(), "run: python -m shared.settings"
    assert all(setting.meaning and f"`{setting.name}`" in documentation() for setting in SETTINGS)


def test_reading_settings_loads_neither_azure_nor_pydantic() -> None:
    code = (
        "import sys, shared.settings as s; s.read_settings({});"
        "print([m for m in ('azure', 'pydantic', 'yaml', 'asyncio') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ}, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
