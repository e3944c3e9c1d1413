"""What Microsoft.Storage refuses. Codes are Azure's own where not said otherwise."""

import re
from typing import Any

from simulator.arm.errors import ArmError

SKUS = (
    "Standard_LRS",
    "Standard_GRS",
    "Standard_RAGRS",
    "Standard_ZRS",
    "Standard_GZRS",
    "Standard_RAGZRS",
    "Premium_LRS",
    "Premium_ZRS",
)
KINDS = ("Storage", "StorageV2", "BlobStorage", "FileStorage", "BlockBlobStorage")


def account_name_error(name: str) -> str | None:
    """Why the name cannot be an account's, in the service's words; None when it can."""
    if re.fullmatch(r"[a-z0-9]{3,24}", name):
        return None
    return (
        f"{name} is not a valid storage account name. Storage account name must be between 3 and 24 characters in "
        "length and use numbers and lower-case letters only."
    )


def check_container_name(name: str) -> None:
    """3 to 63 lower-case letters, digits and single hyphens, a letter or digit at both ends (assumed: the code)."""
    if not (3 <= len(name) <= 63 and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)):
        raise ArmError(400, "ContainerNameInvalid", f"The specified container name {name} is not valid.")


def check_account(body: dict[str, Any]) -> None:
    """The parts of a PUT body that must be there. Raises ArmError 400."""
    for name, known, value in (("sku", SKUS, (body.get("sku") or {}).get("name")), ("kind", KINDS, body.get("kind"))):
        if value is None:
            raise ArmError(400, "InvalidRequestPropertyValue", f"The property '{name}' is required.")  # assumed code
        if value not in known:
            raise ArmError(
                400,
                "InvalidRequestPropertyValue",  # assumed code
                f"The value '{value}' is not allowed for property {name}. Allowed values are: {', '.join(known)}.",
            )
