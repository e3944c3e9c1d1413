"""What was deployed, by its own account: the outputs of infra/main.bicep, as azd keeps them in its environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

_NEEDED = {
    "app_id": "FUNCTION_APP_ID",
    "app_url": "FUNCTION_APP_URL",
    "identity_id": "APP_IDENTITY_ID",
    "principal_id": "APP_PRINCIPAL_ID",
    "client_id": "APP_CLIENT_ID",
    "storage_id": "STORAGE_ACCOUNT_ID",
    "topic_id": "EVENT_TOPIC_ID",
    "topic_endpoint": "EVENT_TOPIC_ENDPOINT",
    "key_vault": "KEY_VAULT_NAME",
    "workspace_id": "LOG_ANALYTICS_WORKSPACE_ID",
    "event_delivery": "EVENT_DELIVERY",
    "mode": "DEPLOYED_MODE",
}
_LISTS = {
    "subscriptions": "MONITORED_SUBSCRIPTIONS",
    "management_groups": "GUARD_MANAGEMENT_GROUPS",
    "regions": "GUARD_REGIONS",
    "vault_classes": "GUARD_VAULT_CLASSES",
    "more_snapshot_groups": "GUARD_MORE_SNAPSHOT_GROUPS",
}
_AMONG = {"event_delivery": ("function", "queue"), "mode": ("audit", "enforce")}
NAMES = (*_NEEDED.values(), *_LISTS.values())
_LINE = re.compile(r"""\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s#]*))\s*(?:#.*)?""")


class DeploymentUnknownError(ValueError):
    """What is missing or cannot be; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """ARM ids as Azure spells them. Without `regions` the regions are those where clusters are."""

    app_id: str
    app_url: str
    identity_id: str
    principal_id: str
    client_id: str
    storage_id: str
    topic_id: str
    topic_endpoint: str
    key_vault: str
    workspace_id: str
    event_delivery: str
    mode: str
    subscriptions: tuple[str, ...]
    management_groups: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    vault_classes: tuple[str, ...] = ()
    more_snapshot_groups: tuple[str, ...] = ()

    @property
    def subscription(self) -> str:
        """Where the app itself lies."""
        return self.app_id.split("/")[2]

    @property
    def group_id(self) -> str:
        """The app's own resource group."""
        return "/".join(self.app_id.split("/")[:5])

    @property
    def key_vault_id(self) -> str:
        return f"{self.group_id}/providers/Microsoft.KeyVault/vaults/{self.key_vault}"

    @property
    def account(self) -> str:
        """Name of the storage account."""
        return self.storage_id.rsplit("/", 1)[-1]

    @property
    def enforces(self) -> bool:
        return self.mode == "enforce"


def deployment_of(values: Mapping[str, str]) -> Deployment:
    """Raises DeploymentUnknownError, naming all that is missing or wrong."""
    texts = {field: values.get(name, "").strip() for field, name in _NEEDED.items()}
    lists = {field: _listed(values.get(name, "")) for field, name in _LISTS.items()}
    missing = [_NEEDED[field] for field, text in texts.items() if not text]
    if not lists["subscriptions"] and not lists["management_groups"]:
        missing.append(_LISTS["subscriptions"])
    if missing:
        raise DeploymentUnknownError(
            f"Not known: {', '.join(missing)}.\nRun this as an azd hook or with `azd env get-values > guard.env` and "
            "--env-file guard.env; or set them with --set NAME=VALUE, or as environment variables."
        )
    for field, text in texts.items():
        if field in _AMONG and text not in _AMONG[field]:
            raise DeploymentUnknownError(f"{_NEEDED[field]} is {text[:50]!r}; use {' or '.join(_AMONG[field])}.")
        if field.endswith("_id") and field not in ("principal_id", "client_id") and len(text.split("/")) < 9:
            raise DeploymentUnknownError(f"{_NEEDED[field]} is {text[:200]!r}, which is no ARM id of a resource.")
    known = {each.name: texts.get(each.name, lists.get(each.name)) for each in fields(Deployment)}
    return Deployment(**known)  # type: ignore[arg-type] # texts and lists, each in its own field


def read_env_file(path: Path) -> dict[str, str]:
    """As `azd env get-values` writes it: NAME="VALUE". Raises DeploymentUnknownError."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DeploymentUnknownError(f"--env-file {path}: cannot be read: {error}") from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if (match := _LINE.fullmatch(line)) is None:
            raise DeploymentUnknownError(f"--env-file {path}: line {number} is not NAME=VALUE")
        name, double, single, bare = match.groups()
        found[name] = re.sub(r"\\(.)", r"\1", double) if double is not None else (single or bare or "")
    return found


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
