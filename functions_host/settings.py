"""App settings: local.settings.json, `%NAME%` references and connection strings.

Core Tools loads `Values` of local.settings.json into the environment and lets a variable that is already set win
(https://learn.microsoft.com/azure/azure-functions/functions-develop-local#local-settings-file). Binding properties
may hold `%NAME%`, which the host replaces by the app setting of that name
(https://learn.microsoft.com/azure/azure-functions/functions-bindings-expressions-patterns).
"""

import json
import os
import re
from pathlib import Path

from functions_host.start_error import StartError

QUEUE_LEASE_SETTING = "AKS_BACKUP_GUARD_HOST_QUEUE_LEASE_SECONDS"
BODY_LIMIT_SETTING = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"

_DEFAULT_QUEUE_LEASE_SECONDS = 600
_DEFAULT_BODY_LIMIT = 4 * 1024 * 1024
_REFERENCE = re.compile(r"%([^%\s]+)%")


def load(app_dir: Path, settings_file: Path | None) -> None:
    """Put the settings file's `Values` into the environment; what is set already stays."""
    path = settings_file or app_dir / "local.settings.json"
    if settings_file is None and not path.exists():
        return
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StartError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(document, dict):
        raise StartError(f"{path}: must be a JSON object")
    if document.get("IsEncrypted") is True:
        raise StartError(f"{path}: is encrypted; run `func settings decrypt` first")
    values = document.get("Values", {})
    if not isinstance(values, dict):
        raise StartError(f"{path}: Values must be an object")
    for name, value in values.items():
        if not isinstance(value, str):
            raise StartError(f"{path}: Values.{name} must be a string, it is {json.dumps(value)}")
        os.environ.setdefault(name, value)


def announce_to_app(app_dir: Path, port: int) -> None:
    """Set what Core Tools sets for a local run."""
    runtime = os.environ.setdefault("FUNCTIONS_WORKER_RUNTIME", "python")
    if runtime != "python":
        raise StartError(f"FUNCTIONS_WORKER_RUNTIME is {runtime!r}; only python is hosted")
    os.environ.setdefault("AZURE_FUNCTIONS_ENVIRONMENT", "Development")
    os.environ.setdefault("AzureWebJobsScriptRoot", str(app_dir))
    os.environ.setdefault("WEBSITE_HOSTNAME", f"127.0.0.1:{port}")


def resolve(text: str, where: str) -> str:
    """Replace every `%NAME%` by the app setting NAME."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise StartError(f"{where}: '%{name}%' does not resolve: there is no app setting {name}")
        return os.environ[name]

    return _REFERENCE.sub(value, text)


def connection_string(setting: str, where: str) -> str:
    """The storage connection string a binding's `connection` names; the host tries the AzureWebJobs prefix too."""
    name = setting or "AzureWebJobsStorage"
    for candidate in (name, f"AzureWebJobs{name}"):
        if os.environ.get(candidate):
            return os.environ[candidate]
    if any(key.startswith(f"{name}__") for key in os.environ):
        raise StartError(
            f"{where}: connection {name} uses an identity ({name}__…); locally it must be a connection string"
        )
    raise StartError(f"{where}: there is no app setting {name} with a storage connection string")


def is_disabled(function_name: str) -> bool:
    """Whether `AzureWebJobs.NAME.Disabled` (or its form for Linux) is set to true."""
    names = (f"AzureWebJobs.{function_name}.Disabled", f"AzureWebJobs_{function_name}_Disabled")
    return any(os.environ.get(name, "").lower() in {"true", "1"} for name in names)


def queue_lease_seconds() -> int:
    """How long a received message stays invisible before the lease is renewed; the real host's value is 600."""
    return _positive_int(QUEUE_LEASE_SETTING, _DEFAULT_QUEUE_LEASE_SECONDS)


def body_limit_bytes() -> int:
    """The largest request body, under the real host's setting; its default of 100 MB would hide mistakes here."""
    return _positive_int(BODY_LIMIT_SETTING, _DEFAULT_BODY_LIMIT)


def _positive_int(name: str, default: int) -> int:
    text = os.environ.get(name)
    if text is None:
        return default
    if not text.isdecimal() or int(text) < 1:
        raise StartError(f"{name} must be a whole number of at least 1, it is {text!r}")
    return int(text)
