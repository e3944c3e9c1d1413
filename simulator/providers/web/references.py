"""App settings that point to a secret.

Source: https://learn.microsoft.com/azure/app-service/app-service-key-vault-references."""

import re
from dataclasses import dataclass

_REFERENCE = re.compile(r"@Microsoft\.KeyVault\((.*)\)", re.IGNORECASE | re.DOTALL)
_URI = re.compile(
    r"SecretUri=https://(?P<vault>[\w-]+)\.vault\.[\w.]+(?::443)?/secrets/(?P<secret>[\w-]+)(?:/(?P<version>\w*))?/?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Reference:
    """`text` is the whole setting; without a `secret` it says nothing that can be followed."""

    text: str
    vault: str | None = None
    secret: str | None = None
    version: str | None = None


def parse_reference(value: str) -> Reference | None:
    """The reference that a setting's value is, in either of the documented forms; None for a plain value."""
    found = _REFERENCE.fullmatch(value.strip())
    if found is None:
        return None
    if (uri := _URI.fullmatch(found[1].strip())) is not None:
        return Reference(value, uri["vault"], uri["secret"], uri["version"] or None)
    parts = (part.partition("=") for part in found[1].split(";"))
    said = {name.strip().lower(): text.strip() for name, _, text in parts}
    if said.get("vaultname") and said.get("secretname"):
        return Reference(value, said["vaultname"], said["secretname"], said.get("secretversion") or None)
    return Reference(value)
